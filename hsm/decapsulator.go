package hsm

import (
	"context"
	"crypto"
	"crypto/subtle"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/pqlane/pqlane/mlkem"
)

// A Decapsulator decapsulates with an ML-KEM private key in a token. It is safe for concurrent
// use. It lasts as long as its token is open.
type Decapsulator struct {
	privateKey
	noLength atomic.Bool // the token refuses CKA_VALUE_LEN in the template
}

var _ crypto.Decapsulator = (*Decapsulator)(nil)

// Decapsulator returns a decapsulator with the one key that matches. Errors match ErrUnsupported, if the
// module has no C_DecapsulateKey, ErrKeyNotFound, ErrAmbiguous, ErrKeyType or ErrKeyPolicy, or
// are those of the token.
func (t *Token) Decapsulator(ctx context.Context, key Key) (*Decapsulator, error) {
	if !t.module.cryptoki.HasDecapsulate() {
		v := t.capabilities.Interface
		return nil, &UnsupportedError{"ML-KEM", fmt.Sprintf("its module has interface %d.%d, without C_DecapsulateKey", v.Major, v.Minor)}
	}
	d := new(Decapsulator)
	d.prove = d.proveDecapsulation
	if err := d.init(ctx, t, key, Decapsulate); err != nil {
		return nil, err
	}
	return d, nil
}

// Encapsulator returns the encapsulation key, of package mlkem.
func (d *Decapsulator) Encapsulator() crypto.Encapsulator { return d.info.Public.(crypto.Encapsulator) }

// Info describes the key as it was when the decapsulator was made.
func (d *Decapsulator) Info() KeyInfo { return d.info.clone() }

// Decapsulate is DecapsulateContext without a context.
func (d *Decapsulator) Decapsulate(ciphertext []byte) (sharedKey []byte, err error) {
	return d.DecapsulateContext(context.Background(), ciphertext)
}

// DecapsulateContext returns the shared key of 32 bytes in a ciphertext. As ML-KEM does, it returns a pseudorandom
// one for a ciphertext that is not of Encapsulate. Errors match ErrSize, ErrKeyNotFound,
// ErrKeyChanged, ErrFaulty or ErrClosed, or are those of ctx or of the token.
func (d *Decapsulator) DecapsulateContext(ctx context.Context, ciphertext []byte) ([]byte, error) {
	if d.guard == nil {
		return d.decapsulate(ctx, nil, ciphertext)
	}
	u := &use{purpose: Decapsulate, key: &d.info}
	var sharedKey []byte
	err := guarded(ctx, d.guard, u, func() (err error) {
		sharedKey, err = d.decapsulate(ctx, u, ciphertext)
		return err
	})
	return sharedKey, err
}

func (d *Decapsulator) decapsulate(ctx context.Context, u *use, ciphertext []byte) ([]byte, error) {
	size := [...]int{mlkem.CiphertextSize512, mlkem.CiphertextSize768, mlkem.CiphertextSize1024}[d.info.Algorithm-MLKEM512]
	if len(ciphertext) != size {
		return nil, fmt.Errorf("%w: a ciphertext of %d bytes, expected %d", ErrSize, len(ciphertext), size)
	}
	input := ciphertext
	if ctx.Done() != nil {
		input = slices.Clone(ciphertext) // an abandoned call goes on with it
	}
	sharedKey := new([mlkem.SharedKeySize]byte)
	err := d.do(ctx, d.guard, u, false, func(ctx context.Context, s *session) error {
		handle, err := d.handle(ctx, s, Decapsulate)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err = d.once(s, handle, input, sharedKey)
		if ctx.Err() != nil { // nobody may be there to have it
			clear(sharedKey[:])
			return context.Cause(ctx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return sharedKey[:], nil
}

// once does the decapsulation, and once more without CKA_VALUE_LEN if the token objects to the template.
func (d *Decapsulator) once(s *session, handle uint, ciphertext []byte, sharedKey *[mlkem.SharedKeySize]byte) error {
	m := d.module.cryptoki
	if !d.noLength.Load() {
		err := m.Decapsulate(s.handle, handle, d.numbers.MLKEM, true, ciphertext, sharedKey)
		switch code(err) {
		default:
			return err
		case ckrAttributeTypeInvalid, ckrAttributeValueInvalid, ckrTemplateInconsistent, ckrTemplateIncomplete:
		}
	}
	err := m.Decapsulate(s.handle, handle, d.numbers.MLKEM, false, ciphertext, sharedKey)
	if err == nil {
		d.noLength.Store(true)
	}
	return err
}

// proveDecapsulation has the key decapsulate what was encapsulated to its public key.
func (d *Decapsulator) proveDecapsulation(s *session, handle uint) error {
	want, ciphertext := d.Encapsulator().Encapsulate()
	var got [mlkem.SharedKeySize]byte
	if err := d.once(s, handle, ciphertext, &got); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(want, got[:]) != 1 {
		return fmt.Errorf("%w: %s does not decapsulate for its public key", ErrKeyChanged, d.info.Key())
	}
	return nil
}
