package hybrid

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
)

// certTime is a second, which is what certificates can hold.
var certTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func rootTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "root", Organization: []string{"pqlane"}},
		NotBefore:             certTime,
		NotAfter:              certTime.AddDate(10, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "leaf"},
		NotBefore:    certTime,
		NotAfter:     certTime.AddDate(1, 0, 0),
		DNSNames:     []string{"example.com"},
		IPAddresses:  []net.IP{net.IPv4(192, 0, 2, 1).To4()},
		URIs:         []*url.URL{{Scheme: "spiffe", Host: "example.com", Path: "/leaf"}},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// parsedCertificate requires that err is nil, and that the certificate parses.
func parsedCertificate(t testing.TB, der []byte, err error) *x509.Certificate {
	t.Helper()
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func newRoot(t testing.TB, k keyPair) *x509.Certificate {
	t.Helper()
	template := rootTemplate()
	der, err := CreateCertificate(template, template, k.public, k.signer())
	return parsedCertificate(t, der, err)
}

// signingKeys are those that sign certificates.
func signingKeys() (keys []keyPair) {
	for _, k := range keyPairs() {
		if _, ok := k.private.(crypto.Signer); ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func TestSelfSignedCertificates(t *testing.T) {
	for _, k := range signingKeys() {
		t.Run(k.name, func(t *testing.T) {
			root := newRoot(t, k)
			require.NoError(t, CheckCertificateSignature(root, root))
			require.NoError(t, CheckCertificateSignatureByKey(root, k.public))
			pk, err := PublicKeyOf(root)
			require.NoError(t, err)
			assert.True(t, k.public.(interface{ Equal(crypto.PublicKey) bool }).Equal(pk))
			assert.Equal(t, "CN=root,O=pqlane", root.Subject.String())
			assert.Equal(t, root.RawSubject, root.RawIssuer)
			assert.True(t, root.IsCA)
			assert.Equal(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, root.KeyUsage)
			assert.Equal(t, certTime, root.NotBefore)
			key, err := pkcs.ParsePublicKey(root.RawSubjectPublicKeyInfo)
			require.NoError(t, err)
			digest := sha256.Sum256(key.Key)
			assert.Equal(t, digest[:20], root.SubjectKeyId)
			assert.Empty(t, root.AuthorityKeyId)

			for i := range len(root.Raw) {
				if i%97 != 0 && i != len(root.Raw)-1 {
					continue
				}
				changed := bytes.Clone(root.Raw)
				changed[i] ^= 1
				if cert, err := x509.ParseCertificate(changed); err == nil {
					assert.Error(t, CheckCertificateSignatureByKey(cert, k.public), "byte %d", i)
				}
			}
		})
	}
}

// TestEveryKeyIsCertifiedByEverySigner issues a certificate for each key by each signer.
func TestEveryKeyIsCertifiedByEverySigner(t *testing.T) {
	for _, issuer := range signingKeys() {
		root := newRoot(t, issuer)
		for _, k := range keyPairs() {
			der, err := CreateCertificate(leafTemplate(), root, k.public, issuer.signer())
			cert := parsedCertificate(t, der, err)
			require.NoError(t, CheckCertificateSignature(cert, root), "%s by %s", k.name, issuer.name)
			assert.Equal(t, root.RawSubject, cert.RawIssuer)
			assert.Equal(t, root.SubjectKeyId, cert.AuthorityKeyId)
			assert.Len(t, cert.SubjectKeyId, 20)
			assert.Equal(t, k.name == issuer.name, bytes.Equal(cert.AuthorityKeyId, cert.SubjectKeyId), k.name)
			assert.Equal(t, leafTemplate().DNSNames, cert.DNSNames)
			assert.Equal(t, leafTemplate().IPAddresses, cert.IPAddresses)
			assert.Equal(t, leafTemplate().URIs, cert.URIs)
			assert.Equal(t, leafTemplate().ExtKeyUsage, cert.ExtKeyUsage)
			spki, err := MarshalPKIXPublicKey(k.public)
			require.NoError(t, err)
			assert.Equal(t, spki, cert.RawSubjectPublicKeyInfo)
			if _, ok := k.private.(crypto.Decapsulator); ok && k.name != "X25519" {
				assert.Equal(t, x509.KeyUsageKeyEncipherment, cert.KeyUsage)
			}
			assert.ErrorIs(t, CheckCertificateSignature(cert, cert), ErrIssuer, "a leaf issues nothing")
			for _, other := range signingKeys() {
				if other.name != issuer.name {
					assert.Error(t, CheckCertificateSignatureByKey(cert, other.public), "%s by %s", k.name, other.name)
				}
			}
		}
	}
}

// TestClassicalSignaturesAreThoseOfX509: crypto/x509 checks what classical keys sign here
// with each algorithm, and finds the algorithm that was asked for.
func TestClassicalSignaturesAreThoseOfX509(t *testing.T) {
	tried := 0
	for _, issuer := range signingKeys() {
		usual := usualAlgorithm(issuer.public)
		for _, a := range append([]certificateAlgorithm{{}}, certificateAlgorithms...) {
			template := rootTemplate()
			template.SignatureAlgorithm = a.known
			der, err := CreateCertificate(template, template, issuer.public, issuer.signer())
			key, keyErr := pkcs.ParsePublicKey(mustMarshal(t, issuer.public))
			require.NoError(t, keyErr)
			if a.known != 0 && a.key != key.OID {
				assert.Error(t, err)
				assert.Nil(t, der)
				continue
			}
			if usual == 0 {
				continue
			}
			root := parsedCertificate(t, der, err)
			tried++
			require.NoError(t, root.CheckSignatureFrom(root), "%s, %v", issuer.name, a.known)
			if a.known != 0 {
				assert.Equal(t, a.known, root.SignatureAlgorithm)
			} else {
				assert.Equal(t, usual, root.SignatureAlgorithm)
			}
			// What crypto/x509 makes for the same template is the same up to the signature.
			std, err := x509.CreateCertificate(rand.Reader, template, template, issuer.public, issuer.private)
			require.NoError(t, err)
			theirs, err := x509.ParseCertificate(std)
			require.NoError(t, err)
			assert.Equal(t, theirs.RawTBSCertificate, root.RawTBSCertificate)
			require.NoError(t, CheckCertificateSignature(theirs, root))
		}
	}
	assert.Equal(t, 5+len(certificateAlgorithms)+2*3, tried) // ECDSA's three algorithms for three curves
}

func mustMarshal(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return der
}

func TestRequests(t *testing.T) {
	template := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "request"},
		DNSNames: []string{"example.com"},
	}
	for _, k := range signingKeys() {
		der, err := CreateCertificateRequest(template, k.signer())
		require.NoError(t, err)
		request, err := x509.ParseCertificateRequest(der)
		require.NoError(t, err)
		require.NoError(t, CheckRequestSignature(request), k.name)
		assert.Equal(t, "CN=request", request.Subject.String())
		assert.Equal(t, template.DNSNames, request.DNSNames)
		assert.Equal(t, mustMarshal(t, k.public), request.RawSubjectPublicKeyInfo)
		if usualAlgorithm(k.public) != 0 {
			require.NoError(t, request.CheckSignature())
		}
		for _, i := range []int{20, len(der) / 2, len(der) - 1} {
			changed := bytes.Clone(der)
			changed[i] ^= 1
			if request, err := x509.ParseCertificateRequest(changed); err == nil {
				assert.Error(t, CheckRequestSignature(request), "%s, byte %d", k.name, i)
			}
		}
	}
	_, err := CreateCertificateRequest(nil, keyNamed(t, "Ed25519").signer())
	assert.ErrorIs(t, err, ErrTemplate)
	_, err = CreateCertificateRequest(template, nil)
	assert.ErrorIs(t, err, ErrTemplate)
	assert.ErrorIs(t, CheckRequestSignature(nil), ErrEncoding)
	assert.ErrorIs(t, CheckRequestSignature(&x509.CertificateRequest{}), ErrEncoding)
}

func TestRevocationLists(t *testing.T) {
	template := &x509.RevocationList{
		Number: big.NewInt(7), ThisUpdate: certTime, NextUpdate: certTime.AddDate(0, 1, 0),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(2), RevocationTime: certTime, ReasonCode: 1}},
	}
	for _, k := range signingKeys() {
		root := newRoot(t, k)
		der, err := CreateRevocationList(template, root, k.signer())
		require.NoError(t, err)
		list, err := x509.ParseRevocationList(der)
		require.NoError(t, err)
		require.NoError(t, CheckRevocationListSignature(list, root), k.name)
		assert.Equal(t, template.Number, list.Number)
		assert.Equal(t, root.RawSubject, list.RawIssuer)
		assert.Equal(t, root.SubjectKeyId, list.AuthorityKeyId)
		require.Len(t, list.RevokedCertificateEntries, 1)
		assert.Equal(t, 1, list.RevokedCertificateEntries[0].ReasonCode)
		if usualAlgorithm(k.public) != 0 {
			require.NoError(t, list.CheckSignatureFrom(root))
		}
		changed := bytes.Clone(der)
		changed[len(changed)-1] ^= 1
		list, err = x509.ParseRevocationList(changed)
		require.NoError(t, err)
		assert.ErrorIs(t, CheckRevocationListSignature(list, root), ErrInvalidSignature)

		certSign := rootTemplate()
		certSign.KeyUsage = x509.KeyUsageCertSign
		der, err = CreateCertificate(certSign, certSign, k.public, k.signer())
		noList := parsedCertificate(t, der, err)
		assert.ErrorIs(t, CheckRevocationListSignature(list, noList), ErrIssuer)
		_, err = CreateRevocationList(template, noList, k.signer())
		assert.ErrorIs(t, err, ErrTemplate)
	}
	root := newRoot(t, keyNamed(t, "ML-DSA-44"))
	_, err := CreateRevocationList(template, root, keyNamed(t, "ML-DSA-65").signer())
	assert.ErrorIs(t, err, ErrIssuer)
	_, err = CreateRevocationList(nil, root, keyNamed(t, "ML-DSA-44").signer())
	assert.ErrorIs(t, err, ErrTemplate)
	assert.ErrorIs(t, CheckRevocationListSignature(nil, root), ErrEncoding)
}

