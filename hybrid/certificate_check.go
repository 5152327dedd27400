package hybrid

import (
	"crypto"
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// signed is what certificates, requests and revocation lists are: something to be signed,
// and its signature.
type signed struct {
	tbs       []byte
	algorithm pkcs.Algorithm
	signature []byte
}

// parseSigned reads a signed structure, which der is as a whole.
func parseSigned(der []byte) (signed, error) {
	s := cryptobyte.String(der)
	var body, tbs cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !body.ReadASN1Element(&tbs, asn1.SEQUENCE) {
		return signed{}, errors.New("not a signed structure in DER")
	}
	algorithm, err := pkcs.ReadAlgorithm(&body)
	if err != nil {
		return signed{}, err
	}
	var signature []byte
	if !body.ReadASN1BitStringAsBytes(&signature) || !body.Empty() {
		return signed{}, errors.New("the signature is not a BIT STRING of whole bytes")
	}
	return signed{tbs, algorithm, signature}, nil
}

// CheckCertificateSignature checks that parent's key has signed cert, and that parent may sign
// certificates, by its basic constraints and key usage. Like the method CheckSignatureFrom of
// cert, whose place it takes for algorithms that crypto/x509 parses but does not know, it
// checks neither names nor validity. Signatures with SHA-1 or MD5 are refused.
//
// Errors match [ErrIssuer], [ErrAlgorithm], [ErrEncoding], or are [ErrInvalidSignature].
func CheckCertificateSignature(cert, parent *x509.Certificate) error {
	const op = "CheckCertificateSignature"
	if cert == nil || parent == nil {
		return newError(ErrEncoding, "%s: no certificate", op)
	}
	if err := mayIssue(op, parent, x509.KeyUsageCertSign); err != nil {
		return err
	}
	return check(op, cert.Raw, cert.SignatureAlgorithm, keyInfo(parent))
}

// CheckCertificateSignatureByKey checks that key, which may have any type that [ParsePublicKey]
// returns, has signed cert, and nothing else. For errors see [CheckCertificateSignature].
func CheckCertificateSignatureByKey(cert *x509.Certificate, key crypto.PublicKey) error {
	const op = "CheckCertificateSignatureByKey"
	if cert == nil {
		return newError(ErrEncoding, "%s: no certificate", op)
	}
	spki, err := MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	return check(op, cert.Raw, cert.SignatureAlgorithm, spki)
}

// mayIssue returns an error unless the certificate is an authority's (RFC 5280, Section
// 4.2.1.9) and its key is for the given usage, or says nothing about it (Section 4.2.1.3).
func mayIssue(op string, issuer *x509.Certificate, usage x509.KeyUsage) error {
	switch {
	case issuer.Version == 3 && !issuer.BasicConstraintsValid || issuer.BasicConstraintsValid && !issuer.IsCA:
		return newError(ErrIssuer, "%s: the issuer's certificate is no authority's", op)
	case issuer.KeyUsage != 0 && issuer.KeyUsage&usage == 0:
		return newError(ErrIssuer, "%s: the issuer's key is not for this", op)
	}
	return nil
}

// check checks the signature of a structure by the key in spki. known is what crypto/x509
// calls its algorithm.
func check(op string, raw []byte, known x509.SignatureAlgorithm, spki []byte) error {
	s, err := parseSigned(raw)
	if err != nil {
		return newError(ErrEncoding, "%s: %v", op, err)
	}
	return checkSigned(op, s, known, spki)
}

func checkSigned(op string, s signed, known x509.SignatureAlgorithm, spki []byte) error {
	key, err := pkcs.ParsePublicKey(spki)
	if err != nil {
		return newError(ErrEncoding, "%s: %v", op, err)
	}
	pk, err := parsePublicKey(op, spki)
	if err != nil {
		return err
	}
	if f, ok := formats[key.OID]; ok {
		switch {
		case f.verify == nil:
			return newError(ErrAlgorithm, "%s: a %T is no key that signs", op, pk)
		case s.algorithm.OID != key.OID:
			return newError(ErrAlgorithm, "%s: signature of algorithm %s, but the key is of %s", op, s.algorithm.OID, key.OID)
		case s.algorithm.Parameters != nil:
			return newError(ErrEncoding, "%s: signature algorithm %s has parameters, and must not", op, key.OID)
		case f.verify(pk, s.tbs, s.signature) != nil:
			return ErrInvalidSignature
		}
		return nil
	}
	return checkClassical(op, s, known, key.OID, pk)
}

// checkClassical checks a signature by a key of crypto/x509.
func checkClassical(op string, s signed, known x509.SignatureAlgorithm, keyOID pkcs.OID, pk crypto.PublicKey) error {
	if _, ok := formats[s.algorithm.OID]; ok {
		return newError(ErrAlgorithm, "%s: signature of algorithm %s, but the key is a %T", op, s.algorithm.OID, pk)
	}
	switch known {
	case x509.UnknownSignatureAlgorithm:
		return &AlgorithmError{s.algorithm.OID.String()}
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		return newError(ErrAlgorithm, "%s: signature algorithm %v is broken", op, known)
	}
	for _, a := range certificateAlgorithms {
		if a.known == known && a.key == keyOID {
			issuer := x509.Certificate{PublicKey: pk}
			if issuer.CheckSignature(known, s.tbs, s.signature) != nil {
				return ErrInvalidSignature
			}
			return nil
		}
	}
	return newError(ErrAlgorithm, "%s: signature algorithm %v, but the key is a %T", op, known, pk)
}
