package mlkem

import (
	"crypto"
	"crypto/rand"

	"github.com/pqlane/pqlane/internal/alloc"
	"github.com/pqlane/pqlane/internal/kemring"
)

// An EncapsulationKey768 is the public key used to produce ciphertexts that the
// corresponding [DecapsulationKey768] decapsulates. It holds the expanded matrix Â, so
// that encapsulating again costs no parsing, and takes about 6 KB.
//
// It is safe for concurrent use once made; SetBytes excludes all other use. The zero
// value is for SetBytes and refuses everything else.
type EncapsulationKey768 struct {
	a      [9]kemring.Poly
	t      [3]kemring.Poly
	rho    [32]byte
	h      keyHash
	state  state
	shared bool // it is part of a DecapsulationKey768
}

// A DecapsulationKey768 is the secret key used to decapsulate a shared key from a
// ciphertext. It holds what can be computed in advance and takes about 8 KB.
//
// It is safe for concurrent use once made; Generate and Destroy exclude all other
// use. The zero value is for Generate and refuses everything else.
type DecapsulationKey768 struct {
	s        [3]kemring.Poly // first: polynomials start on cache lines
	ek       EncapsulationKey768
	d, z     [32]byte
	state    state
	expanded bool // made from an expanded key: d is not known
}

var (
	_ crypto.Encapsulator = (*EncapsulationKey768)(nil)
	_ crypto.Decapsulator = (*DecapsulationKey768)(nil)
)

// view sets pk to ek's arrays.
func (ek *EncapsulationKey768) view(pk *publicKey) {
	pk.params, pk.a, pk.t, pk.rho, pk.h = &params768, ek.a[:], ek.t[:], &ek.rho, &ek.h
}

// view sets sk to dk's arrays.
func (dk *DecapsulationKey768) view(sk *secretKey) {
	dk.ek.view(&sk.publicKey)
	sk.s, sk.z = dk.s[:], &dk.z
}

func (ek *EncapsulationKey768) check(op string) error {
	if ek == nil {
		return unset.check(op)
	}
	return ek.state.check(op)
}

func (dk *DecapsulationKey768) check(op string) error {
	if dk == nil {
		return unset.check(op)
	}
	return dk.state.check(op)
}

// GenerateKey768 generates a new decapsulation key, drawing random bytes from
// crypto/rand (FIPS 203, Algorithm 19). The error is always nil.
func GenerateKey768() (*DecapsulationKey768, error) {
	dk := alloc.Uncleared[DecapsulationKey768]()
	return dk, dk.Generate()
}

// NewDecapsulationKey768 expands a decapsulation key from a seed of [SeedSize] bytes in
// the form d ‖ z (FIPS 203, Algorithm 16). The seed must be uniformly random and secret.
// A seed of another length is an error that matches [ErrSize].
func NewDecapsulationKey768(seed []byte) (*DecapsulationKey768, error) {
	if err := checkSize("NewDecapsulationKey768", params768.name, "seed", len(seed), SeedSize); err != nil {
		return nil, err
	}
	dk := alloc.Uncleared[DecapsulationKey768]()
	dk.setSeed(seed)
	return dk, nil
}

