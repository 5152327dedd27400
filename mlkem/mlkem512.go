package mlkem

import (
	"crypto"
	"crypto/rand"

	"github.com/pqlane/pqlane/internal/alloc"
	"github.com/pqlane/pqlane/internal/kemring"
)

// An EncapsulationKey512 is the public key used to produce ciphertexts that the
// corresponding [DecapsulationKey512] decapsulates. It holds the expanded matrix Â, so
// that encapsulating again costs no parsing, and takes about 3 KB.
//
// It is safe for concurrent use once made; SetBytes excludes all other use. The zero
// value is for SetBytes and refuses everything else.
type EncapsulationKey512 struct {
	a      [4]kemring.Poly
	t      [2]kemring.Poly
	rho    [32]byte
	h      keyHash
	state  state
	shared bool // it is part of a DecapsulationKey512
}

// A DecapsulationKey512 is the secret key used to decapsulate a shared key from a
// ciphertext. It holds what can be computed in advance and takes about 4 KB.
//
// It is safe for concurrent use once made; Generate and Destroy exclude all other
// use. The zero value is for Generate and refuses everything else.
type DecapsulationKey512 struct {
	s        [2]kemring.Poly // first: polynomials start on cache lines
	ek       EncapsulationKey512
	d, z     [32]byte
	state    state
	expanded bool // made from an expanded key: d is not known
}

var (
	_ crypto.Encapsulator = (*EncapsulationKey512)(nil)
	_ crypto.Decapsulator = (*DecapsulationKey512)(nil)
)

// view sets pk to ek's arrays.
func (ek *EncapsulationKey512) view(pk *publicKey) {
	pk.params, pk.a, pk.t, pk.rho, pk.h = &params512, ek.a[:], ek.t[:], &ek.rho, &ek.h
}

// view sets sk to dk's arrays.
func (dk *DecapsulationKey512) view(sk *secretKey) {
	dk.ek.view(&sk.publicKey)
	sk.s, sk.z = dk.s[:], &dk.z
}

func (ek *EncapsulationKey512) check(op string) error {
	if ek == nil {
		return unset.check(op)
	}
	return ek.state.check(op)
}

func (dk *DecapsulationKey512) check(op string) error {
	if dk == nil {
		return unset.check(op)
	}
	return dk.state.check(op)
}

// GenerateKey512 generates a new decapsulation key, drawing random bytes from
// crypto/rand (FIPS 203, Algorithm 19). The error is always nil.
func GenerateKey512() (*DecapsulationKey512, error) {
	dk := alloc.Uncleared[DecapsulationKey512]()
	return dk, dk.Generate()
}

// NewDecapsulationKey512 expands a decapsulation key from a seed of [SeedSize] bytes in
// the form d ‖ z (FIPS 203, Algorithm 16). The seed must be uniformly random and secret.
// A seed of another length is an error that matches [ErrSize].
func NewDecapsulationKey512(seed []byte) (*DecapsulationKey512, error) {
	if err := checkSize("NewDecapsulationKey512", params512.name, "seed", len(seed), SeedSize); err != nil {
		return nil, err
	}
	dk := alloc.Uncleared[DecapsulationKey512]()
	dk.setSeed(seed)
	return dk, nil
}

// NewDecapsulationKey512FromExpanded parses a decapsulation key in its expanded form of
// [ExpandedKeySize512] bytes, with the checks of FIPS 203, Section 7.3. Such a key has no
// seed: Bytes returns nil. Errors match [ErrSize], [ErrCoefficient] or [ErrHash].
func NewDecapsulationKey512FromExpanded(dk []byte) (*DecapsulationKey512, error) {
	key := new(DecapsulationKey512)
	w := newScratch()
	key.view(&w.key)
	err := w.setExpanded("NewDecapsulationKey512FromExpanded", dk)
	w.release()
	if err != nil {
		key.Destroy()
		return nil, err
	}
	key.state, key.ek.state, key.ek.shared, key.expanded = ready, ready, true, true
	return key, nil
}

