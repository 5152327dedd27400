package mlkem

import (
	"bytes"
	"crypto/sha3"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/kemring"
)

func TestWrongSizesAreRefused(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk := s.generate()
		for _, tc := range []struct {
			what string
			want int
			f    func(b []byte) error
		}{
			{"seed", SeedSize, func(b []byte) error { _, err := s.newPrivate(b); return err }},
			{"expanded decapsulation key", s.expandedKeySize(), func(b []byte) error { _, err := s.newFromExpanded(b); return err }},
			{"encapsulation key", s.encapsulationKeySize(), func(b []byte) error { _, err := s.newPublic(b); return err }},
			{"encapsulation key", s.encapsulationKeySize(), func(b []byte) error { return s.zeroPublic().SetBytes(b) }},
			{"ciphertext", s.ciphertextSize(), func(b []byte) error { _, err := dk.Decapsulate(b); return err }},
		} {
			for _, n := range []int{0, 1, tc.want - 1, tc.want + 1, 2 * tc.want} {
				err := tc.f(make([]byte, n))
				require.ErrorIs(t, err, ErrSize)
				assert.Regexp(t, `^mlkem: \w.*: `+s.name+" "+tc.what+` of \d+ bytes, want \d+$`, err.Error())
			}
			require.ErrorIs(t, tc.f(nil), ErrSize)
		}
	})
}

// TestModulusCheck puts q, q+1 and 4095 at every coefficient of an encapsulation key, and
// q−1, which is allowed.
func TestModulusCheck(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		ek := s.generate().public().Bytes()
		setCoefficient := func(b []byte, i int, c uint16) {
			b = b[i/2*3:]
			if i%2 == 0 {
				b[0], b[1] = byte(c), b[1]&0xf0|byte(c>>8)
			} else {
				b[1], b[2] = b[1]&0x0f|byte(c<<4), byte(c>>4)
			}
		}
		reused := s.zeroPublic()
		for i := range 256 * s.k {
			for _, c := range []uint16{3328, 3329, 3330, 4095} {
				bad := bytes.Clone(ek)
				setCoefficient(bad, i, c)
				err := reused.SetBytes(bad)
				if c < 3329 {
					require.NoError(t, err)
					require.Equal(t, bad, reused.Bytes())
					continue
				}
				require.ErrorIs(t, err, ErrCoefficient, "coefficient %d = %d", i, c)
				var k [SharedKeySize]byte
				require.ErrorIs(t, reused.into(&k, make([]byte, s.ciphertextSize())), ErrNoKey)
				require.Zero(t, k)
			}
		}
	})
}

func TestExpandedKeyChecks(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		seeded := s.generate()
		expanded := seeded.ExpandedBytes()
		dk, err := s.newFromExpanded(expanded)
		require.NoError(t, err)
		assert.Nil(t, dk.Bytes(), "an expanded key has no seed")
		assert.Equal(t, expanded, dk.ExpandedBytes())
		assert.Equal(t, seeded.public().Bytes(), dk.public().Bytes())
		k, c := seeded.public().Encapsulate()
		got, err := dk.Decapsulate(c)
		require.NoError(t, err)
		assert.Equal(t, k, got)
		c[0] ^= 1
		want, err := seeded.Decapsulate(c)
		require.NoError(t, err)
		got, err = dk.Decapsulate(c)
		require.NoError(t, err)
		assert.Equal(t, want, got, "z differs")

		h := len(expanded) - 64
		for i := range 32 {
			bad := bytes.Clone(expanded)
			bad[h+i] ^= 0x80
			_, err := s.newFromExpanded(bad)
			require.ErrorIs(t, err, ErrHash, "byte %d of H(ek)", i)
		}
		for i := range 384 * s.k { // every byte of ek's polynomials, still reduced or not
			bad := bytes.Clone(expanded)
			bad[384*s.k+i] ^= 1
			_, err := s.newFromExpanded(bad)
			require.Error(t, err)
			require.True(t, errors.Is(err, ErrHash) || errors.Is(err, ErrCoefficient), "byte %d of ek: %v", i, err)
		}

		bad := bytes.Clone(expanded)
		bad[0], bad[1] = 0xff, bad[1]|0x0f // ŝ[0] = 4095
		_, err = s.newFromExpanded(bad)
		assert.ErrorIs(t, err, ErrCoefficient)

		// An unreduced ek with the right hash.
		bad = bytes.Clone(expanded)
		ek := bad[384*s.k:][:s.encapsulationKeySize()]
		ek[0], ek[1] = 0xff, ek[1]|0x0f
		sum := sha3.Sum256(ek)
		copy(bad[h:], sum[:])
		_, err = s.newFromExpanded(bad)
		assert.ErrorIs(t, err, ErrCoefficient)
	})
}

