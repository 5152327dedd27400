//go:build go1.27

package mcpconn

import (
	"crypto"
	stdmldsa "crypto/mldsa"

	"github.com/pqlane/pqlane/mldsa"
)

// plainKey returns the identity's key as the standard library's, or nil if it is no ML-DSA key.
func plainKey(id *Identity) crypto.Signer {
	pk, ok := id.public.(*stdmldsa.PublicKey)
	if !ok {
		return nil
	}
	key, err := stdmldsa.NewPrivateKey(pk.Parameters(), id.source.(*mldsa.PrivateKey).Bytes())
	if err != nil {
		panic(err)
	}
	return key
}
