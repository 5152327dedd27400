package mlkem

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDependencies holds what a program links when it imports this package to the few
// modules that it needs.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	require.NoError(t, err)
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, m := range slices.Compact(modules) {
		assert.Contains(t, []string{
			"github.com/pqlane/pqlane",
			"github.com/klauspost/cpuid/v2",
			"golang.org/x/sys",
		}, m)
	}
}
