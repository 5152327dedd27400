package hybrid

import (
	"crypto"
	"crypto/hpke"
	stdmlkem "crypto/mlkem"
	"errors"

	"github.com/pqlane/pqlane/mlkem"
)

// ErrHPKE is a key that crypto/hpke has no KEM for.
var ErrHPKE = errors.New("hybrid: no KEM of crypto/hpke")

// HPKEPrivateKey returns a private key of crypto/hpke that decapsulates with key, an
// *[XWingDecapsulationKey], *[mlkem.DecapsulationKey768] or *[mlkem.DecapsulationKey1024]
// (draft-ietf-hpke-pq). ML-KEM-512 is none of crypto/hpke's. The error matches [ErrHPKE]
// or is that of a key which is not usable.
//
// crypto/hpke takes another library's ML-KEM for decapsulation alone, and only if its
// Encapsulator is a key of crypto/mlkem; HPKEPrivateKey makes one, which costs its parsing.
// The X25519 half and the combiner are crypto/hpke's, which, unlike
// [XWingDecapsulationKey.Decapsulate], refuses an X25519 part of small order. The result of
// an X-Wing key has no Bytes, since crypto/hpke keeps a seed only of the keys that it
// expands.
//
// Destroy of key ends the use of the result.
func HPKEPrivateKey(key crypto.Decapsulator) (hpke.PrivateKey, error) {
	switch key := key.(type) {
	case *XWingDecapsulationKey:
		if err := key.check("HPKEPrivateKey"); err != nil {
			return nil, err
		}
		kem, err := newHPKEKEM(key.m, stdmlkem.NewEncapsulationKey768)
		if err != nil {
			return nil, err
		}
		return hpke.NewHybridPrivateKey(kem, key.x)
	case *mlkem.DecapsulationKey768:
		kem, err := newHPKEKEM(key, stdmlkem.NewEncapsulationKey768)
		if err != nil {
			return nil, err
		}
		return hpke.NewMLKEMPrivateKey(kem)
	case *mlkem.DecapsulationKey1024:
		kem, err := newHPKEKEM(key, stdmlkem.NewEncapsulationKey1024)
		if err != nil {
			return nil, err
		}
		return hpke.NewMLKEMPrivateKey(kem)
	}
	return nil, newError(ErrHPKE, "HPKEPrivateKey: %T, want a key of X-Wing, ML-KEM-768 or ML-KEM-1024", key)
}

// HPKEPublicKey returns the public key of crypto/hpke that is key, an
// *[XWingEncapsulationKey], *[mlkem.EncapsulationKey768] or *[mlkem.EncapsulationKey1024].
// crypto/hpke takes no other library's encapsulation: its own runs. Errors match [ErrHPKE]
// or [ErrNoKey].
func HPKEPublicKey(key crypto.Encapsulator) (hpke.PublicKey, error) {
	var kem hpke.KEM
	switch key.(type) {
	case *XWingEncapsulationKey:
		kem = hpke.MLKEM768X25519()
	case *mlkem.EncapsulationKey768:
		kem = hpke.MLKEM768()
	case *mlkem.EncapsulationKey1024:
		kem = hpke.MLKEM1024()
	default:
		return nil, newError(ErrHPKE, "HPKEPublicKey: %T, want a key of X-Wing, ML-KEM-768 or ML-KEM-1024", key)
	}
	b := key.Bytes()
	if b == nil {
		return nil, newError(ErrNoKey, "HPKEPublicKey: the key is nil, was never set, or failed to parse")
	}
	return kem.NewPublicKey(b)
}

// An hpkeKEM is a decapsulation key as crypto/hpke wants it: with a key of crypto/mlkem for
// its Encapsulator.
type hpkeKEM struct {
	crypto.Decapsulator
	ek crypto.Encapsulator
}

func (k *hpkeKEM) Encapsulator() crypto.Encapsulator { return k.ek }

// An hpkeSeedKEM is one whose seed is known, for which crypto/hpke asks.
type hpkeSeedKEM struct {
	hpkeKEM
	bytes func() []byte
}

func (k *hpkeSeedKEM) Bytes() []byte { return k.bytes() }

// newHPKEKEM adapts an ML-KEM key, whose error it returns if it is not usable.
func newHPKEKEM[DK interface {
	crypto.Decapsulator
	AppendEncapsulationKey(b []byte) ([]byte, error)
	Bytes() []byte
}, EK crypto.Encapsulator](dk DK, parse func([]byte) (EK, error)) (crypto.Decapsulator, error) {
	b, err := dk.AppendEncapsulationKey(nil)
	if err != nil {
		return nil, err
	}
	ek, err := parse(b)
	if err != nil {
		return nil, err
	}
	if dk.Bytes() == nil {
		return &hpkeKEM{dk, ek}, nil
	}
	return &hpkeSeedKEM{hpkeKEM{dk, ek}, dk.Bytes}, nil
}