// brokenSigner signs something else, or nothing.
type brokenSigner struct {
	crypto.Signer
	err error
}

func (s brokenSigner) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Signer.Sign(rand, append([]byte{0}, message...), opts)
}

func TestWrongTemplatesAndSignersAreRefused(t *testing.T) {
	k, other := keyNamed(t, "ML-DSA-65"), keyNamed(t, "ML-DSA-44")
	kem := keyNamed(t, "ML-KEM-768")
	root := newRoot(t, k)
	broken := errors.New("the token is gone")
	create := func(parent *x509.Certificate, pub crypto.PublicKey, signer crypto.Signer, change func(*x509.Certificate)) error {
		template := leafTemplate()
		if change != nil {
			change(template)
		}
		if parent == nil {
			parent = template
		}
		der, err := CreateCertificate(template, parent, pub, signer)
		if err != nil {
			assert.Nil(t, der)
		}
		return err
	}
	assert.NoError(t, create(root, other.public, k.signer(), nil))
	for _, u := range []x509.KeyUsage{x509.KeyUsageDigitalSignature, x509.KeyUsageContentCommitment, x509.KeyUsageCertSign, x509.KeyUsageCRLSign} {
		assert.NoError(t, create(root, other.public, k.signer(), func(c *x509.Certificate) { c.KeyUsage = u }))
		assert.ErrorIs(t, create(root, kem.public, k.signer(), func(c *x509.Certificate) { c.KeyUsage = u }), ErrKeyUsage)
		assert.ErrorIs(t, create(root, kem.public, k.signer(), func(c *x509.Certificate) { c.KeyUsage = u | x509.KeyUsageKeyEncipherment }), ErrKeyUsage)
	}
	for _, u := range []x509.KeyUsage{x509.KeyUsageKeyEncipherment, x509.KeyUsageDataEncipherment, x509.KeyUsageKeyAgreement, x509.KeyUsageEncipherOnly, x509.KeyUsageDecipherOnly} {
		assert.ErrorIs(t, create(root, other.public, k.signer(), func(c *x509.Certificate) { c.KeyUsage = u | x509.KeyUsageDigitalSignature }), ErrKeyUsage)
	}
	assert.NoError(t, create(root, kem.public, k.signer(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }))
	signs := []pkix.Extension{{Id: []int{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 7, 0x80}}}
	assert.NoError(t, create(root, other.public, k.signer(), func(c *x509.Certificate) { c.ExtraExtensions = signs }))
	assert.ErrorIs(t, create(root, kem.public, k.signer(), func(c *x509.Certificate) { c.ExtraExtensions = signs }), ErrKeyUsage)
	malformed := []pkix.Extension{{Id: []int{2, 5, 29, 17}, Value: []byte{5, 0}}}
	assert.ErrorIs(t, create(root, kem.public, k.signer(), func(c *x509.Certificate) { c.ExtraExtensions = malformed }), ErrTemplate)
	assert.ErrorIs(t, create(root, kem.public, k.signer(), func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), ErrKeyUsage)

	assert.ErrorIs(t, create(root, other.public, other.signer(), nil), ErrIssuer)
	assert.ErrorIs(t, create(&x509.Certificate{PublicKey: k.public}, other.public, other.signer(), nil), ErrIssuer)
	assert.ErrorIs(t, create(nil, other.public, k.signer(), nil), ErrIssuer)
	assert.ErrorIs(t, create(root, "key", k.signer(), nil), ErrAlgorithm)
	assert.ErrorIs(t, create(root, nil, k.signer(), nil), ErrAlgorithm)
	assert.ErrorIs(t, create(root, new(mldsa.PublicKey), k.signer(), nil), mldsa.ErrNoKey)
	assert.ErrorIs(t, create(root, other.public, nil, nil), ErrTemplate)
	assert.ErrorIs(t, create(root, other.public, k.signer(), func(c *x509.Certificate) { c.SerialNumber = big.NewInt(-1) }), ErrTemplate)
	assert.ErrorIs(t, create(root, other.public, k.signer(), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA256 }), ErrTemplate)
	assert.ErrorIs(t, create(root, other.public, brokenSigner{k.signer(), broken}, nil), broken)
	assert.ErrorIs(t, create(root, other.public, brokenSigner{k.signer(), nil}, nil), ErrInvalidSignature)
	ec := keyNamed(t, "ECDSA P-256")
	assert.ErrorIs(t, create(newRoot(t, ec), other.public, ec.signer(), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSA }), ErrAlgorithm)
	assert.ErrorIs(t, create(newRoot(t, ec), other.public, ec.signer(), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }), ErrAlgorithm)
	_, err := CreateCertificate(nil, root, k.public, k.signer())
	assert.ErrorIs(t, err, ErrTemplate)
	_, err = CreateCertificate(leafTemplate(), nil, k.public, k.signer())
	assert.ErrorIs(t, err, ErrTemplate)

	// A template is not changed.
	template, before := leafTemplate(), leafTemplate()
	_, err = CreateCertificate(template, root, kem.public, k.signer())
	require.NoError(t, err)
	assert.Equal(t, before, template)
}

