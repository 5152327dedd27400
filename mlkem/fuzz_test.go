package mlkem

import (
	stdmlkem "crypto/mlkem"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// FuzzEncapsulationKey768 parses arbitrary bytes: the standard library and every backend
// agree on what is a key, and a key's encoding is what was parsed.
func FuzzEncapsulationKey768(f *testing.F) {
	dk, _ := GenerateKey768()
	f.Add(dk.EncapsulationKey().Bytes())
	f.Add(make([]byte, EncapsulationKeySize768))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, wantErr := stdmlkem.NewEncapsulationKey768(b)
		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			ek, err := NewEncapsulationKey768(b)
			restore()
			require.Equal(t, wantErr == nil, err == nil, name)
			if err == nil {
				require.Equal(t, b, ek.Bytes(), name)
			}
		}
	})
}

// FuzzExpandedKey parses arbitrary bytes of each set as expanded keys: all backends agree,
// and what is accepted encodes to what was parsed.
func FuzzExpandedKey(f *testing.F) {
	for _, s := range sets {
		f.Add(s.generate().ExpandedBytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range sets {
			var first error
			for i, name := range cpu.Available() {
				restore := cpu.Use(name)
				dk, err := s.newFromExpanded(b)
				restore()
				if i == 0 {
					first = err
				}
				require.Equal(t, first == nil, err == nil, name)
				if err == nil {
					require.Equal(t, b, dk.ExpandedBytes(), name)
				}
			}
		}
	})
}

// FuzzDecapsulate768 decapsulates arbitrary ciphertexts with a key from an arbitrary seed:
// every backend gives what the standard library gives.
func FuzzDecapsulate768(f *testing.F) {
	dk, _ := GenerateKey768()
	_, c := dk.EncapsulationKey().Encapsulate()
	f.Add(dk.Bytes(), c)
	f.Fuzz(func(t *testing.T, seed, c []byte) {
		if len(seed) != SeedSize {
			return
		}
		std, err := stdmlkem.NewDecapsulationKey768(seed)
		require.NoError(t, err)
		want, wantErr := std.Decapsulate(c)
		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			dk, err := NewDecapsulationKey768(seed)
			require.NoError(t, err)
			got, err := dk.Decapsulate(c)
			restore()
			require.Equal(t, wantErr == nil, err == nil, name)
			require.Equal(t, want, got, name)
		}
	})
}
