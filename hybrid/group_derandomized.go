package hybrid

import (
	"bytes"
	"crypto/ecdh"

	"github.com/pqlane/pqlane/hybrid/internal/hook"
)

func init() {
	hook.GenerateShare = generateShareDerandomized
	hook.Accept = acceptDerandomized
}

// generateShareDerandomized and acceptDerandomized are what hybridtest makes public, for
// tests.
func generateShareDerandomized(id uint16, private *ecdh.PrivateKey, dk any) (ephemeral any, clientShare []byte, err error) {
	g, err := Group(id).lookup()
	if err != nil {
		return Ephemeral{}, nil, err
	}
	i := new(initiator)
	if g.kem != noKEM {
		i.dk = dk.(decapsulationKey)
	}
	e, share := g.begin(nil, i, private)
	return e, share, nil
}

func acceptDerandomized(id uint16, clientShare []byte, private *ecdh.PrivateKey, encapsulate func(ek []byte) (sharedKey, ciphertext []byte, err error)) (serverShare, secret []byte, err error) {
	g, err := Group(id).lookup()
	if err != nil {
		return nil, nil, err
	}
	r := &responder{private: private}
	if g.kem != noKEM {
		r.ek = &derandomizedKey{function: encapsulate}
	}
	return g.accept(nil, nil, clientShare, r)
}

// A derandomizedKey is an encapsulationKey whose encapsulation is chosen.
type derandomizedKey struct {
	ek       []byte
	function func(ek []byte) (sharedKey, ciphertext []byte, err error)
}

func (k *derandomizedKey) SetBytes(b []byte) error {
	k.ek = bytes.Clone(b)
	return nil
}

func (k *derandomizedKey) encapsulate(sharedKey *[kemSecretSize]byte, ciphertext []byte) error {
	s, c, err := k.function(k.ek)
	copy(sharedKey[:], s)
	copy(ciphertext, c)
	return err
}
