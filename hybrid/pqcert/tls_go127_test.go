//go:build go1.27

package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// TestMutualTLSWithThePKI has crypto/tls of Go 1.27 shake hands with the server's and the
// client's certificate.
func TestMutualTLSWithThePKI(t *testing.T) {
	dir := t.TempDir()
	requireRuns(t, "-dir", dir, "-host", "example.com")
	roots := x509.NewCertPool()
	roots.AddCert(certificate(t, filepath.Join(dir, "root.crt")))
	pair := func(name string) []tls.Certificate {
		cert, key := requirePair(t, dir, name)
		return []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key.(*mldsa.PrivateKey).StdSigner()}}
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	server := tls.Server(a, &tls.Config{Certificates: pair("server"), ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert})
	client := tls.Client(b, &tls.Config{Certificates: pair("client"), RootCAs: roots, ServerName: "example.com"})
	done := make(chan error)
	go func() {
		_, err := server.Write([]byte("hello"))
		done <- err
	}()
	hello := make([]byte, 5)
	_, err := io.ReadFull(client, hello)
	require.NoError(t, err)
	require.NoError(t, <-done)
	assert.Equal(t, "hello", string(hello))
	state := server.ConnectionState()
	assert.Equal(t, "CN=client", state.PeerCertificates[0].Subject.String())
	assert.Equal(t, x509.MLDSA, state.PeerCertificates[0].PublicKeyAlgorithm)
}
