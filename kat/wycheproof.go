package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pqlane/pqlane/mldsa"
)

// A wycheproofType says how to run the test groups of one type.
type wycheproofType struct {
	function string
	inputs   []string // hex fields of every case, or of its group
	optional []string // hex fields of some cases
	outputs  []string // hex fields of the answer to a valid case
	answer   func(parameterSet string, in map[string][]byte) (values, error)
}

var wycheproofTypes = map[string]wycheproofType{
	"MLKEMKeyGen": {"keyGen, seed", []string{"seed"}, nil, []string{"ek", "dk"},
		func(parameterSet string, in map[string][]byte) (values, error) {
			k, err := kemNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			key, err := k.fromSeed(in["seed"])
			return values{"ek": key.ek, "dk": key.dk}, err
		}},
	"MLKEMEncapsTest": {"encapsulation", []string{"ek", "m"}, nil, []string{"c", "K"},
		func(parameterSet string, in map[string][]byte) (values, error) {
			k, err := kemNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			sharedKey, ciphertext, err := k.encapsulate(in["ek"], in["m"])
			return values{"c": ciphertext, "K": sharedKey}, err
		}},
	"MLKEMTest": {"decapsulation, seed", []string{"seed", "c"}, nil, []string{"ek", "K"},
		func(parameterSet string, in map[string][]byte) (values, error) {
			k, err := kemNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			return wycheproofDecapsulate(k.fromSeed, in["seed"], in["c"])
		}},
	"MLKEMDecapsValidationTest": {"decapsulation, expanded", []string{"dk", "c"}, nil, []string{"ek", "K"},
		func(parameterSet string, in map[string][]byte) (values, error) {
			k, err := kemNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			return wycheproofDecapsulate(k.fromExpanded, in["dk"], in["c"])
		}},
	"MlDsaSign of privateSeed": {"sign, seed",
		[]string{"privateSeed"}, []string{"msg", "mu", "ctx", "rnd"}, []string{"publicKey", "sig"},
		func(parameterSet string, in map[string][]byte) (values, error) {
			d, err := dsaNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			return wycheproofSign(d.fromSeed, in["privateSeed"], in)
		}},
	"MlDsaSign of privateKey": {"sign, expanded",
		[]string{"privateKey"}, []string{"msg", "mu", "ctx", "rnd"}, []string{"publicKey", "sig"},
		func(parameterSet string, in map[string][]byte) (values, error) {
			d, err := dsaNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			return wycheproofSign(d.fromExpanded, in["privateKey"], in)
		}},
	"MlDsaVerify": {"verify", []string{"publicKey", "msg", "sig"}, []string{"ctx"}, nil,
		func(parameterSet string, in map[string][]byte) (values, error) {
			d, err := dsaNamed(parameterSet)
			if err != nil {
				return nil, err
			}
			pk, err := d.publicKey(in["publicKey"])
			if err != nil {
				return nil, err
			}
			return nil, verifyMessage(pk, message{body: in["msg"], context: in["ctx"]}, in["sig"])
		}},
}

// wycheproofTypeName returns the name of a group's type, and for a type whose key has two
// forms the field with the key.
func wycheproofTypeName(group fields) (string, error) {
	name, err := group.text("type")
	if err != nil || name != "MlDsaSign" {
		return name, err
	}
	for _, key := range []string{"privateSeed", "privateKey"} {
		if group.has(key) {
			return name + " of " + key, nil
		}
	}
	return "", errors.New("privateSeed or privateKey: missing")
}

// wycheproofSign signs a case's message, its μ, or both, where their μ and signatures must
// be the same.
func wycheproofSign(parse func([]byte) (*mldsa.PrivateKey, error), key []byte, in map[string][]byte) (values, error) {
	sk, err := parse(key)
	if err != nil {
		return nil, err
	}
	got := values{"publicKey": sk.PublicKey().Bytes()}
	var messages []message
	if msg, ok := in["msg"]; ok {
		messages = append(messages, message{form: pureMessage, body: msg, context: in["ctx"]})
	}
	if mu, ok := in["mu"]; ok {
		messages = append(messages, message{form: externalMuMessage, body: mu})
	}
	if len(messages) == 0 {
		return nil, fmt.Errorf("%w: no msg and no mu", errInconsistent)
	}
	for _, m := range messages {
		signature, err := signMessage(sk, m, in["rnd"])
		if err != nil {
			return nil, err
		}
		mu, err := m.mu(sk.PublicKey())
		if err != nil {
			return nil, err
		}
		if want, ok := in["mu"]; ok && !bytes.Equal(mu[:], want) {
			return nil, fmt.Errorf("%w: mu: %s", errInconsistent, difference(mu[:], want))
		}
		if other, ok := got["sig"].([]byte); ok && !bytes.Equal(signature, other) {
			return nil, fmt.Errorf("%w: signature of mu: %s", errInconsistent, difference(signature, other))
		}
		got["sig"] = signature
	}
	return got, nil
}

