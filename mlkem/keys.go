package mlkem

import (
	"crypto/subtle"

	"github.com/pqlane/pqlane/internal/kemring"
)

// The operations of all parameter sets, on views of their keys. The public methods,
// in one file for each set, are only about types and sizes.

// setExpanded fills w.key from an expanded decapsulation key
// dk = ByteEncode₁₂(ŝ) ‖ ek ‖ H(ek) ‖ z. Beyond the checks of FIPS 203, Section 7.3, it
// refuses coefficients that are not reduced, which no key generation makes.
func (w *scratch) setExpanded(op string, dk []byte) error {
	sk := &w.key
	if err := checkSize(op, sk.name, "expanded decapsulation key", len(dk), sk.expandedKeySize()); err != nil {
		return err
	}
	ok := true
	for i := range sk.s {
		ok = publicCheck(kemring.Decode12(&sk.s[i], dk[i*kemring.EncodedSize12:])) && ok
	}
	if !ok {
		return newError(ErrCoefficient, "%s: %s decapsulation key has a secret coefficient that is not below 3329", op, sk.name)
	}
	ek := dk[sk.k*kemring.EncodedSize12:][:sk.encapsulationKeySize()]
	if err := w.set(op, ek); err != nil {
		return err
	}
	rest := dk[sk.k*kemring.EncodedSize12+len(ek):]
	if subtle.ConstantTimeCompare(rest[:32], sk.h.digest[:]) != 1 {
		return newError(ErrHash, "%s: %s decapsulation key holds a hash that is not that of its encapsulation key", op, sk.name)
	}
	copy(sk.z[:], rest[32:])
	return nil
}

// set fills w.key's public half from an encapsulation key.
func (w *scratch) set(op string, ek []byte) error {
	pk := &w.key.publicKey
	if err := checkSize(op, pk.name, "encapsulation key", len(ek), pk.encapsulationKeySize()); err != nil {
		return err
	}
	if !w.parse(pk, ek) {
		return newError(ErrCoefficient, "%s: %s encapsulation key has a coefficient that is not below 3329", op, pk.name)
	}
	return nil
}

// appendBytes appends the encapsulation key ByteEncode₁₂(t̂) ‖ ρ.
func (pk *publicKey) appendBytes(b []byte) []byte {
	b, out := grow(b, pk.encapsulationKeySize())
	for i := range pk.t {
		kemring.Encode12(out[i*kemring.EncodedSize12:], &pk.t[i])
	}
	copy(out[pk.k*kemring.EncodedSize12:], pk.rho[:])
	return b
}

// expandedBytes returns the expanded decapsulation key.
func (sk *secretKey) expandedBytes() []byte {
	b := make([]byte, 0, sk.expandedKeySize())
	b, out := grow(b, sk.k*kemring.EncodedSize12)
	for i := range sk.s {
		kemring.Encode12(out[i*kemring.EncodedSize12:], &sk.s[i])
	}
	b = sk.appendBytes(b)
	w := newScratch()
	b = append(b, w.keyHash(&sk.publicKey, nil)[:]...)
	clear(w.state[:])
	w.lateHash = chain{}
	w.release()
	return append(b, sk.z[:]...)
}

// grow extends b by n bytes and returns it with the part that is new.
func grow(b []byte, n int) (all, added []byte) {
	if cap(b)-len(b) < n {
		b = append(b, make([]byte, n)...)
	} else {
		b = b[:len(b)+n]
	}
	return b, b[len(b)-n:]
}
