package mcpconn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// TestUnusableConfigurations are refused when a connection or listener is made, saying what to
// change.
func TestUnusableConfigurations(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	id, trust := a.identity(t, "ECDSA", serverName), a.trust(t)
	pins := []Pin{id.Pin()}
	for says, cfg := range map[string]*Config{
		"no Config":               nil,
		"set ServerName":          {Trust: trust},
		"no trust and no pins":    {ServerName: serverName},
		"pins without trust":      {ServerName: serverName, PinnedKeys: pins},
		"PinsAlone without pins":  {ServerName: serverName, Trust: trust, PinsAlone: PinnedKeyOnly},
		"unknown PinsAlone":       {ServerName: serverName, Trust: trust, PinnedKeys: pins, PinsAlone: 7},
		`unknown policy "Strict"`: {ServerName: serverName, Trust: trust, Policy: "Strict"},
		"PQCStrict2026 needs":     {ServerName: serverName, Trust: trust, Policy: PQCStrict2026},
		"MaxAge":                  {ServerName: serverName, Trust: trust, MaxAge: -time.Second},
		"MaxHandshakes":           {ServerName: serverName, Trust: trust, MaxHandshakes: -1},
		"ALPN":                    {ServerName: serverName, Trust: trust, ALPN: []string{""}},
	} {
		_, err := Client(nil, cfg)
		require.ErrorIs(t, err, ErrConfig, says)
		assert.ErrorContains(t, err, says)
		if says == "set ServerName" {
			continue // Dial has a name.
		}
		_, err = Dial(t.Context(), "tcp", "127.0.0.1:1", cfg)
		require.ErrorIs(t, err, ErrConfig, says)
	}
	for says, cfg := range map[string]*Config{
		"no Config":           nil,
		"set Identity":        {Trust: trust},
		"or AnonymousClients": {Identity: id},
		"pins without trust":  {Identity: id, PinnedKeys: pins, AnonymousClients: true},
		"PQCStrict2026 needs": {Identity: id, Trust: trust, Policy: PQCStrict2026},
		`unknown policy "x"`:  {Identity: id, Trust: trust, Policy: "x"},
	} {
		_, err := Server(nil, cfg)
		require.ErrorIs(t, err, ErrConfig, says)
		assert.ErrorContains(t, err, says)
		_, err = Listen(t.Context(), "tcp", "127.0.0.1:0", cfg)
		require.ErrorIs(t, err, ErrConfig, says)
	}
	good := &Config{Identity: id, Trust: trust, ServerName: serverName}
	_, err := Client(nil, good)
	require.ErrorIs(t, err, ErrConfig)
	_, err = Server(nil, good)
	require.ErrorIs(t, err, ErrConfig)
	_, err = NewListener(nil, good)
	require.ErrorIs(t, err, ErrConfig)
	_, err = WrapTLS(nil, good)
	require.ErrorIs(t, err, ErrConfig)
	_, err = Dial(t.Context(), "tcp", "no-port", &Config{Trust: trust})
	require.ErrorIs(t, err, ErrConfig)
}

// TestIdentities: every form of PEM that hybrid reads is one; what can't be one is refused.
func TestIdentities(t *testing.T) {
	dir := t.TempDir()
	for _, algorithm := range []string{"ECDSA", "ML-DSA-65"} {
		a := newAuthority(t, algorithm)
		chain, key := a.sub(t, algorithm).chain(t, algorithm, serverName, nil)
		var certPEM []byte
		for _, c := range chain {
			certPEM = append(certPEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		der, err := hybrid.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		id, err := ParseIdentity(certPEM, keyPEM)
		if algorithm == "ML-DSA-65" && !hasMLDSA {
			require.ErrorIs(t, err, ErrConfig)
			require.ErrorContains(t, err, "Go 1.27")
			_, err = NewTrust(a.cert)
			require.ErrorIs(t, err, ErrConfig)
			require.ErrorContains(t, err, "Go 1.27")
			continue
		}
		require.NoError(t, err)
		assert.Len(t, id.Certificates(), 2)
		assert.Equal(t, PinOf(chain[0]), id.Pin())
		assert.Equal(t, []string{serverName, "127.0.0.1", "::1"}, id.Key().Names)

		both := filepath.Join(dir, algorithm)
		require.NoError(t, os.WriteFile(both, append(keyPEM, certPEM...), 0o600))
		_, err = LoadIdentity(both, both)
		require.NoError(t, err)
		_, err = LoadIdentity(both, filepath.Join(dir, "none"))
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorIs(t, err, os.ErrNotExist)

		for says, in := range map[string][2][]byte{
			"no CERTIFICATE": {keyPEM, keyPEM},
			"no private key": {certPEM, certPEM},
			"in PEM":         {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), keyPEM},
			"private key of": {certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})},
		} {
			_, err := ParseIdentity(in[0], in[1])
			require.ErrorIs(t, err, ErrConfig)
			assert.ErrorContains(t, err, says)
		}
		_, err = NewIdentity(chain, newKey(t, algorithm))
		require.ErrorIs(t, err, ErrConfig)
		assert.ErrorContains(t, err, "not that of")
		_, err = NewIdentity(nil, key)
		require.ErrorIs(t, err, ErrConfig)

		trustFile := filepath.Join(dir, "trust")
		require.NoError(t, os.WriteFile(trustFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600))
		_, err = LoadTrust(trustFile, trustFile)
		require.NoError(t, err)
		_, err = LoadTrust(filepath.Join(dir, "none"))
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	_, err := NewTrust()
	require.ErrorIs(t, err, ErrConfig)
	_, err = NewTrust(nil)
	require.ErrorIs(t, err, ErrConfig)
	_, err = ParseTrust([]byte("nothing"))
	require.ErrorIs(t, err, ErrConfig)
	require.NotNil(t, SystemTrust())

	// A composite key signs certificates, not TLS.
	a := newAuthority(t, "ECDSA")
	key, err := hybrid.GenerateCompositeKey(hybrid.MLDSA44ECDSAP256SHA256())
	require.NoError(t, err)
	c := template(func(*x509.Certificate) {})
	leaf := issue(t, c, a.cert, key.Public(), a.key)
	_, err = NewIdentity([]*x509.Certificate{leaf}, key)
	require.ErrorIs(t, err, ErrConfig)
	assert.ErrorContains(t, err, "TLS has no signatures")

	// An ML-DSA certificate with another kind of key.
	pq, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	leaf = issue(t, template(func(*x509.Certificate) {}), a.cert, pq.Public(), a.key)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, err = NewIdentity([]*x509.Certificate{leaf}, ec)
	require.ErrorIs(t, err, ErrConfig)
}
