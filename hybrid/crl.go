package hybrid

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// CreateRevocationList returns a certificate revocation list (RFC 5280, Section 5) in DER,
// signed by signer, whose certificate issuer is. It is [x509.CreateRevocationList] for
// algorithms that crypto/x509 does not know, and uses template and issuer as that does;
// SignatureAlgorithm is left zero for those.
//
// Errors match [ErrTemplate], [ErrIssuer], [ErrAlgorithm], or are the signer's.
func CreateRevocationList(template *x509.RevocationList, issuer *x509.Certificate, signer crypto.Signer) ([]byte, error) {
	const op = "CreateRevocationList"
	if template == nil || issuer == nil || signer == nil {
		return nil, newError(ErrTemplate, "%s: no template, issuer or signer", op)
	}
	s, err := newCertificateSigner(op, signer, template.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	if known := keyInfo(issuer); known != nil && !bytes.Equal(known, s.spki) {
		return nil, newError(ErrIssuer, "%s: the issuer's key is not that of the signer", op)
	}
	t := *template
	t.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	der, err := x509.CreateRevocationList(rand.Reader, &t, issuer, standIn)
	if err != nil {
		return nil, newError(ErrTemplate, "%s: %v", op, err)
	}
	return s.sign(op, der, func(b *cryptobyte.Builder, list cryptobyte.String) error {
		var version cryptobyte.String
		if !list.ReadASN1Element(&version, asn1.INTEGER) || !list.SkipASN1(asn1.SEQUENCE) {
			return newError(ErrEncoding, "%s: no TBSCertList", op)
		}
		b.AddBytes(version)
		pkcs.AddAlgorithm(b, s.algorithm)
		b.AddBytes(list) // issuer, times, entries, extensions
		return nil
	})
}

// CheckRevocationListSignature checks that issuer's key has signed list, and that issuer may
// sign such lists, by its basic constraints and key usage. It is the method
// CheckSignatureFrom of list for algorithms that crypto/x509 does not know. Signatures with
// SHA-1 or MD5 are refused.
//
// Errors match [ErrIssuer], [ErrAlgorithm], [ErrEncoding], or are [ErrInvalidSignature].
func CheckRevocationListSignature(list *x509.RevocationList, issuer *x509.Certificate) error {
	const op = "CheckRevocationListSignature"
	if list == nil || issuer == nil {
		return newError(ErrEncoding, "%s: no list or issuer", op)
	}
	if err := mayIssue(op, issuer, x509.KeyUsageCRLSign); err != nil {
		return err
	}
	return check(op, list.Raw, list.SignatureAlgorithm, keyInfo(issuer))
}
