package mcpconn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

func block(t testing.TB, kind string) func(der []byte, err error) []byte {
	return func(der []byte, err error) []byte {
		require.NoError(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
}

// TestIdentityForms: each form of a private key that hybrid reads makes an identity, from a file of its
// own or beside the certificates, which shakes hands in both roles. Go 1.26 refuses those of ML-DSA.
func TestIdentityForms(t *testing.T) {
	root := newAuthority(t, "ECDSA")
	ec := newKey(t, "ECDSA").(*ecdsa.PrivateKey)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	pq := newKey(t, "ML-DSA-44").(*mldsa.PrivateKey)
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}})
	for _, form := range []struct {
		name  string
		key   crypto.Signer
		pem   []byte
		mldsa bool
	}{
		{name: "EC PRIVATE KEY", key: ec, pem: append(parameters, block(t, "EC PRIVATE KEY")(x509.MarshalECPrivateKey(ec))...)},
		{name: "ECDSA", key: ec, pem: append([]byte("some text\n"), block(t, "PRIVATE KEY")(x509.MarshalPKCS8PrivateKey(ec))...)},
		{name: "RSA PRIVATE KEY", key: rsaKey, pem: block(t, "RSA PRIVATE KEY")(x509.MarshalPKCS1PrivateKey(rsaKey), nil)},
		{name: "RSA", key: rsaKey, pem: block(t, "PRIVATE KEY")(x509.MarshalPKCS8PrivateKey(rsaKey))},
		{name: "Ed25519", key: ed, pem: block(t, "PRIVATE KEY")(x509.MarshalPKCS8PrivateKey(ed))},
		{name: "ML-DSA seed", key: pq, mldsa: true, pem: block(t, "PRIVATE KEY")(mldsa.MarshalPKCS8PrivateKeyForm(pq, mldsa.SeedForm))},
		{name: "ML-DSA expanded", key: pq, mldsa: true, pem: block(t, "PRIVATE KEY")(mldsa.MarshalPKCS8PrivateKeyForm(pq, mldsa.ExpandedForm))},
		{name: "ML-DSA both", key: pq, mldsa: true, pem: block(t, "PRIVATE KEY")(mldsa.MarshalPKCS8PrivateKeyForm(pq, mldsa.BothForm))},
	} {
		t.Run(form.name, func(t *testing.T) {
			leaf := issue(t, template(func(c *x509.Certificate) { c.DNSNames = []string{serverName} }), root.cert, form.key.Public(), root.key)
			certPEM := block(t, "CERTIFICATE")(leaf.Raw, nil)
			dir := t.TempDir()
			certFile, keyFile, bothFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "both")
			require.NoError(t, os.WriteFile(certFile, certPEM, 0o600))
			require.NoError(t, os.WriteFile(keyFile, form.pem, 0o600))
			require.NoError(t, os.WriteFile(bothFile, append(bytes.Clone(form.pem), certPEM...), 0o600))
			id, err := LoadIdentity(certFile, keyFile)
			if form.mldsa && !hasMLDSA {
				require.ErrorIs(t, err, ErrConfig)
				require.ErrorContains(t, err, "Go 1.27")
				return
			}
			require.NoError(t, err)
			same, err := LoadIdentity(bothFile, bothFile)
			require.NoError(t, err)
			assert.Equal(t, id.Pin(), same.Pin())
			c, s := connect(t, &Config{Identity: id, Trust: root.trust(t), ServerName: serverName}, &Config{Identity: same, Trust: root.trust(t)})
			assert.Equal(t, id.Key(), *c.State().Local)
			assert.Equal(t, keyAlgorithm(leaf), s.State().Peer.Algorithm)
			assert.Equal(t, []string{"ECDSA-SHA256"}, s.State().Peer.Chain)
			assert.Equal(t, []string{"ECDSA-SHA256"}, s.State().Local.Chain)
		})
	}

	leaf := issue(t, template(func(c *x509.Certificate) {}), root.cert, ec.Public(), root.key)
	certPEM := block(t, "CERTIFICATE")(leaf.Raw, nil)
	kem, err := mlkem.GenerateKey768()
	require.NoError(t, err)
	for says, key := range map[string][]byte{
		"does not sign": block(t, "PRIVATE KEY")(hybrid.MarshalPKCS8PrivateKey(kem)),
		"encrypted":     pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0x30, 0}}),
		"not that of":   block(t, "PRIVATE KEY")(x509.MarshalPKCS8PrivateKey(newKey(t, "ECDSA"))),
	} {
		_, err := ParseIdentity(certPEM, key)
		require.ErrorIs(t, err, ErrConfig, says)
		require.ErrorContains(t, err, says)
	}
}

