//go:build go1.27

package mldsa

import (
	"crypto"
	stdmldsa "crypto/mldsa"
	"testing"

	"github.com/stretchr/testify/require"
)

var stdSets = []struct {
	ours Parameters
	std  stdmldsa.Parameters
}{
	{MLDSA44(), stdmldsa.MLDSA44()},
	{MLDSA65(), stdmldsa.MLDSA65()},
	{MLDSA87(), stdmldsa.MLDSA87()},
}

// TestAgreesWithStandardLibrary compares keys and deterministic signatures byte for byte,
// and lets each verify what the other has signed.
func TestAgreesWithStandardLibrary(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for _, s := range stdSets {
			for range rounds(t, 100) {
				seed, message := random(PrivateKeySize), random(100)
				opts := &Options{Context: string(random(20))}
				sk, err := NewPrivateKey(s.ours, seed)
				require.NoError(t, err)
				std, err := stdmldsa.NewPrivateKey(s.std, seed)
				require.NoError(t, err)
				require.Equal(t, std.PublicKey().Bytes(), sk.PublicKey().Bytes(), "%v seed %x", s.ours, seed)

				want, err := std.SignDeterministic(message, opts)
				require.NoError(t, err)
				got, err := sk.SignDeterministic(message, opts)
				require.NoError(t, err)
				require.Equal(t, want, got, "%v seed %x message %x", s.ours, seed, message)
				require.NoError(t, Verify(sk.PublicKey(), message, want, opts))
				require.NoError(t, sk.PublicKey().Precompute().Verify(message, want, opts))

				hedged, err := sk.Sign(nil, message, opts)
				require.NoError(t, err)
				require.NotEqual(t, got, hedged)
				require.NoError(t, stdmldsa.Verify(std.PublicKey(), message, hedged, opts))

				h, err := sk.PublicKey().NewMu(opts.Context)
				require.NoError(t, err)
				h.Write(message)
				mu := h.Sum()
				external, err := sk.SignDeterministic(mu[:], crypto.MLDSAMu)
				require.NoError(t, err)
				require.Equal(t, want, external)

				bad := want
				i := int(seed[0])<<8 | int(seed[1])
				bad[i%len(bad)] ^= 1 << (seed[2] % 8)
				require.Equal(t, stdmldsa.Verify(std.PublicKey(), message, bad, opts) == nil,
					Verify(sk.PublicKey(), message, bad, opts) == nil)
			}
		}
	})
}
