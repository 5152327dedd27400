//go:build go1.27

package hsm

import (
	"crypto"
	stdmldsa "crypto/mldsa"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStandardLibrary has crypto/mldsa verify what a token signs, crypto/x509 create a
// certificate with it, and crypto/tls serve a handshake with the one that package hybrid has made.
func TestStandardLibrary(t *testing.T) {
	token := openNSS(t)
	for _, a := range []Algorithm{MLDSA44, MLDSA65, MLDSA87, ECDSAP256} {
		t.Run(a.String(), func(t *testing.T) {
			signer, err := token.Signer(background, KeyByID(generate(t, token, a).ID))
			require.NoError(t, err)
			std := signer.StdSigner()
			if a.IsMLDSA() {
				public := std.Public().(*stdmldsa.PublicKey)
				for _, context := range []string{"", "context", string(make([]byte, 255))} {
					opts := &stdmldsa.Options{Context: context}
					signature, err := crypto.SignMessage(std, nil, []byte("message"), opts)
					require.NoError(t, err)
					require.NoError(t, stdmldsa.Verify(public, []byte("message"), signature, opts))
				}
			}
			template := certificateTemplate()
			der, err := x509.CreateCertificate(nil, template, template, std.Public(), std)
			require.NoError(t, err)
			certificate, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			require.NoError(t, certificate.CheckSignatureFrom(certificate))

			certificate = selfSigned(t, signer)
			serves(t, certificate, std, certificate)
		})
	}
}
