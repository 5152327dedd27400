//go:build !go1.27

package hybrid

import (
	"crypto"

	"github.com/pqlane/pqlane/mldsa"
)

// mldsaPublicBytes returns the encoding of an ML-DSA public key, nil of anything else.
func mldsaPublicBytes(pk crypto.PublicKey) []byte {
	if pk, ok := pk.(*mldsa.PublicKey); ok {
		return pk.Bytes()
	}
	return nil
}
