package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/suite"
	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/mldsa"
)

var signers = map[string]func(set string) (suite.Signer, bool){"circl": circlSigner, "gmsm": gmsmSigner}

// TestSignaturesVerifyEverywhere: peers verify our signatures and we theirs, and
// deterministic ones are the same byte for byte, on fresh keys.
func TestSignaturesVerifyEverywhere(t *testing.T) {
	for _, backend := range cpu.Available() {
		for _, p := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
			for name, signer := range signers {
				t.Run(fmt.Sprintf("%s/%v/%s", backend, p, name), func(t *testing.T) {
					defer cpu.Use(backend)()
					peer, ok := signer(p.String())
					require.True(t, ok)
					for n := range 8 {
						sk, err := mldsa.GenerateKey(p)
						require.NoError(t, err)
						public := sk.PublicKey().Bytes()
						theirKey, err := peer.NewKey(sk.Bytes())
						require.NoError(t, err)
						theirPublic, err := peer.ParsePublic(public)
						require.NoError(t, err)
						for i := range 8 {
							message := fmt.Appendf(nil, "message %d of key %d", i, n)
							hedged, err := sk.Sign(nil, message, nil)
							require.NoError(t, err)
							deterministic, err := sk.SignDeterministic(message, nil)
							require.NoError(t, err)
							theirs, err := theirKey.Sign(message)
							require.NoError(t, err)
							assert.Equal(t, deterministic, theirs)
							assert.NoError(t, mldsa.Verify(sk.PublicKey(), message, theirs, nil))
							for _, signature := range [][]byte{hedged, deterministic} {
								assert.NoError(t, theirPublic.VerifyPrecomputed(message, signature))
								assert.NoError(t, peer.VerifyCold(public, message, signature))
								signature[len(signature)/2] ^= 1
								assert.Error(t, theirPublic.VerifyPrecomputed(message, signature), "the peer refuses at all")
							}
						}
					}
				})
			}
		}
	}
}
