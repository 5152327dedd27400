package mcpconn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// An authority issues certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	up   []*x509.Certificate // intermediates from cert up, without the root
}

var serials atomic.Int64

func newKey(t testing.TB, algorithm string) crypto.Signer {
	switch algorithm {
	case "ECDSA":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return key
	case "ML-DSA-44", "ML-DSA-65", "ML-DSA-87":
		p := map[string]mldsa.Parameters{"ML-DSA-44": mldsa.MLDSA44(), "ML-DSA-65": mldsa.MLDSA65(), "ML-DSA-87": mldsa.MLDSA87()}[algorithm]
		key, err := mldsa.GenerateKey(p)
		require.NoError(t, err)
		return key
	}
	t.Fatalf("no key of %s", algorithm)
	return nil
}

func publicOf(key crypto.Signer) crypto.PublicKey { return key.Public() }

func template(change func(*x509.Certificate)) *x509.Certificate {
	n := serials.Add(1)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(n),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	change(c)
	return c
}

func issue(t testing.TB, c *x509.Certificate, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	der, err := hybrid.CreateCertificate(c, parent, public, signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func newAuthority(t testing.TB, algorithm string) *authority {
	key := newKey(t, algorithm)
	c := template(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: algorithm + " root"}
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	return &authority{cert: issue(t, c, c, publicOf(key), key), key: key}
}

// sub returns an authority below.
func (a *authority) sub(t testing.TB, algorithm string) *authority {
	key := newKey(t, algorithm)
	c := template(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: algorithm + " intermediate"}
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	cert := issue(t, c, a.cert, publicOf(key), a.key)
	return &authority{cert: cert, key: key, up: append([]*x509.Certificate{cert}, a.up...)}
}

// chain issues a certificate for a new key.
func (a *authority) chain(t testing.TB, algorithm, name string, change func(*x509.Certificate)) ([]*x509.Certificate, crypto.Signer) {
	key := newKey(t, algorithm)
	c := template(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name}
		c.DNSNames = []string{name}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	})
	if change != nil {
		change(c)
	}
	return append([]*x509.Certificate{issue(t, c, a.cert, publicOf(key), a.key)}, a.up...), key
}

func (a *authority) identity(t testing.TB, algorithm, name string) *Identity {
	return a.identityWith(t, algorithm, name, nil)
}

func (a *authority) identityWith(t testing.TB, algorithm, name string, change func(*x509.Certificate)) *Identity {
	chain, key := a.chain(t, algorithm, name, change)
	id, err := NewIdentity(chain, key)
	require.NoError(t, err)
	return id
}

func (a *authority) trust(t testing.TB) *Trust {
	trust, err := NewTrust(a.cert)
	require.NoError(t, err)
	return trust
}

const serverName = "server.example"

// mutual returns configurations of both ends with identities of one authority.
func mutual(t testing.TB, algorithm string) (client, server *Config) {
	a := newAuthority(t, algorithm)
	return &Config{Identity: a.identity(t, algorithm, "client.example"), Trust: a.trust(t), ServerName: serverName},
		&Config{Identity: a.identity(t, algorithm, serverName), Trust: a.trust(t)}
}

// algorithms are the identities that this version of Go can have.
func algorithms() []string {
	if hasMLDSA {
		return []string{"ECDSA", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}
	}
	return []string{"ECDSA"}
}

// tcpPair returns the ends of a connection over the loopback interface.
func tcpPair(t testing.TB) (client, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// shake runs the handshake of both ends over TCP.
func shake(t testing.TB, client, server *Config) (c, s *Conn, clientErr, serverErr error) {
	rawClient, rawServer := tcpPair(t)
	c, err := Client(rawClient, client)
	require.NoError(t, err)
	s, err = Server(rawServer, server)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.HandshakeContext(t.Context()) }()
	clientErr = c.HandshakeContext(t.Context())
	if clientErr == nil {
		// A refusal by the server comes after the client's handshake.
		select {
		case serverErr = <-done:
			return c, s, nil, serverErr
		case <-time.After(20 * time.Second):
			t.Fatal("the server hangs")
		}
	}
	select {
	case serverErr = <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the server hangs")
	}
	return c, s, clientErr, serverErr
}

// connect is shake that succeeds, with one message each way, after which tickets have arrived.
func connect(t testing.TB, client, server *Config) (c, s *Conn) {
	c, s, clientErr, serverErr := shake(t, client, server)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	exchange(t, s, c)
	exchange(t, c, s)
	return c, s
}

func exchange(t testing.TB, from, to net.Conn) {
	done := make(chan error, 1)
	go func() { _, err := from.Write([]byte("ping")); done <- err }()
	b := make([]byte, 4)
	_, err := to.Read(b)
	require.NoError(t, err)
	require.Equal(t, "ping", string(b))
	require.NoError(t, <-done)
}
