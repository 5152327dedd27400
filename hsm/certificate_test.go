package hsm

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

func certificateTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA:     true, BasicConstraintsValid: true,
	}
}

// selfSigned returns a certificate of a signer's key by that key.
func selfSigned(t testing.TB, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	template := certificateTemplate()
	der, err := hybrid.CreateCertificate(template, template, signer.Public(), signer)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	require.NoError(t, hybrid.CheckCertificateSignature(certificate, certificate))
	return certificate
}

// TestCertificates of each algorithm are signed in the token, by package hybrid.
func TestCertificates(t *testing.T) {
	token := openNSS(t)
	for _, a := range []Algorithm{MLDSA44, MLDSA65, MLDSA87, RSA2048, ECDSAP256, Ed25519} {
		t.Run(a.String(), func(t *testing.T) {
			signer, err := token.Signer(background, KeyByID(generate(t, token, a).ID))
			require.NoError(t, err)
			selfSigned(t, signer)
		})
	}
}

// TestCompositeKeys have both halves in the token.
func TestCompositeKeys(t *testing.T) {
	token := openNSS(t)
	signer := func(a Algorithm) crypto.Signer {
		s, err := token.Signer(background, KeyByID(generate(t, token, a).ID))
		require.NoError(t, err)
		return s
	}
	for _, test := range []struct {
		composite     hybrid.SignatureAlgorithm
		pq, classical Algorithm
	}{
		{hybrid.MLDSA44Ed25519SHA512(), MLDSA44, Ed25519},
		{hybrid.MLDSA65ECDSAP256SHA512(), MLDSA65, ECDSAP256},
		{hybrid.MLDSA44RSA2048PSSSHA256(), MLDSA44, RSA2048},
	} {
		t.Run(fmt.Sprint(test.composite), func(t *testing.T) {
			key, err := hybrid.ImportCompositeKey(test.composite, signer(test.pq), signer(test.classical), &hybrid.ImportOptions{DedicatedKeys: true})
			require.NoError(t, err)
			opts := &mldsa.Options{Context: "context"}
			signature, err := key.Sign(nil, []byte("message"), opts)
			require.NoError(t, err)
			require.NoError(t, hybrid.VerifyComposite(key.PublicKey(), []byte("message"), signature, opts))
			selfSigned(t, key)
		})
	}
}
