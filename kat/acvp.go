package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
)

// acvpModes answers the cases of one algorithm and mode of NIST's Automated
// Cryptographic Validation Protocol. in holds a case's fields and its group's.
var acvpModes = map[string]func(in fields) (values, error){
	"ML-KEM/keyGen":     acvpMLKEMKeyGen,
	"ML-KEM/encapDecap": acvpMLKEMEncapDecap,
	"ML-DSA/keyGen":     acvpMLDSAKeyGen,
	"ML-DSA/sigGen":     acvpMLDSASigGen,
	"ML-DSA/sigVer":     acvpMLDSASigVer,
}

func acvpMLKEMKeyGen(in fields) (values, error) {
	key, err := acvpSeedKey(in)
	if err != nil {
		return nil, err
	}
	return values{"ek": key.ek, "dk": key.dk}, nil
}

func acvpMLKEMEncapDecap(in fields) (values, error) {
	k, err := acvpKEM(in)
	if err != nil {
		return nil, err
	}
	function, err := in.text("function")
	if err != nil {
		return nil, err
	}
	switch function {
	case "encapsulation":
		b, err := in.inputs("ek", "m")
		if err != nil {
			return nil, err
		}
		sharedKey, ciphertext, err := k.encapsulate(b["ek"], b["m"])
		return values{"c": ciphertext, "k": sharedKey}, err
	case "decapsulation":
		key, err := acvpKey(in, k)
		if err != nil {
			return nil, err
		}
		c, err := in.bytes("c")
		if err != nil {
			return nil, err
		}
		sharedKey, err := key.decapsulate(c)
		return values{"k": sharedKey}, err
	case "encapsulationKeyCheck":
		ek, err := in.bytes("ek")
		if err != nil {
			return nil, err
		}
		return acvpCheck(k.check(ek))
	case "decapsulationKeyCheck":
		dk, err := in.bytes("dk")
		if err != nil {
			return nil, err
		}
		_, err = k.fromExpanded(dk)
		return acvpCheck(err)
	}
	return nil, fmt.Errorf("unknown function %q", function)
}

// acvpCheck turns the outcome of a key check into an answer.
func acvpCheck(err error) (values, error) {
	if errors.Is(err, errInconsistent) {
		return nil, err
	}
	return values{"testPassed": err == nil}, nil
}

func acvpKEM(in fields) (kem, error) {
	name, err := in.text("parameterSet")
	if err != nil {
		return kem{}, err
	}
	return kemNamed(name)
}

// acvpKey returns the decapsulation key of a case in the format that it has.
func acvpKey(in fields, k kem) (kemKey, error) {
	format, err := in.text("keyFormat")
	if err != nil {
		return kemKey{}, err
	}
	switch format {
	case "seed":
		return acvpSeedKey(in)
	case "", "expanded":
		dk, err := in.bytes("dk")
		if err != nil {
			return kemKey{}, err
		}
		return k.fromExpanded(dk)
	}
	return kemKey{}, fmt.Errorf("unknown keyFormat %q", format)
}

func acvpSeedKey(in fields) (kemKey, error) {
	k, err := acvpKEM(in)
	if err != nil {
		return kemKey{}, err
	}
	b, err := in.inputs("d", "z")
	if err != nil {
		return kemKey{}, err
	}
	return k.fromSeed(append(b["d"], b["z"]...))
}

// An acvpCase is one case of a prompt.
type acvpCase struct {
	tgID, tcID int
	in         fields // the case's fields, and those of its group that it lacks
}

func (c acvpCase) String() string { return fmt.Sprintf("tgId %d, tcId %d", c.tgID, c.tcID) }

// An acvpSet is a vector set: a prompt, or the expected results for one.
type acvpSet struct {
	header fields // everything but the groups
	id     int    // vsId
	mode   string // algorithm/mode
	cases  []acvpCase
}

// parseACVP reads a vector set, or an array of them as a server sends it. Objects
// in the array without test groups (protocol version, session) become sets without
// cases.
func parseACVP(data []byte) ([]acvpSet, error) {
	var list []fields
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, err
		}
	} else {
		list = make([]fields, 1)
		if err := json.Unmarshal(data, &list[0]); err != nil {
			return nil, err
		}
	}
	var sets []acvpSet
	cases := 0
	for _, f := range list {
		s, err := newACVPSet(f)
		if err != nil {
			return nil, err
		}
		cases += len(s.cases)
		sets = append(sets, s)
	}
	if cases == 0 {
		return nil, fmt.Errorf("testGroups: %w", errEmpty)
	}
	return sets, nil
}

func newACVPSet(f fields) (s acvpSet, err error) {
	s.header = f
	if !f.has("testGroups") {
		return s, nil
	}
	groups, err := f.objects("testGroups")
	if err != nil {
		return s, err
	}
	delete(f, "testGroups")
	if s.id, err = f.integer("vsId"); err != nil {
		return s, err
	}
	algorithm, err := f.text("algorithm")
	if err != nil {
		return s, err
	}
	mode, err := f.text("mode")
	if err != nil {
		return s, err
	}
	s.mode = algorithm + "/" + mode
	for i, g := range groups {
		tgID, err := g.integer("tgId")
		if err != nil {
			return s, fmt.Errorf("test group %d: %w", i, err)
		}
		tests, err := g.objects("tests")
		if err != nil {
			return s, fmt.Errorf("tgId %d: %w", tgID, err)
		}
		delete(g, "tests")
		for i, t := range tests {
			tcID, err := t.integer("tcId")
			if err != nil {
				return s, fmt.Errorf("tgId %d, test %d: %w", tgID, i, err)
			}
			in := maps.Clone(g)
			maps.Copy(in, t)
			s.cases = append(s.cases, acvpCase{tgID, tcID, in})
		}
	}
	return s, nil
}

