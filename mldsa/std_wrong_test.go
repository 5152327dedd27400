//go:build go1.27

package mldsa

import (
	"crypto"
	stdmldsa "crypto/mldsa"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStdSignerWithWrongInput: it refuses what the key does, and is verified by crypto/mldsa
// with contexts of every length.
func TestStdSignerWithWrongInput(t *testing.T) {
	for _, s := range stdSets {
		sk := generate(t, s.ours)
		signer := sk.StdSigner()
		public, ok := signer.Public().(*stdmldsa.PublicKey)
		require.True(t, ok)
		for _, n := range []int{0, 1, 255} {
			opts := &stdmldsa.Options{Context: strings.Repeat("c", n)}
			signature, err := signer.Sign(nil, []byte("message"), opts)
			require.NoError(t, err)
			require.NoError(t, stdmldsa.Verify(public, []byte("message"), signature, opts))
		}
		_, err := signer.Sign(nil, nil, &stdmldsa.Options{Context: strings.Repeat("c", 256)})
		assert.ErrorIs(t, err, ErrContext)
		_, err = signer.Sign(nil, nil, crypto.SHA256)
		assert.ErrorIs(t, err, ErrOptions)
		_, err = signer.Sign(nil, make([]byte, 63), crypto.MLDSAMu)
		assert.ErrorIs(t, err, ErrSize)
		for name, unusable := range map[string]*PrivateKey{"nil": nil, "zero": {}} {
			signer := unusable.StdSigner()
			assert.Nil(t, signer.Public(), name)
			_, err := signer.Sign(nil, nil, nil)
			assert.ErrorIs(t, err, ErrNoKey, name)
			_, err = crypto.SignMessage(signer, nil, nil, nil)
			assert.ErrorIs(t, err, ErrNoKey, name)
		}
	}
}
