//go:build go1.27

package hybrid

import (
	stdmldsa "crypto/mldsa"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// TestMLDSACertificatesAreThoseOfX509: crypto/x509 checks our certificates, requests and
// lists with ML-DSA, makes the same for the same template up to the signature, and we check
// what it makes.
func TestMLDSACertificatesAreThoseOfX509(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   stdmldsa.Parameters
		known x509.SignatureAlgorithm
	}{
		{"ML-DSA-44", stdmldsa.MLDSA44(), x509.MLDSA44},
		{"ML-DSA-65", stdmldsa.MLDSA65(), x509.MLDSA65},
		{"ML-DSA-87", stdmldsa.MLDSA87(), x509.MLDSA87},
	} {
		k := keyNamed(t, c.name)
		sk := k.private.(*mldsa.PrivateKey)
		std, err := stdmldsa.NewPrivateKey(c.set, sk.Bytes())
		require.NoError(t, err)

		root := newRoot(t, k)
		require.NoError(t, root.CheckSignatureFrom(root))
		assert.Equal(t, c.known, root.SignatureAlgorithm)
		assert.True(t, std.PublicKey().Equal(root.PublicKey))
		der, err := x509.CreateCertificate(rand.Reader, rootTemplate(), rootTemplate(), std.PublicKey(), std)
		theirs := parsedCertificate(t, der, err)
		assert.Equal(t, theirs.RawTBSCertificate, root.RawTBSCertificate)
		require.NoError(t, CheckCertificateSignature(theirs, root))
		pk, err := PublicKeyOf(theirs)
		require.NoError(t, err)
		assert.True(t, sk.PublicKey().Equal(pk))

		leaf := leafTemplate()
		leaf.SubjectKeyId = []byte{1, 2, 3} // which crypto/x509 leaves out
		kem := keyNamed(t, "ML-KEM-768")
		for _, pub := range []any{keyNamed(t, "ECDSA P-256").public, keyNamed(t, "ML-DSA-44").public, kem.public} {
			der, err := CreateCertificate(leaf, root, pub, k.signer())
			cert := parsedCertificate(t, der, err)
			require.NoError(t, cert.CheckSignatureFrom(root))
			roots := x509.NewCertPool()
			roots.AddCert(root)
			_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "example.com", CurrentTime: certTime})
			require.NoError(t, err)
		}
		ec := keyNamed(t, "ECDSA P-256")
		der, err = CreateCertificate(leaf, root, ec.public, k.signer())
		ours := parsedCertificate(t, der, err)
		der, err = x509.CreateCertificate(rand.Reader, leaf, root, ec.public, std)
		theirs = parsedCertificate(t, der, err)
		assert.Equal(t, theirs.RawTBSCertificate, ours.RawTBSCertificate)

		// The standard library's keys, as subject and as signer, and ours as its signer.
		der, err = CreateCertificate(rootTemplate(), root, std.PublicKey(), std)
		require.NoError(t, CheckCertificateSignature(parsedCertificate(t, der, err), root))
		der, err = CreateCertificate(leaf, root, std.PublicKey(), sk.StdSigner())
		require.NoError(t, CheckCertificateSignature(parsedCertificate(t, der, err), root))

		request, err := CreateCertificateRequest(&x509.CertificateRequest{DNSNames: []string{"example.com"}}, k.signer())
		require.NoError(t, err)
		parsed, err := x509.ParseCertificateRequest(request)
		require.NoError(t, err)
		require.NoError(t, parsed.CheckSignature())
		request, err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, std)
		require.NoError(t, err)
		parsed, err = x509.ParseCertificateRequest(request)
		require.NoError(t, err)
		require.NoError(t, CheckRequestSignature(parsed))

		list, err := CreateRevocationList(&x509.RevocationList{Number: big.NewInt(1), ThisUpdate: certTime, NextUpdate: certTime}, root, k.signer())
		require.NoError(t, err)
		l, err := x509.ParseRevocationList(list)
		require.NoError(t, err)
		require.NoError(t, l.CheckSignatureFrom(root))
	}
}
