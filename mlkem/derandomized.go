package mlkem

import "github.com/pqlane/pqlane/mlkem/internal/hook"

func init() { hook.Encapsulate = encapsulateDerandomized }

// encapsulateDerandomized is what mlkemtest makes public, for tests.
func encapsulateDerandomized(ek any, m *[32]byte) (sharedKey, ciphertext []byte, err error) {
	const op = "mlkemtest.Encapsulate"
	w := newScratch()
	defer w.release()
	pk := &w.key.publicKey
	switch ek := ek.(type) {
	case *EncapsulationKey512:
		if err = ek.check(op); err == nil {
			ek.view(pk)
		}
	case *EncapsulationKey768:
		if err = ek.check(op); err == nil {
			ek.view(pk)
		}
	case *EncapsulationKey1024:
		if err = ek.check(op); err == nil {
			ek.view(pk)
		}
	default:
		err = newError(ErrNoKey, "%s: %T is no encapsulation key", op, ek)
	}
	if err != nil {
		return nil, nil, err
	}
	var k [SharedKeySize]byte
	c := make([]byte, pk.ciphertextSize())
	w.m = *m
	w.encapsulate(pk, &k, c)
	return k[:], c, nil
}
