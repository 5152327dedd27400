package main

import (
	"fmt"
	"io"
)

// failuresShown is how many failures of a line are printed without -v.
const failuresShown = 3

// A report prints results as they come and keeps the total.
type report struct {
	w              io.Writer
	verbose        bool
	passed, failed int
}

const (
	lineFormat    = "%-30s %-32s %-20s %-8s %6d %6d %6d\n"
	headFormat    = "%-30s %-32s %-20s %-8s %6s %6s %6s\n"
	missingFormat = "%-30s %-32s %-20s not available: %s\n"
)

func (r *report) head() {
	fmt.Fprintf(r.w, headFormat, "algorithm", "function", "source", "backend", "cases", "passed", "failed")
}

// results prints a line for each set that one backend ran. Files that hold the
// same function of the same algorithm share a line.
func (r *report) results(backend string, results []result) {
	for _, line := range lines(results) {
		first := line[0]
		ran, passed := 0, 0
		for _, res := range line {
			ran += res.ran
			passed += res.passed()
		}
		fmt.Fprintf(r.w, lineFormat, first.algorithm, first.function, first.source, backend, ran, passed, ran-passed)
		r.passed += passed
		r.failed += ran - passed
		r.failures(line)
	}
}

// lines groups results by algorithm, function and source, in order of first use.
func lines(results []result) [][]result {
	type key struct{ algorithm, function, source string }
	index := make(map[key]int)
	var out [][]result
	for _, res := range results {
		k := key{res.algorithm, res.function, res.source}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], res)
	}
	return out
}

func (r *report) failures(line []result) {
	shown, hidden := 0, 0
	for _, res := range line {
		for _, f := range res.failures {
			if shown == failuresShown && !r.verbose {
				hidden++
				continue
			}
			shown++
			fmt.Fprintf(r.w, "    %s: %v\n", res.file, f)
		}
	}
	if hidden > 0 {
		fmt.Fprintf(r.w, "    and %d more (-v shows them)\n", hidden)
	}
}

func (f failure) String() string {
	if f.note == "" {
		return fmt.Sprintf("%s: %v", f.id, f.err)
	}
	return fmt.Sprintf("%s (%s): %v", f.id, f.note, f.err)
}

func (r *report) missing(list []missing) {
	for _, m := range list {
		fmt.Fprintf(r.w, missingFormat, "-", "-", m.source, m.what)
	}
}

// errors prints why files were not run. Each counts as a failure.
func (r *report) errors(errs []error) {
	for _, err := range errs {
		fmt.Fprintf(r.w, "error: %v\n", err)
		r.failed++
	}
}

func (r *report) total() {
	fmt.Fprintf(r.w, "%d passed, %d failed\n", r.passed, r.failed)
}
