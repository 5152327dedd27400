package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/internal/pqcert"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// execute runs the command in this process.
func execute(args ...string) (stdout, stderr string, status int) {
	var out, err strings.Builder
	status = pqcert.Run(args, &out, &err)
	return out.String(), err.String(), status
}

// requireRuns requires that the command succeeds.
func requireRuns(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, status := execute(args...)
	require.Zero(t, status, stderr)
	return stdout
}

// requireFails requires that the command fails, and says why.
func requireFails(t *testing.T, want string, args ...string) {
	t.Helper()
	_, stderr, status := execute(args...)
	require.NotZero(t, status)
	assert.Contains(t, stderr, want)
}

func certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	require.NotNil(t, block)
	require.Equal(t, "CERTIFICATE", block.Type)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return cert
}

// requirePair requires that the certificate is the root's and for the key beside it, which
// its owner alone reads.
func requirePair(t *testing.T, dir, name string) (*x509.Certificate, crypto.PrivateKey) {
	t.Helper()
	cert, root := certificate(t, filepath.Join(dir, name+".crt")), certificate(t, filepath.Join(dir, "root.crt"))
	require.NoError(t, hybrid.CheckCertificateSignature(cert, root))
	file := filepath.Join(dir, name+".key")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "%s", info.Mode())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	key, err := hybrid.ParsePrivateKey(data)
	require.NoError(t, err)
	var public crypto.PublicKey
	switch key := key.(type) {
	case crypto.Signer:
		public = key.Public()
	case crypto.Decapsulator:
		public = key.Encapsulator()
	}
	der, err := hybrid.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	assert.Equal(t, der, cert.RawSubjectPublicKeyInfo)
	return cert, key
}

func TestPKIOfEachKind(t *testing.T) {
	for _, alg := range []string{"ML-DSA-44", "ml-dsa-65", "ML-DSA-87", "MLDSA65-ECDSA-P256-SHA512", "MLDSA44-Ed25519-SHA512", "ECDSA-P256"} {
		t.Run(alg, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "pki")
			stdout := requireRuns(t, "-dir", dir, "-alg", alg, "-kem", "X-Wing", "-host", "example.com, 192.0.2.1", "-days", "30")
			assert.Equal(t, 4, strings.Count(stdout, "\n"))
			assert.Contains(t, stdout, filepath.Join(dir, "kem.crt")+"  X-Wing, CN=recipient, until ")

			root, _ := requirePair(t, dir, "root")
			assert.True(t, root.IsCA)
			server, _ := requirePair(t, dir, "server")
			assert.Equal(t, []string{"example.com"}, server.DNSNames)
			assert.True(t, server.IPAddresses[0].Equal(net.IPv4(192, 0, 2, 1)))
			assert.Equal(t, "example.com", server.Subject.CommonName)
			assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, server.ExtKeyUsage)
			assert.Equal(t, x509.KeyUsageDigitalSignature, server.KeyUsage)
			assert.WithinDuration(t, time.Now().AddDate(0, 0, 30), server.NotAfter, time.Minute)
			assert.False(t, server.IsCA)
			client, _ := requirePair(t, dir, "client")
			assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, client.ExtKeyUsage)
			recipient, key := requirePair(t, dir, "kem")
			assert.Equal(t, x509.KeyUsageKeyEncipherment, recipient.KeyUsage)
			assert.IsType(t, new(hybrid.XWingDecapsulationKey), key)

			// Nothing is overwritten, and the root stays.
			before, err := os.ReadFile(filepath.Join(dir, "server.key"))
			require.NoError(t, err)
			requireFails(t, "server.crt: file already exists", "-dir", dir, "-days", "30")
			after, err := os.ReadFile(filepath.Join(dir, "server.key"))
			require.NoError(t, err)
			assert.Equal(t, before, after)
			require.NoError(t, os.Remove(filepath.Join(dir, "server.crt")))
			requireFails(t, "server.key: file exists", "-dir", dir, "-days", "30")
			require.NoError(t, os.Remove(filepath.Join(dir, "server.key")))
			require.NoError(t, os.Remove(filepath.Join(dir, "client.crt")))
			require.NoError(t, os.Remove(filepath.Join(dir, "client.key")))
			requireRuns(t, "-dir", dir, "-days", "30")
			requirePair(t, dir, "server")
			assert.Equal(t, root.Raw, certificate(t, filepath.Join(dir, "root.crt")).Raw)
		})
	}
}

// old makes a certificate with a classical key, as a file in PEM.
func old(t *testing.T, name string, change func(*x509.Certificate)) (file string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "www.example.com", Organization: []string{"Example"}},
		NotBefore:    time.Now(), NotAfter: time.Now().AddDate(0, 0, 1),
		DNSNames:       []string{"www.example.com", "example.com"},
		EmailAddresses: []string{"a@example.com"},
		IPAddresses:    []net.IP{net.IPv4(192, 0, 2, 1).To4()},
		URIs:           []*url.URL{{Scheme: "spiffe", Host: "example.com", Path: "/www"}},
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		KeyUsage:       x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return write(t, name, "CERTIFICATE", der), cert
}