func TestWrongCertificatesAreRefused(t *testing.T) {
	k, ec := keyNamed(t, "ML-DSA-44"), keyNamed(t, "ECDSA P-256")
	root, ecRoot := newRoot(t, k), newRoot(t, ec)
	assert.ErrorIs(t, CheckCertificateSignature(nil, root), ErrEncoding)
	assert.ErrorIs(t, CheckCertificateSignature(root, nil), ErrEncoding)
	assert.ErrorIs(t, CheckCertificateSignature(&x509.Certificate{}, root), ErrEncoding)
	assert.ErrorIs(t, CheckCertificateSignatureByKey(nil, k.public), ErrEncoding)
	assert.ErrorIs(t, CheckCertificateSignatureByKey(root, nil), ErrAlgorithm)
	assert.ErrorIs(t, CheckCertificateSignature(root, ecRoot), ErrAlgorithm)
	assert.ErrorIs(t, CheckCertificateSignature(ecRoot, root), ErrAlgorithm)
	assert.ErrorIs(t, CheckCertificateSignatureByKey(ecRoot, keyNamed(t, "ECDSA P-384").public), ErrInvalidSignature)
	assert.ErrorIs(t, CheckCertificateSignatureByKey(root, keyNamed(t, "ML-DSA-65").public), ErrAlgorithm)
	assert.ErrorIs(t, CheckCertificateSignatureByKey(root, keyNamed(t, "ML-KEM-512").public), ErrAlgorithm)
	assert.ErrorIs(t, CheckCertificateSignatureByKey(ecRoot, keyNamed(t, "X25519").public), ErrAlgorithm)
	_, err := PublicKeyOf(nil)
	assert.ErrorIs(t, err, ErrNoKey)
	_, err = PublicKeyOf(&x509.Certificate{})
	assert.ErrorIs(t, err, ErrEncoding)

	// The algorithm of the signature with parameters, inside and outside alike.
	with := pkcs.Algorithm{OID: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 17), Parameters: asn1NULL}
	s, err := parseSigned(root.Raw)
	require.NoError(t, err)
	s.algorithm = with
	assert.ErrorIs(t, checkSigned("", s, 0, root.RawSubjectPublicKeyInfo), ErrEncoding)
	s.algorithm = pkcs.Algorithm{OID: pkcs.NewOID(1, 2, 3)}
	err = checkSigned("", s, 0, ecRoot.RawSubjectPublicKeyInfo)
	algorithm, ok := errors.AsType[*AlgorithmError](err)
	require.True(t, ok)
	assert.Equal(t, "1.2.3", algorithm.OID)
	for _, broken := range []x509.SignatureAlgorithm{x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.MD5WithRSA} {
		err := checkSigned("", s, broken, ecRoot.RawSubjectPublicKeyInfo)
		assert.ErrorIs(t, err, ErrAlgorithm)
		assert.ErrorContains(t, err, "is broken")
	}

	// Key usage and basic constraints of the issuer.
	for _, change := range []func(c *x509.Certificate){
		func(c *x509.Certificate) { c.IsCA = false; c.MaxPathLen = -1 },
		func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false },
		func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature },
	} {
		template := rootTemplate()
		change(template)
		der, err := CreateCertificate(template, template, k.public, k.signer())
		cert := parsedCertificate(t, der, err)
		assert.ErrorIs(t, CheckCertificateSignature(cert, cert), ErrIssuer)
		assert.NoError(t, CheckCertificateSignatureByKey(cert, k.public))
	}
}

