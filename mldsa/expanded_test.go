package mldsa

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
)

const (
	outOfRange = "s1 or s2 has a coefficient out of range"
	wrongT0    = "t0 is not that of s1 and s2"
	wrongTR    = "tr is not the hash of the public key"
)

func requireInconsistent(t *testing.T, p Parameters, expanded []byte, what string, msgAndArgs ...any) {
	t.Helper()
	sk, err := NewPrivateKeyFromExpanded(p, expanded)
	require.ErrorIs(t, err, ErrInconsistent, msgAndArgs...)
	require.Equal(t, "mldsa: NewPrivateKeyFromExpanded: "+p.String()+" private key: "+what, err.Error(), msgAndArgs...)
	require.Nil(t, sk)
}

func TestExpandedKeysAreTheSameKeys(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		seeded := generate(t, p)
		expanded := seeded.ExpandedBytes()
		kept := bytes.Clone(expanded)
		sk, err := NewPrivateKeyFromExpanded(p, expanded)
		require.NoError(t, err)
		assert.Equal(t, kept, expanded)
		assert.Nil(t, sk.Bytes(), "an expanded key has no seed")
		assert.Equal(t, expanded, sk.ExpandedBytes())
		assert.Equal(t, seeded.PublicKey().Bytes(), sk.PublicKey().Bytes())
		message := random(30)
		want, err := seeded.SignDeterministic(message, nil)
		require.NoError(t, err)
		got, err := sk.SignDeterministic(message, nil)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		requireVerdict(t, sk.PublicKey(), message, got, true)

		// The results are the caller's, to wipe.
		clear(sk.ExpandedBytes())
		clear(seeded.Bytes())
		clear(sk.PublicKey().Bytes())
		clear(expanded)
		got, err = sk.SignDeterministic(message, nil)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		requireVerdict(t, sk.PublicKey(), message, got, true)

		require.NoError(t, sk.Generate(p), "a key that was expanded has a seed when made anew")
		assert.Len(t, sk.Bytes(), PrivateKeySize)
	})
}

// TestInconsistentExpandedKeysAreRefused changes every part of an expanded key.
func TestInconsistentExpandedKeysAreRefused(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		expanded := sk.ExpandedBytes()
		s1 := 128
		s2 := s1 + p.l*dsaring.SizeEta(p.eta)
		t0 := s2 + p.k*dsaring.SizeEta(p.eta)
		flip := func(i int) []byte {
			b := bytes.Clone(expanded)
			b[i] ^= 1 << (i % 8)
			return b
		}
		for i := range 32 {
			requireInconsistent(t, p, flip(i), wrongT0, "ρ, byte %d", i)
		}
		for i := range 64 {
			requireInconsistent(t, p, flip(64+i), wrongTR, "tr, byte %d", i)
		}
		step := 11
		if testing.Short() {
			step = 211
		}
		for i := t0; i < len(expanded); i += step {
			requireInconsistent(t, p, flip(i), wrongT0, "t0, byte %d", i-t0)
		}
		requireInconsistent(t, p, flip(len(expanded)-1), wrongT0)

		// K belongs to no other part.
		other, err := NewPrivateKeyFromExpanded(p, flip(32))
		require.NoError(t, err)
		assert.Equal(t, sk.PublicKey().Bytes(), other.PublicKey().Bytes())
		assert.False(t, sk.Equal(other))

		// Coefficients of s1 and s2, exchanged for others in range and for each that is not.
		width := dsaring.SizeEta(p.eta) / 32
		for vector, begin := range map[string]int{"s1": s1, "s2": s2} {
			end := s2
			if vector == "s2" {
				end = t0
			}
			n := (end - begin) * 8 / width
			for _, j := range []int{0, 1, 2, 7, 255, 256, n / 2, n - 1} {
				for x := range byte(1) << width {
					b := bytes.Clone(expanded)
					setBits(b[begin:end], j*width, width, x)
					switch {
					case bytes.Equal(b, expanded):
					case int32(x) > 2*p.eta:
						requireInconsistent(t, p, b, outOfRange, "%s, coefficient %d: %d", vector, j, x)
					default:
						requireInconsistent(t, p, b, wrongT0, "%s, coefficient %d: %d", vector, j, x)
					}
				}
			}
		}
	})
}

// setBits sets the bits of b from one on, width of them, to x.
func setBits(b []byte, from, width int, x byte) {
	for i := range width {
		at := from + i
		b[at/8] = b[at/8]&^(1<<(at%8)) | x>>i&1<<(at%8)
	}
}

// TestExpandedKeyOutOfRangeWithAllElseRight makes a key with s1 out of range, and t0 and tr
// that belong to it: it is refused all the same.
func TestExpandedKeyOutOfRangeWithAllElseRight(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		for _, out := range []struct{ inS1, inS2 bool }{{false, false}, {true, false}, {false, true}} {
			sk := generate(t, p)
			expanded := sk.ExpandedBytes()
			size := dsaring.SizeEta(p.eta)
			width := size / 32
			s1, s2 := expanded[128:][:p.l*size], expanded[128+p.l*size:][:p.k*size]
			if out.inS1 {
				setBits(s1, 0, width, byte(2*p.eta+1))
			}
			if out.inS2 {
				setBits(s2, (256*p.k-1)*width, width, byte(2*p.eta+1))
			}
			r := newReference(p.params, expanded)
			public := bytes.Clone(expanded[:32])
			t0 := expanded[len(expanded)-p.k*dsaring.SizeT0:]
			for i := range p.k {
				var row, t1, low, e dsaring.Poly
				dsaring.Dot(&row, r.a[i], r.s1Hat)
				dsaring.InverseNTT(&row)
				dsaring.UnpackEta(&e, s2[i*size:], p.eta)
				dsaring.Add(&row, &e)
				dsaring.Reduce(&row)
				dsaring.Power2Round(&t1, &low, &row)
				dsaring.PackT0(t0[i*dsaring.SizeT0:], &low)
				packed := make([]byte, dsaring.SizeT1)
				dsaring.PackT1(packed, &t1)
				public = append(public, packed...)
			}
			copy(expanded[64:], shake256(64, public))
			if out.inS1 || out.inS2 {
				requireInconsistent(t, p, expanded, outOfRange)
				continue
			}
			require.Equal(t, sk.ExpandedBytes(), expanded)
			require.Equal(t, sk.PublicKey().Bytes(), public)
		}
	})
}
