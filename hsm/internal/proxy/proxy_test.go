//go:build unix

package proxy

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFunctionsHaveThePlacesOfTheFunctionList(t *testing.T) {
	f := functions()
	require.Len(t, f, 70)
	for name, place := range map[string]int{
		"C_Initialize": 0, "C_OpenSession": 12, "C_Login": 18, "C_SignInit": 42, "C_Sign": 43,
		"C_GenerateKeyPair": 59, "C_WaitForSlotEvent": 67, "C_DecapsulateKey": 69,
	} {
		assert.Equal(t, place, f[name], name)
	}
}

func TestProxyCompiles(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	p, err := New("/nonexistent", t.TempDir())
	require.NoError(t, err)
	assert.FileExists(t, p.Path)
	assert.Panics(t, func() { p.Calls("C_Nothing") })
}
