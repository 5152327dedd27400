//go:build go1.27

package hsm

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// TestPqcert has the command hybrid/pqcert make a PKI, and a certificate for a token's ML-DSA key from
// a request that the token signed. With the certificate the key serves a handshake, and it signs the one
// that the command has made for a server anew.
func TestPqcert(t *testing.T) {
	token := openNSS(t)
	folder := t.TempDir()
	command := filepath.Join(folder, "pqcert")
	require.NoError(t, run(exec.Command("go", "build", "-o", command, "../hybrid/pqcert")))
	require.NoError(t, run(exec.Command(command, "-dir", folder, "-host", "localhost")))
	read := func(name string) *x509.Certificate {
		data, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		block, _ := pem.Decode(data)
		require.NotNil(t, block)
		certificate, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return certificate
	}

	signer, err := token.Signer(background, KeyByID(generate(t, token, MLDSA65).ID))
	require.NoError(t, err)
	request, err := hybrid.CreateCertificateRequest(&x509.CertificateRequest{DNSNames: []string{"localhost"}}, signer)
	require.NoError(t, err)
	file := filepath.Join(folder, "token.csr")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}), 0o600))
	require.NoError(t, run(exec.Command(command, "-dir", folder, file)))
	certificate := read("token.crt")
	public, err := hybrid.ParsePublicKey(certificate.RawSubjectPublicKeyInfo)
	require.NoError(t, err)
	require.True(t, signer.Public().(*mldsa.PublicKey).Equal(public))
	serves(t, certificate, signer.StdSigner(), read("root.crt"))

	root := selfSigned(t, signer)
	template := read("server.crt")
	public, err = hybrid.ParsePublicKey(template.RawSubjectPublicKeyInfo)
	require.NoError(t, err)
	template.SignatureAlgorithm, template.AuthorityKeyId = 0, nil // those of its issuer
	der, err := hybrid.CreateCertificate(template, root, public, signer)
	require.NoError(t, err)
	server, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	require.NoError(t, server.CheckSignatureFrom(root))
	data, err := os.ReadFile(filepath.Join(folder, "server.key"))
	require.NoError(t, err)
	key, err := hybrid.ParsePrivateKey(data)
	require.NoError(t, err)
	serves(t, server, key.(*mldsa.PrivateKey).StdSigner(), root)
}

func run(command *exec.Cmd) error {
	command.Stderr = os.Stderr
	return command.Run()
}

// serves has crypto/tls serve one handshake with a certificate and its key, to a client that trusts root.
func serves(t *testing.T, certificate *x509.Certificate, key crypto.PrivateKey, root *x509.Certificate) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(root)
	client, server := net.Pipe()
	defer client.Close()
	deadline := time.Now().Add(time.Minute)
	require.NoError(t, client.SetDeadline(deadline))
	require.NoError(t, server.SetDeadline(deadline))
	go func() {
		defer server.Close()
		s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}}})
		io.WriteString(s, "served")
		s.Close()
	}()
	got, err := io.ReadAll(tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "localhost"}))
	require.NoError(t, err)
	require.Equal(t, "served", string(got))
}
