package main

import (
	"crypto"
	"crypto/rand"
	"io"

	"github.com/emmansun/gmsm/mldsa"

	"github.com/pqlane/pqlane/bench/internal/suite"
)

func gmsmSigner(set string) (s suite.Signer, ok bool) {
	switch set {
	case "ML-DSA-44":
		return gmsmSignerOf(mldsa.GenerateKey44, mldsa.NewKey44, mldsa.NewPublicKey44), true
	case "ML-DSA-65":
		return gmsmSignerOf(mldsa.GenerateKey65, mldsa.NewKey65, mldsa.NewPublicKey65), true
	case "ML-DSA-87":
		return gmsmSignerOf(mldsa.GenerateKey87, mldsa.NewKey87, mldsa.NewPublicKey87), true
	}
	return s, false
}

// zeros are the random bytes of a deterministic signature.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

type gmsmVerifyingKey interface {
	VerifyWithOptions(signature, message []byte, opts crypto.SignerOpts) bool
}

func gmsmSignerOf[SK crypto.Signer, PK gmsmVerifyingKey](
	generate func(io.Reader) (SK, error), fromSeed func([]byte) (SK, error), newPublic func([]byte) (PK, error),
) suite.Signer {
	check := func(pk PK, message, signature []byte) error {
		if !pk.VerifyWithOptions(signature, message, nil) {
			return errRefused
		}
		return nil
	}
	return suite.Signer{
		Generate: func() error {
			_, err := generate(rand.Reader)
			return err
		},
		NewKey: func(seed []byte) (suite.SigningKey, error) {
			sk, err := fromSeed(seed)
			return suite.SigningKey{
				Sign: func(message []byte) ([]byte, error) { return sk.Sign(zeros{}, message, nil) },
			}, err
		},
		VerifyCold: func(public, message, signature []byte) error {
			pk, err := newPublic(public)
			if err != nil {
				return err
			}
			return check(pk, message, signature)
		},
		ParsePublic: func(public []byte) (suite.VerifyingKey, error) {
			pk, err := newPublic(public)
			return suite.VerifyingKey{ // it holds Â
				VerifyPrecomputed: func(message, signature []byte) error { return check(pk, message, signature) },
			}, err
		},
	}
}
