//go:build !purego

package keccak

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// TestSHA3InstructionsNeedTheirLevel runs a kernel of FEAT_SHA3, without asking, in a process of
// its own. Where the level is not available it must be killed: that it does no harm to the
// other tests is due to the selection then.
func TestSHA3InstructionsNeedTheirLevel(t *testing.T) {
	const unasked = "PQLANE_TEST_UNASKED_SHA3"
	if os.Getenv(unasked) != "" {
		var a [25]uint64
		permuteSHA3(&a)
		os.Exit(0)
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	// An emulator that runs this test has to be named to run it again.
	args := append(strings.Fields(os.Getenv("PQLANE_TEST_EMULATOR")), exe, "-test.run=^TestSHA3InstructionsNeedTheirLevel$")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), unasked+"=1")
	out, err := cmd.CombinedOutput()
	if slices.Contains(cpu.Available(), "neon-sha3") {
		require.NoError(t, err, "%s", out)
		return
	}
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	assert.Contains(t, string(out), "SIGILL")
}
