package cpu

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBackendIsWhatWasAsked fails a test run whose PQLANE_BACKEND did not take
// effect: a run that silently tests another backend proves nothing.
func TestBackendIsWhatWasAsked(t *testing.T) {
	t.Logf("backend %s, available %v", Backend(), Available())
	if want := os.Getenv(Env); want != "" {
		assert.Equal(t, want, Backend())
	}
}

func TestUseSwitchesAndRestores(t *testing.T) {
	before := Backend()
	for _, name := range Available() {
		restore := Use(name)
		assert.Equal(t, name, Backend())
		restore()
		assert.Equal(t, before, Backend())
	}
	assert.Panics(t, func() { Use("no such backend") })
}

// TestEnvironment runs this test binary again under other values of the variable, by the
// emulator that runs it, if PQLANE_TEST_EMULATOR names one with its arguments.
func TestEnvironment(t *testing.T) {
	if os.Getenv("PQLANE_TEST_CHILD") != "" {
		os.Stdout.WriteString("backend=" + Backend() + "\n")
		return
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	run := func(value string) (stdout, stderr string) {
		args := append(strings.Fields(os.Getenv("PQLANE_TEST_EMULATOR")), exe, "-test.run=^TestEnvironment$")
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "PQLANE_TEST_CHILD=1", Env+"="+value)
		var errBuf testWriter
		cmd.Stderr = &errBuf
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out), string(errBuf)
	}
	for _, name := range Available() {
		out, stderr := run(name)
		assert.Contains(t, out, "backend="+name+"\n")
		assert.NotContains(t, stderr, "pqlane:")
	}
	out, stderr := run("avx1024")
	assert.Contains(t, out, "backend="+levels[preferred(best)].name+"\n")
	assert.Contains(t, stderr, "pqlane: PQLANE_BACKEND=avx1024 is not available here (available: generic")
}

type testWriter []byte

func (w *testWriter) Write(p []byte) (int, error) { *w = append(*w, p...); return len(p), nil }