func wycheproofDecapsulate(parse func([]byte) (kemKey, error), key, ciphertext []byte) (values, error) {
	dk, err := parse(key)
	if err != nil {
		return nil, err
	}
	sharedKey, err := dk.decapsulate(ciphertext)
	return values{"ek": dk.ek, "K": sharedKey}, err
}

// wycheproofFile returns a loader of one file of the Wycheproof project.
func wycheproofFile(name string) loader {
	return func(fsys fs.FS, co *collector) error {
		co.file = name
		data, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		var file fields
		if err := json.Unmarshal(data, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		groups, err := file.objects("testGroups")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		algorithm, err := file.text("algorithm")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		count := 0
		for i, g := range groups {
			n, err := addWycheproof(co, algorithm, g)
			if err != nil {
				return fmt.Errorf("%s: test group %d: %w", name, i, err)
			}
			count += n
		}
		want, err := file.integer("numberOfTests")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if count != want {
			return fmt.Errorf("%s: %d cases, but numberOfTests is %d", name, count, want)
		}
		return nil
	}
}

// addWycheproof adds the cases of a test group and returns their number. parameterSet is
// that of a group that names none.
func addWycheproof(co *collector, parameterSet string, group fields) (int, error) {
	name, err := wycheproofTypeName(group)
	if err != nil {
		return 0, err
	}
	typ, ok := wycheproofTypes[name]
	if !ok {
		return 0, fmt.Errorf("unknown type %q", name)
	}
	if group.has("parameterSet") {
		if parameterSet, err = group.text("parameterSet"); err != nil {
			return 0, err
		}
	}
	tests, err := group.objects("tests")
	if err != nil {
		return 0, err
	}
	delete(group, "tests")
	for i, t := range tests {
		id, err := t.integer("tcId")
		if err != nil {
			return 0, fmt.Errorf("test %d: %w", i, err)
		}
		for field, v := range group {
			if !t.has(field) {
				t[field] = v
			}
		}
		c, err := newWycheproofCase(typ, parameterSet, t)
		if err != nil {
			return 0, fmt.Errorf("tcId %d: %w", id, err)
		}
		c.id = fmt.Sprintf("tcId %d", id)
		co.add(parameterSet, typ.function, c)
	}
	return len(tests), nil
}

func newWycheproofCase(typ wycheproofType, parameterSet string, t fields) (testCase, error) {
	result, err := t.text("result")
	if err != nil {
		return testCase{}, err
	}
	note, err := wycheproofNote(t)
	if err != nil {
		return testCase{}, err
	}
	in, err := t.inputs(typ.inputs...)
	if err != nil {
		return testCase{}, err
	}
	for _, name := range typ.optional {
		if !t.has(name) {
			continue
		}
		if in[name], err = t.bytes(name); err != nil {
			return testCase{}, err
		}
	}
	c := testCase{note: note}
	switch result {
	case "valid":
		outputs, err := t.inputs(typ.outputs...)
		if err != nil {
			return testCase{}, err
		}
		want := make(values)
		for name, b := range outputs {
			want[name] = b
		}
		c.run = func() error {
			got, err := typ.answer(parameterSet, in)
			if err != nil {
				return err
			}
			return compare(got, want)
		}
	case "invalid":
		c.run = func() error {
			_, err := typ.answer(parameterSet, in)
			if err == nil {
				return errors.New("accepted, but invalid")
			}
			if errors.Is(err, errInconsistent) {
				return err
			}
			return nil
		}
	default:
		return testCase{}, fmt.Errorf("unknown result %q", result)
	}
	return c, nil
}

// wycheproofNote joins the comment and the flags of a case.
func wycheproofNote(t fields) (string, error) {
	comment, err := t.text("comment")
	if err != nil {
		return "", err
	}
	var flags []string
	if t.has("flags") {
		if err := t.read("flags", &flags); err != nil {
			return "", err
		}
	}
	if comment != "" {
		flags = append([]string{comment}, flags...)
	}
	return strings.Join(flags, ", "), nil
}
