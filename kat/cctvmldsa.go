package main

import (
	"crypto/sha3"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"

	"github.com/pqlane/pqlane/internal/dsaring"
)

// cctvAccumulatedDSA loads digests of many keys and their deterministic signatures of the
// empty message, but for those that take hours, and one of rounding.
func cctvAccumulatedDSA(fsys fs.FS, co *collector) error {
	const (
		name   = "cctv/ml-dsa/accumulated.json"
		atMost = 10_000 // iterations
	)
	co.file = name
	data, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	var file fields
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, d := range dsas {
		var byNumber fields
		if err := file.read(d.String(), &byNumber); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		digests := make(map[int]values)
		for key := range byNumber {
			n, err := strconv.Atoi(key)
			if err != nil {
				return fmt.Errorf("%s: %v: %w", name, d, err)
			}
			digest, err := byNumber.bytes(key)
			if err != nil {
				return fmt.Errorf("%s: %v: %w", name, d, err)
			}
			if n <= atMost {
				digests[n] = values{"digest": digest}
			}
		}
		if len(digests) == 0 {
			return fmt.Errorf("%s: %v: no digest of at most %d iterations", name, d, atMost)
		}
		for _, n := range slices.Sorted(maps.Keys(digests)) {
			co.add(d.String(), "all, accumulated", accumulatedCase(n, digests[n],
				func() (values, error) { return d.accumulate(n) }))
		}
	}
	var operations fields
	if err := file.read("field_operations_exhaustive", &operations); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	digest, err := operations.bytes("digest")
	if err != nil {
		return fmt.Errorf("%s: field_operations_exhaustive: %w", name, err)
	}
	co.add("ML-DSA", "rounding of all of Z_q", testCase{id: "field_operations_exhaustive", depth: full, run: func() error {
		return compare(values{"digest": accumulateRounding()}, values{"digest": digest})
	}})
	return nil
}

// accumulateRounding returns the digest of the results of the ring's rounding functions for
// each r of Z_q: decimal numbers, a line each.
func accumulateRounding() []byte {
	h := sha3.NewSHAKE128()
	var ones dsaring.Hint
	for i := range ones {
		ones[i] = ^uint64(0)
	}
	var r, centred, r1, r0 dsaring.Poly
	type rounded struct{ high, hinted, low dsaring.Poly }
	var by [2]rounded
	var text []byte
	line := func(n int32) { text = append(strconv.AppendInt(text, int64(n), 10), '\n') }
	for first := int32(0); first < dsaring.Q; first += dsaring.N {
		for i := range r {
			r[i] = min(first+int32(i), dsaring.Q-1)
		}
		centred = r
		dsaring.Centre(&centred)
		dsaring.Power2Round(&r1, &r0, &r)
		for i, gamma2 := range [...]int32{dsaring.Gamma2Q88, dsaring.Gamma2Q32} {
			dsaring.Decompose(&by[i].high, &by[i].low, &r, gamma2)
			dsaring.UseHint(&by[i].hinted, &ones, &r, gamma2)
		}
		text = text[:0]
		for i := range min(dsaring.N, dsaring.Q-first) {
			line(centred[i])
			line(max(centred[i], -centred[i]))
			line(r1[i])
			if r0[i] < 0 {
				r0[i] += dsaring.Q
			}
			line(r0[i])
			for k := range by {
				s := &by[k]
				line(s.high[i])
				line(s.hinted[i])
				line(s.low[i])
				line(max(s.low[i], -s.low[i]))
			}
		}
		h.Write(text)
	}
	digest := make([]byte, 32)
	h.Read(digest)
	return digest
}

// accumulate returns the digest of n keys, whose seeds are SHAKE128 of the empty string, and
// their signatures.
func (d dsa) accumulate(n int) (values, error) {
	rng, h := sha3.NewSHAKE128(), sha3.NewSHAKE128()
	seed := make([]byte, 32)
	for i := range n {
		rng.Read(seed)
		sk, err := d.fromSeed(seed)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		signature, err := sk.SignDeterministic(nil, nil)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		h.Write(sk.PublicKey().Bytes())
		h.Write(signature)
	}
	digest := make([]byte, 32)
	h.Read(digest)
	return values{"digest": digest}, nil
}
