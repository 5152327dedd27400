package pkcs

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A PrivateKey is a OneAsymmetricKey.
type PrivateKey struct {
	Algorithm
	Key       []byte // the content of privateKey
	PublicKey []byte // of version 2, otherwise nil
}

var (
	tagAttributes = asn1.Tag(0).ContextSpecific().Constructed()
	tagPublicKey  = asn1.Tag(1).ContextSpecific()
	tagSeed       = asn1.Tag(0).ContextSpecific()
)

// ParsePrivateKey reads a OneAsymmetricKey, which der is as a whole. Its attributes are
// checked for their form and otherwise ignored.
func ParsePrivateKey(der []byte) (PrivateKey, error) {
	s := cryptobyte.String(der)
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) {
		return PrivateKey{}, malformed("not a PKCS #8 private key in DER")
	}
	if !s.Empty() {
		return PrivateKey{}, malformed("%d bytes after the private key", len(s))
	}
	var version int64
	if !body.ReadASN1Integer(&version) {
		return PrivateKey{}, malformed("no version of the private key")
	}
	if version != 0 && version != 1 {
		return PrivateKey{}, malformed("private key of version %d, want 0 or 1", version)
	}
	var k PrivateKey
	var err error
	if k.Algorithm, err = ReadAlgorithm(&body); err != nil {
		return PrivateKey{}, err
	}
	var key cryptobyte.String
	if !body.ReadASN1(&key, asn1.OCTET_STRING) {
		return PrivateKey{}, malformed("privateKey is not an OCTET STRING")
	}
	k.Key = key
	if err := skipAttributes(&body); err != nil {
		return PrivateKey{}, err
	}
	var public cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&public, &present, tagPublicKey) || present && (len(public) == 0 || public[0] != 0) {
		return PrivateKey{}, malformed("publicKey is not a BIT STRING of whole bytes")
	}
	if present {
		k.PublicKey = public[1:]
	}
	if !body.Empty() {
		return PrivateKey{}, malformed("%d bytes after the parts of the private key", len(body))
	}
	// RFC 5958, Section 2: version 1 (v2) says that there is a public key.
	switch {
	case present && version == 0:
		return PrivateKey{}, malformed("private key of version 0 with a public key, want version 1")
	case !present && version == 1:
		return PrivateKey{}, malformed("private key of version 1 without a public key, want version 0")
	}
	return k, nil
}

// skipAttributes skips [0] IMPLICIT SET OF Attribute.
func skipAttributes(s *cryptobyte.String) error {
	var attributes cryptobyte.String
	if !s.ReadOptionalASN1(&attributes, nil, tagAttributes) {
		return malformed("attributes")
	}
	for !attributes.Empty() {
		var attribute, values cryptobyte.String
		if !attributes.ReadASN1(&attribute, asn1.SEQUENCE) {
			return malformed("attributes of the private key")
		}
		if _, err := ReadOID(&attribute); err != nil {
			return err
		}
		if !attribute.ReadASN1(&values, asn1.SET) || !attribute.Empty() {
			return malformed("attributes of the private key")
		}
	}
	return nil
}

// Marshal returns the OneAsymmetricKey, of version 0, or 1 if k.PublicKey is not nil.
func (k PrivateKey) Marshal() []byte {
	return k.marshal(len(k.Key), func(b *cryptobyte.Builder) { b.AddBytes(k.Key) })
}

// marshal writes k with what the function writes, of size bytes, as the content of privateKey.
func (k PrivateKey) marshal(size int, key cryptobyte.BuilderContinuation) []byte {
	b := newBuilder(len(k.OID) + len(k.Parameters) + size + len(k.PublicKey))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		version := uint64(0)
		if k.PublicKey != nil {
			version = 1
		}
		b.AddASN1Uint64(version)
		AddAlgorithm(b, k.Algorithm)
		b.AddASN1(asn1.OCTET_STRING, key)
		if k.PublicKey != nil {
			b.AddASN1(tagPublicKey, func(b *cryptobyte.Builder) {
				b.AddUint8(0)
				b.AddBytes(k.PublicKey)
			})
		}
	})
	return b.BytesOrPanic()
}

// Forms are the forms of a private key of ML-KEM or ML-DSA that a file holds: one of them,
// or both.
type Forms struct{ Seed, Expanded []byte }

// ParseForms reads the content of privateKey, a CHOICE of
//
//	seed        [0] IMPLICIT OCTET STRING
//	expandedKey OCTET STRING
//	both        SEQUENCE { seed OCTET STRING, expandedKey OCTET STRING }
//
// The form that is absent is nil. Sizes are the caller's matter.
func ParseForms(key []byte) (Forms, error) {
	s := cryptobyte.String(key)
	var seed, expanded, both cryptobyte.String
	ok := true
	switch {
	case s.PeekASN1Tag(tagSeed):
		ok = s.ReadASN1(&seed, tagSeed)
	case s.PeekASN1Tag(asn1.OCTET_STRING):
		ok = s.ReadASN1(&expanded, asn1.OCTET_STRING)
	case s.PeekASN1Tag(asn1.SEQUENCE):
		ok = s.ReadASN1(&both, asn1.SEQUENCE) &&
			both.ReadASN1(&seed, asn1.OCTET_STRING) && both.ReadASN1(&expanded, asn1.OCTET_STRING) && both.Empty()
	default:
		ok = false
	}
	if !ok || !s.Empty() {
		return Forms{}, malformed("privateKey is none of a seed, an expanded key, or both")
	}
	return Forms{seed, expanded}, nil
}

// MarshalForms returns the OneAsymmetricKey, of version 0, of the forms in f that are not nil,
// of which there is one at least.
func MarshalForms(oid OID, f Forms) []byte {
	k := PrivateKey{Algorithm: Algorithm{OID: oid}}
	return k.marshal(len(f.Seed)+len(f.Expanded), func(b *cryptobyte.Builder) {
		switch {
		case f.Expanded == nil:
			addBytes(b, tagSeed, f.Seed)
		case f.Seed == nil:
			addBytes(b, asn1.OCTET_STRING, f.Expanded)
		default:
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addBytes(b, asn1.OCTET_STRING, f.Seed)
				addBytes(b, asn1.OCTET_STRING, f.Expanded)
			})
		}
	})
}

func addBytes(b *cryptobyte.Builder, tag asn1.Tag, v []byte) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(v) })
}
