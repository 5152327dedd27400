package main

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/hybrid/hybridtest"
)

// ecdhEntries are Wycheproof's files of the curves that groups have. Every case is run in
// each group of its curve, and there as client and as server.
func ecdhEntries(dir string) []entry {
	var entries []entry
	for _, name := range []string{"x25519_test", "ecdh_secp256r1_ecpoint_test", "ecdh_secp384r1_ecpoint_test"} {
		file := dir + "/" + name + ".json"
		entries = append(entries, entry{sourceWycheproof, file, ecdhFile(file)})
	}
	return entries
}

// An ecdhCurve is the classical half of groups. Sizes are in bytes.
type ecdhCurve struct {
	name                  string // as the files call it
	curve                 ecdh.Curve
	pointSize, secretSize int
	groups                []hybrid.Group
}

var ecdhCurves = []ecdhCurve{
	{"curve25519", ecdh.X25519(), 32, 32, []hybrid.Group{hybrid.X25519, hybrid.X25519MLKEM768}},
	{"secp256r1", ecdh.P256(), 65, 32, []hybrid.Group{hybrid.P256, hybrid.SecP256r1MLKEM768}},
	{"secp384r1", ecdh.P384(), 97, 48, []hybrid.Group{hybrid.SecP384r1MLKEM1024}},
}

func ecdhFile(name string) loader {
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
		count := 0
		for i, g := range groups {
			n, err := addECDH(co, g)
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

// addECDH adds the cases of a test group and returns their number.
func addECDH(co *collector, group fields) (int, error) {
	name, err := group.text("curve")
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(ecdhCurves, func(c ecdhCurve) bool { return c.name == name })
	if i < 0 {
		return 0, fmt.Errorf("unknown curve %q", name)
	}
	c := &ecdhCurves[i]
	tests, err := group.objects("tests")
	if err != nil {
		return 0, err
	}
	for i, t := range tests {
		id, err := t.integer("tcId")
		if err != nil {
			return 0, fmt.Errorf("test %d: %w", i, err)
		}
		tc, err := c.newCase(t)
		if err != nil {
			return 0, fmt.Errorf("tcId %d: %w", id, err)
		}
		tc.id = fmt.Sprintf("tcId %d", id)
		for _, g := range c.groups {
			tc.note += ", " + g.String()
		}
		co.add(fmt.Sprint(c.curve), "ECDH in groups", tc)
	}
	return len(tests), nil
}

// newCase returns a case. What Wycheproof calls acceptable TLS 1.3 decides: a zero secret
// and a compressed point are refused (RFC 8446, Sections 7.4.2 and 4.2.8.2), and points on
// the twist and non-canonical ones are not (RFC 7748, Section 5).
func (c *ecdhCurve) newCase(t fields) (testCase, error) {
	in, err := t.inputs("public", "private", "shared")
	if err != nil {
		return testCase{}, err
	}
	note, err := wycheproofNote(t)
	if err != nil {
		return testCase{}, err
	}
	var flags []string
	if err := t.read("flags", &flags); err != nil {
		return testCase{}, err
	}
	result, err := t.text("result")
	if err != nil {
		return testCase{}, err
	}
	var refused []error
	switch {
	case slices.Contains(flags, "ZeroSharedSecret"):
		refused = []error{hybrid.ErrZeroSecret}
	case slices.Contains(flags, "CompressedPublic"):
		refused = []error{hybrid.ErrCompressed}
	case result == "invalid":
		refused = []error{hybrid.ErrSize, hybrid.ErrCompressed, hybrid.ErrInfinity, hybrid.ErrOffCurve}
	case result != "valid" && result != "acceptable":
		return testCase{}, fmt.Errorf("unknown result %q", result)
	}
	return testCase{note: note, run: func() error {
		for _, g := range c.groups {
			for role, exchange := range map[string]func(hybrid.Group, *ecdh.PrivateKey, []byte) ([]byte, error){
				"client": c.asClient, "server": c.asServer,
			} {
				if err := c.check(g, exchange, in, refused); err != nil {
					return fmt.Errorf("%v, as %s: %w", g, role, err)
				}
			}
		}
		return nil
	}}, nil
}

// check compares the classical half of the secret with the known one, or the error with
// those of which it has to be one.
func (c *ecdhCurve) check(g hybrid.Group, exchange func(hybrid.Group, *ecdh.PrivateKey, []byte) ([]byte, error), in map[string][]byte, refused []error) error {
	private, err := c.private(in["private"])
	if err != nil {
		return err
	}
	secret, err := exchange(g, private, in["public"])
	switch {
	case refused == nil && err == nil:
		return compare(values{"shared": secret}, values{"shared": in["shared"]})
	case refused == nil:
		return err
	case err == nil:
		return errAccepted
	}
	for _, want := range refused {
		if errors.Is(err, want) {
			return nil
		}
	}
	return fmt.Errorf("refused for another reason: %w", err)
}

// private returns the key that b is as an integer of any length.
func (c *ecdhCurve) private(b []byte) (*ecdh.PrivateKey, error) {
	if c.curve == ecdh.X25519() {
		return c.curve.NewPrivateKey(b)
	}
	b = bytes.TrimLeft(b, "\x00")
	if len(b) > c.secretSize {
		return nil, fmt.Errorf("private: %d bytes, want %d at most", len(b), c.secretSize)
	}
	return c.curve.NewPrivateKey(append(make([]byte, c.secretSize-len(b)), b...))
}

// asClient and asServer return the classical half of the secret that a side with the given
// key makes with a peer who sends the given point. What they send of ML-KEM is well formed.
func (c *ecdhCurve) asClient(g hybrid.Group, private *ecdh.PrivateKey, point []byte) ([]byte, error) {
	e, _, err := hybridtest.GenerateShare(g, private, make([]byte, 64))
	if err != nil {
		return nil, err
	}
	defer e.Destroy()
	ciphertext := make([]byte, g.ServerShareSize()-c.pointSize)
	secret, err := e.Finish(c.join(g, point, ciphertext))
	if err != nil {
		return nil, err
	}
	return c.classical(g, secret), nil
}

func (c *ecdhCurve) asServer(g hybrid.Group, private *ecdh.PrivateKey, point []byte) ([]byte, error) {
	e, share, err := hybridtest.GenerateShare(g, private, make([]byte, 64))
	if err != nil {
		return nil, err
	}
	e.Destroy()
	ek := share[c.pointSize:]
	if g == hybrid.X25519MLKEM768 {
		ek = share[:len(share)-c.pointSize]
	}
	_, secret, err := hybridtest.Accept(g, c.join(g, point, ek), private, make([]byte, 32))
	if err != nil {
		return nil, err
	}
	return c.classical(g, secret), nil
}

// join returns a share of the group, in which X25519MLKEM768 has the point last.
func (c *ecdhCurve) join(g hybrid.Group, point, postQuantum []byte) []byte {
	if g == hybrid.X25519MLKEM768 {
		return slices.Concat(postQuantum, point)
	}
	return slices.Concat(point, postQuantum)
}

// classical returns the classical half of a secret.
func (c *ecdhCurve) classical(g hybrid.Group, secret []byte) []byte {
	if g == hybrid.X25519MLKEM768 {
		return secret[len(secret)-c.secretSize:]
	}
	return secret[:c.secretSize]
}