// FuzzCheckCertificate parses arbitrary bytes as certificates, requests and lists, and checks
// their signatures: whatever is accepted is what was signed. Keys are the same in every
// worker.
func FuzzCheckCertificate(f *testing.F) {
	sk, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), make([]byte, mldsa.PrivateKeySize))
	require.NoError(f, err)
	root := newRoot(f, keyPair{private: sk, public: sk.PublicKey()})
	classicalRoot := newRoot(f, keyPair{private: standIn, public: standIn.Public()})
	request, err := CreateCertificateRequest(&x509.CertificateRequest{}, sk)
	require.NoError(f, err)
	list, err := CreateRevocationList(&x509.RevocationList{Number: big.NewInt(1), ThisUpdate: certTime, NextUpdate: certTime}, root, sk)
	require.NoError(f, err)
	for _, der := range [][]byte{root.Raw, classicalRoot.Raw, request, list} {
		f.Add(der)
	}
	signedRequest, err := parseSigned(request)
	require.NoError(f, err)
	signedList, err := parseSigned(list)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, der []byte) {
		if cert, err := x509.ParseCertificate(der); err == nil {
			PublicKeyOf(cert)
			CheckCertificateSignature(cert, cert)
			for _, issuer := range []*x509.Certificate{root, classicalRoot} {
				if CheckCertificateSignature(cert, issuer) == nil {
					require.Equal(t, issuer.RawTBSCertificate, cert.RawTBSCertificate)
				}
			}
		}
		if r, err := x509.ParseCertificateRequest(der); err == nil {
			if CheckRequestSignature(r) == nil && bytes.Equal(r.RawSubjectPublicKeyInfo, root.RawSubjectPublicKeyInfo) {
				require.Equal(t, signedRequest.tbs, r.RawTBSCertificateRequest)
			}
		}
		if l, err := x509.ParseRevocationList(der); err == nil && CheckRevocationListSignature(l, root) == nil {
			require.Equal(t, signedList.tbs, l.RawTBSRevocationList)
		}
	})
}
