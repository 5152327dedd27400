package hybrid

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// Errors of making and checking certificates, requests and revocation lists, beside
// [ErrAlgorithm], [ErrEncoding] and [ErrInvalidSignature].
var (
	// ErrTemplate is a template that nothing can be made of.
	ErrTemplate = errors.New("hybrid: unusable template")

	// ErrKeyUsage is a key usage that the algorithm of the key does not have.
	ErrKeyUsage = errors.New("hybrid: key usage does not fit the key")

	// ErrIssuer is a certificate that may not issue what it is asked to, or is not that
	// of the key that signs.
	ErrIssuer = errors.New("hybrid: not the issuer")
)

// crypto/x509 lays out everything but the algorithms, with this key in place of those that
// it does not know. What it signs is thrown away.
var standIn = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// CreateCertificate returns a certificate in DER for the public key pub, of any type that
// [ParsePublicKey] returns or crypto/x509 knows, signed by signer, whose Public is a key of
// ML-DSA, a composite signature, RSA, ECDSA or Ed25519. It is [x509.CreateCertificate] for
// algorithms that crypto/x509 does not know, and the same on each version of Go.
//
// template is used as [x509.CreateCertificate] does, and parent is the certificate of signer,
// or template itself for a self-signed certificate. SignatureAlgorithm chooses among those
// of RSA and ECDSA, and is left zero for other signers. Differences are:
//
//   - The subject key identifier, if template has none, is made from pub (RFC 7093, Section 2,
//     method 1) for every certificate, not for those of authorities alone. The authority key
//     identifier is that of parent, also where names are equal.
//   - A KEM key is for keyEncipherment alone (RFC 9935, Section 5), which is set if template
//     has no key usage, and is no authority's. A key that signs is not for keyEncipherment,
//     dataEncipherment or keyAgreement (RFC 9881, Section 5).
//   - A parent whose key is not that of signer is an error.
//
// Errors match [ErrTemplate], [ErrKeyUsage], [ErrIssuer], [ErrAlgorithm], or are the signer's.
func CreateCertificate(template, parent *x509.Certificate, pub crypto.PublicKey, signer crypto.Signer) ([]byte, error) {
	const op = "CreateCertificate"
	if template == nil || parent == nil || signer == nil {
		return nil, newError(ErrTemplate, "%s: no template, parent or signer", op)
	}
	spki, err := MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	key, err := pkcs.ParsePublicKey(spki)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	s, err := newCertificateSigner(op, signer, template.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	t := *template
	t.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	format, isOurs := formats[key.OID]
	if isOurs && format.verify == nil && t.KeyUsage == 0 {
		t.KeyUsage = x509.KeyUsageKeyEncipherment
	}
	if len(t.SubjectKeyId) == 0 {
		t.SubjectKeyId = subjectKeyID(key)
	}
	p := &t
	if parent == template {
		if !bytes.Equal(spki, s.spki) {
			return nil, newError(ErrIssuer, "%s: a self-signed certificate for another key than the signer's", op)
		}
	} else {
		if known := keyInfo(parent); known != nil && !bytes.Equal(known, s.spki) {
			return nil, newError(ErrIssuer, "%s: the parent's key is not that of the signer", op)
		}
		p = &x509.Certificate{Subject: parent.Subject, RawSubject: parent.RawSubject}
		if len(parent.SubjectKeyId) > 0 {
			t.AuthorityKeyId = parent.SubjectKeyId
		}
	}
	t.PublicKey = nil
	der, err := x509.CreateCertificate(rand.Reader, &t, p, standIn.Public(), standIn)
	if err != nil {
		return nil, newError(ErrTemplate, "%s: %v", op, err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, newError(ErrTemplate, "%s: %v", op, err)
	}
	// What was made is checked, since ExtraExtensions can say something else than template.
	if isOurs {
		if err := checkKeyUsage(op, made, format); err != nil {
			return nil, err
		}
	}
	return s.sign(op, der, func(b *cryptobyte.Builder, tbs cryptobyte.String) error {
		var version, serial, issuer, validity, subject cryptobyte.String
		if !tbs.ReadASN1Element(&version, asn1.Tag(0).ContextSpecific().Constructed()) ||
			!tbs.ReadASN1Element(&serial, asn1.INTEGER) ||
			!tbs.SkipASN1(asn1.SEQUENCE) || // algorithm
			!tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) ||
			!tbs.ReadASN1Element(&validity, asn1.SEQUENCE) ||
			!tbs.ReadASN1Element(&subject, asn1.SEQUENCE) ||
			!tbs.SkipASN1(asn1.SEQUENCE) { // public key
			return newError(ErrEncoding, "%s: no TBSCertificate", op)
		}
		b.AddBytes(version)
		b.AddBytes(serial)
		pkcs.AddAlgorithm(b, s.algorithm)
		b.AddBytes(issuer)
		b.AddBytes(validity)
		b.AddBytes(subject)
		b.AddBytes(spki)
		b.AddBytes(tbs) // extensions
		return nil
	})
}

// checkKeyUsage refuses a key usage that a key of the given format does not have.
func checkKeyUsage(op string, cert *x509.Certificate, f keyFormat) error {
	const notOfSignatures = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment |
		x509.KeyUsageKeyAgreement | x509.KeyUsageEncipherOnly | x509.KeyUsageDecipherOnly
	switch {
	case f.verify != nil && cert.KeyUsage&notOfSignatures != 0:
		return newError(ErrKeyUsage, "%s: a key that signs is not for encipherment or key agreement", op)
	case f.verify == nil && (cert.KeyUsage != x509.KeyUsageKeyEncipherment || cert.IsCA):
		return newError(ErrKeyUsage, "%s: a KEM key is for keyEncipherment alone", op)
	}
	return nil
}

// subjectKeyID is the first 160 bits of SHA-256 of the key (RFC 7093, Section 2, method 1).
func subjectKeyID(key pkcs.PublicKey) []byte {
	digest := sha256.Sum256(key.Key)
	return digest[:20]
}

// keyInfo returns the SubjectPublicKeyInfo of a certificate, parsed or made up, or nil.
func keyInfo(cert *x509.Certificate) []byte {
	if cert.RawSubjectPublicKeyInfo != nil {
		return cert.RawSubjectPublicKeyInfo
	}
	if cert.PublicKey == nil {
		return nil
	}
	der, err := MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		return nil
	}
	return der
}

// PublicKeyOf returns the public key of a certificate, as [ParsePublicKey] does.
// cert.PublicKey is nil if crypto/x509 does not know the algorithm.
func PublicKeyOf(cert *x509.Certificate) (crypto.PublicKey, error) {
	const op = "PublicKeyOf"
	if cert == nil {
		return nil, newError(ErrNoKey, "%s: no certificate", op)
	}
	return parsePublicKey(op, keyInfo(cert))
}