// Generate replaces dk with a new key, drawing random bytes from crypto/rand, without
// allocating. The encapsulation key that dk has given out before changes with it. The
// error is nil unless dk is.
func (dk *DecapsulationKey512) Generate() error {
	if dk == nil {
		return unset.check("DecapsulationKey512.Generate")
	}
	var seed [SeedSize]byte
	rand.Read(seed[:]) // never fails
	dk.setSeed(seed[:])
	clear(seed[:])
	return nil
}

func (dk *DecapsulationKey512) setSeed(seed []byte) {
	copy(dk.d[:], seed[:32])
	copy(dk.z[:], seed[32:])
	w := newScratch()
	dk.view(&w.key)
	w.keyGen(&w.key, &dk.d)
	w.release()
	dk.state, dk.ek.state, dk.ek.shared, dk.expanded = ready, ready, true, false
}

// Bytes returns the decapsulation key as a seed of [SeedSize] bytes in the form d ‖ z,
// or nil if it was made from an expanded key or is not usable. The result is secret.
func (dk *DecapsulationKey512) Bytes() []byte {
	if dk.check("") != nil || dk.expanded {
		return nil
	}
	return append(append(make([]byte, 0, SeedSize), dk.d[:]...), dk.z[:]...)
}

// ExpandedBytes returns the decapsulation key in the expanded form of FIPS 203, of
// [ExpandedKeySize512] bytes, or nil if it is not usable. The result is secret.
func (dk *DecapsulationKey512) ExpandedBytes() []byte {
	if dk.check("") != nil {
		return nil
	}
	var sk secretKey
	dk.view(&sk)
	return sk.expandedBytes()
}

// Decapsulate returns the shared key, of [SharedKeySize] bytes, that the ciphertext
// encapsulates (FIPS 203, Algorithm 21). A ciphertext of the right length that was not
// made for this key gives a pseudorandom key and no error (implicit rejection). Errors
// match [ErrSize], [ErrNoKey] or [ErrDestroyed].
func (dk *DecapsulationKey512) Decapsulate(ciphertext []byte) (sharedKey []byte, err error) {
	// Inlined into the caller, the allocation can be on its stack.
	return dk.decapsulate(new([SharedKeySize]byte), ciphertext)
}

func (dk *DecapsulationKey512) decapsulate(sharedKey *[SharedKeySize]byte, ciphertext []byte) ([]byte, error) {
	if err := dk.DecapsulateInto(sharedKey, ciphertext); err != nil {
		return nil, err
	}
	return sharedKey[:], nil
}

// DecapsulateInto is Decapsulate into memory of the caller's; it allocates nothing. On
// an error sharedKey is unchanged.
func (dk *DecapsulationKey512) DecapsulateInto(sharedKey *[SharedKeySize]byte, ciphertext []byte) error {
	const op = "DecapsulationKey512.Decapsulate"
	if err := dk.check(op); err != nil {
		return err
	}
	if err := checkSize(op, params512.name, "ciphertext", len(ciphertext), CiphertextSize512); err != nil {
		return err
	}
	w := newScratch()
	dk.view(&w.key)
	w.decapsulate(&w.key, sharedKey, ciphertext)
	w.release()
	return nil
}

// EncapsulationKey returns the public encapsulation key. It shares dk's memory, and
// stays usable after dk.Destroy. It is nil if dk is.
func (dk *DecapsulationKey512) EncapsulationKey() *EncapsulationKey512 {
	if dk == nil {
		return nil
	}
	return &dk.ek
}

// Encapsulator returns the encapsulation key, like [DecapsulationKey512.EncapsulationKey].
// It implements [crypto.Decapsulator].
func (dk *DecapsulationKey512) Encapsulator() crypto.Encapsulator {
	return dk.EncapsulationKey()
}

// AppendEncapsulationKey appends the encoded encapsulation key, of
// [EncapsulationKeySize512] bytes, to b. It allocates only if b lacks room. The error
// matches [ErrNoKey] or [ErrDestroyed].
func (dk *DecapsulationKey512) AppendEncapsulationKey(b []byte) ([]byte, error) {
	if err := dk.check("DecapsulationKey512.AppendEncapsulationKey"); err != nil {
		return b, err
	}
	return dk.ek.AppendBinary(b)
}

