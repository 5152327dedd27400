package hybrid

import (
	"crypto"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// formats are the algorithms whose keys crypto/x509 does not read, by the OID of the key,
// which for signatures is that of the signature too. Reading of keys, certificates,
// requests and revocation lists goes through it; for writing, key types of this package
// have the methods of pkixMarshaler and pkcs8Marshaler.
var formats = make(map[pkcs.OID]keyFormat)

func init() {
	for arc := range uint(3) {
		formats[pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 17+arc)] = newSignatureFormat(
			mldsa.ParsePKIXPublicKey, mldsa.ParsePKCS8PrivateKey, mldsa.Verify)
		formats[pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 4, 1+arc)] = newKEMFormat(
			mlkem.ParsePKIXPublicKey, mlkem.ParsePKCS8PrivateKey)
	}
	for _, a := range SignatureAlgorithms() {
		formats[a.oid()] = newSignatureFormat(ParseCompositePublicKey, ParseCompositePrivateKey, VerifyComposite)
	}
	for _, a := range KEMAlgorithms() {
		formats[a.oid()] = newKEMFormat(ParseCompositeEncapsulationKey, ParseCompositeDecapsulationKey)
	}
	formats[xwingOID] = newKEMFormat(ParseXWingEncapsulationKey, ParseXWingDecapsulationKey)
}

// A keyFormat is how the keys of an algorithm are read, and its signatures verified.
type keyFormat struct {
	parsePublic  func(der []byte) (crypto.PublicKey, error)  // of a SubjectPublicKeyInfo
	parsePrivate func(der []byte) (crypto.PrivateKey, error) // of a OneAsymmetricKey

	// verify verifies with a key that parsePublic has returned. It is nil if the
	// algorithm is a KEM.
	verify func(pk crypto.PublicKey, message, signature []byte) error
}

// A pkixMarshaler is a public key that writes itself as a SubjectPublicKeyInfo, in DER.
type pkixMarshaler interface{ MarshalPKIX() ([]byte, error) }

// A pkcs8Marshaler is a private key that writes itself as a OneAsymmetricKey, in DER.
type pkcs8Marshaler interface{ MarshalPKCS8() ([]byte, error) }

// newKEMFormat returns the format of a KEM's keys.
func newKEMFormat[P, S any](parsePublic func(der []byte) (P, error), parsePrivate func(der []byte) (S, error)) keyFormat {
	return keyFormat{
		parsePublic: func(der []byte) (crypto.PublicKey, error) {
			key, err := parsePublic(der)
			if err != nil {
				return nil, err // without a typed nil
			}
			return key, nil
		},
		parsePrivate: func(der []byte) (crypto.PrivateKey, error) {
			key, err := parsePrivate(der)
			if err != nil {
				return nil, err
			}
			return key, nil
		},
	}
}

// newSignatureFormat returns the format of a signature algorithm's keys. What certificates
// hold are signatures of the message itself, without a context.
func newSignatureFormat[P, S any](
	parsePublic func(der []byte) (P, error), parsePrivate func(der []byte) (S, error),
	verify func(pk P, message, signature []byte, opts *mldsa.Options) error,
) keyFormat {
	f := newKEMFormat(parsePublic, parsePrivate)
	f.verify = func(pk crypto.PublicKey, message, signature []byte) error {
		return verify(pk.(P), message, signature, nil)
	}
	return f
}
