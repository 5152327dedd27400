package mldsa

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// standardVerifies is verification by crypto/mldsa, where Go has it.
var standardVerifies func(p Parameters, publicKey, message, signature []byte, context string) bool

// FuzzVerify verifies arbitrary bytes under arbitrary keys: all forms and backends agree,
// and the standard library with them.
func FuzzVerify(f *testing.F) {
	for i, p := range sets {
		sk := generate(f, p)
		signature, err := sk.SignDeterministic([]byte("message"), &Options{Context: "context"})
		require.NoError(f, err)
		f.Add(byte(i), sk.PublicKey().Bytes(), []byte("message"), signature, "context")
		f.Add(byte(i), make([]byte, p.PublicKeySize()), []byte{}, make([]byte, p.SignatureSize()), "")
		zero := make([]byte, p.PublicKeySize()) // t₁ = 0
		pk, err := NewPublicKey(p, zero)
		require.NoError(f, err)
		mu := muOf(f, pk, "", []byte{})
		f.Add(byte(i), zero, []byte{}, forge(p.params, zero[:32], mu[:], 0, 0, 0), "")
		f.Add(byte(i), sk.PublicKey().Bytes(), []byte("message"), signature[1:], "")
	}
	f.Fuzz(func(t *testing.T, set byte, publicKey, message, signature []byte, context string) {
		p := sets[int(set)%len(sets)]
		opts := &Options{Context: context}
		var first error
		for i, name := range cpu.Available() {
			func() {
				defer cpu.Use(name)()
				pk, err := NewPublicKey(p, publicKey)
				if len(publicKey) != p.PublicKeySize() {
					require.ErrorIs(t, err, ErrSize)
					return
				}
				require.NoError(t, err)
				require.Equal(t, publicKey, pk.Bytes())
				got := Verify(pk, message, signature, opts)
				if len(context) > 255 {
					require.ErrorIs(t, got, ErrContext)
					return
				}
				require.True(t, got == nil || got == ErrInvalidSignature, "%s: %v", name, got)
				require.Equal(t, got, pk.Precompute().Verify(message, signature, opts), name)
				mu := muOf(t, pk, context, message)
				require.Equal(t, got, VerifyMu(pk, &mu, signature), name)
				if i == 0 {
					first = got
				}
				require.Equal(t, first, got, name)
				if i == 0 && standardVerifies != nil {
					require.Equal(t, standardVerifies(p, publicKey, message, signature, context), got == nil)
				}
			}()
		}
	})
}

// FuzzExpandedKey parses arbitrary bytes as expanded keys: all backends agree, and what is
// accepted encodes to what was parsed and signs what its public key verifies.
func FuzzExpandedKey(f *testing.F) {
	for i, p := range sets {
		f.Add(byte(i), generate(f, p).ExpandedBytes())
		f.Add(byte(i), make([]byte, p.expandedKeySize()))
	}
	f.Fuzz(func(t *testing.T, set byte, expanded []byte) {
		p := sets[int(set)%len(sets)]
		var first error
		for i, name := range cpu.Available() {
			func() {
				defer cpu.Use(name)()
				sk, err := NewPrivateKeyFromExpanded(p, expanded)
				if i == 0 {
					first = err
				}
				require.Equal(t, first, err, name)
				if err != nil {
					return
				}
				require.Equal(t, expanded, sk.ExpandedBytes(), name)
				signature, err := sk.Sign(nil, nil, nil)
				require.NoError(t, err)
				require.NoError(t, Verify(sk.PublicKey(), nil, signature, nil), name)
			}()
		}
	})
}
