// Package pkcs reads and writes the containers of keys in DER: SubjectPublicKeyInfo (RFC
// 5280, Section 4.1.2.7), OneAsymmetricKey (RFC 5958, which PKCS #8 has become), and within
// it the three forms of private keys of ML-KEM and ML-DSA (RFC 9935 and RFC 9881, Section 6).
//
// Reading is strict: DER alone, nothing after what is read, and no version that the content
// contradicts. What is read are slices of the input, and what is written is written once,
// so that no copy of a secret is left behind.
package pkcs

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ErrMalformed is what every error of reading matches. It is wrapped by errors of the
// package that reads, so it has no prefix.
var ErrMalformed = errors.New("malformed")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// An Algorithm is an AlgorithmIdentifier.
type Algorithm struct {
	OID        OID
	Parameters []byte // the element in DER, nil if absent
}

// ReadAlgorithm reads an AlgorithmIdentifier from s.
func ReadAlgorithm(s *cryptobyte.String) (a Algorithm, err error) {
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) {
		return a, malformed("no AlgorithmIdentifier")
	}
	if a.OID, err = ReadOID(&body); err != nil {
		return a, err
	}
	if body.Empty() {
		return a, nil
	}
	a.Parameters = body
	var parameters cryptobyte.String
	if !body.ReadAnyASN1Element(&parameters, nil) || !body.Empty() {
		return a, malformed("parameters of algorithm %s are not one element", a.OID)
	}
	return a, nil
}

// Bare returns an error if a has parameters. Algorithms whose OID says all have none, not
// even NULL.
func (a Algorithm) Bare() error {
	if a.Parameters != nil {
		return malformed("algorithm %s has parameters, and must not", a.OID)
	}
	return nil
}

// AddAlgorithm writes an AlgorithmIdentifier.
func AddAlgorithm(b *cryptobyte.Builder, a Algorithm) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		AddOID(b, a.OID)
		b.AddBytes(a.Parameters)
	})
}

// A PublicKey is a SubjectPublicKeyInfo.
type PublicKey struct {
	Algorithm
	Key []byte
}

// ParsePublicKey reads a SubjectPublicKeyInfo, which der is as a whole.
func ParsePublicKey(der []byte) (k PublicKey, err error) {
	s := cryptobyte.String(der)
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) {
		return k, malformed("not a SubjectPublicKeyInfo in DER")
	}
	if !s.Empty() {
		return k, malformed("%d bytes after the public key", len(s))
	}
	if k.Algorithm, err = ReadAlgorithm(&body); err != nil {
		return PublicKey{}, err
	}
	if !body.ReadASN1BitStringAsBytes(&k.Key) {
		return PublicKey{}, malformed("subjectPublicKey is not a BIT STRING of whole bytes")
	}
	if !body.Empty() {
		return PublicKey{}, malformed("%d bytes after subjectPublicKey", len(body))
	}
	return k, nil
}

// Marshal returns the SubjectPublicKeyInfo.
func (k PublicKey) Marshal() []byte {
	b := newBuilder(len(k.OID) + len(k.Parameters) + len(k.Key))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		AddAlgorithm(b, k.Algorithm)
		b.AddASN1BitString(k.Key)
	})
	return b.BytesOrPanic()
}

// newBuilder returns a builder for n bytes of content that never moves what it has written.
// No structure of this package nests deep enough to need more than the 64 bytes of headers.
func newBuilder(n int) *cryptobyte.Builder {
	return cryptobyte.NewFixedBuilder(make([]byte, 0, n+64))
}
