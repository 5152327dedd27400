package main

import (
	"github.com/cloudflare/circl/kem/xwing"

	"github.com/pqlane/pqlane/bench/internal/suite"
)

// circlXWing returns the operations of circl's X-Wing.
func circlXWing(in *suite.Inputs) (suite.Calls, error) {
	var pks [suite.ParsedKeys]*xwing.PublicKey
	var sks [suite.ParsedKeys]*xwing.PrivateKey
	for i := range sks {
		sks[i], pks[i] = xwing.DeriveKeyPair(in.Seeds[i])
	}
	pk := new(xwing.PublicKey)
	sharedKey, ciphertext := make([]byte, xwing.SharedKeySize), make([]byte, xwing.CiphertextSize)
	return suite.Calls{
		"keygen": func(int) error {
			_, _, err := xwing.GenerateKeyPair(nil)
			return err
		},
		"keygen+decaps": func(i int) error {
			sk, _, err := xwing.GenerateKeyPair(nil)
			if err == nil {
				sk.DecapsulateTo(make([]byte, xwing.SharedKeySize), in.Ciphertexts[i%len(in.Ciphertexts)])
			}
			return err
		},
		"parse+encaps": func(i int) error {
			pk := new(xwing.PublicKey)
			if err := pk.Unpack(in.EncapsulationKeys[i%suite.EncodedKeys]); err != nil {
				return err
			}
			pk.EncapsulateTo(make([]byte, xwing.CiphertextSize), make([]byte, xwing.SharedKeySize), nil)
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
			pks[i%suite.ParsedKeys].EncapsulateTo(make([]byte, xwing.CiphertextSize), make([]byte, xwing.SharedKeySize), nil)
			return nil
		},
		"encaps into": func(i int) error {
			pks[i%suite.ParsedKeys].EncapsulateTo(ciphertext, sharedKey, nil)
			return nil
		},
		"decaps": func(i int) error {
			sks[i%suite.ParsedKeys].DecapsulateTo(make([]byte, xwing.SharedKeySize), in.Ciphertexts[i%len(in.Ciphertexts)])
			return nil
		},
		"decaps into": func(i int) error {
			sks[i%suite.ParsedKeys].DecapsulateTo(sharedKey, in.Ciphertexts[i%len(in.Ciphertexts)])
			return nil
		},
		"import seed": func(i int) error {
			xwing.DeriveKeyPair(in.Seeds[i%suite.EncodedKeys])
			return nil
		},
	}, nil
}
