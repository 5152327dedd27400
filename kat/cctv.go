package main

import (
	"bytes"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// CCTV's ML-KEM files are of the 2023 draft of FIPS 203, whose key generation
// absorbs d alone. Encapsulation and decapsulation are those of the final standard,
// so the files' ek, dk, m, c and K hold, and d does not.

// cctvKeyFile returns a loader of a file of lines "name = hex" with one key: dk, c
// and K, and for encapsulation ek and m.
func cctvKeyFile(name, parameterSet string, encapsulation bool) loader {
	return func(fsys fs.FS, co *collector) error {
		co.file = name
		data, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		k, err := kemNamed(parameterSet)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		names := []string{"dk", "c", "K"}
		if encapsulation {
			names = append(names, "ek", "m")
		}
		in, err := cctvLines(data, names)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if encapsulation {
			co.add(k.name, "encapsulation", testCase{id: "the file's ek, m", run: func() error {
				sharedKey, ciphertext, err := k.encapsulate(in["ek"], in["m"])
				if err != nil {
					return err
				}
				return compare(values{"c": ciphertext, "K": sharedKey}, values{"c": in["c"], "K": in["K"]})
			}})
		}
		co.add(k.name, "decapsulation, expanded", testCase{id: "the file's dk, c", run: func() error {
			key, err := k.fromExpanded(in["dk"])
			if err != nil {
				return err
			}
			sharedKey, err := key.decapsulate(in["c"])
			if err != nil {
				return err
			}
			got, want := values{"K": sharedKey}, values{"K": in["K"]}
			if encapsulation {
				got["ek"], want["ek"] = key.ek, in["ek"]
			}
			return compare(got, want)
		}})
		return nil
	}
}

// cctvLines decodes the named values.
func cctvLines(data []byte, names []string) (map[string][]byte, error) {
	in := make(map[string][]byte)
	for line := range strings.Lines(string(data)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok || strings.HasPrefix(value, "{") {
			continue
		}
		for _, n := range names {
			if n != name {
				continue
			}
			if in[n] != nil {
				return nil, fmt.Errorf("%s: appears twice", n)
			}
			b, err := hex.DecodeString(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n, err)
			}
			in[n] = b
		}
	}
	for _, n := range names {
		if in[n] == nil {
			return nil, fmt.Errorf("%s: missing", n)
		}
	}
	return in, nil
}

// cctvModulusFile returns a loader of a file with an encapsulation key in each
// line, all of which have a coefficient that is not reduced.
func cctvModulusFile(name, parameterSet string) loader {
	return func(fsys fs.FS, co *collector) error {
		co.file = name
		data, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		k, err := kemNamed(parameterSet)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		n := 0
		for line := range bytes.Lines(data) {
			n++
			ek, err := hex.DecodeString(string(bytes.TrimSpace(line)))
			if err != nil {
				return fmt.Errorf("%s: line %d: %w", name, n, err)
			}
			co.add(k.name, "encapsulationKeyCheck", testCase{id: fmt.Sprintf("line %d", n), run: func() error {
				err := k.check(ek)
				if err == nil {
					return errors.New("accepted, but a coefficient is not reduced")
				}
				if errors.Is(err, errInconsistent) {
					return err
				}
				return nil
			}})
		}
		if n == 0 {
			return fmt.Errorf("%s: %w", name, errEmpty)
		}
		return nil
	}
}

// cctvAccumulatedKEM loads digests of many keys, ciphertexts and shared keys, which
// are drawn from SHAKE128 of the empty string.
func cctvAccumulatedKEM(fsys fs.FS, co *collector) error {
	const name = "cctv/ml-kem/accumulated.json"
	co.file = name
	data, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	var file fields
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	digests, err := cctvDigests(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for parameterSet := range digests {
		if _, err := kemNamed(parameterSet); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, k := range kems {
		for _, n := range slices.Sorted(maps.Keys(digests[k.name])) {
			co.add(k.name, "all, accumulated", accumulatedCase(n, digests[k.name][n],
				func() (values, error) { return accumulate(k, n) }))
		}
	}
	if len(co.sets) == 0 {
		return fmt.Errorf("%s: %w", name, errEmpty)
	}
	return nil
}

// accumulatedCase compares digests in the formats that want has.
func accumulatedCase(n int, want values, accumulate func() (values, error)) testCase {
	c := testCase{id: fmt.Sprintf("%d iterations", n), run: func() error {
		got, err := accumulate()
		if err != nil {
			return err
		}
		maps.DeleteFunc(got, func(format string, _ any) bool { return want[format] == nil })
		return compare(got, want)
	}}
	switch {
	case n > 10_000:
		c.depth = long
	case n > 100:
		c.depth = full
	}
	return c
}

// cctvDigests returns the final_format_F_N digests by parameter set, N and F.
func cctvDigests(file fields) (map[string]map[int]values, error) {
	digests := make(map[string]map[int]values)
	for key := range file {
		s, ok := strings.CutPrefix(key, "final_format_")
		if !ok {
			continue
		}
		format, iterations, ok := strings.Cut(s, "_")
		if !ok {
			continue // the format's description
		}
		n, err := strconv.Atoi(iterations)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		var bySet fields
		if err := file.read(key, &bySet); err != nil {
			return nil, err
		}
		for parameterSet := range bySet {
			digest, err := bySet.bytes(parameterSet)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			if digests[parameterSet] == nil {
				digests[parameterSet] = make(map[int]values)
			}
			if digests[parameterSet][n] == nil {
				digests[parameterSet][n] = make(values)
			}
			digests[parameterSet][n][format] = digest
		}
	}
	return digests, nil
}

// accumulate returns the digests of n iterations in both formats: with dk (c2sp)
// and without (go).
func accumulate(k kem, n int) (values, error) {
	rng, plain, withDK := sha3.NewSHAKE128(), sha3.NewSHAKE128(), sha3.NewSHAKE128()
	seed, m, ct := make([]byte, 64), make([]byte, 32), make([]byte, k.ciphertextSize)
	for i := range n {
		rng.Read(seed)
		rng.Read(m)
		rng.Read(ct)
		key, err := k.fromSeed(seed)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		sharedKey, ciphertext, err := k.encapsulate(key.ek, m)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		decapsulated, err := key.decapsulate(ciphertext)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		if err := compare(values{"K": decapsulated}, values{"K": sharedKey}); err != nil {
			return nil, fmt.Errorf("iteration %d: decapsulation: %w", i, err)
		}
		rejected, err := key.decapsulate(ct)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		plain.Write(key.ek)
		withDK.Write(key.ek)
		withDK.Write(key.dk)
		for _, b := range [][]byte{ciphertext, sharedKey, rejected} {
			plain.Write(b)
			withDK.Write(b)
		}
	}
	got := make(values)
	for format, h := range map[string]*sha3.SHAKE{"go": plain, "c2sp": withDK} {
		digest := make([]byte, 32)
		h.Read(digest)
		got[format] = digest
	}
	return got, nil
}
