package mlkem

import (
	"bytes"
	stdmlkem "crypto/mlkem"
	stdtest "crypto/mlkem/mlkemtest"
	"crypto/rand"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// rounds is how many fresh keys a differential test takes.
func rounds(t *testing.T, n int) int {
	if testing.Short() {
		return n / 20
	}
	return n
}

func TestAgreesWithStandardLibrary768(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for range rounds(t, 2000) {
			seed := random(SeedSize)
			ours, err := NewDecapsulationKey768(seed)
			require.NoError(t, err)
			std, err := stdmlkem.NewDecapsulationKey768(seed)
			require.NoError(t, err)
			require.Equal(t, std.EncapsulationKey().Bytes(), ours.EncapsulationKey().Bytes(), "seed %x", seed)
			require.Equal(t, seed, ours.Bytes())

			m := random(32)
			ek, err := NewEncapsulationKey768(std.EncapsulationKey().Bytes())
			require.NoError(t, err)
			k, c, err := encapsulateDerandomized(ek, (*[32]byte)(m))
			require.NoError(t, err)
			wantK, wantC, err := stdtest.Encapsulate768(std.EncapsulationKey(), m)
			require.NoError(t, err)
			require.Equal(t, wantK, k, "seed %x m %x", seed, m)
			require.Equal(t, wantC, c, "seed %x m %x", seed, m)

			got, err := ours.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, k, got, "seed %x m %x", seed, m)

			c[random(1)[0]] ^= 1 + random(1)[0]&0x7f
			want, err := std.Decapsulate(c)
			require.NoError(t, err)
			got, err = ours.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, want, got, "implicit rejection, seed %x c %x", seed, c)
		}
	})
}

func TestAgreesWithStandardLibrary1024(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for range rounds(t, 2000) {
			seed := random(SeedSize)
			ours, err := NewDecapsulationKey1024(seed)
			require.NoError(t, err)
			std, err := stdmlkem.NewDecapsulationKey1024(seed)
			require.NoError(t, err)
			require.Equal(t, std.EncapsulationKey().Bytes(), ours.EncapsulationKey().Bytes(), "seed %x", seed)

			m := random(32)
			ek, err := NewEncapsulationKey1024(std.EncapsulationKey().Bytes())
			require.NoError(t, err)
			k, c, err := encapsulateDerandomized(ek, (*[32]byte)(m))
			require.NoError(t, err)
			wantK, wantC, err := stdtest.Encapsulate1024(std.EncapsulationKey(), m)
			require.NoError(t, err)
			require.Equal(t, wantK, k, "seed %x m %x", seed, m)
			require.Equal(t, wantC, c, "seed %x m %x", seed, m)

			c[random(1)[0]] ^= 1 + random(1)[0]&0x7f
			want, err := std.Decapsulate(c)
			require.NoError(t, err)
			got, err := ours.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, want, got, "implicit rejection, seed %x c %x", seed, c)
		}
	})
}

// TestBackendsAgree512 compares backends, since the standard library has no ML-KEM-512.
func TestBackendsAgree512(t *testing.T) {
	for range rounds(t, 2000) {
		seed, m := random(SeedSize), random(32)
		flip := random(2)
		var want [][]byte
		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			dk, err := NewDecapsulationKey512(seed)
			require.NoError(t, err)
			ek, err := NewEncapsulationKey512(dk.EncapsulationKey().Bytes())
			require.NoError(t, err)
			k, c, err := encapsulateDerandomized(ek, (*[32]byte)(m))
			require.NoError(t, err)
			k2, err := dk.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, k, k2)
			bad := bytes.Clone(c)
			bad[(int(flip[0])<<8|int(flip[1]))%len(bad)] ^= 1
			k3, err := dk.Decapsulate(bad)
			require.NoError(t, err)
			require.NotEqual(t, k, k3)
			got := [][]byte{dk.ExpandedBytes(), k, c, k3}
			if want == nil {
				want = got
			}
			assert.Equal(t, want, got, "%s differs from generic: seed %x m %x", name, seed, m)
			restore()
		}
	}
}
