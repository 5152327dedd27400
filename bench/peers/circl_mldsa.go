package main

import (
	"errors"
	"io"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"

	"github.com/pqlane/pqlane/bench/internal/suite"
)

var errRefused = errors.New("signature refused")

func circlSigner(set string) (s suite.Signer, ok bool) {
	switch set {
	case "ML-DSA-44":
		return circlSignerOf(mldsa44.GenerateKey, mldsa44.NewKeyFromSeed, mldsa44.SignTo, mldsa44.Verify, mldsa44.SignatureSize), true
	case "ML-DSA-65":
		return circlSignerOf(mldsa65.GenerateKey, mldsa65.NewKeyFromSeed, mldsa65.SignTo, mldsa65.Verify, mldsa65.SignatureSize), true
	case "ML-DSA-87":
		return circlSignerOf(mldsa87.GenerateKey, mldsa87.NewKeyFromSeed, mldsa87.SignTo, mldsa87.Verify, mldsa87.SignatureSize), true
	}
	return s, false
}

type circlVerifyingKey[T any] interface {
	*T
	UnmarshalBinary(b []byte) error
}

// circlSignerOf returns the functions. Signing allocates the signature, as the standard
// library's does.
func circlSignerOf[Public any, PK circlVerifyingKey[Public], SK any](
	generate func(io.Reader) (PK, SK, error), fromSeed func(*[32]byte) (PK, SK),
	sign func(sk SK, message, context []byte, randomized bool, signature []byte) error,
	verify func(pk PK, message, context, signature []byte) bool, signatureSize int,
) suite.Signer {
	check := func(pk PK, message, signature []byte) error {
		if !verify(pk, message, nil, signature) {
			return errRefused
		}
		return nil
	}
	return suite.Signer{
		Generate: func() error {
			_, _, err := generate(nil)
			return err
		},
		NewKey: func(seed []byte) (suite.SigningKey, error) {
			_, sk := fromSeed((*[32]byte)(seed))
			return suite.SigningKey{Sign: func(message []byte) ([]byte, error) {
				signature := make([]byte, signatureSize)
				return signature, sign(sk, message, nil, false, signature)
			}}, nil
		},
		VerifyCold: func(public, message, signature []byte) error {
			var pk PK = new(Public)
			if err := pk.UnmarshalBinary(public); err != nil {
				return err
			}
			return check(pk, message, signature)
		},
		ParsePublic: func(public []byte) (suite.VerifyingKey, error) {
			var pk PK = new(Public)
			return suite.VerifyingKey{ // it holds Â
				VerifyPrecomputed: func(message, signature []byte) error { return check(pk, message, signature) },
			}, pk.UnmarshalBinary(public)
		},
	}
}
