package keccak

import (
	"crypto/rand"
	"crypto/sha3"
	"hash"
	"io"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// functions are those of FIPS 202, each with the standard library's as an oracle.
var functions = []struct {
	name   string
	rate   int
	domain byte
	size   int // of the output that is compared
	oracle func() io.ReadWriter
}{
	{"SHA3-224", RateSHA3_224, DomainSHA3, 28, func() io.ReadWriter { return &digest{Hash: sha3.New224()} }},
	{"SHA3-256", RateSHA3_256, DomainSHA3, 32, func() io.ReadWriter { return &digest{Hash: sha3.New256()} }},
	{"SHA3-384", RateSHA3_384, DomainSHA3, 48, func() io.ReadWriter { return &digest{Hash: sha3.New384()} }},
	{"SHA3-512", RateSHA3_512, DomainSHA3, 64, func() io.ReadWriter { return &digest{Hash: sha3.New512()} }},
	{"SHAKE128", RateSHAKE128, DomainSHAKE, 1000, func() io.ReadWriter { return sha3.NewSHAKE128() }},
	{"SHAKE256", RateSHAKE256, DomainSHAKE, 1000, func() io.ReadWriter { return sha3.NewSHAKE256() }},
}

// digest reads a hash's sum once.
type digest struct{ hash.Hash }

func (d *digest) Read(p []byte) (int, error) { return copy(p, d.Sum(nil)), nil }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func onEveryBackend(t *testing.T, f func(t *testing.T)) {
	for _, name := range cpu.Available() {
		t.Run(name, func(t *testing.T) {
			defer cpu.Use(name)()
			f(t)
		})
	}
}

// TestSpongeInPieces writes and reads in pieces of all sizes around words and blocks.
func TestSpongeInPieces(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for _, f := range functions {
			var s Sponge
			for n := range 3*f.rate + 2 {
				message := random(n)
				oracle := f.oracle()
				oracle.Write(message)
				want := make([]byte, f.size)
				oracle.Read(want)

				s.Init(f.rate, f.domain)
				for rest := message; len(rest) > 0; {
					m := min(1+mrand.IntN(2*f.rate), len(rest))
					s.Write(rest[:m])
					rest = rest[m:]
				}
				got := make([]byte, f.size)
				for rest := got; len(rest) > 0; {
					m := min(1+mrand.IntN(40), len(rest))
					s.Read(rest[:m])
					rest = rest[m:]
				}
				require.Equal(t, want, got, "%s of %d bytes", f.name, n)
			}
			s.Init(f.rate, f.domain)
			s.Write([]byte("x"))
			s.Read(make([]byte, 1))
			assert.Panics(t, func() { s.Write(nil) })
		}
	})
}
