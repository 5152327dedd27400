package mldsa

import (
	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/mldsa/internal/hook"
)

func init() {
	hook.Sign = func(sk any, mu *[64]byte, rnd *[32]byte) ([]byte, error) {
		const op = "mldsatest.Sign"
		key, _ := sk.(*PrivateKey)
		if err := key.check(op); err != nil {
			return nil, err
		}
		return key.appendInternal(op, nil, &signedMessage{mu: mu}, rnd)
	}
	hook.TR = func(pk any) ([64]byte, error) {
		key, _ := pk.(*PublicKey)
		if err := key.check("mldsatest.TR"); err != nil {
			return [64]byte{}, err
		}
		var s keccak.Sponge
		var tr [64]byte
		key.hash(&tr, &s)
		return tr, nil
	}
}
