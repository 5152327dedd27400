package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pqlane/pqlane/internal/keccak"
)

// A hash is one function of FIPS 202. size is its digest's, or 0 for SHAKE.
type hash struct {
	name       string
	rate, size int
	domain     byte
}

var hashes = []hash{
	{"SHA3-224", keccak.RateSHA3_224, 28, keccak.DomainSHA3},
	{"SHA3-256", keccak.RateSHA3_256, 32, keccak.DomainSHA3},
	{"SHA3-384", keccak.RateSHA3_384, 48, keccak.DomainSHA3},
	{"SHA3-512", keccak.RateSHA3_512, 64, keccak.DomainSHA3},
	{"SHAKE128", keccak.RateSHAKE128, 0, keccak.DomainSHAKE},
	{"SHAKE256", keccak.RateSHAKE256, 0, keccak.DomainSHAKE},
}

// sum hashes msg to n bytes, writing and reading pieces of the given size.
func (h hash) sum(msg []byte, n, piece int) []byte {
	var s keccak.Sponge
	s.Init(h.rate, h.domain)
	for len(msg) > 0 {
		k := min(piece, len(msg))
		s.Write(msg[:k])
		msg = msg[k:]
	}
	out := make([]byte, n)
	for rest := out; len(rest) > 0; {
		k := min(piece, len(rest))
		s.Read(rest[:k])
		rest = rest[k:]
	}
	return out
}

// check compares the hash of msg with want, in one piece and in pieces that
// straddle the rate.
func (h hash) check(msg, want []byte) error {
	for _, piece := range []int{max(len(msg), len(want), 1), 13} {
		if err := compare(values{"output": h.sum(msg, len(want), piece)}, values{"output": want}); err != nil {
			return fmt.Errorf("in pieces of %d bytes: %w", piece, err)
		}
	}
	return nil
}

// A record is the lines "name = value" of one case of a .rsp file, with those in
// brackets before it.
type record map[string]string

