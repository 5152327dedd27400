// Package mldsatest provides signing with chosen randomness for known-answer tests. It must
// not be used for anything else.
package mldsatest

import (
	"fmt"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mldsa/internal/hook"
)

// SignMu is ML-DSA.Sign_internal (FIPS 204, Algorithm 7) of a message representative μ of 64
// bytes with the 32 bytes rnd, all zero for deterministic signatures.
func SignMu(sk *mldsa.PrivateKey, mu, rnd []byte) ([]byte, error) {
	if len(mu) != mldsa.MuSize || len(rnd) != 32 {
		return nil, fmt.Errorf("%w: mldsatest.SignMu: μ of %d bytes and randomness of %d, want 64 and 32", mldsa.ErrSize, len(mu), len(rnd))
	}
	return hook.Sign(sk, (*[64]byte)(mu), (*[32]byte)(rnd))
}

// TR returns tr, the hash of the public key: μ of the internal interface is H(tr ‖ M′).
func TR(pk *mldsa.PublicKey) ([]byte, error) {
	tr, err := hook.TR(pk)
	return tr[:], err
}
