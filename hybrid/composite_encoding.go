package hybrid

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// rsaKeys are RSA keys with a modulus of so many bits, and the encodings that composite
// keys have them in: RSAPrivateKey of version 0 and RSAPublicKey (RFC 8017, Appendix A.1),
// in DER.
type rsaKeys struct{ bits int }

// rsaExponent is the only public exponent, as both drafts allow: with it, the encoding of a
// public key has a fixed size.
const rsaExponent = 65537

func (k rsaKeys) modulusSize() int { return k.bits / 8 }

// publicKeySize is the size of an RSAPublicKey with a modulus whose highest bit is set, and
// so has a leading zero: SEQUENCE { INTEGER n, INTEGER 65537 }.
func (k rsaKeys) publicKeySize() int { return 4 + 4 + 1 + k.modulusSize() + 5 }

// maxPrivateKeySize is the size of an RSAPrivateKey with no leading zeros to drop: n and d,
// the exponent, and five numbers of half their size, with a zero each before the highest bit.
func (k rsaKeys) maxPrivateKeySize() int {
	half := 3 + k.modulusSize()/2 + 1
	if k.modulusSize()/2+1 > 0xff {
		half++
	}
	return 4 + 3 + 2*(4+1+k.modulusSize()) + 5 + 5*half
}

func (k rsaKeys) generate() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, k.bits) }

// check returns an error unless pk has the right size and exponent.
func (k rsaKeys) check(op string, pk *rsa.PublicKey) error {
	switch {
	case pk.N == nil || pk.N.Sign() <= 0 || pk.N.Bit(0) == 0:
		return newError(ErrEncoding, "%s: RSA modulus that is not a product of odd primes", op)
	case pk.N.BitLen() != k.bits:
		return newError(ErrSize, "%s: RSA modulus of %d bits, want %d", op, pk.N.BitLen(), k.bits)
	case pk.E != rsaExponent:
		return newError(ErrEncoding, "%s: RSA public exponent %d, want %d", op, pk.E, rsaExponent)
	}
	return nil
}

func (k rsaKeys) parsePrivate(op string, b []byte) (*rsa.PrivateKey, error) {
	if len(b) > k.maxPrivateKeySize() { // checking a long key takes long
		return nil, newError(ErrSize, "%s: RSAPrivateKey of %d bytes, want %d at most", op, len(b), k.maxPrivateKeySize())
	}
	sk, err := x509.ParsePKCS1PrivateKey(b)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: not an RSAPrivateKey", op)
	}
	if err := k.check(op, &sk.PublicKey); err != nil {
		return nil, err
	}
	// crypto/x509 reads more than what is to be written: keys of several primes, and extra
	// elements. Only this encoding is read.
	again := x509.MarshalPKCS1PrivateKey(sk)
	defer clear(again)
	if len(sk.Primes) != 2 || subtle.ConstantTimeCompare(again, b) != 1 {
		return nil, newError(ErrEncoding, "%s: not an RSAPrivateKey of version 0 in DER", op)
	}
	return sk, nil
}

func (k rsaKeys) marshalPrivate(sk *rsa.PrivateKey) []byte {
	if len(sk.Primes) != 2 {
		return nil
	}
	return x509.MarshalPKCS1PrivateKey(sk)
}

func (k rsaKeys) parsePublic(op string, b []byte) (*rsa.PublicKey, error) {
	pk, err := x509.ParsePKCS1PublicKey(b)
	if err != nil || !bytes.Equal(x509.MarshalPKCS1PublicKey(pk), b) {
		return nil, newError(ErrEncoding, "%s: not an RSAPublicKey in DER", op)
	}
	if err := k.check(op, pk); err != nil {
		return nil, err
	}
	return pk, nil
}

func (k rsaKeys) marshalPublic(op string, pk *rsa.PublicKey) ([]byte, error) {
	if err := k.check(op, pk); err != nil {
		return nil, err
	}
	return x509.MarshalPKCS1PublicKey(pk), nil
}

// A namedCurve is a curve of NIST, and the encodings that composite keys have its keys in:
// ECPrivateKey with the curve's OID and without the public key (RFC 5915, Section 3), and
// the uncompressed point (RFC 5480, Section 2.2).
type namedCurve struct {
	name       string
	oid        pkcs.OID
	scalarSize int // in bytes, as the size of a coordinate
}

var (
	curveP256 = namedCurve{"P-256", pkcs.NewOID(1, 2, 840, 10045, 3, 1, 7), 32}
	curveP384 = namedCurve{"P-384", pkcs.NewOID(1, 3, 132, 0, 34), 48}
	curveP521 = namedCurve{"P-521", pkcs.NewOID(1, 3, 132, 0, 35), 66}
)

var tagParameters = asn1.Tag(0).ContextSpecific().Constructed()

// parseScalar returns the scalar of an ECPrivateKey, a slice of b.
func (c *namedCurve) parseScalar(op string, b []byte) ([]byte, error) {
	s := cryptobyte.String(b)
	var body, scalar, parameters cryptobyte.String
	var version int64
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() ||
		!body.ReadASN1Integer(&version) || version != 1 ||
		!body.ReadASN1(&scalar, asn1.OCTET_STRING) ||
		!body.ReadASN1(&parameters, tagParameters) || !body.Empty() {
		return nil, newError(ErrEncoding, "%s: not an ECPrivateKey with a curve and without a public key", op)
	}
	oid, err := pkcs.ReadOID(&parameters)
	if err != nil || oid != c.oid || !parameters.Empty() {
		return nil, newError(ErrEncoding, "%s: ECPrivateKey of another curve than %s", op, c.name)
	}
	if len(scalar) != c.scalarSize {
		return nil, newError(ErrSize, "%s: %s private key of %d bytes, want %d", op, c.name, len(scalar), c.scalarSize)
	}
	return scalar, nil
}

// marshalScalar returns the ECPrivateKey of a scalar.
func (c *namedCurve) marshalScalar(scalar []byte) []byte {
	const headers = 32 // more than all of them take; the builder must not move the scalar
	b := cryptobyte.NewFixedBuilder(make([]byte, 0, headers+len(scalar)))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Uint64(1)
		b.AddASN1OctetString(scalar)
		b.AddASN1(tagParameters, func(b *cryptobyte.Builder) { pkcs.AddOID(b, c.oid) })
	})
	return b.BytesOrPanic()
}

func (c *namedCurve) pointSize() int { return 1 + 2*c.scalarSize }
