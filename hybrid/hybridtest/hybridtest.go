// Package hybridtest provides derandomised key exchange and encapsulation for known-answer
// tests, which must not be used for anything else: a secret is as secret as the randomness.
package hybridtest

import (
	"crypto/ecdh"
	"fmt"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/hybrid/internal/hook"
	"github.com/pqlane/pqlane/mlkem"
	"github.com/pqlane/pqlane/mlkem/mlkemtest"
)

// GenerateShare is [hybrid.Group.GenerateShare] with a key of the group's curve and the
// seed, d ‖ z, of an ML-KEM key; each is ignored if the group lacks the part. The error
// matches [hybrid.ErrGroup] or [mlkem.ErrSize].
func GenerateShare(g hybrid.Group, private *ecdh.PrivateKey, seed []byte) (e hybrid.Ephemeral, clientShare []byte, err error) {
	dk, err := decapsulationKey(g, seed)
	if err != nil {
		return e, nil, err
	}
	ephemeral, clientShare, err := hook.GenerateShare(g.ID(), private, dk)
	if err != nil {
		return e, nil, err
	}
	return ephemeral.(hybrid.Ephemeral), clientShare, nil
}

// decapsulationKey returns a key of the group's parameter set, or nil if it has none.
func decapsulationKey(g hybrid.Group, seed []byte) (any, error) {
	switch g {
	case hybrid.MLKEM512:
		return mlkem.NewDecapsulationKey512(seed)
	case hybrid.X25519MLKEM768, hybrid.SecP256r1MLKEM768, hybrid.MLKEM768:
		return mlkem.NewDecapsulationKey768(seed)
	case hybrid.SecP384r1MLKEM1024, hybrid.MLKEM1024:
		return mlkem.NewDecapsulationKey1024(seed)
	}
	return nil, nil
}

// Accept is [hybrid.Group.Accept] with a key of the group's curve and the 32 bytes of
// random of an encapsulation; each is ignored if the group lacks the part. The error is
// Accept's or matches [mlkem.ErrSize].
func Accept(g hybrid.Group, clientShare []byte, private *ecdh.PrivateKey, random []byte) (serverShare, secret []byte, err error) {
	return hook.Accept(g.ID(), clientShare, private, func(ek []byte) (sharedKey, ciphertext []byte, err error) {
		return encapsulate(ek, random)
	})
}

// AcceptSharedKey is Accept with the ML-KEM shared key given, of [mlkem.SharedKeySize]
// bytes, for answers that give nothing else of ML-KEM. The ciphertext is zero. The error is
// Accept's.
func AcceptSharedKey(g hybrid.Group, clientShare []byte, private *ecdh.PrivateKey, sharedKey []byte) (serverShare, secret []byte, err error) {
	return hook.Accept(g.ID(), clientShare, private, func([]byte) ([]byte, []byte, error) {
		return sharedKey, nil, nil
	})
}

// EncapsulateXWing is the encapsulation of X-Wing with 64 bytes of randomness
// (draft-connolly-cfrg-xwing-kem, Section 5.4.1, EncapsulateDerand). The error matches
// [hybrid.ErrSize], [hybrid.ErrNoKey] or [hybrid.ErrUnavailable].
func EncapsulateXWing(ek *hybrid.XWingEncapsulationKey, random []byte) (sharedKey, ciphertext []byte, err error) {
	if len(random) != 64 {
		return nil, nil, fmt.Errorf("%w: hybridtest.EncapsulateXWing: randomness of %d bytes, want 64", hybrid.ErrSize, len(random))
	}
	private, err := ecdh.X25519().NewPrivateKey(random[32:])
	if err != nil {
		return nil, nil, fmt.Errorf("%w: hybridtest.EncapsulateXWing: %v", hybrid.ErrUnavailable, err)
	}
	return hook.XWing(ek, private, func(ek []byte) (sharedKey, ciphertext []byte, err error) {
		return encapsulate(ek, random[:32])
	})
}

// encapsulate is ML-KEM's, in the parameter set of which ek has the size.
func encapsulate(ek, random []byte) (sharedKey, ciphertext []byte, err error) {
	switch len(ek) {
	case mlkem.EncapsulationKeySize512:
		return encapsulateTo(ek, random, mlkem.NewEncapsulationKey512, mlkemtest.Encapsulate512)
	case mlkem.EncapsulationKeySize768:
		return encapsulateTo(ek, random, mlkem.NewEncapsulationKey768, mlkemtest.Encapsulate768)
	}
	return encapsulateTo(ek, random, mlkem.NewEncapsulationKey1024, mlkemtest.Encapsulate1024)
}

func encapsulateTo[EK any](ek, random []byte, parse func([]byte) (EK, error), encapsulate func(EK, []byte) (sharedKey, ciphertext []byte, err error)) (sharedKey, ciphertext []byte, err error) {
	parsed, err := parse(ek)
	if err != nil {
		return nil, nil, err
	}
	return encapsulate(parsed, random)
}
