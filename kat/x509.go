package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// Key files and certificates of RFC 9881 and RFC 9935. All private keys are of the seed
// 000102….

const (
	sourceRFC9881 = "LAMPS RFC 9881"
	sourceRFC9935 = "LAMPS RFC 9935"
)

func x509Entries() []entry {
	var entries []entry
	add := func(source, algorithm string, bad int) {
		entries = append(entries, entry{source, "x509/" + algorithm, keyFiles("x509/", algorithm, bad)})
	}
	add(sourceRFC9881, "ML-DSA-44", 3)
	add(sourceRFC9881, "ML-DSA-65", 0)
	add(sourceRFC9881, "ML-DSA-87", 0)
	add(sourceRFC9935, "ML-KEM-512", 4)
	add(sourceRFC9935, "ML-KEM-768", 0)
	add(sourceRFC9935, "ML-KEM-1024", 0)
	return entries
}

// A keyFormat is what reads and writes the key files of a package.
type keyFormat struct {
	seedSize      int
	parsePublic   func(der []byte) (any, error)
	marshalPublic func(key any) ([]byte, error)
	parse         func(der []byte) (key any, seed, public []byte, err error) // seed is nil if key has none
	marshal       func(key any, form int) ([]byte, error)                    // in a form of keyForms
	inconsistent  []error                                                    // refusals of keys whose parts don't belong together
}

// keyForms are what file names call the forms of private keys, in the order of both
// packages' constants.
var keyForms = []string{"seed", "expanded", "both"}

var (
	mldsaFormat = keyFormat{
		seedSize:      mldsa.PrivateKeySize,
		parsePublic:   func(der []byte) (any, error) { return mldsa.ParsePKIXPublicKey(der) },
		marshalPublic: func(key any) ([]byte, error) { return mldsa.MarshalPKIXPublicKey(key.(*mldsa.PublicKey)) },
		parse: func(der []byte) (key any, seed, public []byte, err error) {
			sk, err := mldsa.ParsePKCS8PrivateKey(der)
			if err != nil {
				return nil, nil, nil, err
			}
			public, err = mldsa.MarshalPKIXPublicKey(sk.PublicKey())
			return sk, sk.Bytes(), public, err
		},
		marshal: func(key any, form int) ([]byte, error) {
			return mldsa.MarshalPKCS8PrivateKeyForm(key.(*mldsa.PrivateKey), mldsa.PrivateKeyForm(form))
		},
		inconsistent: []error{mldsa.ErrInconsistent},
	}
	mlkemFormat = keyFormat{
		seedSize:      mlkem.SeedSize,
		parsePublic:   func(der []byte) (any, error) { return mlkem.ParsePKIXPublicKey(der) },
		marshalPublic: func(key any) ([]byte, error) { return mlkem.MarshalPKIXPublicKey(key.(crypto.Encapsulator)) },
		parse: func(der []byte) (key any, seed, public []byte, err error) {
			dk, err := mlkem.ParsePKCS8PrivateKey(der)
			if err != nil {
				return nil, nil, nil, err
			}
			public, err = mlkem.MarshalPKIXPublicKey(dk.Encapsulator())
			return dk, dk.(interface{ Bytes() []byte }).Bytes(), public, err
		},
		marshal: func(key any, form int) ([]byte, error) {
			return mlkem.MarshalPKCS8PrivateKeyForm(key.(crypto.Decapsulator), mlkem.PrivateKeyForm(form))
		},
		inconsistent: []error{mlkem.ErrInconsistent, mlkem.ErrHash},
	}
)

func formatOf(algorithm string) keyFormat {
	if strings.HasPrefix(algorithm, "ML-DSA") {
		return mldsaFormat
	}
	return mlkemFormat
}

// readPEM returns the one block of the named file, which must be of the given type.
func readPEM(fsys fs.FS, name, blockType string) ([]byte, error) {
	data, err := readFile(fsys, name)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != blockType || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s: not one PEM block of type %s", name, blockType)
	}
	return block.Bytes, nil
}

