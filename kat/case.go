package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A depth says how much of the sets to run.
type depth int

const (
	short depth = iota // every sampleStep-th case of each set
	full               // every case that takes seconds at most
	long               // all cases
)

const sampleStep = 10

// A testCase is one known answer.
type testCase struct {
	id    string       // the source's name for it, such as "tcId 17"
	note  string       // comment, flags and reason, for the reader of a failure
	depth depth        // the least depth at which it runs
	run   func() error // nil if the answer is the known one, otherwise what differed
}

// A set is what one file holds for one algorithm and function. Its cases are
// independent of one another, and safe to run while another set runs.
type set struct {
	algorithm, function, source, file string
	cases                             []testCase
}

// A collector sorts the cases of one file into sets.
type collector struct {
	source, file string
	sets         []*set
}

// add appends c to the set of the given algorithm and function.
func (co *collector) add(algorithm, function string, c testCase) {
	for _, s := range slices.Backward(co.sets) {
		if s.algorithm == algorithm && s.function == function && s.file == co.file {
			s.cases = append(s.cases, c)
			return
		}
	}
	co.sets = append(co.sets, &set{algorithm, function, co.source, co.file, []testCase{c}})
}

// A failure is a case whose answer is not the known one.
type failure struct {
	testCase
	err error
}

// A result is the outcome of one set on one backend.
type result struct {
	*set
	ran      int
	failures []failure
}

func (r result) passed() int { return r.ran - len(r.failures) }

// runSets runs the sets' cases to depth d, several sets at a time.
func runSets(sets []*set, d depth) []result {
	results := make([]result, len(sets))
	inParallel(len(sets), func(i int) { results[i] = sets[i].run(d) })
	return results
}

// inParallel calls f for 0 to n-1, several at a time.
func inParallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

func (s *set) run(d depth) result {
	r := result{set: s}
	for i, c := range s.cases {
		if c.depth > d || d == short && i%sampleStep != 0 {
			continue
		}
		r.ran++
		if err := guard(c.run); err != nil {
			r.failures = append(r.failures, failure{c, err})
		}
	}
	return r
}

// guard calls f and returns a panic of the code under test as an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// errInconsistent says that the code under test disagrees with itself, or with what holds
// in a case whatever its result. It is never the right answer to a wrong input.
var (
	errInconsistent = errors.New("inconsistent")
	errRoundTrip    = fmt.Errorf("%w: the key that was parsed encodes differently", errInconsistent)
)

// values are named outputs: []byte or bool.
type values map[string]any

// compare returns an error that names each difference between got and want.
func compare(got, want values) error {
	names := maps.Clone(got)
	maps.Copy(names, want)
	var diffs []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		g, inGot := got[name]
		w, inWant := want[name]
		gb, gIsBytes := g.([]byte)
		wb, wIsBytes := w.([]byte)
		switch {
		case !inWant:
			diffs = append(diffs, name+": no known answer to compare with")
		case !inGot:
			diffs = append(diffs, name+": no answer")
		case gIsBytes && wIsBytes:
			if !bytes.Equal(gb, wb) {
				diffs = append(diffs, name+": "+difference(gb, wb))
			}
		case gIsBytes || wIsBytes || g != w:
			diffs = append(diffs, fmt.Sprintf("%s: got %v, want %v", name, g, w))
		}
	}
	if diffs != nil {
		return fmt.Errorf("%s", strings.Join(diffs, "; "))
	}
	return nil
}

// difference describes where got and want, which differ, first do so.
func difference(got, want []byte) string {
	if len(got) != len(want) {
		return fmt.Sprintf("got %d bytes, want %d", len(got), len(want))
	}
	i := 0
	for got[i] == want[i] {
		i++
	}
	const shown = 8
	end := min(i+shown, len(got))
	return fmt.Sprintf("byte %d of %d differs: got %s…, want %s…", i, len(got),
		hex.EncodeToString(got[i:end]), hex.EncodeToString(want[i:end]))
}
