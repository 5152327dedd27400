package hybrid

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"io"
	"math/big"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
)

// A CompositePrivateKey makes composite signatures: an ML-DSA and a classical private key
// that are one key. Either half may be a signer that keeps its key to itself, as a token
// does; see [ImportCompositeKey].
//
// It implements [crypto.Signer] and [crypto.MessageSigner], and is safe for concurrent use
// if its signers are; Destroy excludes all other use. The zero value refuses all use.
type CompositePrivateKey struct {
	public    *CompositePublicKey
	mldsa     compositeHalf
	classical compositeHalf
	destroyed bool
}

// A compositeHalf is one of the two signers.
type compositeHalf struct {
	crypto.Signer
	imported bool // it belongs to the caller
}

var _ crypto.MessageSigner = (*CompositePrivateKey)(nil)

// GenerateCompositeKey generates a new private key, both halves of it, drawing random bytes
// from crypto/rand (Section 3.1 of draft-ietf-lamps-pq-composite-sigs). With RSA this takes
// from tenths of a second to seconds. The error matches [ErrAlgorithm].
func GenerateCompositeKey(a SignatureAlgorithm) (*CompositePrivateKey, error) {
	return newCompositePrivateKey("GenerateCompositeKey", a, compositeHalf{}, compositeHalf{})
}

// ImportOptions is the caller's word on keys from elsewhere.
type ImportOptions struct {
	// DedicatedKeys says that the imported keys were made for this composite key and serve
	// nowhere else: neither alone, nor as part of another key or certificate.
	//
	// draft-ietf-lamps-pq-composite-sigs, Sections 3.1 and 9.3, forbids any other key. If a
	// half also signs alone, its part of a composite signature, stripped of the other, may
	// pass for a signature of its own, and one that it made elsewhere for part of a
	// composite: to forge, it is then enough to break one of the two algorithms. And if it
	// has been revoked as a key of its own, it lives on in the composite key, whose hash is
	// on no list.
	//
	// An RSA or ECDSA key in use is not migrated by putting it into a composite key: the
	// composite gets a new one, for example with a signer of nil in [ImportCompositeKey].
	DedicatedKeys bool
}

// ImportCompositeKey makes a private key of existing halves, one of which may be nil and is
// then generated. It refuses them, with an error that matches [ErrKeyReuse], unless opts
// has DedicatedKeys, whose documentation says why.
//
// pq signs with ML-DSA: its Public is an *[mldsa.PublicKey] or, on Go 1.27, a
// *crypto/mldsa.PublicKey, of the algorithm's parameter set, and it signs messages, hedged,
// with the context that it is given in an *[mldsa.Options]. classical signs digests, or if
// it is a [crypto.MessageSigner] messages, with an RSA, ECDSA or Ed25519 key of the
// algorithm's size or curve; for RSA-PSS it is given *[crypto/rsa.PSSOptions]. Both stay the
// caller's: Destroy leaves them alone.
//
// Other errors match [ErrAlgorithm], [ErrSize] or [ErrEncoding].
func ImportCompositeKey(a SignatureAlgorithm, pq, classical crypto.Signer, opts *ImportOptions) (*CompositePrivateKey, error) {
	const op = "ImportCompositeKey"
	if pq == nil && classical == nil {
		return nil, newError(ErrNoKey, "%s: no half to import", op)
	}
	if opts == nil || !opts.DedicatedKeys {
		return nil, newError(ErrKeyReuse, "%s: an existing key may only be half of a composite key if it serves nowhere else, "+
			"which ImportOptions.DedicatedKeys affirms", op)
	}
	return newCompositePrivateKey(op, a, compositeHalf{pq, pq != nil}, compositeHalf{classical, classical != nil})
}

// newCompositePrivateKey makes a key of two halves, generating those without a signer.
func newCompositePrivateKey(op string, a SignatureAlgorithm, pq, classical compositeHalf) (*CompositePrivateKey, error) {
	if err := a.check(op); err != nil {
		return nil, err
	}
	op += ": " + a.name()
	if pq.Signer == nil {
		sk, err := mldsa.GenerateKey(a.mldsa)
		if err != nil {
			return nil, newError(err, "%s: %v", op, err)
		}
		pq.Signer = sk
	}
	if classical.Signer == nil {
		sk, err := a.classical.generate()
		if err != nil {
			return nil, newError(err, "%s: %v", op, err)
		}
		classical.Signer = sk
	}
	encoded := mldsaPublicBytes(pq.Public())
	if len(encoded) != a.mldsa.PublicKeySize() {
		return nil, newError(ErrAlgorithm, "%s: the first half's public key, a %T, is not one of %v", op, pq.Public(), a.mldsa)
	}
	second, err := a.classical.marshalPublic(op, classical.Public())
	if err != nil {
		return nil, err
	}
	public, err := a.parsePublic(op, append(bytes.Clone(encoded), second...))
	if err != nil {
		return nil, err
	}
	return &CompositePrivateKey{public: public, mldsa: pq, classical: classical}, nil
}