// acvpFiles returns a loader of a prompt and its expected results, joined on
// vsId and tcId. reasons, which may be missing, maps tcId to what a case is about.
func acvpFiles(prompt, expected, reasons string) loader {
	return func(fsys fs.FS, co *collector) error {
		co.file = prompt
		prompts, err := readACVP(fsys, prompt)
		if err != nil {
			return err
		}
		results, err := readACVP(fsys, expected)
		if err != nil {
			return err
		}
		why := make(map[int]string)
		if data, err := readFile(fsys, reasons); err == nil {
			if err := json.Unmarshal(data, &why); err != nil {
				return fmt.Errorf("%s: %w", reasons, err)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		type key struct{ vsID, tcID int }
		want := make(map[key]values)
		for _, s := range results {
			for _, c := range s.cases {
				k := key{s.id, c.tcID}
				if want[k] != nil {
					return fmt.Errorf("%s: %v: appears twice", expected, c)
				}
				if want[k], err = acvpResult(c.in); err != nil {
					return fmt.Errorf("%s: %v: %w", expected, c, err)
				}
			}
		}
		for _, s := range prompts {
			for _, c := range s.cases {
				k := key{s.id, c.tcID}
				if want[k] == nil {
					return fmt.Errorf("%s: %v: no expected result in %s (or the case appears twice)", prompt, c, expected)
				}
				if err := addACVP(co, s, c, want[k], why[c.tcID]); err != nil {
					return fmt.Errorf("%s: %v: %w", prompt, c, err)
				}
				delete(want, k)
			}
		}
		for k := range want {
			return fmt.Errorf("%s: tcId %d: no prompt in %s", expected, k.tcID, prompt)
		}
		return nil
	}
}

func readACVP(fsys fs.FS, name string) ([]acvpSet, error) {
	data, err := readFile(fsys, name)
	if err != nil {
		return nil, err
	}
	sets, err := parseACVP(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return sets, nil
}

// acvpResult decodes the expected fields of a case.
func acvpResult(in fields) (values, error) {
	want := make(values)
	for name, raw := range in {
		if name == "tcId" || name == "tgId" {
			continue
		}
		var pass *bool
		if json.Unmarshal(raw, &pass) == nil && pass != nil {
			want[name] = *pass
			continue
		}
		b, err := in.bytes(name)
		if err != nil {
			return nil, err
		}
		want[name] = b
	}
	if len(want) == 0 {
		return nil, errEmpty
	}
	return want, nil
}

func addACVP(co *collector, s acvpSet, c acvpCase, want values, reason string) error {
	answer := acvpModes[s.mode]
	if answer == nil {
		return fmt.Errorf("unknown algorithm and mode %s", s.mode)
	}
	algorithm, err := c.in.text("parameterSet")
	if err != nil {
		return err
	}
	_, function, _ := strings.Cut(s.mode, "/")
	if c.in.has("function") {
		if function, err = c.in.text("function"); err != nil {
			return err
		}
	}
	if function == "sigGen" || function == "sigVer" {
		form, err := acvpMessageForm(c.in)
		if err != nil {
			return err
		}
		function += ", " + form.String()
	}
	format, err := c.in.text("keyFormat")
	if err != nil {
		return err
	}
	if format != "" {
		function += ", " + format
	}
	co.add(algorithm, function, testCase{
		id:   c.String(),
		note: reason,
		run: func() error {
			got, err := answer(c.in)
			if err != nil {
				return err
			}
			return compare(got, want)
		},
	})
	return nil
}

// answerACVP writes the results that a server expects for a prompt.
func answerACVP(prompt []byte, w io.Writer) error {
	sets, err := parseACVP(prompt)
	if err != nil {
		return err
	}
	var out []map[string]any
	for _, s := range sets {
		o, err := s.answer()
		if err != nil {
			return err
		}
		out = append(out, o)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if bytes.HasPrefix(bytes.TrimLeft(prompt, " \t\r\n"), []byte("[")) {
		return e.Encode(out)
	}
	return e.Encode(out[0])
}

// acvpGroup is a test group of the results. Its cases are in the prompt's order.
type acvpGroup struct {
	ID    int              `json:"tgId"`
	Tests []map[string]any `json:"tests"`
}

// answer returns the set with the results in place of the prompt's groups.
func (s acvpSet) answer() (map[string]any, error) {
	out := make(map[string]any)
	for name, raw := range s.header {
		out[name] = raw
	}
	if s.cases == nil {
		return out, nil
	}
	answer := acvpModes[s.mode]
	if answer == nil {
		return nil, fmt.Errorf("unknown algorithm and mode %s", s.mode)
	}
	var groups []acvpGroup
	for _, c := range s.cases {
		var got values
		err := guard(func() (err error) { got, err = answer(c.in); return err })
		if err != nil {
			return nil, fmt.Errorf("%v: %w", c, err)
		}
		test := map[string]any{"tcId": c.tcID}
		for name, v := range got {
			if b, ok := v.([]byte); ok {
				v = strings.ToUpper(hex.EncodeToString(b))
			}
			test[name] = v
		}
		if len(groups) == 0 || groups[len(groups)-1].ID != c.tgID {
			groups = append(groups, acvpGroup{ID: c.tgID})
		}
		g := &groups[len(groups)-1]
		g.Tests = append(g.Tests, test)
	}
	out["testGroups"] = groups
	return out, nil
}
