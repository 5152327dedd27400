//go:build go1.27

package mldsa

import (
	stdmldsa "crypto/mldsa"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStdSignerFollowsItsKey: Public is always the key that signs, whatever becomes of the
// private key after the signer is made.
func TestStdSignerFollowsItsKey(t *testing.T) {
	sk := new(PrivateKey)
	signer := sk.StdSigner()
	requireGone := func(want error) {
		t.Helper()
		require.True(t, signer.Public() == nil)
		signature, err := signer.Sign(nil, nil, nil)
		require.ErrorIs(t, err, want)
		require.Nil(t, signature)
	}
	requireGone(ErrNoKey)
	var former *stdmldsa.PublicKey
	for _, s := range append(stdSets, stdSets...) {
		for range 2 {
			require.NoError(t, sk.Generate(s.ours))
			signature, err := signer.Sign(nil, []byte("message"), nil) // before Public is asked for
			require.NoError(t, err)
			public := signer.Public().(*stdmldsa.PublicKey)
			require.Equal(t, s.std, public.Parameters())
			require.Equal(t, sk.PublicKey().Bytes(), public.Bytes())
			require.NoError(t, stdmldsa.Verify(public, []byte("message"), signature, nil))
			require.False(t, former != nil && public.Equal(former))
			require.Same(t, public, signer.Public(), "the key is parsed once")
			former = public
		}
		sk.Destroy()
		requireGone(ErrDestroyed)
	}
}

// TestStdSignerIsSafeForConcurrentUse: the race detector looks on.
func TestStdSignerIsSafeForConcurrentUse(t *testing.T) {
	sk := generate(t, MLDSA44())
	signer := sk.StdSigner()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				public, ok := signer.Public().(*stdmldsa.PublicKey)
				if !assert.True(t, ok) {
					return
				}
				signature, err := signer.Sign(nil, []byte("message"), nil)
				assert.NoError(t, err)
				assert.NoError(t, stdmldsa.Verify(public, []byte("message"), signature, nil))
			}
		})
	}
	all.Wait()
}
