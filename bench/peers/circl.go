package main

import (
	"io"

	"github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	"github.com/cloudflare/circl/kem/mlkem/mlkem512"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"

	"github.com/pqlane/pqlane/bench/internal/suite"
)

func circlCalls(set string, in *suite.Inputs) (suite.Calls, error) {
	switch set {
	case "ML-KEM-512":
		return circl(in, mlkem512.GenerateKeyPair, mlkem512.NewKeyFromSeed, mlkem512.CiphertextSize, mlkem512.SharedKeySize)
	case "ML-KEM-768":
		return circl(in, mlkem768.GenerateKeyPair, mlkem768.NewKeyFromSeed, mlkem768.CiphertextSize, mlkem768.SharedKeySize)
	case "ML-KEM-1024":
		return circl(in, mlkem1024.GenerateKeyPair, mlkem1024.NewKeyFromSeed, mlkem1024.CiphertextSize, mlkem1024.SharedKeySize)
	case suite.XWing:
		return circlXWing(in)
	}
	return nil, nil
}

type circlPublic[T any] interface {
	*T
	Unpack(b []byte) error
	EncapsulateTo(ciphertext, sharedKey, seed []byte) // a nil seed stands for crypto/rand
}

type circlPrivate[T any] interface {
	*T
	Unpack(b []byte) error
	DecapsulateTo(sharedKey, ciphertext []byte)
}

// circl returns the operations: those that allocate their results as the standard
// library does, and those into the caller's memory, of which it has all but key
// generation.
func circl[Public, Private any, PK circlPublic[Public], SK circlPrivate[Private]](
	in *suite.Inputs, generate func(io.Reader) (PK, SK, error), fromSeed func([]byte) (PK, SK), ciphertextSize, sharedKeySize int,
) (suite.Calls, error) {
	var pks [suite.ParsedKeys]PK
	var sks [suite.ParsedKeys]SK
	for i := range sks {
		pks[i], sks[i] = fromSeed(in.Seeds[i])
	}
	var pk PK = new(Public)
	sharedKey, ciphertext := make([]byte, sharedKeySize), make([]byte, ciphertextSize)
	return suite.Calls{
		"keygen": func(int) error {
			_, _, err := generate(nil)
			return err
		},
		"keygen+decaps": func(i int) error {
			_, sk, err := generate(nil)
			if err == nil {
				sk.DecapsulateTo(make([]byte, sharedKeySize), in.Ciphertexts[i%len(in.Ciphertexts)])
			}
			return err
		},
		"parse+encaps": func(i int) error {
			var pk PK = new(Public)
			if err := pk.Unpack(in.EncapsulationKeys[i%suite.EncodedKeys]); err != nil {
				return err
			}
			pk.EncapsulateTo(make([]byte, ciphertextSize), make([]byte, sharedKeySize), nil)
			return nil
		},
		"parse+encaps in place": func(i int) error {
			if err := pk.Unpack(in.EncapsulationKeys[i%suite.EncodedKeys]); err != nil {
				return err
			}
			pk.EncapsulateTo(ciphertext, sharedKey, nil)
			return nil
		},
		"encaps": func(i int) error {
			pks[i%suite.ParsedKeys].EncapsulateTo(make([]byte, ciphertextSize), make([]byte, sharedKeySize), nil)
			return nil
		},
		"encaps into": func(i int) error {
			pks[i%suite.ParsedKeys].EncapsulateTo(ciphertext, sharedKey, nil)
			return nil
		},
		"decaps": func(i int) error {
			sks[i%suite.ParsedKeys].DecapsulateTo(make([]byte, sharedKeySize), in.Ciphertexts[i%len(in.Ciphertexts)])
			return nil
		},
		"decaps into": func(i int) error {
			sks[i%suite.ParsedKeys].DecapsulateTo(sharedKey, in.Ciphertexts[i%len(in.Ciphertexts)])
			return nil
		},
		"import seed": func(i int) error {
			fromSeed(in.Seeds[i%suite.EncodedKeys])
			return nil
		},
		"import expanded": func(i int) error {
			var sk SK = new(Private)
			return sk.Unpack(in.ExpandedKeys[i%suite.EncodedKeys])
		},
	}, nil
}
