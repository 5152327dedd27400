package hybrid

import (
	"bytes"
	"crypto"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
)

// A CompositePublicKey verifies composite signatures: an ML-DSA and a classical public key
// that are one key. It is safe for concurrent use. The zero value refuses all use.
type CompositePublicKey struct {
	algorithm SignatureAlgorithm
	mldsa     *mldsa.PublicKey
	classical crypto.PublicKey
	encoded   []byte
}

// NewCompositePublicKey parses a public key in the encoding of Section 4.1 of
// draft-ietf-lamps-pq-composite-sigs: the ML-DSA key, then the classical one as RSAPublicKey
// in DER, uncompressed point, or the 32 bytes of Ed25519. The RSA modulus has the
// algorithm's size and the exponent is 65537. Errors match [ErrSize], [ErrEncoding] or
// [ErrAlgorithm].
func NewCompositePublicKey(a SignatureAlgorithm, encoding []byte) (*CompositePublicKey, error) {
	const op = "NewCompositePublicKey"
	if err := a.check(op); err != nil {
		return nil, err
	}
	return a.parsePublic(op+": "+a.name(), encoding)
}

// ParseCompositePublicKey parses a public key in SubjectPublicKeyInfo form, in DER (Section
// 5.1 of the draft). Errors are those of [NewCompositePublicKey]; for an unknown algorithm
// the error is an [*AlgorithmError].
func ParseCompositePublicKey(der []byte) (*CompositePublicKey, error) {
	const op = "ParseCompositePublicKey"
	k, err := pkcs.ParsePublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	a, err := signatureAlgorithmOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	return a.parsePublic(op+": "+a.name(), k.Key)
}

func (a SignatureAlgorithm) parsePublic(op string, b []byte) (*CompositePublicKey, error) {
	n := a.mldsa.PublicKeySize()
	if len(b) != a.publicKeySize() {
		return nil, newError(ErrSize, "%s: public key of %d bytes, want %d", op, len(b), a.publicKeySize())
	}
	pq, err := mldsa.NewPublicKey(a.mldsa, b[:n])
	if err != nil {
		return nil, newError(ErrSize, "%s: %v", op, err)
	}
	classical, err := a.classical.parsePublic(op, b[n:])
	if err != nil {
		return nil, err
	}
	return &CompositePublicKey{a, pq, classical, bytes.Clone(b)}, nil
}

// Algorithm returns the key's algorithm, the zero value for an unusable key.
func (pk *CompositePublicKey) Algorithm() SignatureAlgorithm {
	if pk == nil {
		return SignatureAlgorithm{}
	}
	return pk.algorithm
}

// Bytes returns the encoding that [NewCompositePublicKey] parses, or nil if pk is not
// usable.
func (pk *CompositePublicKey) Bytes() []byte {
	if pk.check("") != nil {
		return nil
	}
	return bytes.Clone(pk.encoded)
}

// MarshalPKIX returns the key in SubjectPublicKeyInfo form, in DER. The error matches
// [ErrNoKey].
func (pk *CompositePublicKey) MarshalPKIX() ([]byte, error) {
	if err := pk.check("CompositePublicKey.MarshalPKIX"); err != nil {
		return nil, err
	}
	id := pkcs.Algorithm{OID: pk.algorithm.oid()}
	return pkcs.PublicKey{Algorithm: id, Key: pk.encoded}.Marshal(), nil
}

// Halves returns the two keys that pk is: the second is an *[crypto/rsa.PublicKey], an
// *[crypto/ecdsa.PublicKey] or an [crypto/ed25519.PublicKey]. A certification authority
// looks both up among revoked keys (Section 9.3 of the draft); they are not for verifying
// anything on their own, nor for changing. They are nil if pk is not usable.
func (pk *CompositePublicKey) Halves() (*mldsa.PublicKey, crypto.PublicKey) {
	if pk.check("") != nil {
		return nil, nil
	}
	return pk.mldsa, pk.classical
}

// Equal reports whether x is a *CompositePublicKey of the same algorithm and encoding.
func (pk *CompositePublicKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(*CompositePublicKey)
	return ok && pk.check("") == nil && other.check("") == nil &&
		pk.algorithm == other.algorithm && bytes.Equal(pk.encoded, other.encoded)
}

func (pk *CompositePublicKey) check(op string) error {
	if pk == nil || pk.encoded == nil {
		return newError(ErrNoKey, "%s: the key is nil or was never set", op)
	}
	return nil
}

// VerifyComposite returns nil if signature is a signature of message by pk, with the
// context in opts, which may be nil (Section 3.3 of draft-ietf-lamps-pq-composite-sigs).
//
// Both halves are always checked. A signature of which one or both are wrong is
// [ErrInvalidSignature], which says no more; other errors match [ErrContext] or
// [ErrNoKey].
func VerifyComposite(pk *CompositePublicKey, message, signature []byte, opts *mldsa.Options) error {
	const op = "VerifyComposite"
	if err := pk.check(op); err != nil {
		return err
	}
	return pk.verify(op, message, signature, opts, func(message, signature []byte, opts *mldsa.Options) error {
		return mldsa.Verify(pk.mldsa, message, signature, opts)
	})
}

// verify verifies a signature whose ML-DSA half verifyMLDSA verifies.
func (pk *CompositePublicKey) verify(op string, message, signature []byte, opts *mldsa.Options,
	verifyMLDSA func(message, signature []byte, opts *mldsa.Options) error,
) error {
	context, err := compositeContext(op, opts)
	if err != nil {
		return err
	}
	a := pk.algorithm
	n := a.mldsa.SignatureSize()
	if len(signature) < n {
		return ErrInvalidSignature
	}
	var buf [maxRepresentativeSize]byte
	representative := a.appendRepresentative(buf[:0], context, message)
	first := verifyMLDSA(representative, signature[:n], a.mldsaOptions()) == nil
	second := a.classical.verify(pk.classical, representative, signature[n:])
	if !first || !second {
		return ErrInvalidSignature
	}
	return nil
}

// compositeContext returns the context in opts, which may be nil.
func compositeContext(op string, opts *mldsa.Options) (string, error) {
	if opts == nil {
		return "", nil
	}
	if len(opts.Context) > maxContext {
		return "", newError(ErrContext, "%s: context of %d bytes, want at most %d", op, len(opts.Context), maxContext)
	}
	return opts.Context, nil
}

// A CompositeVerifier, which [CompositePublicKey.Precompute] makes, is a public key with
// what can be computed of its ML-DSA half in advance (see [mldsa.Verifier] for the memory
// that this takes). It is safe for concurrent use.
type CompositeVerifier struct {
	pk    *CompositePublicKey
	mldsa *mldsa.Verifier
}

// Precompute returns a CompositeVerifier for pk, or nil if pk is not usable.
func (pk *CompositePublicKey) Precompute() *CompositeVerifier {
	if pk.check("") != nil {
		return nil
	}
	return &CompositeVerifier{pk, pk.mldsa.Precompute()}
}

// Verify is [VerifyComposite] for v's public key.
func (v *CompositeVerifier) Verify(message, signature []byte, opts *mldsa.Options) error {
	const op = "CompositeVerifier.Verify"
	if v == nil || v.pk == nil {
		return newError(ErrNoKey, "%s: the verifier is nil or was never set", op)
	}
	return v.pk.verify(op, message, signature, opts, v.mldsa.Verify)
}
