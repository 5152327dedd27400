package main

import (
	"crypto/rand"
	"io"

	"github.com/emmansun/gmsm/mlkem"

	"github.com/pqlane/pqlane/bench/internal/suite"
)

func gmsmCalls(set string, in *suite.Inputs) (suite.Calls, error) {
	switch set {
	case "ML-KEM-512":
		return gmsm(in, mlkem.GenerateKey512, mlkem.NewDecapsulationKeyFromSeed512, mlkem.NewDecapsulationKey512, mlkem.NewEncapsulationKey512)
	case "ML-KEM-768":
		return gmsm(in, mlkem.GenerateKey768, mlkem.NewDecapsulationKeyFromSeed768, mlkem.NewDecapsulationKey768, mlkem.NewEncapsulationKey768)
	case "ML-KEM-1024":
		return gmsm(in, mlkem.GenerateKey1024, mlkem.NewDecapsulationKeyFromSeed1024, mlkem.NewDecapsulationKey1024, mlkem.NewEncapsulationKey1024)
	}
	return nil, nil
}

type gmsmDecapsulator[EK any] interface {
	EncapsulationKey() EK
	Decapsulate(ciphertext []byte) (sharedKey []byte, err error)
}

type gmsmEncapsulator interface {
	Encapsulate(random io.Reader) (sharedKey, ciphertext []byte, err error)
}

// gmsm returns the operations; none of them has a form in place.
func gmsm[DK gmsmDecapsulator[EK], EK gmsmEncapsulator](
	in *suite.Inputs, generate func(io.Reader) (DK, error), fromSeed, fromExpanded func([]byte) (DK, error), newEK func([]byte) (EK, error),
) (suite.Calls, error) {
	var dks [suite.ParsedKeys]DK
	var eks [suite.ParsedKeys]EK
	for i := range dks {
		var err error
		if dks[i], err = fromSeed(in.Seeds[i]); err != nil {
			return nil, err
		}
		eks[i] = dks[i].EncapsulationKey()
	}
	return suite.Calls{
		"keygen": func(int) error {
			_, err := generate(rand.Reader)
			return err
		},
		"keygen+decaps": func(i int) error {
			dk, err := generate(rand.Reader)
			if err != nil {
				return err
			}
			_, err = dk.Decapsulate(in.Ciphertexts[i%len(in.Ciphertexts)])
			return err
		},
		"parse+encaps": func(i int) error {
			ek, err := newEK(in.EncapsulationKeys[i%suite.EncodedKeys])
			if err != nil {
				return err
			}
			_, _, err = ek.Encapsulate(rand.Reader)
			return err
		},
		"encaps": func(i int) error {
			_, _, err := eks[i%suite.ParsedKeys].Encapsulate(rand.Reader)
			return err
		},
		"decaps": func(i int) error {
			_, err := dks[i%suite.ParsedKeys].Decapsulate(in.Ciphertexts[i%len(in.Ciphertexts)])
			return err
		},
		"import seed": func(i int) error {
			_, err := fromSeed(in.Seeds[i%suite.EncodedKeys])
			return err
		},
		"import expanded": func(i int) error {
			_, err := fromExpanded(in.ExpandedKeys[i%suite.EncodedKeys])
			return err
		},
	}, nil
}
