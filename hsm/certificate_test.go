package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
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

// TestCompositeKeys have both halves in the token, or one there and one in memory.
func TestCompositeKeys(t *testing.T) {
	token := openNSS(t)
	signer := func(a Algorithm) crypto.Signer {
		s, err := token.Signer(background, KeyByID(generate(t, token, a).ID))
		require.NoError(t, err)
		return s
	}
	inMemory, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	mldsaInMemory, err := mldsa.GenerateKey(mldsa.MLDSA65())
	require.NoError(t, err)
	for name, test := range map[string]struct {
		composite     hybrid.SignatureAlgorithm
		pq, classical crypto.Signer
	}{
		"with Ed25519":        {hybrid.MLDSA44Ed25519SHA512(), signer(MLDSA44), signer(Ed25519)},
		"with ECDSA":          {hybrid.MLDSA65ECDSAP256SHA512(), signer(MLDSA65), signer(ECDSAP256)},
		"with RSA":            {hybrid.MLDSA44RSA2048PSSSHA256(), signer(MLDSA44), signer(RSA2048)},
		"ML-DSA in the token": {hybrid.MLDSA65ECDSAP256SHA512(), signer(MLDSA65), inMemory},
		"ECDSA in the token":  {hybrid.MLDSA65ECDSAP256SHA512(), mldsaInMemory, signer(ECDSAP256)},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := hybrid.ImportCompositeKey(test.composite, test.pq, test.classical, &hybrid.ImportOptions{DedicatedKeys: true})
			require.NoError(t, err)
			opts := &mldsa.Options{Context: "context"}
			signature, err := key.Sign(nil, []byte("message"), opts)
			require.NoError(t, err)
			require.NoError(t, hybrid.VerifyComposite(key.PublicKey(), []byte("message"), signature, opts))
			selfSigned(t, key)
		})
	}
}
