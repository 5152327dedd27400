//go:build cgo && !windows

package command

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/nss"
)

func TestMain(m *testing.M) { nss.Main(m) }

func TestTokenBesideRawCalls(t *testing.T) {
	module := nss.Module(t)
	pin := filepath.Join(t.TempDir(), "pin")
	require.NoError(t, os.WriteFile(pin, []byte(nss.PIN), 0o600))
	uri := fmt.Sprintf("pkcs11:token=%s?module-path=%s&pin-source=%s", url.PathEscape(nss.Token), module, pin)
	status, stdout, stderr := bench("-hsm", uri, "-time", "1us", "-op", "(44|512) in the token (sign|decaps) 16")
	require.Zero(t, status, stderr)
	for _, want := range []string{"ML-DSA-44 in the token, times as fast as raw C calls", "ML-KEM-512 in the token", "\nsign 16 ", "\ndecaps 16 "} {
		assert.Contains(t, stdout, want)
	}
	assert.NotContains(t, stdout+stderr, nss.PIN)
}

func TestNoToken(t *testing.T) {
	for uri, want := range map[string]string{
		"https://example.com":                 "malformed PKCS #11 URI",
		"pkcs11:?module-path=/nonexistent.so": "hsm: ",
	} {
		status, _, stderr := bench("-hsm", uri)
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr, want)
	}
	status, _, stderr := bench("-hsm", "pkcs11:", "-tail")
	assert.Equal(t, 2, status)
	assert.Contains(t, stderr, "exclude each other")
}