// Destroy zeroes the secrets in dk, as far as Go lets a program do so; later use
// returns [ErrDestroyed]. The encapsulation key stays usable.
func (dk *DecapsulationKey512) Destroy() {
	if dk == nil {
		return
	}
	clear(dk.s[:])
	clear(dk.d[:])
	clear(dk.z[:])
	dk.state = destroyed
}

// NewEncapsulationKey512 parses an encapsulation key of [EncapsulationKeySize512] bytes
// (FIPS 203, Section 7.2). Errors match [ErrSize] or [ErrCoefficient].
func NewEncapsulationKey512(encapsulationKey []byte) (*EncapsulationKey512, error) {
	ek := alloc.Uncleared[EncapsulationKey512]()
	ek.shared = false
	if err := ek.setBytes("NewEncapsulationKey512", encapsulationKey); err != nil {
		return nil, err
	}
	return ek, nil
}

// SetBytes replaces ek with the encapsulation key in b, as [NewEncapsulationKey512]
// parses it, without allocating. After an error ek refuses use. The encapsulation key
// of a decapsulation key can't be replaced: the error then matches [ErrShared].
func (ek *EncapsulationKey512) SetBytes(b []byte) error {
	const op = "EncapsulationKey512.SetBytes"
	if ek == nil {
		return unset.check(op)
	}
	if ek.shared {
		return newError(ErrShared, "%s: the key belongs to a decapsulation key", op)
	}
	return ek.setBytes(op, b)
}

func (ek *EncapsulationKey512) setBytes(op string, b []byte) error {
	ek.state = unset
	w := newScratch()
	ek.view(&w.key.publicKey)
	err := w.set(op, b)
	w.release()
	if err != nil {
		return err
	}
	ek.state = ready
	return nil
}

// Bytes returns the encoded encapsulation key, of [EncapsulationKeySize512] bytes, or
// nil if ek is not usable.
func (ek *EncapsulationKey512) Bytes() []byte {
	b, err := ek.AppendBinary(make([]byte, 0, EncapsulationKeySize512))
	if err != nil {
		return nil
	}
	return b
}

// AppendBinary appends the encoded encapsulation key to b. It allocates only if b lacks
// room. It implements [encoding.BinaryAppender]; the error matches [ErrNoKey].
func (ek *EncapsulationKey512) AppendBinary(b []byte) ([]byte, error) {
	if err := ek.check("EncapsulationKey512.AppendBinary"); err != nil {
		return b, err
	}
	var pk publicKey
	ek.view(&pk)
	return pk.appendBytes(b), nil
}

// Encapsulate generates a shared key, of [SharedKeySize] bytes, and a ciphertext that
// encapsulates it, of [CiphertextSize512] bytes, drawing random bytes from crypto/rand
// (FIPS 203, Algorithm 20). The shared key must be kept secret.
//
// It panics if ek is nil, was never set, or failed to parse: the shape of
// [crypto.Encapsulator] has no error, and there is no key to return.
// [EncapsulationKey512.EncapsulateInto] returns an error instead.
func (ek *EncapsulationKey512) Encapsulate() (sharedKey, ciphertext []byte) {
	return ek.encapsulate(new([SharedKeySize]byte), new([CiphertextSize512]byte))
}

func (ek *EncapsulationKey512) encapsulate(sharedKey *[SharedKeySize]byte, ciphertext *[CiphertextSize512]byte) (_, _ []byte) {
	if err := ek.EncapsulateInto(sharedKey, ciphertext); err != nil {
		panic(err)
	}
	return sharedKey[:], ciphertext[:]
}

// EncapsulateInto is Encapsulate into memory of the caller's; it allocates nothing. On
// an error, which matches [ErrNoKey], both are unchanged.
func (ek *EncapsulationKey512) EncapsulateInto(sharedKey *[SharedKeySize]byte, ciphertext *[CiphertextSize512]byte) error {
	if err := ek.check("EncapsulationKey512.Encapsulate"); err != nil {
		return err
	}
	w := newScratch()
	ek.view(&w.key.publicKey)
	rand.Read(w.m[:]) // never fails
	w.encapsulate(&w.key.publicKey, sharedKey, ciphertext[:])
	w.release()
	return nil
}
