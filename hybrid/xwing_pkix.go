package hybrid

import (
	"bytes"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// xwingOID identifies X-Wing in both formats (draft-connolly-cfrg-xwing-kem, Section 7).
var xwingOID = pkcs.NewOID(1, 3, 6, 1, 4, 1, 62253, 25722)

// xwingAlgorithm returns an error unless a is X-Wing's algorithm, which has no parameters.
func xwingAlgorithm(op string, a pkcs.Algorithm) error {
	if a.OID != xwingOID {
		return &AlgorithmError{a.OID.String()}
	}
	if err := a.Bare(); err != nil {
		return newError(ErrEncoding, "%s: %v", op, err)
	}
	return nil
}

// ParseXWingEncapsulationKey parses an encapsulation key of X-Wing in SubjectPublicKeyInfo
// form, in DER. Errors match [ErrEncoding] or are those of [NewXWingEncapsulationKey]; for
// another algorithm the error is an [*AlgorithmError].
func ParseXWingEncapsulationKey(der []byte) (*XWingEncapsulationKey, error) {
	const op = "ParseXWingEncapsulationKey"
	k, err := pkcs.ParsePublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if err := xwingAlgorithm(op, k.Algorithm); err != nil {
		return nil, err
	}
	ek := new(XWingEncapsulationKey)
	if err := ek.setBytes(op, k.Key); err != nil {
		return nil, err
	}
	return ek, nil
}

// ParseXWingDecapsulationKey parses a decapsulation key of X-Wing, which is its seed, in
// PKCS #8 form, in DER. An encapsulation key beside it that is not its own is an error that
// matches [ErrInconsistent]. Other errors match [ErrEncoding], [ErrSize] or
// [ErrUnavailable]; for another algorithm the error is an [*AlgorithmError]. der is secret,
// and the caller's to wipe.
func ParseXWingDecapsulationKey(der []byte) (*XWingDecapsulationKey, error) {
	const op = "ParseXWingDecapsulationKey"
	k, err := pkcs.ParsePrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if err := xwingAlgorithm(op, k.Algorithm); err != nil {
		return nil, err
	}
	dk, err := newXWingDecapsulationKey(op, k.Key)
	if err != nil {
		return nil, err
	}
	if k.PublicKey != nil && !bytes.Equal(k.PublicKey, dk.ek.Bytes()) {
		dk.Destroy()
		return nil, newError(ErrInconsistent, "%s: seed with the encapsulation key of another", op)
	}
	return dk, nil
}

// MarshalPKIX returns the key in SubjectPublicKeyInfo form, in DER. The error matches
// [ErrNoKey].
func (ek *XWingEncapsulationKey) MarshalPKIX() ([]byte, error) {
	if err := ek.check("XWingEncapsulationKey.MarshalPKIX"); err != nil {
		return nil, err
	}
	return pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: xwingOID}, Key: ek.Bytes()}.Marshal(), nil
}

// MarshalPKCS8 returns the key, as its seed, in PKCS #8 form, in DER. The result is secret.
// The error matches [ErrNoKey] or [ErrDestroyed].
func (dk *XWingDecapsulationKey) MarshalPKCS8() ([]byte, error) {
	if err := dk.check("XWingDecapsulationKey.MarshalPKCS8"); err != nil {
		return nil, err
	}
	return pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: xwingOID}, Key: dk.seed[:]}.Marshal(), nil
}