// NewDecapsulationKey768FromExpanded parses a decapsulation key in its expanded form of
// [ExpandedKeySize768] bytes, with the checks of FIPS 203, Section 7.3. Such a key has no
// seed: Bytes returns nil. Errors match [ErrSize], [ErrCoefficient] or [ErrHash].
func NewDecapsulationKey768FromExpanded(dk []byte) (*DecapsulationKey768, error) {
	key := new(DecapsulationKey768)
	w := newScratch()
	key.view(&w.key)
	err := w.setExpanded("NewDecapsulationKey768FromExpanded", dk)
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
func (dk *DecapsulationKey768) Generate() error {
	if dk == nil {
		return unset.check("DecapsulationKey768.Generate")
	}
	var seed [SeedSize]byte
	rand.Read(seed[:]) // never fails
	dk.setSeed(seed[:])
	clear(seed[:])
	return nil
}

func (dk *DecapsulationKey768) setSeed(seed []byte) {
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
func (dk *DecapsulationKey768) Bytes() []byte {
	if dk.check("") != nil || dk.expanded {
		return nil
	}
	return append(append(make([]byte, 0, SeedSize), dk.d[:]...), dk.z[:]...)
}

// ExpandedBytes returns the decapsulation key in the expanded form of FIPS 203, of
// [ExpandedKeySize768] bytes, or nil if it is not usable. The result is secret.
func (dk *DecapsulationKey768) ExpandedBytes() []byte {
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
func (dk *DecapsulationKey768) Decapsulate(ciphertext []byte) (sharedKey []byte, err error) {
	// Inlined into the caller, the allocation can be on its stack.
	return dk.decapsulate(new([SharedKeySize]byte), ciphertext)
}

func (dk *DecapsulationKey768) decapsulate(sharedKey *[SharedKeySize]byte, ciphertext []byte) ([]byte, error) {
	if err := dk.DecapsulateInto(sharedKey, ciphertext); err != nil {
		return nil, err
	}
	return sharedKey[:], nil
}

// DecapsulateInto is Decapsulate into memory of the caller's; it allocates nothing. On
// an error sharedKey is unchanged.
func (dk *DecapsulationKey768) DecapsulateInto(sharedKey *[SharedKeySize]byte, ciphertext []byte) error {
	const op = "DecapsulationKey768.Decapsulate"
	if err := dk.check(op); err != nil {
		return err
	}
	if err := checkSize(op, params768.name, "ciphertext", len(ciphertext), CiphertextSize768); err != nil {
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
func (dk *DecapsulationKey768) EncapsulationKey() *EncapsulationKey768 {
	if dk == nil {
		return nil
	}
	return &dk.ek
}

// Encapsulator returns the encapsulation key, like [DecapsulationKey768.EncapsulationKey].
// It implements [crypto.Decapsulator].
func (dk *DecapsulationKey768) Encapsulator() crypto.Encapsulator {
	return dk.EncapsulationKey()
}

// AppendEncapsulationKey appends the encoded encapsulation key, of
// [EncapsulationKeySize768] bytes, to b. It allocates only if b lacks room. The error
// matches [ErrNoKey] or [ErrDestroyed].
func (dk *DecapsulationKey768) AppendEncapsulationKey(b []byte) ([]byte, error) {
	if err := dk.check("DecapsulationKey768.AppendEncapsulationKey"); err != nil {
		return b, err
	}
	return dk.ek.AppendBinary(b)
}

// Destroy zeroes the secrets in dk, as far as Go lets a program do so; later use
// returns [ErrDestroyed]. The encapsulation key stays usable.
func (dk *DecapsulationKey768) Destroy() {
	if dk == nil {
		return
	}
	clear(dk.s[:])
	clear(dk.d[:])
	clear(dk.z[:])
	dk.state = destroyed
}

// NewEncapsulationKey768 parses an encapsulation key of [EncapsulationKeySize768] bytes
// (FIPS 203, Section 7.2). Errors match [ErrSize] or [ErrCoefficient].
func NewEncapsulationKey768(encapsulationKey []byte) (*EncapsulationKey768, error) {
	ek := alloc.Uncleared[EncapsulationKey768]()
	ek.shared = false
	if err := ek.setBytes("NewEncapsulationKey768", encapsulationKey); err != nil {
		return nil, err
	}
	return ek, nil
}

// SetBytes replaces ek with the encapsulation key in b, as [NewEncapsulationKey768]
// parses it, without allocating. After an error ek refuses use. The encapsulation key
// of a decapsulation key can't be replaced: the error then matches [ErrShared].
func (ek *EncapsulationKey768) SetBytes(b []byte) error {
	const op = "EncapsulationKey768.SetBytes"
	if ek == nil {
		return unset.check(op)
	}
	if ek.shared {
		return newError(ErrShared, "%s: the key belongs to a decapsulation key", op)
	}
	return ek.setBytes(op, b)
}

func (ek *EncapsulationKey768) setBytes(op string, b []byte) error {
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

// Bytes returns the encoded encapsulation key, of [EncapsulationKeySize768] bytes, or
// nil if ek is not usable.
func (ek *EncapsulationKey768) Bytes() []byte {
	b, err := ek.AppendBinary(make([]byte, 0, EncapsulationKeySize768))
	if err != nil {
		return nil
	}
	return b
}

// AppendBinary appends the encoded encapsulation key to b. It allocates only if b lacks
// room. It implements [encoding.BinaryAppender]; the error matches [ErrNoKey].
func (ek *EncapsulationKey768) AppendBinary(b []byte) ([]byte, error) {
	if err := ek.check("EncapsulationKey768.AppendBinary"); err != nil {
		return b, err
	}
	var pk publicKey
	ek.view(&pk)
	return pk.appendBytes(b), nil
}

// Encapsulate generates a shared key, of [SharedKeySize] bytes, and a ciphertext that
// encapsulates it, of [CiphertextSize768] bytes, drawing random bytes from crypto/rand
// (FIPS 203, Algorithm 20). The shared key must be kept secret.
//
// It panics if ek is nil, was never set, or failed to parse: the shape of
// [crypto.Encapsulator] has no error, and there is no key to return.
// [EncapsulationKey768.EncapsulateInto] returns an error instead.
func (ek *EncapsulationKey768) Encapsulate() (sharedKey, ciphertext []byte) {
	return ek.encapsulate(new([SharedKeySize]byte), new([CiphertextSize768]byte))
}

func (ek *EncapsulationKey768) encapsulate(sharedKey *[SharedKeySize]byte, ciphertext *[CiphertextSize768]byte) (_, _ []byte) {
	if err := ek.EncapsulateInto(sharedKey, ciphertext); err != nil {
		panic(err)
	}
	return sharedKey[:], ciphertext[:]
}

// EncapsulateInto is Encapsulate into memory of the caller's; it allocates nothing. On
// an error, which matches [ErrNoKey], both are unchanged.
func (ek *EncapsulationKey768) EncapsulateInto(sharedKey *[SharedKeySize]byte, ciphertext *[CiphertextSize768]byte) error {
	if err := ek.check("EncapsulationKey768.Encapsulate"); err != nil {
		return err
	}
	w := newScratch()
	ek.view(&w.key.publicKey)
	rand.Read(w.m[:]) // never fails
	w.encapsulate(&w.key.publicKey, sharedKey, ciphertext[:])
	w.release()
	return nil
}
