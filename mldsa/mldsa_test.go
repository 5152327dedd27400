package mldsa

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/pqlane/pqlane/internal/cpu"
)

// TestMain fails a run whose PQLANE_BACKEND did not take effect: it would prove nothing
// about the backend that it names.
func TestMain(m *testing.M) {
	if want := os.Getenv(cpu.Env); want != "" && Backend() != want {
		os.Stderr.WriteString("running " + Backend() + ", not " + want + "\n")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// onEveryBackend runs f as a subtest on each backend of this machine.
func onEveryBackend(t *testing.T, f func(t *testing.T)) {
	for _, name := range cpu.Available() {
		t.Run(name, func(t *testing.T) {
			defer cpu.Use(name)()
			f(t)
		})
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// rounds is how many fresh keys a test takes.
func rounds(t *testing.T, n int) int {
	if testing.Short() {
		return max(1, n/20)
	}
	return n
}

var sets = []Parameters{MLDSA44(), MLDSA65(), MLDSA87()}
