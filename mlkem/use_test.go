package mlkem

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundTrip(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk, ek := s.zeroPrivate(), s.zeroPublic()
		for range rounds(t, 200) {
			require.NoError(t, dk.Generate())
			encoded, err := dk.AppendEncapsulationKey(nil)
			require.NoError(t, err)
			require.NoError(t, ek.SetBytes(encoded))
			appended, err := ek.AppendBinary([]byte("prefix"))
			require.NoError(t, err)
			require.Equal(t, append([]byte("prefix"), encoded...), appended)

			k, c := ek.Encapsulate()
			got, err := dk.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, k, got)

			var into [SharedKeySize]byte
			require.NoError(t, dk.DecapsulateInto(&into, c))
			require.Equal(t, k, into[:])

			again, err := s.newPrivate(dk.Bytes())
			require.NoError(t, err)
			require.Equal(t, dk.ExpandedBytes(), again.ExpandedBytes())
		}
	})
}

// TestEveryByteOfTheCiphertextCounts flips each bit in turn. Vectors flip few places,
// and a comparison that leaves out a part of c passes them.
func TestEveryByteOfTheCiphertextCounts(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk := s.generate()
		k, c := dk.public().Encapsulate()
		seen := map[string]bool{string(k): true}
		for i := range c {
			bit := byte(1) << (i % 8)
			c[i] ^= bit
			got, err := dk.Decapsulate(c)
			require.NoError(t, err)
			require.False(t, seen[string(got)], "byte %d", i)
			seen[string(got)] = true
			c[i] ^= bit
		}
		got, err := dk.Decapsulate(c)
		require.NoError(t, err)
		require.Equal(t, k, got)
	})
}

// TestCiphertextComparison is the same for the comparison alone.
func TestCiphertextComparison(t *testing.T) {
	for _, s := range sets {
		c := random(s.ciphertextSize())
		again := bytes.Clone(c)
		key, implicit := [SharedKeySize]byte(random(32)), [SharedKeySize]byte(random(32))
		got := key
		replaceIfDifferent(&got, &implicit, c, again)
		require.Equal(t, key, got)
		for i := range c {
			for bit := range 8 {
				again[i] ^= 1 << bit
				got = key
				replaceIfDifferent(&got, &implicit, c, again)
				require.Equal(t, implicit, got, "bit %d of byte %d", bit, i)
				again[i] ^= 1 << bit
			}
		}
	}
}

func TestInputsAreNotChanged(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		seed := random(SeedSize)
		kept := bytes.Clone(seed)
		dk, err := s.newPrivate(seed)
		require.NoError(t, err)
		assert.Equal(t, kept, seed)
		ek := dk.public().Bytes()
		kept = bytes.Clone(ek)
		_, err = s.newPublic(ek)
		require.NoError(t, err)
		assert.Equal(t, kept, ek)
		_, c := dk.public().Encapsulate()
		kept = bytes.Clone(c)
		_, err = dk.Decapsulate(c)
		require.NoError(t, err)
		assert.Equal(t, kept, c)
	})
}

func TestKeysAreSafeForConcurrentUse(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk := s.generate()
		ek := dk.public()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range rounds(t, 100) {
					k, c := ek.Encapsulate()
					got, err := dk.Decapsulate(c)
					assert.NoError(t, err)
					assert.Equal(t, k, got)
					_ = dk.ExpandedBytes()
				}
			})
		}
		wg.Wait()
	})
}

func TestInPlaceFormsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops blocks at random")
	}
	onEverySet(t, func(t *testing.T, s set) {
		dk, ek := s.generate(), s.zeroPublic()
		encoded := dk.public().Bytes()
		require.NoError(t, ek.SetBytes(encoded))
		k, c := new([SharedKeySize]byte), make([]byte, s.ciphertextSize())
		buf := make([]byte, 0, s.encapsulationKeySize())
		for name, f := range map[string]func(){
			"Generate":               func() { dk.Generate() },
			"SetBytes":               func() { ek.SetBytes(encoded) },
			"EncapsulateInto":        func() { ek.into(k, c) },
			"DecapsulateInto":        func() { dk.DecapsulateInto(k, c) },
			"AppendBinary":           func() { ek.AppendBinary(buf) },
			"AppendEncapsulationKey": func() { dk.AppendEncapsulationKey(buf) },
		} {
			assert.Zero(t, testing.AllocsPerRun(100, f), name)
		}
	})
}

func TestEncapsulationsDiffer(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk := s.generate()
		k1, c1 := dk.public().Encapsulate()
		k2, c2 := dk.public().Encapsulate()
		assert.NotEqual(t, k1, k2)
		assert.NotEqual(t, c1, c2)
		assert.NotEqual(t, dk.Bytes()[:32], s.generate().Bytes()[:32], "d")
		assert.NotEqual(t, dk.Bytes()[32:], s.generate().Bytes()[32:], "z")
		assert.NotZero(t, [32]byte(dk.Bytes()))
	})
}
