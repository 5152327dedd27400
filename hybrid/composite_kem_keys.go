package hybrid

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mlkem"
)

// A CompositeEncapsulationKey produces ciphertexts that the corresponding
// [CompositeDecapsulationKey] decapsulates. It implements [crypto.Encapsulator], and is
// safe for concurrent use. The zero value refuses all use.
type CompositeEncapsulationKey struct {
	algorithm KEMAlgorithm
	mlkem     crypto.Encapsulator
	classical classicalPublic
	encoded   []byte
}

// A CompositeDecapsulationKey decapsulates shared keys from ciphertexts. It implements
// [crypto.Decapsulator], and is safe for concurrent use; Destroy excludes all other use.
// The zero value refuses all use.
type CompositeDecapsulationKey struct {
	public    *CompositeEncapsulationKey
	mlkem     mlkemPrivate
	classical classicalPrivate
	destroyed bool
}

var (
	_ crypto.Encapsulator = (*CompositeEncapsulationKey)(nil)
	_ crypto.Decapsulator = (*CompositeDecapsulationKey)(nil)
)

// NewCompositeEncapsulationKey parses an encapsulation key in the encoding of Section 4.1
// of draft-ietf-lamps-pq-composite-kem: the ML-KEM key, then the classical one as
// RSAPublicKey in DER, uncompressed point, or the 32 bytes of X25519. The RSA modulus has
// the algorithm's size and the exponent is 65537; an X25519 point does not have a small
// order. Errors match [ErrSize], [ErrCoefficient], [ErrEncoding] or [ErrAlgorithm].
func NewCompositeEncapsulationKey(a KEMAlgorithm, encoding []byte) (*CompositeEncapsulationKey, error) {
	const op = "NewCompositeEncapsulationKey"
	if err := a.check(op); err != nil {
		return nil, err
	}
	return a.parsePublic(op+": "+a.name, encoding)
}

// ParseCompositeEncapsulationKey parses an encapsulation key in SubjectPublicKeyInfo form,
// in DER (Section 5.1 of the draft). Errors are those of [NewCompositeEncapsulationKey];
// for an unknown algorithm the error is an [*AlgorithmError].
func ParseCompositeEncapsulationKey(der []byte) (*CompositeEncapsulationKey, error) {
	const op = "ParseCompositeEncapsulationKey"
	k, err := pkcs.ParsePublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	a, err := kemAlgorithmOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	return a.parsePublic(op+": "+a.name, k.Key)
}

func (a KEMAlgorithm) parsePublic(op string, b []byte) (*CompositeEncapsulationKey, error) {
	if len(b) != a.EncapsulationKeySize() {
		return nil, newError(ErrSize, "%s: encapsulation key of %d bytes, want %d", op, len(b), a.EncapsulationKeySize())
	}
	n := a.mlkem.encapsulationKeySize
	pq, err := a.mlkem.newPublic(b[:n])
	if errors.Is(err, mlkem.ErrCoefficient) {
		return nil, newError(ErrCoefficient, "%s: %v", op, err)
	} else if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	classical, err := a.classical.parsePublic(op, b[n:])
	if err != nil {
		return nil, err
	}
	return &CompositeEncapsulationKey{a, pq, classical, bytes.Clone(b)}, nil
}

// Algorithm returns the key's algorithm, the zero value for an unusable key.
func (ek *CompositeEncapsulationKey) Algorithm() KEMAlgorithm {
	if ek == nil {
		return KEMAlgorithm{}
	}
	return ek.algorithm
}

// Bytes returns the encoding that [NewCompositeEncapsulationKey] parses, or nil if ek is
// not usable.
func (ek *CompositeEncapsulationKey) Bytes() []byte {
	if ek.check("") != nil {
		return nil
	}
	return bytes.Clone(ek.encoded)
}

// MarshalPKIX returns the key in SubjectPublicKeyInfo form, in DER. The error matches
// [ErrNoKey].
func (ek *CompositeEncapsulationKey) MarshalPKIX() ([]byte, error) {
	if err := ek.check("CompositeEncapsulationKey.MarshalPKIX"); err != nil {
		return nil, err
	}
	id := pkcs.Algorithm{OID: ek.algorithm.oid()}
	return pkcs.PublicKey{Algorithm: id, Key: ek.encoded}.Marshal(), nil
}

// Equal reports whether x is a *CompositeEncapsulationKey of the same algorithm and
// encoding.
func (ek *CompositeEncapsulationKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(*CompositeEncapsulationKey)
	return ok && ek.check("") == nil && other.check("") == nil &&
		ek.algorithm == other.algorithm && bytes.Equal(ek.encoded, other.encoded)
}

