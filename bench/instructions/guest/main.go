// Command guest runs one operation a number of times, for bench/instructions to count.
//
//	guest -list          the operations, and how often each is run to be counted
//	guest -op NAME -n N
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// An operation is prepared once and run with the numbers from 0 on.
type operation struct {
	name    string
	times   int // enough for a mean
	prepare func() func(i int) error
}

func main() {
	log.SetFlags(0)
	list := flag.Bool("list", false, "print the operations and how often each is run")
	name := flag.String("op", "", "the operation")
	n := flag.Int("n", 1, "how often it is run")
	flag.Parse()
	for _, op := range operations {
		if *list {
			fmt.Printf("%d %s\n", op.times, op.name)
		}
		if op.name != *name {
			continue
		}
		run := op.prepare()
		for i := range *n {
			if err := run(i); err != nil {
				log.Fatal(err)
			}
		}
		return
	}
	if !*list {
		log.Fatalf("no operation %q", *name)
	}
}

// keys is the number of different keys and messages: the work depends on the rejections of
// a key's matrix.
const keys = 20

var operations = []operation{
	{"ML-KEM-768 keygen in place", 200, func() func(int) error {
		dk := new(mlkem.DecapsulationKey768)
		return func(int) error { return dk.Generate() }
	}},
	{"ML-KEM-768 parse+encaps in place", 200, func() func(int) error {
		dks := decapsulationKeys()
		var eks [keys][]byte
		for i := range eks {
			eks[i] = dks[i].EncapsulationKey().Bytes()
		}
		ek := new(mlkem.EncapsulationKey768)
		var sharedKey [mlkem.SharedKeySize]byte
		var ciphertext [mlkem.CiphertextSize768]byte
		return func(i int) error {
			if err := ek.SetBytes(eks[i%keys]); err != nil {
				return err
			}
			return ek.EncapsulateInto(&sharedKey, &ciphertext)
		}
	}},
	{"ML-KEM-768 decaps into", 200, func() func(int) error {
		dks := decapsulationKeys()
		var ciphertexts [keys][]byte
		for i := range dks {
			_, ciphertexts[i] = dks[i].EncapsulationKey().Encapsulate()
		}
		var sharedKey [mlkem.SharedKeySize]byte
		return func(i int) error { return dks[i%keys].DecapsulateInto(&sharedKey, ciphertexts[i%keys]) }
	}},
	{"ML-DSA-65 keygen in place", 100, func() func(int) error {
		sk := new(mldsa.PrivateKey)
		return func(int) error { return sk.Generate(mldsa.MLDSA65()) }
	}},
	{"ML-DSA-65 sign", 400, func() func(int) error {
		sk := must(mldsa.NewPrivateKey(mldsa.MLDSA65(), seed(0, mldsa.PrivateKeySize)))
		// Without randomness the signatures, and so their attempts, are the same in every run.
		return func(i int) error {
			_, err := sk.SignDeterministic(message(i), nil)
			return err
		}
	}},
	{"ML-DSA-65 verify cold", 100, func() func(int) error {
		sks, signatures := signed()
		var publics [keys][]byte
		for i := range publics {
			publics[i] = sks[i].PublicKey().Bytes()
		}
		pk := new(mldsa.PublicKey)
		return func(i int) error {
			if err := pk.SetBytes(mldsa.MLDSA65(), publics[i%keys]); err != nil {
				return err
			}
			return mldsa.Verify(pk, message(i%keys), signatures[i%keys], nil)
		}
	}},
	{"ML-DSA-65 verify precomputed", 100, func() func(int) error {
		sks, signatures := signed()
		var verifiers [keys]*mldsa.Verifier
		for i := range verifiers {
			verifiers[i] = sks[i].PublicKey().Precompute()
		}
		return func(i int) error { return verifiers[i%keys].Verify(message(i%keys), signatures[i%keys], nil) }
	}},

	{"Keccak one state", 1000, func() func(int) error {
		var a [25]uint64
		return func(int) error { keccak.Permute(&a); return nil }
	}},
	{"Keccak one of four", 1000, permutation(0b0010)},
	{"Keccak two of four", 1000, permutation(0b1100)},
	{"Keccak three of four", 1000, permutation(0b1011)},
	{"Keccak four", 1000, permutation(0b1111)},

	{"ML-KEM NTT", 1000, kem(kemring.NTT)},
	{"ML-KEM inverse NTT", 1000, kem(kemring.InverseNTT)},
	{"ML-KEM base products, k = 3", 1000, func() func(int) error {
		var dst kemring.Poly
		a, b, tw := make([]kemring.Poly, 3), make([]kemring.Poly, 3), make([]kemring.Poly, 3)
		return func(int) error { kemring.Dot(&dst, a, 1, b, tw); return nil }
	}},
	{"ML-KEM rejection sampling, a block of SHAKE128", 1000, func() func(int) error {
		var s keccak.State4
		var p kemring.Poly
		s.Permute(1)
		return func(int) error { kemring.SampleNTT(&p, 0, &s, 0); return nil }
	}},
	{"ML-DSA NTT", 1000, dsa(dsaring.NTT)},
	{"ML-DSA inverse NTT", 1000, dsa(dsaring.InverseNTT)},
	{"ML-DSA pointwise products, l = 5", 1000, func() func(int) error {
		var dst dsaring.Poly
		a, b := make([]dsaring.Poly, 5), make([]dsaring.Poly, 5)
		return func(int) error { dsaring.Dot(&dst, a, b); return nil }
	}},
}

func permutation(active uint) func() func(int) error {
	return func() func(int) error {
		s := new(keccak.State4)
		return func(int) error { s.Permute(active); return nil }
	}
}

func kem(transform func(*kemring.Poly)) func() func(int) error {
	return func() func(int) error {
		p := new(kemring.Poly)
		return func(int) error { transform(p); return nil }
	}
}

func dsa(transform func(*dsaring.Poly)) func() func(int) error {
	return func() func(int) error {
		p := new(dsaring.Poly)
		return func(int) error { transform(p); return nil }
	}
}

func must[T any](t T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return t
}

func seed(i, size int) []byte {
	s := make([]byte, size)
	s[0], s[1] = byte(i), byte(i>>8)
	return s
}

var text [32]byte

func message(i int) []byte {
	text[0], text[1] = byte(i), byte(i>>8)
	return text[:]
}

func decapsulationKeys() (dks [keys]*mlkem.DecapsulationKey768) {
	for i := range dks {
		dks[i] = must(mlkem.NewDecapsulationKey768(seed(i, mlkem.SeedSize)))
	}
	return dks
}

func signed() (sks [keys]*mldsa.PrivateKey, signatures [keys][]byte) {
	for i := range sks {
		sks[i] = must(mldsa.NewPrivateKey(mldsa.MLDSA65(), seed(i, mldsa.PrivateKeySize)))
		signatures[i] = must(sks[i].SignDeterministic(message(i), nil))
	}
	return sks, signatures
}
