//go:build go1.27

package hybrid

import (
	"crypto"
	stdmldsa "crypto/mldsa"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

var stdSets = map[mldsa.Parameters]stdmldsa.Parameters{
	mldsa.MLDSA44(): stdmldsa.MLDSA44(), mldsa.MLDSA65(): stdmldsa.MLDSA65(), mldsa.MLDSA87(): stdmldsa.MLDSA87(),
}

// TestStandardLibraryHalf: the ML-DSA half is signed and verified by crypto/mldsa.
func TestStandardLibraryHalf(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		std, err := stdmldsa.GenerateKey(stdSets[d.mldsa])
		require.NoError(t, err)
		ours, err := mldsa.NewPrivateKey(d.mldsa, std.Bytes())
		require.NoError(t, err)
		label := &stdmldsa.Options{Context: "COMPSIG-" + d.name}
		opts := &stdmldsa.Options{Context: "context"}
		for _, pq := range []crypto.Signer{std, ours.StdSigner(), ours} {
			sk, err := ImportCompositeKey(d.get(), pq, d.classicalKey(t), dedicated)
			require.NoError(t, err)
			signature, err := sk.Sign(nil, []byte("m"), opts)
			require.NoError(t, err)
			require.NoError(t, VerifyComposite(sk.PublicKey(), []byte("m"), signature, opts))
			m := d.representative("context", []byte("m"))
			assert.NoError(t, stdmldsa.Verify(std.PublicKey(), m, signature[:d.mldsa.SignatureSize()], label))
			assert.Equal(t, pq == crypto.Signer(ours), sk.Bytes() != nil)
		}
	})
	_, err := ImportCompositeKey(MLDSA44Ed25519SHA512(), publicSigner{(*stdmldsa.PublicKey)(nil)}, nil, dedicated)
	assert.ErrorIs(t, err, ErrAlgorithm)
}