// Encapsulate generates a shared key, of [mlkem.SharedKeySize] bytes, and a ciphertext that
// encapsulates it, drawing random bytes from crypto/rand (Section 3.2 of the draft). The
// shared key must be kept secret.
//
// It panics if ek is nil or was never set: the shape of [crypto.Encapsulator] has no error,
// and there is no key to return.
func (ek *CompositeEncapsulationKey) Encapsulate() (sharedKey, ciphertext []byte) {
	if err := ek.check("CompositeEncapsulationKey.Encapsulate"); err != nil {
		panic(err)
	}
	a := ek.algorithm
	secret, second, err := ek.classical.encapsulate()
	defer clear(secret)
	if err != nil {
		panic("hybrid: encapsulation to a key that was checked: " + err.Error())
	}
	mlkemSecret, first := ek.mlkem.Encapsulate()
	defer clear(mlkemSecret)
	return a.combine(mlkemSecret, secret, second, ek.encoded[a.mlkem.encapsulationKeySize:]), append(first, second...)
}

func (ek *CompositeEncapsulationKey) check(op string) error {
	if ek == nil || ek.encoded == nil {
		return newError(ErrNoKey, "%s: the key is nil or was never set", op)
	}
	return nil
}

// GenerateCompositeDecapsulationKey generates a new decapsulation key, both halves of it,
// drawing random bytes from crypto/rand (Section 3.1 of draft-ietf-lamps-pq-composite-kem).
// With RSA this takes from tenths of a second to seconds. The error matches [ErrAlgorithm].
//
// The halves serve nowhere else (Section 9.3 of the draft): there is no way to put an
// existing key into a composite one.
func GenerateCompositeDecapsulationKey(a KEMAlgorithm) (*CompositeDecapsulationKey, error) {
	const op = "GenerateCompositeDecapsulationKey"
	if err := a.check(op); err != nil {
		return nil, err
	}
	classical, err := a.classical.generate()
	if err != nil {
		return nil, newError(err, "%s: %v", op, err)
	}
	var seed [mlkem.SeedSize]byte
	defer clear(seed[:])
	rand.Read(seed[:])
	return a.newPrivate(op+": "+a.name, seed[:], classical)
}

// NewCompositeDecapsulationKey parses a decapsulation key in the encoding of Section 4.2 of
// the draft: the ML-KEM seed of 64 bytes, then the classical key as RSAPrivateKey of
// version 0 in DER, ECPrivateKey with the curve and without the public key in DER, or the
// 32 bytes of X25519. Errors match [ErrSize], [ErrEncoding] or [ErrAlgorithm]. encoding is
// secret, and the caller's to wipe.
func NewCompositeDecapsulationKey(a KEMAlgorithm, encoding []byte) (*CompositeDecapsulationKey, error) {
	const op = "NewCompositeDecapsulationKey"
	if err := a.check(op); err != nil {
		return nil, err
	}
	return a.parsePrivate(op+": "+a.name, encoding)
}

// ParseCompositeDecapsulationKey parses a decapsulation key in PKCS #8 form, in DER
// (Section 5.3 of the draft). An encapsulation key beside it that is not its own is an error
// that matches [ErrInconsistent]; other errors are those of [NewCompositeDecapsulationKey],
// and for an unknown algorithm an [*AlgorithmError]. der is secret, and the caller's to
// wipe.
func ParseCompositeDecapsulationKey(der []byte) (*CompositeDecapsulationKey, error) {
	const op = "ParseCompositeDecapsulationKey"
	k, err := pkcs.ParsePrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	a, err := kemAlgorithmOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	dk, err := a.parsePrivate(op+": "+a.name, k.Key)
	if err != nil {
		return nil, err
	}
	if k.PublicKey != nil && !bytes.Equal(k.PublicKey, dk.public.encoded) {
		dk.Destroy()
		return nil, newError(ErrInconsistent, "%s: %v decapsulation key with the encapsulation key of another", op, a)
	}
	return dk, nil
}

func (a KEMAlgorithm) parsePrivate(op string, b []byte) (*CompositeDecapsulationKey, error) {
	if len(b) < mlkem.SeedSize {
		return nil, newError(ErrSize, "%s: decapsulation key of %d bytes, want more than %d", op, len(b), mlkem.SeedSize)
	}
	classical, err := a.classical.parsePrivate(op, b[mlkem.SeedSize:])
	if err != nil {
		return nil, err
	}
	return a.newPrivate(op, b[:mlkem.SeedSize], classical)
}

func (a KEMAlgorithm) newPrivate(op string, seed []byte, classical classicalPrivate) (*CompositeDecapsulationKey, error) {
	pq, err := a.mlkem.newPrivate(seed)
	if err != nil {
		return nil, newError(ErrSize, "%s: %v", op, err)
	}
	public, err := a.parsePublic(op, append(pq.Encapsulator().Bytes(), classical.public()...))
	if err != nil {
		return nil, err
	}
	return &CompositeDecapsulationKey{public: public, mlkem: pq, classical: classical}, nil
}

