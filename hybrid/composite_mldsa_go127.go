//go:build go1.27

package hybrid

import (
	"crypto"
	stdmldsa "crypto/mldsa"

	"github.com/pqlane/pqlane/mldsa"
)

// mldsaPublicBytes returns the encoding of an ML-DSA public key, nil of anything else.
func mldsaPublicBytes(pk crypto.PublicKey) []byte {
	switch pk := pk.(type) {
	case *mldsa.PublicKey:
		return pk.Bytes()
	case *stdmldsa.PublicKey:
		if pk != nil {
			return pk.Bytes()
		}
	}
	return nil
}
