package main

import (
	"testing"

	"github.com/cloudflare/circl/kem/xwing"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

// TestXWingPeersUnderstandEachOther: what is compared does the same.
func TestXWingPeersUnderstandEachOther(t *testing.T) {
	dk, err := hybrid.GenerateXWingKey()
	require.NoError(t, err)
	seed, encoded := dk.Bytes(), dk.EncapsulationKey().Bytes()
	_, public := xwing.DeriveKeyPairPacked(seed)
	assert.Equal(t, public, encoded)

	want, ciphertext, err := xwing.Encapsulate(encoded, nil)
	require.NoError(t, err)
	got, err := dk.Decapsulate(ciphertext)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	want, ciphertext = dk.EncapsulationKey().Encapsulate()
	assert.Equal(t, want, xwing.Decapsulate(ciphertext, seed))
}
