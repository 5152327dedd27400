//go:build go1.27

package suite

import (
	"crypto/mldsa"

	pqlane "github.com/pqlane/pqlane/mldsa"
)

// standardSigner returns the standard library's implementation.
func standardSigner(set pqlane.Parameters) (s signer, ok bool) {
	p := map[pqlane.Parameters]mldsa.Parameters{
		pqlane.MLDSA44(): mldsa.MLDSA44(), pqlane.MLDSA65(): mldsa.MLDSA65(), pqlane.MLDSA87(): mldsa.MLDSA87(),
	}[set]
	return signer{
		name:     "crypto/mldsa",
		baseline: true,
		generate: func() error { _, err := mldsa.GenerateKey(p); return err },
		key: func(seed []byte) (func([]byte) ([]byte, error), []byte, error) {
			sk, err := mldsa.NewPrivateKey(p, seed)
			if err != nil {
				return nil, nil, err
			}
			return func(m []byte) ([]byte, error) { return sk.SignDeterministic(m, nil) }, sk.PublicKey().Bytes(), nil
		},
		verifyCold: func(public, message, signature []byte) error {
			pk, err := mldsa.NewPublicKey(p, public)
			if err != nil {
				return err
			}
			return mldsa.Verify(pk, message, signature, nil)
		},
		parse: func(public []byte) (func(message, signature []byte) error, error) {
			pk, err := mldsa.NewPublicKey(p, public)
			return func(message, signature []byte) error { return mldsa.Verify(pk, message, signature, nil) }, err
		},
	}, true
}