// keyFiles returns a loader of an algorithm's key files and certificate, and of as many bad
// private keys.
func keyFiles(dir, algorithm string, bad int) loader {
	return func(fsys fs.FS, co *collector) error {
		format := formatOf(algorithm)
		public, err := readPEM(fsys, dir+algorithm+".pub", "PUBLIC KEY")
		if err != nil {
			return err
		}
		co.file = dir + algorithm + ".pub"
		co.add(algorithm, "PKIX public key", testCase{id: "the file's key", run: func() error {
			key, err := format.parsePublic(public)
			if err != nil {
				return err
			}
			again, err := format.marshalPublic(key)
			if err != nil {
				return err
			}
			return compare(values{"public key": again}, values{"public key": public})
		}})
		if err := addPrivateKeys(fsys, co, dir, algorithm, public); err != nil {
			return err
		}
		for i := range bad {
			co.file = fmt.Sprintf("%sbad-%s-%d.priv", dir, algorithm, i+1)
			private, err := readPEM(fsys, co.file, "PRIVATE KEY")
			if err != nil {
				return err
			}
			co.add(algorithm, "PKCS#8 inconsistent key", testCase{id: "the file's key", run: func() error {
				_, _, _, err := format.parse(private)
				if !slices.ContainsFunc(format.inconsistent, func(want error) bool { return errors.Is(err, want) }) {
					return fmt.Errorf("got error %v, want one that the key is inconsistent", err)
				}
				return nil
			}})
		}
		return addCertificate(fsys, co, dir, algorithm, public)
	}
}

// addPrivateKeys adds a case for each form of a private key: it is the key of the seed, and
// what that is written as.
func addPrivateKeys(fsys fs.FS, co *collector, dir, algorithm string, public []byte) error {
	format := formatOf(algorithm)
	seed := make([]byte, format.seedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	var seedFile []byte
	for form, name := range keyForms {
		co.file = fmt.Sprintf("%s%s-%s.priv", dir, algorithm, name)
		private, err := readPEM(fsys, co.file, "PRIVATE KEY")
		if err != nil {
			return err
		}
		if form == 0 {
			seedFile = private
		}
		want := values{"seed": seed, "public key": public, "file": private, "file of the seed's key": private}
		if name == "expanded" {
			want["seed"] = []byte(nil)
		}
		co.add(algorithm, "PKCS#8 private key, "+name, testCase{id: "the file's key", run: func() error {
			key, seed, public, err := format.parse(private)
			if err != nil {
				return err
			}
			file, err := format.marshal(key, form)
			if err != nil {
				return err
			}
			key, _, _, err = format.parse(seedFile)
			if err != nil {
				return err
			}
			fileOfSeed, err := format.marshal(key, form)
			if err != nil {
				return err
			}
			return compare(values{"seed": seed, "public key": public, "file": file, "file of the seed's key": fileOfSeed}, want)
		}})
	}
	return nil
}

// signers of the certificates, by algorithm of the subject. Those of ML-DSA sign themselves.
var certificateSigners = map[string]string{
	"ML-KEM-512": "ML-DSA-44", "ML-KEM-768": "ML-DSA-65", "ML-KEM-1024": "ML-DSA-87",
}

// addCertificate adds a case for the certificate of an algorithm's public key.
func addCertificate(fsys fs.FS, co *collector, dir, algorithm string, public []byte) error {
	name := dir + algorithm + ".crt"
	der, err := readPEM(fsys, name, "CERTIFICATE")
	if err != nil {
		return err
	}
	signer := algorithm
	if s, ok := certificateSigners[algorithm]; ok {
		signer = s
	}
	signerDER, err := readPEM(fsys, dir+signer+".crt", "CERTIFICATE")
	if err != nil {
		return err
	}
	co.file = name
	co.add(algorithm, "certificate", testCase{id: "the file's certificate", note: "signed with " + signer, run: func() error {
		issuer, err := x509.ParseCertificate(signerDER)
		if err != nil {
			return err
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		if err := hybrid.CheckCertificateSignature(cert, issuer); err != nil {
			return err
		}
		key, err := hybrid.PublicKeyOf(cert)
		if err != nil {
			return err
		}
		again, err := hybrid.MarshalPKIXPublicKey(key)
		if err != nil {
			return err
		}
		return compare(values{"public key": again}, values{"public key": public})
	}})
	return nil
}
