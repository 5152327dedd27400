package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
)

// derivedUnlucky loads seeds whose sampling reads unusually many bytes. Encodings are
// given as their SHA-256.
func derivedUnlucky(fsys fs.FS, co *collector) error {
	const name = "derived/unlucky_final.json"
	co.file = name
	data, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	var file fields
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, s := range []struct {
		name string
		add  func(co *collector, tests []fields) error
	}{
		{"mlkem768_samplentt_unlucky", addUnluckyKEM},
		{"mldsa65_expands_3_blocks", addUnluckyDSA},
	} {
		var section fields
		if err := file.read(s.name, &section); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		tests, err := section.objects("tests")
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, s.name, err)
		}
		if err := s.add(co, tests); err != nil {
			return fmt.Errorf("%s: %s: %w", name, s.name, err)
		}
	}
	return nil
}

// addUnluckyKEM adds seeds of ML-KEM-768 whose matrix takes many bytes to sample. m is 32
// zero bytes.
func addUnluckyKEM(co *collector, tests []fields) error {
	k, err := kemNamed("ML-KEM-768")
	if err != nil {
		return err
	}
	for i, t := range tests {
		in, err := t.inputs("D", "Z", "Ek", "Dk", "C", "K")
		if err != nil {
			return fmt.Errorf("test %d: %w", i, err)
		}
		co.add(k.name, "all, unlucky SampleNTT", testCase{id: fmt.Sprintf("test %d", i), run: func() error {
			key, err := k.fromSeed(append(bytes.Clone(in["D"]), in["Z"]...))
			if err != nil {
				return err
			}
			sharedKey, ciphertext, err := k.encapsulate(key.ek, make([]byte, 32))
			if err != nil {
				return err
			}
			decapsulated, err := key.decapsulate(ciphertext)
			if err != nil {
				return err
			}
			ek, dk, c := sha256.Sum256(key.ek), sha256.Sum256(key.dk), sha256.Sum256(ciphertext)
			return compare(
				values{"Ek": ek[:], "Dk": dk[:], "C": c[:], "K": sharedKey, "decapsulated K": decapsulated},
				values{"Ek": in["Ek"], "Dk": in["Dk"], "C": in["C"], "K": in["K"], "decapsulated K": in["K"]})
		}})
	}
	return nil
}

// addUnluckyDSA adds seeds of ML-DSA-65 with a secret polynomial that takes three blocks of
// SHAKE256 to sample. The empty message is signed.
func addUnluckyDSA(co *collector, tests []fields) error {
	d, err := dsaNamed("ML-DSA-65")
	if err != nil {
		return err
	}
	for i, t := range tests {
		in, err := t.inputs("Seed", "Pk", "Sk", "Sig")
		if err != nil {
			return fmt.Errorf("test %d: %w", i, err)
		}
		co.add(d.String(), "all, unlucky ExpandS", testCase{id: fmt.Sprintf("test %d", i), run: func() error {
			sk, err := d.fromSeed(in["Seed"])
			if err != nil {
				return err
			}
			signature, err := signMessage(sk, message{form: pureMessage}, nil)
			if err != nil {
				return err
			}
			pk, expanded, sig := sha256.Sum256(sk.PublicKey().Bytes()), sha256.Sum256(sk.ExpandedBytes()), sha256.Sum256(signature)
			return compare(
				values{"Pk": pk[:], "Sk": expanded[:], "Sig": sig[:]},
				values{"Pk": in["Pk"], "Sk": in["Sk"], "Sig": in["Sig"]})
		}})
	}
	return nil
}