// Algorithm returns the key's algorithm, the zero value for an unusable key.
func (dk *CompositeDecapsulationKey) Algorithm() KEMAlgorithm {
	return dk.EncapsulationKey().Algorithm()
}

// EncapsulationKey returns the encapsulation key, which stays usable after Destroy. It is
// nil if dk is.
func (dk *CompositeDecapsulationKey) EncapsulationKey() *CompositeEncapsulationKey {
	if dk == nil {
		return nil
	}
	return dk.public
}

// Encapsulator returns the encapsulation key, like
// [CompositeDecapsulationKey.EncapsulationKey]. It implements [crypto.Decapsulator].
func (dk *CompositeDecapsulationKey) Encapsulator() crypto.Encapsulator { return dk.EncapsulationKey() }

// Bytes returns the encoding that [NewCompositeDecapsulationKey] parses, or nil if dk is
// not usable. The result is secret.
func (dk *CompositeDecapsulationKey) Bytes() []byte {
	if dk.check("") != nil {
		return nil
	}
	seed, classical := dk.mlkem.Bytes(), dk.classical.bytes()
	defer clear(seed)
	defer clear(classical)
	b := make([]byte, 0, len(seed)+len(classical))
	return append(append(b, seed...), classical...)
}

// MarshalPKCS8 returns the key in PKCS #8 form, in DER. The result is secret. The error
// matches [ErrNoKey] or [ErrDestroyed].
func (dk *CompositeDecapsulationKey) MarshalPKCS8() ([]byte, error) {
	if err := dk.check("CompositeDecapsulationKey.MarshalPKCS8"); err != nil {
		return nil, err
	}
	b := dk.Bytes()
	defer clear(b)
	id := pkcs.Algorithm{OID: dk.public.algorithm.oid()}
	return pkcs.PrivateKey{Algorithm: id, Key: b}.Marshal(), nil
}

// Decapsulate returns the shared key, of [mlkem.SharedKeySize] bytes, that the ciphertext
// encapsulates (Section 3.3 of the draft).
//
// A ciphertext of another length than the algorithm's is an error that matches [ErrSize],
// and one whose classical half is refused an error that matches [ErrCiphertext]: where a
// component rejects explicitly, the draft has the composite do so (Section 3.5). RSA-OAEP
// refuses what was not made for the key, ECDH what is not a point of the curve, X25519 a
// point of small order. Everything else that was not made for dk gives a pseudorandom key
// and no error, as ML-KEM does. Other errors match [ErrNoKey] or [ErrDestroyed].
func (dk *CompositeDecapsulationKey) Decapsulate(ciphertext []byte) (sharedKey []byte, err error) {
	const op = "CompositeDecapsulationKey.Decapsulate"
	if err := dk.check(op); err != nil {
		return nil, err
	}
	a := dk.public.algorithm
	if len(ciphertext) != a.CiphertextSize() {
		return nil, newError(ErrSize, "%s: %v ciphertext of %d bytes, want %d", op, a, len(ciphertext), a.CiphertextSize())
	}
	first, second := ciphertext[:a.mlkem.ciphertextSize], ciphertext[a.mlkem.ciphertextSize:]
	mlkemSecret, err := dk.mlkem.Decapsulate(first)
	defer clear(mlkemSecret)
	if err != nil {
		return nil, newError(err, "%s: %v", op, err)
	}
	secret, err := dk.classical.decapsulate(second)
	defer clear(secret)
	if err != nil {
		return nil, newError(ErrCiphertext, "%s: %v ciphertext that is not for this key, or malformed", op, a)
	}
	return a.combine(mlkemSecret, secret, second, dk.public.encoded[a.mlkem.encapsulationKeySize:]), nil
}

// Destroy zeroes the secrets in dk, as far as Go lets a program do so; later use returns
// [ErrDestroyed]. What crypto/ecdh and crypto/rsa keep for themselves remains until it is
// collected. The encapsulation key stays usable.
func (dk *CompositeDecapsulationKey) Destroy() {
	if dk.check("") != nil {
		return
	}
	dk.mlkem.Destroy()
	dk.classical.destroy()
	dk.mlkem, dk.classical, dk.destroyed = nil, nil, true
}

func (dk *CompositeDecapsulationKey) check(op string) error {
	switch {
	case dk == nil || dk.public == nil:
		return newError(ErrNoKey, "%s: the key is nil or was never set", op)
	case dk.destroyed:
		return newError(ErrDestroyed, "%s: the key was destroyed", op)
	}
	return nil
}
