//go:build go1.27

package suite

import (
	"crypto"
	stdmldsa "crypto/mldsa"

	"github.com/pqlane/pqlane/mldsa"
)

// standardTLSKey returns the key as the standard library's.
func standardTLSKey(key crypto.Signer) (crypto.Signer, error) {
	own, ok := key.(*mldsa.PrivateKey)
	if !ok {
		return key, nil
	}
	return stdmldsa.NewPrivateKey(stdmldsa.MLDSA65(), own.Bytes())
}
