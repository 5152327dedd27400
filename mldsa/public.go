package mldsa

import (
	"bytes"
	"crypto"
	"sync/atomic"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
)

// A PublicKey verifies signatures. It holds the encoded key and its hash tr, about 2 KB;
// [PublicKey.Precompute] makes a [Verifier], which holds the expanded matrix too.
//
// It is safe for concurrent use once made; SetBytes excludes all other use. The zero
// value is for SetBytes and refuses everything else.
type PublicKey struct {
	p       *params
	encoded []byte // ρ ‖ packed t₁
	state   state
	shared  bool // it is part of a PrivateKey

	// tr = H(pk) takes as long as a third of a verification, and nothing if it rides beside
	// the expansion of Â: the first operation that needs it computes it.
	tr      [64]byte
	trState atomic.Uint32 // trUnknown, or trKnown when tr can be read
}

const (
	trUnknown = iota
	trBeingSet
	trKnown
)

// setTR keeps tr, unless another goroutine does.
func (pk *PublicKey) setTR(tr *[64]byte) {
	if pk.trState.CompareAndSwap(trUnknown, trBeingSet) {
		pk.tr = *tr
		pk.trState.Store(trKnown)
	}
}

// hash sets tr to the hash of pk.
func (pk *PublicKey) hash(tr *[64]byte, s *keccak.Sponge) {
	if pk.trState.Load() == trKnown {
		*tr = pk.tr
		return
	}
	s.Init(keccak.RateSHAKE256, keccak.DomainSHAKE)
	s.Write(pk.encoded)
	s.Read(tr[:])
	pk.setTR(tr)
}

func (pk *PublicKey) check(op string) error {
	if pk == nil {
		return unset.check(op)
	}
	return pk.state.check(op)
}

// NewPublicKey parses an encoded public key (FIPS 204, Algorithm 23), of which every string
// of the right length is one. Errors match [ErrSize] or [ErrParameters].
func NewPublicKey(p Parameters, encoding []byte) (*PublicKey, error) {
	pk := newPublicKey(len(encoding))
	if err := pk.setBytes("NewPublicKey", p, encoding); err != nil {
		return nil, err
	}
	return pk, nil
}

// newPublicKey returns an unset key and, in the same block, room for an encoding of size bytes
// if a set has such keys.
func newPublicKey(size int) *PublicKey {
	switch size {
	case MLDSA44PublicKeySize:
		k := new(struct {
			PublicKey
			memory [MLDSA44PublicKeySize]byte
		})
		k.encoded = k.memory[:0]
		return &k.PublicKey
	case MLDSA65PublicKeySize:
		k := new(struct {
			PublicKey
			memory [MLDSA65PublicKeySize]byte
		})
		k.encoded = k.memory[:0]
		return &k.PublicKey
	case MLDSA87PublicKeySize:
		k := new(struct {
			PublicKey
			memory [MLDSA87PublicKeySize]byte
		})
		k.encoded = k.memory[:0]
		return &k.PublicKey
	}
	return new(PublicKey)
}

// SetBytes replaces pk with the public key in b, as [NewPublicKey] parses it. It does not
// allocate if pk has held a key of this size before. After an error pk refuses use. The
// public key of a private key can't be replaced: the error then matches [ErrShared].
func (pk *PublicKey) SetBytes(p Parameters, b []byte) error {
	const op = "PublicKey.SetBytes"
	if pk == nil {
		return unset.check(op)
	}
	if pk.shared {
		return newError(ErrShared, "%s: the key belongs to a private key", op)
	}
	return pk.setBytes(op, p, b)
}

func (pk *PublicKey) setBytes(op string, p Parameters, b []byte) error {
	pk.state = unset
	if p.params == nil {
		return newError(ErrParameters, "%s: no parameter set", op)
	}
	if err := checkSize(op, p.name, "public key", len(b), p.publicKeySize()); err != nil {
		return err
	}
	pk.p = p.params
	pk.encoded = append(pk.encoded[:0], b...)
	pk.trState.Store(trUnknown)
	pk.state = ready
	return nil
}

// Bytes returns the encoded public key, or nil if pk is not usable.
func (pk *PublicKey) Bytes() []byte {
	if pk.check("") != nil {
		return nil
	}
	return bytes.Clone(pk.encoded)
}

// Equal reports whether x is a *PublicKey of the same set and encoding.
func (pk *PublicKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(*PublicKey)
	return ok && pk.check("") == nil && other.check("") == nil &&
		pk.p == other.p && bytes.Equal(pk.encoded, other.encoded)
}

// Parameters returns the parameter set of pk.
func (pk *PublicKey) Parameters() Parameters {
	if pk == nil {
		return Parameters{}
	}
	return Parameters{pk.p}
}

// rho returns ρ, and t1 the packed t₁ of row i.
func (pk *PublicKey) rho() []byte { return pk.encoded[:32] }
func (pk *PublicKey) t1(i int) []byte {
	return pk.encoded[32+i*dsaring.SizeT1:][:dsaring.SizeT1]
}
