package mcpconntest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

func TestChainsAreSigned(t *testing.T) {
	for _, algorithm := range []string{ECDSA, MLDSA44, MLDSA65, MLDSA87} {
		root, err := NewAuthority(algorithm)
		require.NoError(t, err)
		below, err := root.Authority(ECDSA)
		require.NoError(t, err)
		leaf, err := below.Server(algorithm, "a.example", "192.0.2.1")
		require.NoError(t, err)
		require.Len(t, leaf.Chain, 2)
		assert.NoError(t, hybrid.CheckCertificateSignature(leaf.Chain[0], leaf.Chain[1]))
		assert.NoError(t, hybrid.CheckCertificateSignature(leaf.Chain[1], root.Certificate))
		assert.Equal(t, []string{"a.example"}, leaf.Chain[0].DNSNames)
		assert.Len(t, leaf.Chain[0].IPAddresses, 1)

		dir := t.TempDir()
		require.NoError(t, root.Write(dir, "root"))
		require.NoError(t, leaf.Write(dir, "server"))
		assert.ErrorIs(t, leaf.Write(dir, "server"), os.ErrExist)
		key, err := os.ReadFile(filepath.Join(dir, "server.key"))
		require.NoError(t, err)
		_, err = hybrid.ParsePrivateKey(key)
		assert.NoError(t, err)
	}
	_, err := NewAuthority("RSA")
	assert.ErrorContains(t, err, "ML-DSA-65")
	root, err := NewAuthority(ECDSA)
	require.NoError(t, err)
	_, err = root.Server(ECDSA)
	assert.Error(t, err)
}