// selfSigned returns an identity that nobody else certifies.
func selfSigned(t *testing.T, algorithm string, change func(*x509.Certificate)) *Identity {
	key := newKey(t, algorithm)
	c := template(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: serverName}
		c.DNSNames = []string{serverName}
	})
	if change != nil {
		change(c)
	}
	id, err := NewIdentity([]*x509.Certificate{issue(t, c, c, key.Public(), key)}, key)
	require.NoError(t, err)
	return id
}

// TestSelfSignedPeers: both ends know each other's key alone; expiry, usage and name still count, unless
// told otherwise.
func TestSelfSignedPeers(t *testing.T) {
	for _, algorithm := range algorithms()[:min(2, len(algorithms()))] {
		agent := selfSigned(t, algorithm, nil)
		try := func(server *Identity, mode PinMode, name string) (*Conn, error) {
			c, _, err, _ := shake(t,
				&Config{Identity: agent, PinnedKeys: []Pin{server.Pin()}, PinsAlone: mode, ServerName: name},
				&Config{Identity: server, PinnedKeys: []Pin{agent.Pin()}, PinsAlone: PinnedWithoutChain})
			return c, err
		}
		good := selfSigned(t, algorithm, nil)
		c, err := try(good, PinnedWithoutChain, serverName)
		require.NoError(t, err)
		assert.Equal(t, Answer{true, "the peer's key is pinned"}, c.State().Chain)
		assert.Equal(t, algorithm != "ECDSA", c.State().Authentication.QuantumSafe)
		for what, bad := range map[string]*Identity{
			"expired":   selfSigned(t, algorithm, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
			"usage":     selfSigned(t, algorithm, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
			"key usage": selfSigned(t, algorithm, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }),
			"name":      selfSigned(t, algorithm, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} }),
		} {
			_, err := try(bad, PinnedWithoutChain, serverName)
			require.ErrorIs(t, err, ErrCertificate, what)
			_, err = try(bad, PinnedKeyOnly, serverName)
			require.NoError(t, err, what)
		}
		_, err = try(good, PinnedKeyOnly, "")
		require.NoError(t, err)
		// A self-signed peer is not in the trust for having a pin.
		_, _, err, _ = shake(t, &Config{Identity: agent, Trust: newAuthority(t, algorithm).trust(t), PinnedKeys: []Pin{good.Pin()}, ServerName: serverName},
			&Config{Identity: good, AnonymousClients: true})
		require.ErrorIs(t, err, ErrCertificate)
	}
}

// TestNamelessServersAreRememberedByTheirKey, and others in one spelling of their name.
func TestNamelessServersAreRememberedByTheirKey(t *testing.T) {
	server := selfSigned(t, "ECDSA", nil)
	memory := NewMemory()
	meet := func(name string, mode PinMode) {
		x, y := newPipe()
		c, err := Client(x, &Config{PinnedKeys: []Pin{server.Pin()}, PinsAlone: mode, ServerName: name, Memory: memory})
		require.NoError(t, err)
		s, err := Server(y, &Config{Identity: server, AnonymousClients: true})
		require.NoError(t, err)
		go s.HandshakeContext(t.Context())
		require.NoError(t, c.HandshakeContext(t.Context()))
	}
	meet("", PinnedKeyOnly)
	meet(serverName, PinnedWithoutChain)
	meet("Server.Example", PinnedWithoutChain)
	assert.Equal(t, []string{"server server.example:2", "server " + server.Pin().String() + ":2"}, memory.Peers())
}

