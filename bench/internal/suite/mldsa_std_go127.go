//go:build go1.27

package suite

import (
	"crypto"
	"crypto/mldsa"
)

// StandardHasMLDSA says whether the standard library is among the implementations of ML-DSA.
const StandardHasMLDSA = true

// standardSigner returns the standard library's implementation.
func standardSigner(set string) (s Signer, ok bool) {
	for _, p := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		if p.String() == set {
			return standardSignerOf(p), true
		}
	}
	return s, false
}

func standardSignerOf(p mldsa.Parameters) Signer {
	return Signer{
		Generate: func() error { _, err := mldsa.GenerateKey(p); return err },
		NewKey: func(seed []byte) (key SigningKey, err error) {
			sk, err := mldsa.NewPrivateKey(p, seed)
			return SigningKey{
				Sign:         func(m []byte) ([]byte, error) { return sk.SignDeterministic(m, nil) },
				SignMu:       func(mu []byte) ([]byte, error) { return sk.SignDeterministic(mu, crypto.MLDSAMu) },
				SignMuHedged: func(mu []byte) ([]byte, error) { return sk.Sign(nil, mu, crypto.MLDSAMu) },
			}, err
		},
		VerifyCold: func(public, message, signature []byte) error {
			pk, err := mldsa.NewPublicKey(p, public)
			if err != nil {
				return err
			}
			return mldsa.Verify(pk, message, signature, nil)
		},
		ParsePublic: func(public []byte) (VerifyingKey, error) {
			pk, err := mldsa.NewPublicKey(p, public)
			return VerifyingKey{
				Verify: func(message, signature []byte) error { return mldsa.Verify(pk, message, signature, nil) },
			}, err
		},
	}
}
