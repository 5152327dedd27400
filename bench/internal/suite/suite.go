// Package suite lists what the bench measures: the operations, the inputs, and who
// does them.
package suite

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/internal/cpu"
)

// Calls are an implementation's operations by name. Each is told which input to
// take, as an index that it reduces modulo the number of its inputs.
type Calls map[string]func(i int) error

// A Filter chooses the contestants to measure. A baseline always runs on what is
// compared with it.
type Filter struct {
	Op       *regexp.Regexp // matched against "ML-KEM-768 decaps into"; nil matches all
	Backends []string       // levels of internal/cpu; nil means all of cpu.Comparable
}

// Comparisons returns the suite with the given implementations.
func Comparisons(implementations []Implementation, filter Filter) ([]measure.Comparison, error) {
	var out []measure.Comparison
	for _, set := range append(Sets[:len(Sets):len(Sets)], XWing) {
		comparisons, err := mlkemComparisons(set, implementations, filter.backends())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set, err)
		}
		out = append(out, comparisons...)
	}
	for _, p := range signatureSets {
		comparisons, err := mldsaComparisons(p, implementations, filter.backends())
		if err != nil {
			return nil, fmt.Errorf("%v: %w", p, err)
		}
		out = append(out, comparisons...)
	}
	groups, err := hybridComparisons(filter.backends())
	if err != nil {
		return nil, err
	}
	out = append(out, groups...)
	composites, err := compositeComparisons(filter.backends())
	if err != nil {
		return nil, err
	}
	out = append(out, composites...)
	links, err := mcpconnComparisons(filter.backends())
	if err != nil {
		return nil, err
	}
	out = append(out, links...)
	out = append(out, keccakComparisons(filter.backends())...)
	return filter.apply(out), nil
}

// backends returns the levels to measure, best first: those that are named, or else those
// that others can be timed beside.
func (f Filter) backends() []string {
	names := cpu.Comparable()
	if f.Backends != nil {
		names = slices.DeleteFunc(cpu.Available(), func(name string) bool { return !slices.Contains(f.Backends, name) })
	}
	slices.Reverse(names)
	return names
}

// apply drops the contestants whose operation does not match, and the comparisons
// that then are empty. If no baseline matches, all baselines stay.
func (f Filter) apply(all []measure.Comparison) []measure.Comparison {
	if f.Op == nil {
		return all
	}
	var out []measure.Comparison
	for _, c := range all {
		matches := func(x measure.Contestant) bool { return f.Op.MatchString(c.Group + " " + x.Op) }
		matched, baseline := false, false
		for _, x := range c.Contestants {
			if matches(x) {
				matched = true
				baseline = baseline || x.Baseline
			}
		}
		if !matched {
			continue
		}
		c.Contestants = slices.DeleteFunc(slices.Clone(c.Contestants), func(x measure.Contestant) bool {
			return !matches(x) && (baseline || !x.Baseline)
		})
		out = append(out, c)
	}
	return out
}

// onBackend runs f with the named level; an empty name stands for no level.
func onBackend[T any](name string, f func() (T, error)) (T, error) {
	if name != "" {
		defer cpu.Use(name)()
	}
	return f()
}
