package hybrid

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"errors"

	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/mlkem"
)

// Sizes of X-Wing in bytes (draft-connolly-cfrg-xwing-kem, Section 5.1). An encapsulation
// key and a ciphertext are those of ML-KEM-768 and 32 bytes of X25519.
const (
	XWingSeedSize             = 32
	XWingEncapsulationKeySize = mlkem.EncapsulationKeySize768 + xwingPointSize
	XWingCiphertextSize       = mlkem.CiphertextSize768 + xwingPointSize
	XWingSharedKeySize        = 32

	xwingPointSize = 32
)

// ErrShared is SetBytes of an encapsulation key that is part of a decapsulation key.
var ErrShared = errors.New("hybrid: encapsulation key belongs to a decapsulation key")

// An XWingEncapsulationKey is the public key of X-Wing, the KEM of ML-KEM-768 and X25519
// that is secure as long as either is. It takes about 6 KB.
//
// It is safe for concurrent use once made; SetBytes excludes all other use. The zero value
// is for SetBytes and refuses everything else.
type XWingEncapsulationKey struct {
	m *mlkem.EncapsulationKey768 // pk_M
	x *ecdh.PublicKey            // pk_X, or nil if the key is not set

	shared bool // it is part of an XWingDecapsulationKey
}

// An XWingDecapsulationKey is the secret key of X-Wing. It takes about 8 KB.
//
// It is safe for concurrent use once made; Destroy excludes all other use. The zero value
// refuses use.
type XWingDecapsulationKey struct {
	ek        XWingEncapsulationKey
	m         *mlkem.DecapsulationKey768 // sk_M
	x         *ecdh.PrivateKey           // sk_X, or nil if the key is not set
	seed      [XWingSeedSize]byte
	destroyed bool
}

var (
	_ crypto.Encapsulator = (*XWingEncapsulationKey)(nil)
	_ crypto.Decapsulator = (*XWingDecapsulationKey)(nil)
)

// GenerateXWingKey generates a new decapsulation key, drawing random bytes from
// crypto/rand. The error is nil unless crypto/ecdh refuses X25519, as it does in its FIPS
// 140-only mode; it then matches [ErrUnavailable].
func GenerateXWingKey() (*XWingDecapsulationKey, error) {
	var seed [XWingSeedSize]byte
	rand.Read(seed[:]) // never fails
	defer clear(seed[:])
	return NewXWingDecapsulationKey(seed[:])
}

// NewXWingDecapsulationKey expands a decapsulation key from a seed of [XWingSeedSize]
// bytes, which must be uniformly random and secret
// (draft-connolly-cfrg-xwing-kem, Section 5.2, expandDecapsulationKey). The error matches
// [ErrSize] or [ErrUnavailable].
func NewXWingDecapsulationKey(seed []byte) (*XWingDecapsulationKey, error) {
	return newXWingDecapsulationKey("NewXWingDecapsulationKey", seed)
}

func newXWingDecapsulationKey(op string, seed []byte) (*XWingDecapsulationKey, error) {
	if len(seed) != XWingSeedSize {
		return nil, newError(ErrSize, "%s: seed of %d bytes, want %d", op, len(seed), XWingSeedSize)
	}
	var expanded [mlkem.SeedSize + 32]byte
	defer clear(expanded[:])
	var shake keccak.Sponge
	shake.Init(keccak.RateSHAKE256, keccak.DomainSHAKE)
	shake.Write(seed)
	shake.Read(expanded[:])
	shake = keccak.Sponge{}

	x, err := x25519.NewPrivateKey(expanded[mlkem.SeedSize:])
	if err != nil {
		return nil, newError(ErrUnavailable, "%s: %v", op, err)
	}
	m, err := mlkem.NewDecapsulationKey768(expanded[:mlkem.SeedSize])
	if err != nil {
		return nil, err
	}
	dk := &XWingDecapsulationKey{m: m, x: x}
	dk.ek = XWingEncapsulationKey{m: m.EncapsulationKey(), x: x.PublicKey(), shared: true}
	copy(dk.seed[:], seed)
	return dk, nil
}

// check returns the error that the use of dk for op deserves.
func (dk *XWingDecapsulationKey) check(op string) error {
	switch {
	case dk != nil && dk.destroyed:
		return newError(ErrDestroyed, "%s: the key was destroyed", op)
	case dk == nil || dk.x == nil:
		return newError(ErrNoKey, "%s: the key is nil or was never set", op)
	}
	return nil
}

// Bytes returns the seed, of [XWingSeedSize] bytes, or nil if the key is not usable. The
// result is secret.
func (dk *XWingDecapsulationKey) Bytes() []byte {
	if dk.check("") != nil {
		return nil
	}
	return append(make([]byte, 0, XWingSeedSize), dk.seed[:]...)
}

