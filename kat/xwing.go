package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/hybrid/hybridtest"
)

const (
	xwingDraftFile     = "xwing/test-vectors.json"
	xwingBoringSSLFile = "xwing/boringssl_xwing_evp_tests.txt"
	xwingPrivateFile   = "xwing/xwing.priv.pem"
	xwingPublicFile    = "xwing/xwing.pub.pem"

	xwingName = "X-Wing"
)

func xwingEntries() []entry {
	const draft = "X-Wing draft"
	return []entry{
		{draft, xwingDraftFile, xwingDraft},
		{draft, xwingPrivateFile, xwingPEM},
		{"BoringSSL", xwingBoringSSLFile, xwingBoringSSL},
	}
}

// xwingKey returns the key of a seed, which must encode to that seed.
func xwingKey(seed []byte) (*hybrid.XWingDecapsulationKey, error) {
	dk, err := hybrid.NewXWingDecapsulationKey(seed)
	if err == nil && !bytes.Equal(dk.Bytes(), seed) {
		err = errRoundTrip
	}
	return dk, err
}

// xwingEncapsulate encapsulates to the encoded key ek.
func xwingEncapsulate(ek, random []byte) (sharedKey, ciphertext []byte, err error) {
	key, err := hybrid.NewXWingEncapsulationKey(ek)
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(key.Bytes(), ek) {
		return nil, nil, errRoundTrip
	}
	return hybridtest.EncapsulateXWing(key, random)
}

// xwingRun is key generation, encapsulation and decapsulation of one key.
func xwingRun(seed, random []byte) (values, error) {
	dk, err := xwingKey(seed)
	if err != nil {
		return nil, err
	}
	ek := dk.EncapsulationKey().Bytes()
	sharedKey, ciphertext, err := xwingEncapsulate(ek, random)
	if err != nil {
		return nil, err
	}
	decapsulated, err := dk.Decapsulate(ciphertext)
	return values{"pk": ek, "ct": ciphertext, "ss": sharedKey, "decapsulated ss": decapsulated}, err
}

func xwingDraft(fsys fs.FS, co *collector) error {
	co.file = xwingDraftFile
	data, err := readFile(fsys, co.file)
	if err != nil {
		return err
	}
	var tests []fields
	if err := json.Unmarshal(data, &tests); err != nil {
		return fmt.Errorf("%s: %w", co.file, err)
	}
	if len(tests) == 0 {
		return fmt.Errorf("%s: %w", co.file, errEmpty)
	}
	for i, t := range tests {
		in, err := t.inputs("seed", "eseed", "ss", "sk", "pk", "ct")
		if err != nil {
			return fmt.Errorf("%s: test %d: %w", co.file, i, err)
		}
		co.add(xwingName, "all", testCase{id: fmt.Sprintf("test %d", i), run: func() error {
			if !bytes.Equal(in["seed"], in["sk"]) {
				return errors.New("the seed is not the private key")
			}
			got, err := xwingRun(in["seed"], in["eseed"])
			if err != nil {
				return err
			}
			return compare(got, values{"pk": in["pk"], "ct": in["ct"], "ss": in["ss"], "decapsulated ss": in["ss"]})
		}})
	}
	return nil
}

// xwingPEM loads the draft's two keys, which belong together.
func xwingPEM(fsys fs.FS, co *collector) error {
	var der [2][]byte
	for i, name := range []string{xwingPrivateFile, xwingPublicFile} {
		data, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		block, rest := pem.Decode(data)
		if block == nil || len(bytes.TrimSpace(rest)) > 0 {
			return fmt.Errorf("%s: not one PEM block", name)
		}
		der[i] = block.Bytes
	}
	co.file = xwingPrivateFile
	co.add(xwingName, "key files", testCase{id: "private key", run: func() error {
		dk, err := hybrid.ParseXWingDecapsulationKey(der[0])
		if err != nil {
			return err
		}
		private, err := dk.MarshalPKCS8()
		if err != nil {
			return err
		}
		public, err := dk.EncapsulationKey().MarshalPKIX()
		if err != nil {
			return err
		}
		return compare(values{"private": private, "public": public}, values{"private": der[0], "public": der[1]})
	}})
	co.file = xwingPublicFile
	co.add(xwingName, "key files", testCase{id: "public key", run: func() error {
		ek, err := hybrid.ParseXWingEncapsulationKey(der[1])
		if err != nil {
			return err
		}
		public, err := ek.MarshalPKIX()
		if err != nil {
			return err
		}
		return compare(values{"public": public}, values{"public": der[1]})
	}})
	return nil
}

// A boringKey is a key of BoringSSL's file with what is done with it.
type boringKey struct {
	name         string
	private      []byte // nil if it is a public key alone
	public       []byte
	wrong        bool // the key does not parse
	ciphertexts  [][]byte
	sharedKeys   [][]byte // of the ciphertexts; nil if decapsulation fails
	encapsulated bool
}