// NewCompositePrivateKey parses a private key in the encoding of Section 4.2 of the draft:
// the ML-DSA seed of 32 bytes, then the classical key as RSAPrivateKey of version 0 in DER,
// ECPrivateKey with the curve and without the public key in DER, or the seed of 32 bytes of
// Ed25519. Errors match [ErrSize], [ErrEncoding] or [ErrAlgorithm]. encoding is secret, and
// the caller's to wipe.
func NewCompositePrivateKey(a SignatureAlgorithm, encoding []byte) (*CompositePrivateKey, error) {
	const op = "NewCompositePrivateKey"
	if err := a.check(op); err != nil {
		return nil, err
	}
	return a.parsePrivate(op, encoding)
}

func (a SignatureAlgorithm) parsePrivate(op string, b []byte) (*CompositePrivateKey, error) {
	where := op + ": " + a.name()
	if len(b) < mldsa.PrivateKeySize {
		return nil, newError(ErrSize, "%s: private key of %d bytes, want more than %d", where, len(b), mldsa.PrivateKeySize)
	}
	classical, err := a.classical.parsePrivate(where, b[mldsa.PrivateKeySize:])
	if err != nil {
		return nil, err
	}
	pq, err := mldsa.NewPrivateKey(a.mldsa, b[:mldsa.PrivateKeySize])
	if err != nil {
		return nil, newError(ErrSize, "%s: %v", where, err)
	}
	return newCompositePrivateKey(op, a, compositeHalf{Signer: pq}, compositeHalf{Signer: classical})
}

// ParseCompositePrivateKey parses a private key in PKCS #8 form, in DER (Section 5.3 of the
// draft). A public key beside it that is not its own is an error that matches
// [ErrInconsistent]; other errors are those of [NewCompositePrivateKey], and for an unknown
// algorithm an [*AlgorithmError]. der is secret, and the caller's to wipe.
func ParseCompositePrivateKey(der []byte) (*CompositePrivateKey, error) {
	const op = "ParseCompositePrivateKey"
	k, err := pkcs.ParsePrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	a, err := signatureAlgorithmOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	sk, err := a.parsePrivate(op, k.Key)
	if err != nil {
		return nil, err
	}
	if k.PublicKey != nil && !bytes.Equal(k.PublicKey, sk.public.encoded) {
		sk.Destroy()
		return nil, newError(ErrInconsistent, "%s: %v private key with the public key of another", op, a)
	}
	return sk, nil
}

// Algorithm returns the key's algorithm, the zero value for an unusable key.
func (sk *CompositePrivateKey) Algorithm() SignatureAlgorithm { return sk.PublicKey().Algorithm() }

// PublicKey returns the public key, which stays usable after Destroy. It is nil if sk is.
func (sk *CompositePrivateKey) PublicKey() *CompositePublicKey {
	if sk == nil {
		return nil
	}
	return sk.public
}

// Public returns the *CompositePublicKey of sk. It implements [crypto.Signer].
func (sk *CompositePrivateKey) Public() crypto.PublicKey { return sk.PublicKey() }

// Bytes returns the encoding that [NewCompositePrivateKey] parses, or nil if sk is not
// usable, or if a half of it is a signer that keeps its key to itself or an ML-DSA key
// without its seed. The result is secret.
func (sk *CompositePrivateKey) Bytes() []byte {
	if sk.check("") != nil {
		return nil
	}
	pq, ok := sk.mldsa.Signer.(*mldsa.PrivateKey)
	if !ok {
		return nil
	}
	seed, classical := pq.Bytes(), sk.public.algorithm.classical.marshalPrivate(sk.classical.Signer)
	defer clear(seed)
	defer clear(classical)
	if seed == nil || classical == nil {
		return nil
	}
	b := make([]byte, 0, len(seed)+len(classical))
	return append(append(b, seed...), classical...)
}

// MarshalPKCS8 returns the key in PKCS #8 form, in DER. The result is secret. The error
// matches [ErrNotExportable], [ErrNoKey] or [ErrDestroyed].
func (sk *CompositePrivateKey) MarshalPKCS8() ([]byte, error) {
	const op = "CompositePrivateKey.MarshalPKCS8"
	if err := sk.check(op); err != nil {
		return nil, err
	}
	b := sk.Bytes()
	if b == nil {
		return nil, newError(ErrNotExportable, "%s: a half of the key keeps its key to itself", op)
	}
	defer clear(b)
	id := pkcs.Algorithm{OID: sk.public.algorithm.oid()}
	return pkcs.PrivateKey{Algorithm: id, Key: b}.Marshal(), nil
}

