package main

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// Examples of ML-DSA and ML-KEM in CMS messages.

func cmsEntries() []entry {
	entries := []entry{{"LAMPS cms-kyber", "cms/kem-ML-KEM-512", cmsRecipient}}
	for _, n := range mldsaSets {
		entries = append(entries, entry{"LAMPS cms-ml-dsa", "cms/mldsa" + n + "-signed-attrs.pem", cmsSignature(n)})
	}
	return entries
}

// cmsRecipient loads a recipient's key files, and what its key decapsulates.
func cmsRecipient(fsys fs.FS, co *collector) error {
	const algorithm = "ML-KEM-512"
	const base = "cms/kem-"
	public, err := readPEM(fsys, base+algorithm+".pub", "PUBLIC KEY")
	if err != nil {
		return err
	}
	if err := addPrivateKeys(fsys, co, base, algorithm, public); err != nil {
		return err
	}
	private, err := readPEM(fsys, base+algorithm+"-seed.priv", "PRIVATE KEY")
	if err != nil {
		return err
	}
	in := make(map[string][]byte)
	for _, name := range []string{"ciphertext", "shared_secret"} {
		co.file = base + name + ".txt"
		data, err := readFile(fsys, co.file)
		if err != nil {
			return err
		}
		if in[name], err = hex.DecodeString(string(bytes.Join(bytes.Fields(data), nil))); err != nil {
			return fmt.Errorf("%s: %w", co.file, err)
		}
	}
	co.add(algorithm, "CMS recipient", testCase{id: "the file's secret", run: func() error {
		dk, err := mlkem.ParsePKCS8PrivateKey(private)
		if err != nil {
			return err
		}
		sharedKey, err := dk.Decapsulate(in["ciphertext"])
		if err != nil {
			return err
		}
		return compare(values{"K": sharedKey}, values{"K": in["shared_secret"]})
	}})
	return nil
}

// cmsSignature returns a loader of a message with signed attributes, whose signer is the
// example of RFC 9881.
func cmsSignature(n string) loader {
	return func(fsys fs.FS, co *collector) error {
		algorithm := "ML-DSA-" + n
		der, err := readPEM(fsys, "cms/mldsa"+n+"-signed-attrs.pem", "CMS")
		if err != nil {
			return err
		}
		public, err := readPEM(fsys, "x509/"+algorithm+".pub", "PUBLIC KEY")
		if err != nil {
			return err
		}
		co.file = "cms/mldsa" + n + "-signed-attrs.pem"
		content, attributes, signature, err := signedData(der)
		if err != nil {
			return fmt.Errorf("%s: %w", co.file, err)
		}
		co.add(algorithm, "CMS signature", testCase{id: "the file's signature", run: func() error {
			pk, err := mldsa.ParsePKIXPublicKey(public)
			if err != nil {
				return err
			}
			if digest := sha512.Sum512(content); !bytes.Contains(attributes, digest[:]) {
				return errors.New("the signed attributes lack the digest of the content")
			}
			return mldsa.Verify(pk, attributes, signature, nil)
		}})
		return nil
	}
}

// signedData returns the parts of a SignedData message (RFC 5652, Section 5) of one signer:
// the content, the signed attributes as a SET OF, and the signature.
func signedData(der []byte) (content, attributes, signature []byte, err error) {
	var tag0 = asn1.Tag(0).ContextSpecific().Constructed()
	s := cryptobyte.String(der)
	var info, data, encapsulated, octets, signers, signer, signed cryptobyte.String
	ok := s.ReadASN1(&info, asn1.SEQUENCE) && s.Empty() &&
		info.SkipASN1(asn1.OBJECT_IDENTIFIER) &&
		info.ReadASN1(&info, tag0) && info.ReadASN1(&data, asn1.SEQUENCE) &&
		data.SkipASN1(asn1.INTEGER) && data.SkipASN1(asn1.SET) &&
		data.ReadASN1(&encapsulated, asn1.SEQUENCE) &&
		encapsulated.SkipASN1(asn1.OBJECT_IDENTIFIER) && encapsulated.ReadASN1(&octets, tag0) &&
		octets.ReadASN1Bytes(&content, asn1.OCTET_STRING) &&
		data.ReadASN1(&signers, asn1.SET) && signers.ReadASN1(&signer, asn1.SEQUENCE) && signers.Empty() &&
		signer.SkipASN1(asn1.INTEGER) && signer.SkipASN1(asn1.SEQUENCE) && signer.SkipASN1(asn1.SEQUENCE) &&
		signer.ReadASN1Element(&signed, tag0) && signer.SkipASN1(asn1.SEQUENCE) &&
		signer.ReadASN1Bytes(&signature, asn1.OCTET_STRING)
	if !ok {
		return nil, nil, nil, errors.New("not a SignedData message of one signer with signed attributes")
	}
	attributes = bytes.Clone(signed)
	attributes[0] = byte(asn1.SET) // RFC 5652, Section 5.4
	return content, attributes, signature, nil
}
