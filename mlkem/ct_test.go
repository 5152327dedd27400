//go:build ctcheck

package mlkem

import (
	"bytes"
	"crypto"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/ctcheck"
	"github.com/pqlane/pqlane/internal/kemring"
)

// These tests run on Valgrind: .ci/ct. What the package itself declassifies stands in
// declassify.go. What the tests do, because a caller would publish it, is here:
//
//   - the encapsulation key, ByteEncode₁₂(t̂) ‖ ρ, which is computed from d, and H(ek);
//   - the ciphertext, which is computed from m;
//   - results, after the call that is watched, for the sake of comparing them.

func published(b []byte) []byte {
	ctcheck.Declassify(b)
	return b
}

// watched fails the test if memcheck reports anything while f runs.
func watched(t *testing.T, what string, f func()) {
	t.Helper()
	before := ctcheck.Errors()
	f()
	assert.Equal(t, before, ctcheck.Errors(), "%s: branches or addresses that depend on secrets", what)
}

// secret returns a copy of b that is marked.
func secret(b []byte) []byte {
	b = bytes.Clone(b)
	ctcheck.Secret(b)
	return b
}

// onValgrind runs f for each parameter set on each backend that Valgrind knows.
func onValgrind(t *testing.T, f func(t *testing.T, s set)) {
	require.True(t, ctcheck.Running(), "the tag ctcheck asks for a run on Valgrind")
	// The collector looks at whatever the stack holds.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	onEverySet(t, func(t *testing.T, s set) {
		for range 3 {
			f(t, s)
		}
		w := scratches.Get().(*scratch)
		assert.Equal(t, -1, ctcheck.FirstSecret(w), "offset of a secret left in the scratch memory")
		scratches.Put(w)
	})
}

// secretPrivate returns a key made from seed whose secrets are marked only now.
func secretPrivate(t *testing.T, s set, seed []byte) privateKey {
	dk, err := s.newPrivate(seed)
	require.NoError(t, err)
	sk := core(dk)
	for i := range sk.s {
		ctcheck.SecretValue(&sk.s[i])
	}
	ctcheck.SecretValue(sk.z)
	switch dk := dk.(type) {
	case *DecapsulationKey512:
		ctcheck.SecretValue(&dk.d)
	case *DecapsulationKey768:
		ctcheck.SecretValue(&dk.d)
	case *DecapsulationKey1024:
		ctcheck.SecretValue(&dk.d)
	}
	return dk
}

// sample returns a seed, the encapsulation key, a message and its shared key and
// ciphertext, all unmarked.
func sample(t *testing.T, s set) (seed, ek, m, sharedKey, ciphertext []byte) {
	seed, m = random(SeedSize), random(32)
	dk, err := s.newPrivate(seed)
	require.NoError(t, err)
	ek = dk.public().Bytes()
	sharedKey, ciphertext, err = encapsulateDerandomized(dk.public(), (*[32]byte)(m))
	require.NoError(t, err)
	return seed, ek, m, sharedKey, ciphertext
}

func TestConstantTimeKeyGeneration(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		plain, wantEK, _, _, _ := sample(t, s)
		seed := secret(plain)
		var dk privateKey
		var err error
		var ek, back, expanded []byte
		watched(t, "key from a seed", func() { dk, err = s.newPrivate(seed) })
		require.NoError(t, err)
		watched(t, "encapsulation key", func() { ek = dk.public().Bytes() })
		watched(t, "seed", func() { back = dk.Bytes() })
		watched(t, "expanded key", func() { expanded = dk.ExpandedBytes() })
		require.Equal(t, wantEK, published(ek))

		// The marks have followed the secrets, or nothing was watched.
		require.Equal(t, 0, ctcheck.FirstSecret((*[SeedSize]byte)(back)))
		require.Equal(t, 0, ctcheck.FirstSecret((*[kemring.EncodedSize12]byte)(expanded)))
		require.Equal(t, 0, ctcheck.FirstSecret((*[32]byte)(expanded[len(expanded)-32:])))
		require.Equal(t, plain, published(back))
	})
}

// TestConstantTimeWide runs the Go code that AVX-512 alone takes, which Valgrind hides.
func TestConstantTimeWide(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		w := newScratch()
		w.begin(&params768)
		copy(w.g[32:], secret(random(32)))
		watched(t, "noise in eight lanes", func() { w.sampleInEight() })
		require.Equal(t, 0, ctcheck.FirstSecret(w.noise.at(6)))
		w.wipe(&params768)
		require.Negative(t, ctcheck.FirstSecret(w))
	})
}

func TestConstantTimeImport(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		seed, ek, _, sharedKey, ciphertext := sample(t, s)
		plain, err := s.newPrivate(seed)
		require.NoError(t, err)
		good := plain.ExpandedBytes()
		publicFrom := s.k * kemring.EncodedSize12
		publicTo := publicFrom + len(ek) + 32 // with H(ek)

		expanded := secret(good)
		published(expanded[publicFrom:publicTo])
		var dk privateKey
		watched(t, "expanded key", func() { dk, err = s.newFromExpanded(expanded) })
		require.NoError(t, err)
		var again []byte
		watched(t, "expanded key again", func() { again = dk.ExpandedBytes() })
		require.Equal(t, 0, ctcheck.FirstSecret((*[32]byte)(again)))
		require.Equal(t, good, published(again))
		var got []byte
		watched(t, "decapsulation", func() { got, err = dk.Decapsulate(ciphertext) })
		require.NoError(t, err)
		require.Equal(t, sharedKey, published(got))

		bad := bytes.Clone(good)
		bad[publicFrom-1] = 0xff // the last coefficient of ŝ is above q
		bad = secret(bad)
		published(bad[publicFrom:publicTo])
		watched(t, "expanded key with a coefficient out of range", func() { _, err = s.newFromExpanded(bad) })
		require.ErrorIs(t, err, ErrCoefficient)

		bad = bytes.Clone(good)
		bad[publicTo-1] ^= 1
		bad = secret(bad)
		published(bad[publicFrom:publicTo])
		watched(t, "expanded key with a wrong hash", func() { _, err = s.newFromExpanded(bad) })
		require.ErrorIs(t, err, ErrHash)
	})
}