// xwingBoringSSL loads BoringSSL's file: paragraphs of lines "name = value", each a key or
// an operation with an earlier one. A case is a key with all of its operations.
func xwingBoringSSL(fsys fs.FS, co *collector) error {
	co.file = xwingBoringSSLFile
	data, err := readFile(fsys, co.file)
	if err != nil {
		return err
	}
	var keys []*boringKey
	for i, paragraph := range strings.Split(string(data), "\n\n") {
		if keys, err = addBoringParagraph(keys, paragraph); err != nil {
			return fmt.Errorf("%s: paragraph %d: %w", co.file, i, err)
		}
	}
	if len(keys) == 0 {
		return fmt.Errorf("%s: %w", co.file, errEmpty)
	}
	for _, k := range keys {
		co.add(xwingName, "keys and their use", testCase{id: k.name, run: k.run})
	}
	return nil
}

func addBoringParagraph(keys []*boringKey, paragraph string) ([]*boringKey, error) {
	lines := make(map[string]string)
	for line := range strings.Lines(paragraph) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, " = ")
		lines[name] = value
	}
	if len(lines) == 0 {
		return keys, nil
	}
	if lines["Algorithm"] != xwingName {
		return nil, fmt.Errorf("algorithm %q", lines["Algorithm"])
	}
	delete(lines, "Algorithm")
	take := func(name string) ([]byte, error) {
		value, ok := lines[name]
		if !ok {
			return nil, nil
		}
		delete(lines, name)
		b, err := hex.DecodeString(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return b, nil
	}
	keyNamed := func(name string) (*boringKey, error) {
		for _, k := range keys {
			if k.name == strings.TrimSuffix(name, "/Private") {
				return k, nil
			}
		}
		return nil, fmt.Errorf("no key %q", name)
	}

	var err error
	switch {
	case lines["Key"] != "":
		k := &boringKey{name: lines["Key"]}
		delete(lines, "Key")
		if k.private, err = take("PrivateSeed"); err != nil {
			return nil, err
		}
		if k.public, err = take("RawPublic"); err != nil {
			return nil, err
		}
		k.wrong = lines["Error"] == "DECODE_ERROR"
		delete(lines, "Error")
		if k.private == nil && k.public == nil {
			return nil, fmt.Errorf("key %q: %w", k.name, errEmpty)
		}
		keys = append(keys, k)
	case lines["Decapsulate"] != "":
		k, err := keyNamed(lines["Decapsulate"])
		if err != nil {
			return nil, err
		}
		delete(lines, "Decapsulate")
		c, err := take("Input")
		if err != nil {
			return nil, err
		}
		sharedKey, err := take("Output")
		if err != nil {
			return nil, err
		}
		if _, fails := lines["DecapsulateFail"]; fails == (sharedKey != nil) {
			return nil, errors.New("want one of Output and DecapsulateFail")
		}
		delete(lines, "DecapsulateFail")
		k.ciphertexts, k.sharedKeys = append(k.ciphertexts, c), append(k.sharedKeys, sharedKey)
	default:
		for _, op := range []string{"Encapsulate", "EncapsulateDecapsulate"} {
			if lines[op] == "" {
				continue
			}
			k, err := keyNamed(lines[op])
			if err != nil {
				return nil, err
			}
			k.encapsulated = true
			delete(lines, op)
		}
	}
	for name := range lines {
		return nil, fmt.Errorf("unknown line %q", name)
	}
	return keys, nil
}

func (k *boringKey) run() error {
	if k.wrong {
		return k.refused()
	}
	dk, err := xwingKey(k.private)
	if err != nil {
		return err
	}
	if err := compare(values{"RawPublic": dk.EncapsulationKey().Bytes()}, values{"RawPublic": k.public}); err != nil {
		return err
	}
	if k.encapsulated {
		ek, err := hybrid.NewXWingEncapsulationKey(k.public)
		if err != nil {
			return err
		}
		want, c := ek.Encapsulate()
		got, err := dk.Decapsulate(c)
		if err != nil {
			return err
		}
		if err := compare(values{"shared key": got}, values{"shared key": want}); err != nil {
			return err
		}
	}
	for i, c := range k.ciphertexts {
		got, err := dk.Decapsulate(c)
		switch want := k.sharedKeys[i]; {
		case want == nil && err == nil:
			return fmt.Errorf("ciphertext of %d bytes: %w", len(c), errAccepted)
		case want != nil && err != nil:
			return err
		case want != nil:
			if err := compare(values{"Output": got}, values{"Output": want}); err != nil {
				return err
			}
		}
	}
	return nil
}

// refused tries to parse a wrong key.
func (k *boringKey) refused() error {
	if k.private != nil {
		if _, err := hybrid.NewXWingDecapsulationKey(k.private); err == nil {
			return errAccepted
		}
		return nil
	}
	if _, err := hybrid.NewXWingEncapsulationKey(k.public); err == nil {
		return errAccepted
	}
	return nil
}
