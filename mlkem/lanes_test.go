package mlkem

import (
	"bytes"
	"crypto/sha3"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
)

// matrixOfStandard is Â of FIPS 203, Algorithm 13, by the standard library's SHAKE, and whether
// a polynomial took more than three blocks of it.
func matrixOfStandard(p *params, rho []byte) (a []kemring.Poly, long bool) {
	for i := range p.k {
		for j := range p.k {
			xof := sha3.NewSHAKE128()
			xof.Write(append(bytes.Clone(rho), byte(j), byte(i)))
			var poly kemring.Poly
			var b [3]byte
			read := 0
			for n := 0; n < kemring.N; read++ {
				xof.Read(b[:])
				d := [2]int16{int16(b[0]) | int16(b[1]&15)<<8, int16(b[1]>>4) | int16(b[2])<<4}
				for _, d := range d {
					if d < kemring.Q && n < kemring.N {
						poly[n] = d
						n++
					}
				}
			}
			a = append(a, poly)
			long = long || 3*read > xofBlocks*keccak.RateSHAKE128
		}
	}
	return a, long
}

// TestMatrixBesideHash parses keys until some have polynomials with a fourth block.
func TestMatrixBesideHash(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		encoded := s.generate().public().Bytes()
		for seen := 0; seen < 3; {
			rho := random(32)
			copy(encoded[len(encoded)-32:], rho)
			want, long := matrixOfStandard(s.params, rho)
			if !long {
				continue
			}
			seen++
			ek, err := s.newPublic(encoded)
			require.NoError(t, err)
			var pk publicKey
			ek.(interface{ view(*publicKey) }).view(&pk)
			require.Equal(t, want, pk.a)
			require.Equal(t, sha3.Sum256(encoded), pk.h.digest)
		}
	})
}

// TestLateHash uses a new key at once in several ways, which need H(ek), and by several at once.
func TestLateHash(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		for name, use := range map[string]func(dk privateKey){
			"decapsulation":  func(dk privateKey) { dk.Decapsulate(make([]byte, s.ciphertextSize())) },
			"encapsulation":  func(dk privateKey) { dk.public().Encapsulate() },
			"expanded bytes": func(dk privateKey) { dk.ExpandedBytes() },
		} {
			dk := s.generate()
			h := core(dk).h
			require.EqualValues(t, pending, h.phase, name)
			use(dk)
			require.EqualValues(t, known, h.phase, name)
			require.Equal(t, sha3.Sum256(dk.public().Bytes()), h.digest, name)
		}

		dk := s.generate()
		other, err := s.newPrivate(dk.Bytes())
		require.NoError(t, err)
		k, c := other.public().Encapsulate()
		var begun, done sync.WaitGroup
		var wrong atomic.Int32
		begun.Add(1)
		for range 8 {
			done.Go(func() {
				begun.Wait()
				got, err := dk.Decapsulate(c)
				if err != nil || !bytes.Equal(got, k) {
					wrong.Add(1)
				}
				if !bytes.Equal(dk.ExpandedBytes(), other.ExpandedBytes()) {
					wrong.Add(1)
				}
			})
		}
		begun.Done()
		done.Wait()
		assert.Zero(t, wrong.Load())
	})
}