// TestTrustWithRevocationLists: a file of authorities has their lists in it too.
func TestTrustWithRevocationLists(t *testing.T) {
	for _, algorithm := range algorithms()[:min(2, len(algorithms()))] {
		a := newAuthority(t, algorithm)
		good, revoked := a.identity(t, algorithm, serverName), a.identity(t, algorithm, serverName)
		list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: revoked.chain[0].SerialNumber, RevocationTime: time.Now()}}}
		der, err := hybrid.CreateRevocationList(list, a.cert, a.key)
		require.NoError(t, err)
		data := append(block(t, "CERTIFICATE")(a.cert.Raw, nil), block(t, "X509 CRL")(der, nil)...)
		trust, err := ParseTrust(data)
		require.NoError(t, err)
		try := func(id *Identity) error {
			_, _, err, _ := shake(t, &Config{Trust: trust, ServerName: serverName}, &Config{Identity: id, AnonymousClients: true})
			return err
		}
		require.NoError(t, try(good))
		err = try(revoked)
		require.ErrorIs(t, err, ErrCertificate)
		require.ErrorContains(t, err, "is revoked by")
		_, err = ParseTrust(append(data, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der[1:]})...))
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorIs(t, trust.SetRevocationLists(nil), ErrConfig)
		require.ErrorContains(t, try(revoked), "is revoked by", "the old lists stay")

		part := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 3, 0x81, 1, 0xff}}
		parse := func(list *x509.RevocationList) *x509.RevocationList {
			der, err := hybrid.CreateRevocationList(list, a.cert, a.key)
			require.NoError(t, err)
			parsed, err := x509.ParseRevocationList(der)
			require.NoError(t, err)
			return parsed
		}
		ofPart := *list
		ofPart.ExtraExtensions = []pkix.Extension{part}
		err = trust.SetRevocationLists(parse(&ofPart))
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, "2.5.29.28")
		indirect := *list
		indirect.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(1 << 40), RevocationTime: time.Now(),
			ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: []byte{0x30, 0}}}}}
		err = trust.SetRevocationLists(parse(&indirect))
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, "2.5.29.29")

		early := *list
		early.ThisUpdate, early.RevokedCertificateEntries = time.Now().Add(time.Minute), nil
		require.NoError(t, trust.SetRevocationLists(parse(&early)))
		require.ErrorContains(t, try(good), "no usable revocation list")
	}
}

// TestGetIdentity chooses for each connection, by what is known of it; a client may show none, a server
// may not.
func TestGetIdentity(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	identities := map[string]*Identity{"a.example": a.identity(t, "ECDSA", "a.example"), "b.example": a.identity(t, "ECDSA", "b.example")}
	broken := errors.New("no such tenant")
	var seen ConnInfo
	server := &Config{Trust: a.trust(t), AnonymousClients: true, GetIdentity: func(ctx context.Context, info ConnInfo) (*Identity, error) {
		seen = info
		if id, ok := identities[info.ServerName]; ok || info.ServerName == "none.example" {
			return id, nil
		}
		return nil, broken
	}}
	client := func(name string) *Config {
		return &Config{Trust: a.trust(t), ServerName: name, GetIdentity: func(context.Context, ConnInfo) (*Identity, error) { return nil, nil }}
	}
	for name, id := range identities {
		c, s := connect(t, client(name), server)
		assert.Equal(t, id.Pin(), c.State().Peer.Pin)
		assert.Equal(t, id.Pin(), s.State().Local.Pin)
		assert.Nil(t, c.State().Local)
		assert.Nil(t, s.State().Peer)
		assert.False(t, seen.Client)
		assert.Equal(t, s.RemoteAddr(), seen.RemoteAddr)
		assert.Equal(t, s.LocalAddr(), seen.LocalAddr)
		assert.Equal(t, name, seen.Offer.ServerName)
	}
	_, s, _, err := shake(t, client("c.example"), server)
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, err, ErrSigner)
	assert.Nil(t, s.State().Local)
	_, _, _, err = shake(t, client("none.example"), server)
	require.ErrorIs(t, err, ErrConfig)
	if hasMLDSA {
		server.Policy = PQCStrict2026
		_, _, _, err = shake(t, client("a.example"), server)
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, "needs an ML-DSA identity")
	}
}