func (r record) integer(name string) (int, error) {
	s, ok := r[name]
	if !ok {
		return 0, fmt.Errorf("%s: missing", name)
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// size returns a length, which the files give in bits, in bytes.
func (r record) size(name string) (int, error) {
	n, err := r.integer(name)
	if err == nil && (n < 0 || n%8 != 0) {
		err = fmt.Errorf("%s: %d bits are not whole bytes", name, n)
	}
	return n / 8, err
}

func (r record) bytes(name string) ([]byte, error) {
	s, ok := r[name]
	if !ok {
		return nil, fmt.Errorf("%s: missing", name)
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// output returns the expected output. Its length is the one the case declares.
func (r record) output(h hash) ([]byte, error) {
	name, size := "MD", h.size
	if h.size == 0 {
		name = "Output"
		var err error
		if size, err = r.size("Outputlen"); err != nil {
			return nil, err
		}
	}
	b, err := r.bytes(name)
	if err == nil && len(b) != size {
		err = fmt.Errorf("%s: %d bytes, want %d", name, len(b), size)
	}
	return b, err
}

// parseRecords returns the cases of a .rsp file, each ending with its MD or
// Output. Values in brackets hold for all cases that follow.
func parseRecords(data []byte) ([]record, error) {
	var records []record
	common, r := record{}, record{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		inner, isHeader := strings.CutPrefix(line, "[")
		name, value, ok := strings.Cut(strings.TrimSuffix(inner, "]"), "=")
		if !ok {
			continue
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if isHeader {
			common[name] = value
			continue
		}
		if _, ok := r[name]; ok {
			return nil, fmt.Errorf("case %d: %s appears twice", len(records), name)
		}
		r[name] = value
		if name == "MD" || name == "Output" {
			for k, v := range common {
				if _, ok := r[k]; !ok {
					r[k] = v
				}
			}
			records = append(records, r)
			r = record{}
		}
	}
	if len(r) != 0 {
		return nil, fmt.Errorf("case %d: no MD or Output", len(records))
	}
	if len(records) == 0 {
		return nil, errEmpty
	}
	return records, nil
}

// sha3File returns a loader of one file of NIST's SHA-3 validation suite. kind is
// ShortMsg, LongMsg, VariableOut or Monte.
func sha3File(name string, h hash, kind string) loader {
	return func(fsys fs.FS, co *collector) error {
		co.file = name
		data, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		records, err := parseRecords(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if kind == "Monte" {
			return addMonte(co, h, records)
		}
		for i, r := range records {
			c, err := newHashCase(h, r)
			if err != nil {
				return fmt.Errorf("%s: case %d: %w", name, i, err)
			}
			c.id = fmt.Sprintf("case %d", i)
			co.add(h.name, kind, c)
		}
		return nil
	}
}

func newHashCase(h hash, r record) (testCase, error) {
	msg, err := r.bytes("Msg")
	if err != nil {
		return testCase{}, err
	}
	if _, ok := r["Len"]; !ok {
		r["Len"] = r["Input Length"] // VariableOut
	}
	n, err := r.size("Len")
	if err != nil {
		return testCase{}, err
	}
	if n == 0 {
		msg = nil // the files write the empty message as 00
	}
	if len(msg) != n {
		return testCase{}, fmt.Errorf("Msg: %d bytes, want %d", len(msg), n)
	}
	want, err := r.output(h)
	if err != nil {
		return testCase{}, err
	}
	return testCase{note: fmt.Sprintf("%d bytes", n), run: func() error { return h.check(msg, want) }}, nil
}

// addMonte adds the cases of a chain. Each starts where the one before it ends, at
// a known answer, so that they are independent.
func addMonte(co *collector, h hash, records []record) error {
	fail := func(i int, err error) error { return fmt.Errorf("%s: COUNT = %d: %w", co.file, i, err) }
	start, first := "Seed", 0
	step := h.monte
	if h.size == 0 {
		minimum, err := records[0].size("Minimum Output Length (bits)")
		if err != nil {
			return fail(0, err)
		}
		maximum, err := records[0].size("Maximum Output Length (bits)")
		if err != nil {
			return fail(0, err)
		}
		if minimum < 2 || maximum < minimum || maximum > 1<<16 {
			return fail(0, fmt.Errorf("output lengths from %d to %d bytes", minimum, maximum))
		}
		start, first = "Msg", maximum
		step = func(out []byte, n int) []byte { return h.monteXOF(out, n, minimum, maximum) }
	}
	previous, err := records[0].bytes(start)
	if err != nil {
		return fail(0, err)
	}
	for i, r := range records {
		count, err := r.integer("COUNT")
		if err == nil && count != i {
			err = fmt.Errorf("COUNT: %d follows %d", count, i-1)
		}
		if err != nil {
			return fail(i, err)
		}
		want, err := r.output(h)
		if err == nil && len(want) < 2 {
			err = fmt.Errorf("Outputlen: no length can be taken from %d bytes", len(want))
		}
		if err != nil {
			return fail(i, err)
		}
		from, n := previous, 0
		if i == 0 {
			n = first
		}
		co.add(h.name, "Monte", testCase{id: fmt.Sprintf("COUNT = %d", i), run: func() error {
			return compare(values{"output": step(from, n)}, values{"output": want})
		}})
		previous = want
	}
	return nil
}

const monteSteps = 1000

// monte is one outer step of the chain of SHA3VS section 6.2.3.
func (h hash) monte(digest []byte, _ int) []byte {
	for range monteSteps {
		digest = h.sum(digest, h.size, h.rate)
	}
	return digest
}

// monteXOF is one outer step of the chain of SHA3VS section 6.3.3: the message is
// the leftmost 128 bits of the last output, and the last two bytes choose the next
// output's length. n is the first output's length, or 0 to take it from out.
func (h hash) monteXOF(out []byte, n, minimum, maximum int) []byte {
	for range monteSteps {
		if n == 0 {
			n = minimum + int(binary.BigEndian.Uint16(out[len(out)-2:]))%(maximum-minimum+1)
		}
		msg := make([]byte, 16)
		copy(msg, out)
		out = h.sum(msg, n, max(n, len(msg)))
		n = 0
	}
	return out
}
