//go:build go1.27

package mldsa

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStdSigner has crypto/x509 accept a certificate, and crypto/tls a handshake, that our
// keys have signed.
func TestStdSigner(t *testing.T) {
	for _, p := range sets {
		t.Run(p.String(), func(t *testing.T) {
			sk, err := GenerateKey(p)
			require.NoError(t, err)
			signer := sk.StdSigner()
			template := &x509.Certificate{
				SerialNumber: big.NewInt(1),
				Subject:      pkix.Name{CommonName: "localhost"},
				DNSNames:     []string{"localhost"},
				NotBefore:    time.Now().Add(-time.Hour),
				NotAfter:     time.Now().Add(time.Hour),
				KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
				IsCA:         true, BasicConstraintsValid: true,
			}
			der, err := x509.CreateCertificate(nil, template, template, signer.Public(), signer)
			require.NoError(t, err)
			cert, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			require.NoError(t, cert.CheckSignatureFrom(cert))

			roots := x509.NewCertPool()
			roots.AddCert(cert)
			client, server := net.Pipe()
			defer client.Close()
			go func() {
				s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: signer}}})
				io.WriteString(s, "signed")
				s.Close()
			}()
			c := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "localhost"})
			got, err := io.ReadAll(c)
			require.NoError(t, err)
			assert.Equal(t, "signed", string(got))
		})
	}
	gone, err := GenerateKey(MLDSA44())
	require.NoError(t, err)
	gone.Destroy()
	_, err = gone.StdSigner().Sign(nil, nil, nil)
	assert.ErrorIs(t, err, ErrDestroyed)
	assert.Nil(t, gone.StdSigner().Public())
}
