package hybrid

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// CreateCertificateRequest returns a certificate request (PKCS #10, RFC 2986) in DER for the
// key of signer, signed by it: a key of ML-DSA, a composite signature, RSA, ECDSA or Ed25519.
// It is [x509.CreateCertificateRequest] for algorithms that crypto/x509 does not know, and
// uses template as that does; SignatureAlgorithm is left zero for those. There are no
// requests for KEM keys, which cannot sign: see [CreateCertificate].
//
// Errors match [ErrTemplate], [ErrAlgorithm], or are the signer's.
func CreateCertificateRequest(template *x509.CertificateRequest, signer crypto.Signer) ([]byte, error) {
	const op = "CreateCertificateRequest"
	if template == nil || signer == nil {
		return nil, newError(ErrTemplate, "%s: no template or signer", op)
	}
	s, err := newCertificateSigner(op, signer, template.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	t := *template
	t.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	der, err := x509.CreateCertificateRequest(rand.Reader, &t, standIn)
	if err != nil {
		return nil, newError(ErrTemplate, "%s: %v", op, err)
	}
	return s.sign(op, der, func(b *cryptobyte.Builder, info cryptobyte.String) error {
		var version, subject cryptobyte.String
		if !info.ReadASN1Element(&version, asn1.INTEGER) || !info.ReadASN1Element(&subject, asn1.SEQUENCE) ||
			!info.SkipASN1(asn1.SEQUENCE) {
			return newError(ErrEncoding, "%s: no CertificationRequestInfo", op)
		}
		b.AddBytes(version)
		b.AddBytes(subject)
		b.AddBytes(s.spki)
		b.AddBytes(info) // attributes
		return nil
	})
}

// CheckRequestSignature checks that a certificate request is signed by the key that it is
// for, which proves that who made it has the key. It is the method CheckSignature of request
// for algorithms that crypto/x509 does not know; [ParsePublicKey] of
// request.RawSubjectPublicKeyInfo gives the key. Signatures with SHA-1 or MD5 are refused.
//
// Errors match [ErrAlgorithm], [ErrEncoding], or are [ErrInvalidSignature].
func CheckRequestSignature(request *x509.CertificateRequest) error {
	const op = "CheckRequestSignature"
	if request == nil {
		return newError(ErrEncoding, "%s: no request", op)
	}
	return check(op, request.Raw, request.SignatureAlgorithm, request.RawSubjectPublicKeyInfo)
}
