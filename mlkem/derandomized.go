package mlkem

import "github.com/pqlane/pqlane/mlkem/internal/hook"

func init() { hook.Encapsulate = encapsulateDerandomized }

// encapsulateDerandomized is what mlkemtest makes public, for tests.
func encapsulateDerandomized(ek any, m *[32]byte) (sharedKey, ciphertext []byte, err error) {
	const op = "mlkemtest.Encapsulate"
	var pk publicKey
	switch ek := ek.(type) {
	case *EncapsulationKey512:
		if err = ek.check(op); err == nil {
			pk = ek.core()
		}
	case *EncapsulationKey768:
		if err = ek.check(op); err == nil {
			pk = ek.core()
		}
	case *EncapsulationKey1024:
		if err = ek.check(op); err == nil {
			pk = ek.core()
		}
	default:
		err = newError(ErrNoKey, "%s: %T is no encapsulation key", op, ek)
	}
	if err != nil {
		return nil, nil, err
	}
	var k [SharedKeySize]byte
	c := make([]byte, pk.ciphertextSize())
	pk.encapsulateInto(&k, c, m)
	return k[:], c, nil
}
