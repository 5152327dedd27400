package main

import (
	"bytes"
	"fmt"

	"github.com/pqlane/pqlane/mlkem"
	"github.com/pqlane/pqlane/mlkem/mlkemtest"
)

// A kem is one parameter set of ML-KEM, as functions of encodings.
type kem struct {
	name           string
	ciphertextSize int
	fromSeed       func(seed []byte) (kemKey, error)
	fromExpanded   func(dk []byte) (kemKey, error)
	encapsulate    func(ek, m []byte) (sharedKey, ciphertext []byte, err error)
	check          func(ek []byte) error // the encapsulation key check, FIPS 203 §7.2
}

// A kemKey is a decapsulation key with its encodings.
type kemKey struct {
	ek, dk      []byte // dk in the expanded encoding
	decapsulate func(ciphertext []byte) (sharedKey []byte, err error)
}

var kems = []kem{
	newKEM("ML-KEM-512", mlkem.CiphertextSize512, mlkem.NewDecapsulationKey512,
		mlkem.NewDecapsulationKey512FromExpanded, mlkem.NewEncapsulationKey512, mlkemtest.Encapsulate512),
	newKEM("ML-KEM-768", mlkem.CiphertextSize768, mlkem.NewDecapsulationKey768,
		mlkem.NewDecapsulationKey768FromExpanded, mlkem.NewEncapsulationKey768, mlkemtest.Encapsulate768),
	newKEM("ML-KEM-1024", mlkem.CiphertextSize1024, mlkem.NewDecapsulationKey1024,
		mlkem.NewDecapsulationKey1024FromExpanded, mlkem.NewEncapsulationKey1024, mlkemtest.Encapsulate1024),
}

// kemNamed returns the parameter set with the standard's name for it.
func kemNamed(name string) (kem, error) {
	for _, k := range kems {
		if k.name == name {
			return k, nil
		}
	}
	return kem{}, fmt.Errorf("unknown parameter set %q", name)
}

type decapsulationKey[E any] interface {
	Bytes() []byte
	ExpandedBytes() []byte
	EncapsulationKey() E
	Decapsulate(ciphertext []byte) (sharedKey []byte, err error)
}

type encapsulationKey interface{ Bytes() []byte }

// newKEM adapts the functions of one parameter set. What parses must encode to
// the bytes that were parsed; a key that does not is an error, so that every case
// that imports a key checks its encoding too.
func newKEM[D decapsulationKey[E], E encapsulationKey](name string, ciphertextSize int,
	newSeed, newExpanded func([]byte) (D, error), newEK func([]byte) (E, error),
	encapsulate func(ek E, m []byte) (sharedKey, ciphertext []byte, err error)) kem {
	parse := func(b []byte) (E, error) {
		ek, err := newEK(b)
		if err == nil && !bytes.Equal(ek.Bytes(), b) {
			err = errRoundTrip
		}
		return ek, err
	}
	adapt := func(dk D, err error) (kemKey, error) {
		if err != nil {
			return kemKey{}, err
		}
		return kemKey{dk.EncapsulationKey().Bytes(), dk.ExpandedBytes(), dk.Decapsulate}, nil
	}
	return kem{
		name:           name,
		ciphertextSize: ciphertextSize,
		fromSeed: func(seed []byte) (kemKey, error) {
			dk, err := newSeed(seed)
			if err == nil && !bytes.Equal(dk.Bytes(), seed) {
				err = errRoundTrip
			}
			return adapt(dk, err)
		},
		fromExpanded: func(b []byte) (kemKey, error) {
			dk, err := newExpanded(b)
			if err == nil && !bytes.Equal(dk.ExpandedBytes(), b) {
				err = errRoundTrip
			}
			return adapt(dk, err)
		},
		encapsulate: func(ek, m []byte) (sharedKey, ciphertext []byte, err error) {
			k, err := parse(ek)
			if err != nil {
				return nil, nil, err
			}
			return encapsulate(k, m)
		},
		check: func(ek []byte) error { _, err := parse(ek); return err },
	}
}
