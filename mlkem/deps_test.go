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
// modules that it needs, to DER of all of x/crypto, and to no more of the standard library's
// formats.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", ".").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		assert.NotContains(t, []string{"crypto/x509", "encoding/pem"}, path)
		switch module {
		case "", "github.com/pqlane/pqlane", "github.com/klauspost/cpuid/v2", "golang.org/x/sys":
		case "golang.org/x/crypto":
			assert.True(t, slices.Contains([]string{"cryptobyte", "cryptobyte/asn1"}, strings.TrimPrefix(path, module+"/")), path)
		default:
			assert.Fail(t, "unexpected module", module)
		}
	}
}
