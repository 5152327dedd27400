// Package mlkemtest provides derandomised encapsulation for known-answer tests, which
// must not be used for anything else: a shared key is as secret as the randomness.
package mlkemtest

import (
	"fmt"

	"github.com/pqlane/pqlane/mlkem"
	"github.com/pqlane/pqlane/mlkem/internal/hook"
)

// Encapsulate512 is ML-KEM.Encaps_internal (FIPS 203, Algorithm 17) for ML-KEM-512 with
// the 32 bytes of random as the message m. The error matches [mlkem.ErrSize] or
// [mlkem.ErrNoKey].
func Encapsulate512(ek *mlkem.EncapsulationKey512, random []byte) (sharedKey, ciphertext []byte, err error) {
	return encapsulate(ek, random)
}

// Encapsulate768 is ML-KEM.Encaps_internal for ML-KEM-768; see [Encapsulate512].
func Encapsulate768(ek *mlkem.EncapsulationKey768, random []byte) (sharedKey, ciphertext []byte, err error) {
	return encapsulate(ek, random)
}

// Encapsulate1024 is ML-KEM.Encaps_internal for ML-KEM-1024; see [Encapsulate512].
func Encapsulate1024(ek *mlkem.EncapsulationKey1024, random []byte) (sharedKey, ciphertext []byte, err error) {
	return encapsulate(ek, random)
}

func encapsulate(ek any, random []byte) (sharedKey, ciphertext []byte, err error) {
	if len(random) != 32 {
		return nil, nil, fmt.Errorf("%w: mlkemtest.Encapsulate: randomness of %d bytes, want 32", mlkem.ErrSize, len(random))
	}
	return hook.Encapsulate(ek, (*[32]byte)(random))
}
