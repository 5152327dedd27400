//go:build !go1.27

package mcpconn

import "crypto"

// hasMLDSA says whether crypto/tls and crypto/x509 know ML-DSA.
const hasMLDSA = false

func standardSigner(crypto.Signer) (crypto.Signer, error) {
	return nil, newError(ErrConfig, "an ML-DSA identity needs a program built with Go 1.27 or newer; use an ECDSA identity, or build with Go 1.27")
}

func isStandardMLDSA(crypto.Signer) bool { return false }

func verifyMLDSA(crypto.PublicKey, []byte, []byte) (known bool, err error) { return false, nil }
