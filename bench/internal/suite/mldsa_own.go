package suite

import (
	"crypto"

	"github.com/pqlane/pqlane/mldsa"
)

// muHash is crypto.MLDSAMu, which Go 1.26 does not have.
const muHash = crypto.Hash(20)

// ownSigner returns pqlane's implementation.
func ownSigner(set string) (s Signer, ok bool) {
	for _, p := range signatureSets {
		if p.String() == set {
			return signerOf(p), true
		}
	}
	return s, false
}

func signerOf(p mldsa.Parameters) Signer {
	return Signer{
		Generate: func() error { _, err := mldsa.GenerateKey(p); return err },
		NewInPlace: func() func() error {
			sk := new(mldsa.PrivateKey)
			return func() error { return sk.Generate(p) }
		},
		NewKey: func(seed []byte) (key SigningKey, err error) {
			sk, err := mldsa.NewPrivateKey(p, seed)
			if err != nil {
				return key, err
			}
			compact, err := mldsa.NewPrivateKey(p, seed)
			if err != nil {
				return key, err
			}
			if err := compact.Compact(); err != nil {
				return key, err
			}
			into := make([]byte, 0, p.SignatureSize())
			return SigningKey{
				Sign:         func(m []byte) ([]byte, error) { return sk.SignDeterministic(m, nil) },
				SignCompact:  func(m []byte) ([]byte, error) { return compact.SignDeterministic(m, nil) },
				SignMu:       func(mu []byte) ([]byte, error) { return sk.SignDeterministic(mu, muHash) },
				SignMuHedged: func(mu []byte) ([]byte, error) { return sk.AppendSignMu(into, (*[mldsa.MuSize]byte)(mu)) },
			}, nil
		},
		VerifyCold: func(public, message, signature []byte) error {
			pk, err := mldsa.NewPublicKey(p, public)
			if err != nil {
				return err
			}
			return mldsa.Verify(pk, message, signature, nil)
		},
		ParsePublic: func(public []byte) (key VerifyingKey, err error) {
			pk, err := mldsa.NewPublicKey(p, public)
			if err != nil {
				return key, err
			}
			v := pk.Precompute()
			return VerifyingKey{
				Verify: func(message, signature []byte) error { return mldsa.Verify(pk, message, signature, nil) },
				VerifyMu: func(mu, signature []byte) error {
					return mldsa.VerifyMu(pk, (*[mldsa.MuSize]byte)(mu), signature)
				},
				VerifyPrecomputed: func(message, signature []byte) error { return v.Verify(message, signature, nil) },
			}, nil
		},
	}
}