// markIn marks in b, a copy of plain, what part is there.
func markIn(t *testing.T, b, plain, part []byte) {
	t.Helper()
	at := bytes.Index(plain, part)
	require.GreaterOrEqual(t, at, 0)
	ctcheck.Secret(b[at:][:len(part)])
}

func TestConstantTimePKCS8(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		seed, _, _, _, _ := sample(t, s)
		plain, err := s.newPrivate(seed)
		require.NoError(t, err)
		dk, err := s.newPrivate(secret(seed))
		require.NoError(t, err)
		expanded := plain.ExpandedBytes()
		for _, form := range []PrivateKeyForm{SeedForm, ExpandedForm, BothForm} {
			want, err := MarshalPKCS8PrivateKeyForm(plain.(crypto.Decapsulator), form)
			require.NoError(t, err)
			parse := func(what string, spoil ...int) (err error) {
				der := bytes.Clone(want)
				if form != ExpandedForm {
					markIn(t, der, want, seed)
				}
				if form != SeedForm {
					markIn(t, der, want, expanded[:s.k*kemring.EncodedSize12])
					markIn(t, der, want, expanded[len(expanded)-32:])
				}
				for _, i := range spoil {
					der[len(der)-i] ^= 1
				}
				watched(t, what, func() { _, err = ParsePKCS8PrivateKey(der) })
				return err
			}
			require.NoError(t, parse("parsing"))
			if form != SeedForm {
				// The lowest bit of ŝ, which no encoding forbids.
				require.ErrorIs(t, parse("parsing what is inconsistent", len(expanded)), ErrInconsistent)
			}
			var got []byte
			watched(t, "writing", func() { got, err = MarshalPKCS8PrivateKeyForm(dk.(crypto.Decapsulator), form) })
			require.NoError(t, err)
			require.Equal(t, want, published(got))
		}
	})
}

func TestConstantTimeEncapsulation(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		_, encoded, plain, wantKey, wantCiphertext := sample(t, s)
		ek, err := s.newPublic(encoded)
		require.NoError(t, err)
		m := secret(plain)
		var sharedKey, ciphertext []byte
		watched(t, "encapsulation", func() {
			sharedKey, ciphertext, err = encapsulateDerandomized(ek, (*[32]byte)(m))
		})
		require.NoError(t, err)
		require.Equal(t, 0, ctcheck.FirstSecret((*[SharedKeySize]byte)(sharedKey)))
		require.Equal(t, 0, ctcheck.FirstSecret((*[32]byte)(ciphertext)))
		require.Equal(t, wantKey, published(sharedKey))
		require.Equal(t, wantCiphertext, published(ciphertext))
	})
}

func TestConstantTimeDecapsulation(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		seed, _, _, sharedKey, good := sample(t, s)
		dk := secretPrivate(t, s, seed)
		decapsulate := func(what string, ciphertext []byte) []byte {
			var got []byte
			var err error
			watched(t, what, func() { got, err = dk.Decapsulate(ciphertext) })
			require.NoError(t, err)
			require.Equal(t, 0, ctcheck.FirstSecret((*[SharedKeySize]byte)(got)))
			var into [SharedKeySize]byte
			watched(t, what+" in place", func() { err = dk.DecapsulateInto(&into, ciphertext) })
			require.NoError(t, err)
			require.Equal(t, published(got), published(into[:]))
			return got
		}
		require.Equal(t, sharedKey, decapsulate("a good ciphertext", good))
		for _, at := range []int{0, len(good) / 2, len(good) - 1} {
			bad := bytes.Clone(good)
			bad[at] ^= 0x10
			require.NotEqual(t, sharedKey, decapsulate("a bad ciphertext", bad))
		}
		decapsulate("a random ciphertext", random(len(good)))

		// Nor does the time depend on a ciphertext that is not public.
		require.Equal(t, sharedKey, decapsulate("a secret ciphertext", secret(good)))
	})
}

// TestDestroyedKeyHoldsNoSecret finds what Destroy leaves behind by its marks.
func TestConstantTimeDestroy(t *testing.T) {
	onValgrind(t, func(t *testing.T, s set) {
		seed, _, _, _, _ := sample(t, s)
		dk, err := s.newPrivate(secret(seed))
		require.NoError(t, err)
		sk := core(dk)
		for i := range sk.t {
			ctcheck.DeclassifyValue(&sk.t[i])
		}
		ctcheck.DeclassifyValue(sk.h)
		watched(t, "destruction", dk.Destroy)
		left := 0
		switch dk := dk.(type) {
		case *DecapsulationKey512:
			left = ctcheck.FirstSecret(dk)
		case *DecapsulationKey768:
			left = ctcheck.FirstSecret(dk)
		case *DecapsulationKey1024:
			left = ctcheck.FirstSecret(dk)
		}
		require.Equal(t, -1, left, "offset of a secret left in the key")
	})
}