// EncapsulationKey returns the public encapsulation key. It shares dk's memory, and stays
// usable after dk.Destroy. It is nil if dk is.
func (dk *XWingDecapsulationKey) EncapsulationKey() *XWingEncapsulationKey {
	if dk == nil {
		return nil
	}
	return &dk.ek
}

// Encapsulator returns the encapsulation key. It implements [crypto.Decapsulator].
func (dk *XWingDecapsulationKey) Encapsulator() crypto.Encapsulator { return dk.EncapsulationKey() }

// AppendEncapsulationKey appends the encoded encapsulation key, of
// [XWingEncapsulationKeySize] bytes, to b. It allocates only if b lacks room. The error
// matches [ErrNoKey] or [ErrDestroyed].
func (dk *XWingDecapsulationKey) AppendEncapsulationKey(b []byte) ([]byte, error) {
	if err := dk.check("XWingDecapsulationKey.AppendEncapsulationKey"); err != nil {
		return b, err
	}
	return dk.ek.AppendBinary(b)
}

// Decapsulate returns the shared key, of [XWingSharedKeySize] bytes, that the ciphertext
// encapsulates (draft-connolly-cfrg-xwing-kem, Section 5.5). A ciphertext of the right
// length that was not made for this key gives a pseudorandom key and no error, and so does
// one whose X25519 part has a small order: X-Wing hashes the zero secret like any other.
// Errors match [ErrSize], [ErrNoKey] or [ErrDestroyed].
func (dk *XWingDecapsulationKey) Decapsulate(ciphertext []byte) (sharedKey []byte, err error) {
	var k [XWingSharedKeySize]byte
	if err := dk.DecapsulateInto(&k, ciphertext); err != nil {
		return nil, err
	}
	return k[:], nil
}

// DecapsulateInto is Decapsulate into memory of the caller's. It allocates what
// crypto/ecdh does. On an error sharedKey is unchanged.
func (dk *XWingDecapsulationKey) DecapsulateInto(sharedKey *[XWingSharedKeySize]byte, ciphertext []byte) error {
	const op = "XWingDecapsulationKey.Decapsulate"
	if err := dk.check(op); err != nil {
		return err
	}
	if len(ciphertext) != XWingCiphertextSize {
		return newError(ErrSize, "%s: ciphertext of %d bytes, want %d", op, len(ciphertext), XWingCiphertextSize)
	}
	ctM, ctX := ciphertext[:mlkem.CiphertextSize768], ciphertext[mlkem.CiphertextSize768:]
	peer, err := x25519.NewPublicKey(ctX)
	if err != nil {
		return newError(ErrUnavailable, "%s: %v", op, err)
	}
	var ssM [kemSecretSize]byte
	if err := dk.m.DecapsulateInto(&ssM, ctM); err != nil {
		return err
	}
	xwingCombine(sharedKey, &ssM, dk.x, peer, ctX, dk.ek.x)
	clear(ssM[:])
	return nil
}

// Destroy zeroes the seed and the ML-KEM key and drops the X25519 key, which crypto/ecdh
// does not wipe; later use returns [ErrDestroyed]. The encapsulation key stays usable.
func (dk *XWingDecapsulationKey) Destroy() {
	if dk == nil {
		return
	}
	clear(dk.seed[:])
	dk.m.Destroy()
	dk.m, dk.x, dk.destroyed = nil, nil, true
}

// NewXWingEncapsulationKey parses an encapsulation key of [XWingEncapsulationKeySize]
// bytes. Errors match [ErrSize], [ErrCoefficient] or [ErrUnavailable].
func NewXWingEncapsulationKey(encapsulationKey []byte) (*XWingEncapsulationKey, error) {
	ek := new(XWingEncapsulationKey)
	if err := ek.setBytes("NewXWingEncapsulationKey", encapsulationKey); err != nil {
		return nil, err
	}
	return ek, nil
}

// SetBytes replaces ek with the encapsulation key in b, as [NewXWingEncapsulationKey]
// parses it, in ek's memory. After an error ek refuses use. The encapsulation key of a
// decapsulation key can't be replaced: the error then matches [ErrShared].
func (ek *XWingEncapsulationKey) SetBytes(b []byte) error {
	const op = "XWingEncapsulationKey.SetBytes"
	if ek == nil {
		return ek.check(op)
	}
	return ek.setBytes(op, b)
}

func (ek *XWingEncapsulationKey) setBytes(op string, b []byte) error {
	if ek.shared {
		return newError(ErrShared, "%s: the key belongs to a decapsulation key", op)
	}
	ek.x = nil
	if len(b) != XWingEncapsulationKeySize {
		return newError(ErrSize, "%s: key of %d bytes, want %d", op, len(b), XWingEncapsulationKeySize)
	}
	if ek.m == nil {
		ek.m = new(mlkem.EncapsulationKey768)
	}
	if err := ek.m.SetBytes(b[:mlkem.EncapsulationKeySize768]); err != nil {
		return newError(ErrCoefficient, "%s: ML-KEM-768 key with a coefficient that is not below 3329", op)
	}
	x, err := x25519.NewPublicKey(b[mlkem.EncapsulationKeySize768:])
	if err != nil {
		return newError(ErrUnavailable, "%s: %v", op, err)
	}
	ek.x = x
	return nil
}

