//go:build go1.27

package mldsa

import (
	stdmldsa "crypto/mldsa"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKeyFormatsAgreeWithStandardLibrary: crypto/x509 reads what we write, byte for byte
// what it writes, and we read it.
func TestKeyFormatsAgreeWithStandardLibrary(t *testing.T) {
	for _, s := range stdSets {
		sk := generate(t, s.ours)
		std, err := stdmldsa.NewPrivateKey(s.std, sk.Bytes())
		require.NoError(t, err)

		public, err := MarshalPKIXPublicKey(sk.PublicKey())
		require.NoError(t, err)
		theirs, err := x509.ParsePKIXPublicKey(public)
		require.NoError(t, err)
		assert.True(t, std.PublicKey().Equal(theirs))
		want, err := x509.MarshalPKIXPublicKey(std.PublicKey())
		require.NoError(t, err)
		assert.Equal(t, want, public)
		pk, err := ParsePKIXPublicKey(want)
		require.NoError(t, err)
		assert.True(t, pk.Equal(sk.PublicKey()))

		private, err := MarshalPKCS8PrivateKey(sk)
		require.NoError(t, err)
		key, err := x509.ParsePKCS8PrivateKey(private)
		require.NoError(t, err)
		assert.True(t, std.Equal(key))
		want, err = x509.MarshalPKCS8PrivateKey(std)
		require.NoError(t, err)
		assert.Equal(t, want, private)
		parsed, err := ParsePKCS8PrivateKey(want)
		require.NoError(t, err)
		assert.True(t, parsed.Equal(sk))
	}
}
