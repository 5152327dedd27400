package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/sha3"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pqlane/pqlane/mlkem"
)

const hpkePQFile = "hpke-pq/test-vectors.json"

func hpkePQEntries() []entry {
	return []entry{{"HPKE-PQ draft", hpkePQFile, hpkePQ}}
}

// An hpkeKEM is a KEM of HPKE. Its run is derivation of the key, encapsulation and
// decapsulation.
type hpkeKEM struct {
	name string
	run  func(private, random []byte) (values, error)
}

// hpkeKEMs are those with a post-quantum part, by their numbers. Those of a curve alone,
// which the file has too, are not run: package hybrid has none.
var hpkeKEMs = map[int]hpkeKEM{
	0x40:   {"ML-KEM-512", hpkeMLKEM("ML-KEM-512")},
	0x41:   {"ML-KEM-768", hpkeMLKEM("ML-KEM-768")},
	0x42:   {"ML-KEM-1024", hpkeMLKEM("ML-KEM-1024")},
	0x50:   {"MLKEM768-P256", hpkeHybrid{"MLKEM768-P256", "ML-KEM-768", ecdh.P256(), 32}.run},
	0x51:   {"MLKEM1024-P384", hpkeHybrid{"MLKEM1024-P384", "ML-KEM-1024", ecdh.P384(), 48}.run},
	0x647a: {xwingName, hpkeXWing},
}

// hpkeClassical are the KEMs of curves alone: P-256, P-384, X25519 and X448.
var hpkeClassical = []int{0x10, 0x11, 0x20, 0x21}

func hpkePQ(fsys fs.FS, co *collector) error {
	co.file = hpkePQFile
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
		id, err := t.integer("kem_id")
		if err != nil {
			return fmt.Errorf("%s: test %d: %w", co.file, i, err)
		}
		if slices.Contains(hpkeClassical, id) {
			continue
		}
		kem, ok := hpkeKEMs[id]
		if !ok {
			return fmt.Errorf("%s: test %d: unknown kem_id %#x", co.file, i, id)
		}
		in, err := t.inputs("skRm", "pkRm", "ikmE", "enc", "shared_secret")
		if err != nil {
			return fmt.Errorf("%s: test %d: %w", co.file, i, err)
		}
		co.add(kem.name, "HPKE shared secret", testCase{id: fmt.Sprintf("test %d", i), run: func() error {
			got, err := kem.run(in["skRm"], in["ikmE"])
			if err != nil {
				return err
			}
			return compare(got, values{"pk": in["pkRm"], "ct": in["enc"],
				"ss": in["shared_secret"], "decapsulated ss": in["shared_secret"]})
		}})
	}
	return nil
}

// hpkeMLKEM returns the run of a parameter set.
func hpkeMLKEM(set string) func(private, random []byte) (values, error) {
	return func(private, random []byte) (values, error) {
		k, err := kemNamed(set)
		if err != nil {
			return nil, err
		}
		dk, err := k.fromSeed(private)
		if err != nil {
			return nil, err
		}
		sharedKey, ciphertext, err := k.encapsulate(dk.ek, random)
		if err != nil {
			return nil, err
		}
		decapsulated, err := dk.decapsulate(ciphertext)
		return values{"pk": dk.ek, "ct": ciphertext, "ss": sharedKey, "decapsulated ss": decapsulated}, err
	}
}

func hpkeXWing(private, random []byte) (values, error) { return xwingRun(private, random) }

// An hpkeHybrid is a KEM of ML-KEM and a curve of NIST with the combiner of X-Wing
// (draft-ietf-hpke-pq), which package hybrid does not have; its ML-KEM is ours.
type hpkeHybrid struct {
	label, set string
	curve      ecdh.Curve
	scalarSize int
}

func (h hpkeHybrid) run(private, random []byte) (values, error) {
	k, err := kemNamed(h.set)
	if err != nil {
		return nil, err
	}
	shake := sha3.NewSHAKE256()
	shake.Write(private)
	seed := make([]byte, mlkem.SeedSize)
	shake.Read(seed)
	dk, err := k.fromSeed(seed)
	if err != nil {
		return nil, err
	}
	own := h.scalar(shake.Read)
	if len(random) < 32 {
		return nil, fmt.Errorf("randomness of %d bytes", len(random))
	}
	ephemeral := h.scalar(bytes.NewReader(random[32:]).Read)
	if own == nil || ephemeral == nil {
		return nil, fmt.Errorf("no private key of %v", h.curve)
	}

	sharedKey, ciphertext, err := k.encapsulate(dk.ek, random[:32])
	if err != nil {
		return nil, err
	}
	encapsulated, err := h.combine(sharedKey, ephemeral, own.PublicKey(), ephemeral.PublicKey(), own.PublicKey())
	if err != nil {
		return nil, err
	}
	if sharedKey, err = dk.decapsulate(ciphertext); err != nil {
		return nil, err
	}
	decapsulated, err := h.combine(sharedKey, own, ephemeral.PublicKey(), ephemeral.PublicKey(), own.PublicKey())
	return values{
		"pk": append(dk.ek, own.PublicKey().Bytes()...),
		"ct": append(ciphertext, ephemeral.PublicKey().Bytes()...),
		"ss": encapsulated, "decapsulated ss": decapsulated,
	}, err
}

// scalar returns the key of the first valid scalar that read gives, or nil after several.
func (h hpkeHybrid) scalar(read func([]byte) (int, error)) *ecdh.PrivateKey {
	b := make([]byte, h.scalarSize)
	for range 4 {
		if n, err := read(b); err != nil || n != len(b) {
			return nil
		}
		if key, err := h.curve.NewPrivateKey(b); err == nil {
			return key
		}
	}
	return nil
}

// combine is SHA3-256 of the shared keys, the ciphertext on the curve, the key on the curve
// and the label.
func (h hpkeHybrid) combine(sharedKey []byte, private *ecdh.PrivateKey, peer, ciphertext, public *ecdh.PublicKey) ([]byte, error) {
	secret, err := private.ECDH(peer)
	if err != nil {
		return nil, err
	}
	sum := sha3.Sum256(slices.Concat(sharedKey, secret, ciphertext.Bytes(), public.Bytes(), []byte(h.label)))
	return sum[:], nil
}