func TestUnusableKeysYieldNothing(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		c := make([]byte, s.ciphertextSize())
		gone := s.generate()
		gone.Destroy()
		for _, tc := range []struct {
			name string
			dk   privateKey
			want error
		}{
			{"nil", s.nilPrivate, ErrNoKey},
			{"zero", s.zeroPrivate(), ErrNoKey},
			{"destroyed", gone, ErrDestroyed},
		} {
			var k [SharedKeySize]byte
			require.ErrorIs(t, tc.dk.DecapsulateInto(&k, c), tc.want, tc.name)
			require.Zero(t, k)
			got, err := tc.dk.Decapsulate(c)
			require.ErrorIs(t, err, tc.want, tc.name)
			require.Nil(t, got)
			b, err := tc.dk.AppendEncapsulationKey([]byte("x"))
			require.ErrorIs(t, err, tc.want, tc.name)
			require.Equal(t, []byte("x"), b)
			require.Nil(t, tc.dk.Bytes())
			require.Nil(t, tc.dk.ExpandedBytes())
		}
		require.ErrorIs(t, s.nilPrivate.Generate(), ErrNoKey)
		s.nilPrivate.Destroy()

		failed := s.zeroPublic()
		require.NoError(t, failed.SetBytes(s.generate().public().Bytes()))
		require.Error(t, failed.SetBytes(bytes.Repeat([]byte{0xff}, s.encapsulationKeySize())))
		for name, ek := range map[string]publicKeyAPI{
			"nil": s.nilPublic, "zero": s.zeroPublic(), "failed": failed, "of zero": s.zeroPrivate().public(),
		} {
			var k [SharedKeySize]byte
			require.ErrorIs(t, ek.into(&k, c), ErrNoKey, name)
			require.Zero(t, k)
			require.Equal(t, make([]byte, len(c)), c)
			require.Panics(t, func() { ek.Encapsulate() }, name)
			require.Nil(t, ek.Bytes())
			_, err := ek.AppendBinary(nil)
			require.ErrorIs(t, err, ErrNoKey, name)
		}
		require.ErrorIs(t, s.nilPublic.SetBytes(nil), ErrNoKey)
	})
}

func TestDestroyWipesTheSecretHalfOnly(t *testing.T) {
	dk, err := GenerateKey768()
	require.NoError(t, err)
	ek := dk.EncapsulationKey()
	encoded := ek.Bytes()
	dk.Destroy()
	assert.Zero(t, dk.s)
	assert.Zero(t, dk.d)
	assert.Zero(t, dk.z)
	assert.Equal(t, encoded, ek.Bytes())
	k, c := ek.Encapsulate()
	assert.Len(t, k, SharedKeySize)
	assert.Len(t, c, CiphertextSize768)
	require.NoError(t, dk.Generate(), "a destroyed key can be generated anew")
	_, err = dk.Decapsulate(c)
	assert.NoError(t, err)
}

func TestSetBytesLeavesDecapsulationKeysAlone(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk, other := s.generate(), s.generate()
		require.ErrorIs(t, dk.public().SetBytes(other.public().Bytes()), ErrShared)
		k, c := dk.public().Encapsulate()
		got, err := dk.Decapsulate(c)
		require.NoError(t, err)
		assert.Equal(t, k, got)
	})
}

// TestScratchIsWiped takes the block that operations have just used and looks for
// anything left in it.
func TestScratchIsWiped(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		w := new(scratch)
		var k [SharedKeySize]byte
		c := make([]byte, s.ciphertextSize())
		a, tHat, secret := make([]kemring.Poly, s.k*s.k), make([]kemring.Poly, s.k), make([]kemring.Poly, s.k)
		var rho, z, d [32]byte
		var h keyHash
		copy(d[:], random(32))
		copy(z[:], random(32))
		sk := secretKey{publicKey{s.params, a, tHat, &rho, &h}, secret, &z}
		w.keyGen(&sk, &d)
		clear(w.message[:]) // ek, which is public
		require.Zero(t, *w)

		w.parse(&sk.publicKey, sk.appendBytes(nil))
		clear(w.message[:])
		require.Zero(t, *w)

		copy(w.m[:], random(32))
		w.encapsulate(&sk.publicKey, &k, c)
		require.Zero(t, *w)

		w.decapsulate(&sk, &k, c)
		require.Zero(t, *w)
	})
}
