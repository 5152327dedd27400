//go:build !go1.27

package suite

import "crypto"

// standardTLSKey returns the key as the standard library's.
func standardTLSKey(key crypto.Signer) (crypto.Signer, error) { return key, nil }
