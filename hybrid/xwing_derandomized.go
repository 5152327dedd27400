package hybrid

import (
	"crypto/ecdh"

	"github.com/pqlane/pqlane/hybrid/internal/hook"
)

func init() { hook.XWing = xwingDerandomized }

// xwingDerandomized is what hybridtest makes public, for tests.
func xwingDerandomized(key any, private *ecdh.PrivateKey, encapsulate func(ek []byte) (sharedKey, ciphertext []byte, err error)) (sharedKey, ciphertext []byte, err error) {
	ek := key.(*XWingEncapsulationKey)
	if err := ek.check("hybridtest.EncapsulateXWing"); err != nil {
		return nil, nil, err
	}
	ssM, ctM, err := encapsulate(ek.m.Bytes())
	if err != nil {
		return nil, nil, err
	}
	var k [XWingSharedKeySize]byte
	var c [XWingCiphertextSize]byte
	copy(c[:], ctM)
	ek.finish(&k, &c, (*[kemSecretSize]byte)(ssM), private)
	return k[:], c[:], nil
}
