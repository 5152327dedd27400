package mldsa

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNilMuIsRefused: a nil μ is no μ, and above all not the empty message.
func TestNilMuIsRefused(t *testing.T) {
	sk := generate(t, MLDSA44())
	pk := sk.PublicKey()
	signature, err := sk.AppendSignMu([]byte("x"), nil)
	assert.ErrorIs(t, err, ErrSize)
	assert.Len(t, signature, 1)
	signature, err = sk.Sign(nil, nil, nil)
	require.NoError(t, err)
	assert.Error(t, VerifyMu(pk, nil, signature))
	assert.Error(t, pk.Precompute().VerifyMu(nil, signature))
}

func TestZeroVerifierIsRefused(t *testing.T) {
	var v Verifier
	require.NotPanics(t, func() {
		assert.ErrorIs(t, v.Verify(nil, make([]byte, MLDSA44SignatureSize), nil), ErrNoKey)
		assert.ErrorIs(t, v.VerifyMu(new([MuSize]byte), make([]byte, MLDSA44SignatureSize)), ErrNoKey)
	})
}

// TestSetBytesLeavesPrivateKeysAlone: a private key's view is not to be set (compare
// mlkem.ErrShared).
func TestSetBytesLeavesPrivateKeysAlone(t *testing.T) {
	for _, p := range sets {
		for _, q := range sets {
			sk := generate(t, p)
			encoded := sk.PublicKey().Bytes()
			assert.Error(t, sk.PublicKey().SetBytes(q, generate(t, q).PublicKey().Bytes()))
			assert.Error(t, sk.PublicKey().SetBytes(q, nil))
			assert.NotPanics(t, func() {
				signature, err := sk.Sign(nil, nil, nil)
				require.NoError(t, err)
				assert.True(t, string(encoded) == string(sk.PublicKey().Bytes()))
				pk, err := NewPublicKey(p, encoded)
				require.NoError(t, err)
				assert.NoError(t, Verify(pk, nil, signature, nil))
			})
		}
	}
}

func TestSetBytesAllocatesNothing(t *testing.T) {
	for _, p := range sets {
		pk, encoded := new(PublicKey), generate(t, p).PublicKey().Bytes()
		require.NoError(t, pk.SetBytes(p, encoded))
		assert.Zero(t, testing.AllocsPerRun(100, func() { pk.SetBytes(p, encoded) }))
	}
}

// TestZeroMuHash: it panics, as a zero hash may, but does not run for ever.
func TestZeroMuHash(t *testing.T) {
	done := make(chan bool)
	go func() {
		defer close(done)
		defer func() { recover() }()
		var h MuHash
		h.Write(make([]byte, 8))
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
		t.Fatal("MuHash{}.Write does not return")
	}
}