func write(t *testing.T, name, blockType string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}), 0o600))
	return file
}

func TestReissuedCertificateHasTheNames(t *testing.T) {
	file, from := old(t, "www.pem", nil)
	bare := filepath.Join(t.TempDir(), "bare.der")
	require.NoError(t, os.WriteFile(bare, from.Raw, 0o600))
	other, _ := old(t, "encryption.crt", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	dir := t.TempDir()
	requireRuns(t, "-dir", dir, file, bare, other)
	for _, name := range []string{"www", "bare", "encryption"} {
		cert, key := requirePair(t, dir, name)
		assert.Equal(t, from.RawSubject, cert.RawSubject)
		assert.Equal(t, from.DNSNames, cert.DNSNames)
		assert.Equal(t, from.EmailAddresses, cert.EmailAddresses)
		assert.Equal(t, from.IPAddresses, cert.IPAddresses)
		assert.Equal(t, from.URIs, cert.URIs)
		assert.Equal(t, from.ExtKeyUsage, cert.ExtKeyUsage)
		assert.False(t, cert.IsCA)
		if name == "encryption" {
			assert.Equal(t, x509.KeyUsageKeyEncipherment, cert.KeyUsage)
			assert.IsType(t, new(mlkem.DecapsulationKey768), key)
		} else {
			assert.Equal(t, x509.KeyUsageDigitalSignature, cert.KeyUsage)
			assert.IsType(t, new(mldsa.PrivateKey), key)
		}
	}
}

func TestRequestsAreAnswered(t *testing.T) {
	template := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "request"},
		DNSNames: []string{"request.example.com"},
	}
	classical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	own, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	dir := t.TempDir()
	for name, key := range map[string]crypto.Signer{"classical": classical, "own": own} {
		der, err := hybrid.CreateCertificateRequest(template, key)
		require.NoError(t, err)
		requireRuns(t, "-dir", dir, write(t, name+".csr", "CERTIFICATE REQUEST", der))
		cert := certificate(t, filepath.Join(dir, name+".crt"))
		assert.Equal(t, "CN=request", cert.Subject.String())
		assert.Equal(t, template.DNSNames, cert.DNSNames)

		der[len(der)-1] ^= 1
		requireFails(t, "invalid signature", "-dir", dir, write(t, name+"2.csr", "CERTIFICATE REQUEST", der))
	}
	requirePair(t, dir, "classical")
	public, err := hybrid.PublicKeyOf(certificate(t, filepath.Join(dir, "own.crt")))
	require.NoError(t, err)
	assert.True(t, own.PublicKey().Equal(public))
	assert.NoFileExists(t, filepath.Join(dir, "own.key"), "the key is the requester's")
}

func TestWrongUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	_, stderr, status := execute("-h")
	assert.Zero(t, status)
	assert.Contains(t, stderr, "Usage: pqcert")
	assert.Contains(t, stderr, "MLDSA65-Ed25519-SHA512")
	assert.Contains(t, stderr, "X-Wing")
	_, _, status = execute("-nothing")
	assert.Equal(t, 2, status)
	requireFails(t, `-alg: unknown algorithm "RSA"`, "-dir", dir, "-alg", "RSA")
	requireFails(t, `-kem: unknown algorithm "RSA"`, "-dir", dir, "-kem", "RSA")
	requireFails(t, "-days 0", "-dir", dir, "-days", "0")
	requireFails(t, `-host: "a b" is no name`, "-dir", dir, "-host", "a b")
	requireFails(t, `-host: "" is no name`, "-dir", dir, "-host", "")
	requireFails(t, "no such file", "-dir", dir, filepath.Join(dir, "none.crt"))
	requireFails(t, "neither a certificate nor a certificate request", "-dir", dir, write(t, "a.crt", "CERTIFICATE", []byte{0x30, 0}))
	requireFails(t, `PEM block of type "PUBLIC KEY"`, "-dir", dir, write(t, "a.pem", "PUBLIC KEY", nil))
	large := filepath.Join(dir, "large")
	require.NoError(t, os.WriteFile(large, make([]byte, 1<<20+1), 0o600))
	requireFails(t, "1048577 bytes", "-dir", dir, large)
	file, _ := old(t, "root.crt", nil)
	requireFails(t, "would be that of the root", "-dir", dir, file)
	file, _ = old(t, "ca.crt", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })
	requireFails(t, "certificate of an authority", "-dir", dir, file)

	// A root that does not fit.
	requireFails(t, "choose fewer -days", "-dir", dir, "-days", "36500")
	other := t.TempDir()
	requireRuns(t, "-dir", other)
	key, err := os.ReadFile(filepath.Join(other, "root.key"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root.key"), key, 0o600))
	requireFails(t, "not that of the certificate", "-dir", dir)
	require.NoError(t, os.Remove(filepath.Join(dir, "root.key")))
	requireFails(t, "no such file", "-dir", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root.crt"), []byte("root"), 0o600))
	requireFails(t, "root.crt: x509", "-dir", dir)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "%v", entries)
}