// check returns the error that the use of ek for op deserves.
func (ek *XWingEncapsulationKey) check(op string) error {
	if ek == nil || ek.x == nil {
		return newError(ErrNoKey, "%s: the key is nil, was never set, or failed to parse", op)
	}
	return nil
}

// Bytes returns the encoded encapsulation key, of [XWingEncapsulationKeySize] bytes, or
// nil if ek is not usable.
func (ek *XWingEncapsulationKey) Bytes() []byte {
	b, err := ek.AppendBinary(nil)
	if err != nil {
		return nil
	}
	return b
}

// AppendBinary appends the encoded encapsulation key to b. It allocates only if b lacks
// room. It implements [encoding.BinaryAppender]; the error matches [ErrNoKey].
func (ek *XWingEncapsulationKey) AppendBinary(b []byte) ([]byte, error) {
	if err := ek.check("XWingEncapsulationKey.AppendBinary"); err != nil {
		return b, err
	}
	all, tail := extend(b, XWingEncapsulationKeySize)
	if _, err := ek.m.AppendBinary(tail[:0]); err != nil {
		return b, err
	}
	copy(tail[mlkem.EncapsulationKeySize768:], ek.x.Bytes())
	return all, nil
}

// Encapsulate generates a shared key, of [XWingSharedKeySize] bytes, and a ciphertext that
// encapsulates it, of [XWingCiphertextSize] bytes, drawing random bytes from crypto/rand
// (draft-connolly-cfrg-xwing-kem, Section 5.4). The shared key must be kept secret.
//
// It panics if ek is nil, was never set, or failed to parse: the shape of
// [crypto.Encapsulator] has no error, and there is no key to return.
// [XWingEncapsulationKey.EncapsulateInto] returns an error instead.
func (ek *XWingEncapsulationKey) Encapsulate() (sharedKey, ciphertext []byte) {
	var k [XWingSharedKeySize]byte
	var c [XWingCiphertextSize]byte
	if err := ek.EncapsulateInto(&k, &c); err != nil {
		panic(err)
	}
	return k[:], c[:]
}

// EncapsulateInto is Encapsulate into memory of the caller's. It allocates what
// crypto/ecdh does. On an error, which matches [ErrNoKey] or [ErrUnavailable], both are
// unchanged.
func (ek *XWingEncapsulationKey) EncapsulateInto(sharedKey *[XWingSharedKeySize]byte, ciphertext *[XWingCiphertextSize]byte) error {
	const op = "XWingEncapsulationKey.Encapsulate"
	if err := ek.check(op); err != nil {
		return err
	}
	private, err := x25519.generate()
	if err != nil {
		return newError(ErrUnavailable, "%s: %v", op, err)
	}
	var ssM [kemSecretSize]byte
	if err := ek.m.EncapsulateInto(&ssM, (*[mlkem.CiphertextSize768]byte)(ciphertext[:])); err != nil {
		return err
	}
	ek.finish(sharedKey, ciphertext, &ssM, private)
	clear(ssM[:])
	return nil
}

// finish is the rest of an encapsulation whose ML-KEM part is made.
func (ek *XWingEncapsulationKey) finish(sharedKey *[XWingSharedKeySize]byte, ciphertext *[XWingCiphertextSize]byte, ssM *[kemSecretSize]byte, private *ecdh.PrivateKey) {
	ctX := ciphertext[mlkem.CiphertextSize768:]
	x25519.putPoint(ctX, private)
	xwingCombine(sharedKey, ssM, private, ek.x, ctX, ek.x)
}

// xwingCombine is the combiner of X-Wing (draft-connolly-cfrg-xwing-kem, Section 5.3):
// SHA3-256 of ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label, with ss_X of private and peer.
func xwingCombine(sharedKey *[XWingSharedKeySize]byte, ssM *[kemSecretSize]byte, private *ecdh.PrivateKey, peer *ecdh.PublicKey, ctX []byte, pkX *ecdh.PublicKey) {
	const label = `\./` + `/^\`
	var input [kemSecretSize + 3*32 + len(label)]byte
	part := copy(input[:], ssM[:])
	// crypto/ecdh's error is a zero secret, which here is a secret like any other.
	if ssX, err := x25519.agree(private, peer); err == nil {
		copy(input[part:], ssX)
		clear(ssX)
	}
	part += 32
	part += copy(input[part:], ctX)
	part += copy(input[part:], pkX.Bytes())
	copy(input[part:], label)

	var h keccak.Sponge
	h.Init(keccak.RateSHA3_256, keccak.DomainSHA3)
	h.Write(input[:])
	h.Read(sharedKey[:])
	h = keccak.Sponge{}
	clear(input[:])
}