// Equal reports whether x is a *CompositePrivateKey of the same algorithm with the same
// encoding, or, where there is none, the same public key.
func (sk *CompositePrivateKey) Equal(x crypto.PrivateKey) bool {
	other, ok := x.(*CompositePrivateKey)
	if !ok || sk.check("") != nil || other.check("") != nil || !sk.public.Equal(other.public) {
		return false
	}
	a, b := sk.Bytes(), other.Bytes()
	defer clear(a)
	defer clear(b)
	return a == nil || b == nil || subtle.ConstantTimeCompare(a, b) == 1
}

// Sign signs message (Section 3.2 of draft-ietf-lamps-pq-composite-sigs), hashing it as the
// algorithm says, hedged with random bytes from crypto/rand; the io.Reader is ignored. opts
// is nil, crypto.Hash(0), or an *[mldsa.Options] with a context, which is that of the
// composite signature.
//
// Errors match [ErrOptions], [ErrContext], [ErrNoKey], [ErrDestroyed], [ErrSigner], or are
// those of an imported signer.
func (sk *CompositePrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	return sk.sign("CompositePrivateKey.Sign", message, opts)
}

// SignMessage is Sign. It implements [crypto.MessageSigner].
func (sk *CompositePrivateKey) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	return sk.sign("CompositePrivateKey.SignMessage", message, opts)
}

func (sk *CompositePrivateKey) sign(op string, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := sk.check(op); err != nil {
		return nil, err
	}
	var context string
	switch opts := opts.(type) {
	case nil:
	case *mldsa.Options:
		var err error
		if context, err = compositeContext(op, opts); err != nil {
			return nil, err
		}
	case crypto.Hash:
		if opts != 0 {
			return nil, newError(ErrOptions, "%s: the message is not to be hashed, but opts has %v", op, opts)
		}
	default:
		return nil, newError(ErrOptions, "%s: options of type %T, want nil, crypto.Hash(0) or *mldsa.Options", op, opts)
	}

	a := sk.public.algorithm
	representative := a.appendRepresentative(make([]byte, 0, maxRepresentativeSize), context, message)
	var first []byte
	var err error
	if pq, ok := sk.mldsa.Signer.(*mldsa.PrivateKey); ok {
		first, err = pq.AppendSign(make([]byte, 0, a.MaxSignatureSize()), representative, a.mldsaOptions())
	} else {
		first, err = crypto.SignMessage(sk.mldsa.Signer, rand.Reader, representative, a.mldsaOptions())
	}
	if err != nil {
		return nil, newError(err, "%s: %v", op, err)
	}
	second, err := crypto.SignMessage(sk.classical.Signer, rand.Reader, representative, a.classical.options())
	if err != nil {
		return nil, newError(err, "%s: %v", op, err)
	}
	most := a.classical.maxSignatureSize()
	if len(first) != a.mldsa.SignatureSize() || len(second) > most || a.classical.fixedSize() && len(second) != most {
		return nil, newError(ErrSigner, "%s: signatures of %d and %d bytes, want %d and %d", op,
			len(first), len(second), a.mldsa.SignatureSize(), most)
	}
	return append(first, second...), nil
}

// Destroy zeroes the secrets in sk, as far as Go lets a program do so; later use returns
// [ErrDestroyed]. The copies that crypto/rsa and crypto/ecdsa keep for themselves remain
// until they are collected. Imported halves are left as they are. The public key stays
// usable.
func (sk *CompositePrivateKey) Destroy() {
	if sk.check("") != nil {
		return
	}
	if !sk.mldsa.imported {
		sk.mldsa.Signer.(*mldsa.PrivateKey).Destroy()
	}
	if !sk.classical.imported {
		destroyClassical(sk.classical.Signer)
	}
	sk.mldsa, sk.classical, sk.destroyed = compositeHalf{}, compositeHalf{}, true
}

// destroyClassical zeroes what the exported fields of a private key hold.
func destroyClassical(sk crypto.Signer) {
	wipe := func(x *big.Int) {
		if x != nil {
			clear(x.Bits())
		}
	}
	switch sk := sk.(type) {
	case ed25519.PrivateKey:
		clear(sk)
	case *ecdsa.PrivateKey:
		wipe(sk.D)
	case *rsa.PrivateKey:
		wipe(sk.D)
		for _, p := range sk.Primes {
			wipe(p)
		}
		wipe(sk.Precomputed.Dp)
		wipe(sk.Precomputed.Dq)
		wipe(sk.Precomputed.Qinv)
	}
}

func (sk *CompositePrivateKey) check(op string) error {
	switch {
	case sk == nil || sk.public == nil:
		return newError(ErrNoKey, "%s: the key is nil or was never set", op)
	case sk.destroyed:
		return newError(ErrDestroyed, "%s: the key was destroyed", op)
	}
	return nil
}
