package mcpconn

import (
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// The signature algorithms of RFC 9881, which crypto/x509 names from Go 1.27 on.
var mldsaNames = map[pkcs.OID]string{
	pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 17): "ML-DSA-44",
	pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 18): "ML-DSA-65",
	pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 19): "ML-DSA-87",
}

// signedWith names the algorithm of a certificate's signature.
func signedWith(cert *x509.Certificate) string {
	s := cryptobyte.String(cert.Raw)
	var body cryptobyte.String
	if s.ReadASN1(&body, asn1.SEQUENCE) && body.SkipASN1(asn1.SEQUENCE) {
		if algorithm, err := pkcs.ReadAlgorithm(&body); err == nil {
			if name, ok := mldsaNames[algorithm.OID]; ok {
				return name
			}
		}
	}
	return cert.SignatureAlgorithm.String()
}

// keyOID names the algorithm of a key that crypto/x509 of Go 1.26 does not know, by its
// object identifier if it is not of ML-DSA. Parsing the key would cost more than all
// the rest of a report.
func keyOID(cert *x509.Certificate) string {
	s := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) {
		return "unknown"
	}
	algorithm, err := pkcs.ReadAlgorithm(&body)
	if err != nil {
		return "unknown"
	}
	if name, ok := mldsaNames[algorithm.OID]; ok {
		return name
	}
	return algorithm.OID.String()
}
