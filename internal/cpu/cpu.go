// Package cpu decides which backend runs.
//
// Backends are ordered levels. A level needs all of its own CPU features and
// those of every lower level, so that a processor (or a hypervisor) that reports
// a sub-feature without its parent gets the lower level and no SIGILL. The best
// level runs unless it is known to be the slower one on this processor, or the
// environment variable PQLANE_BACKEND names another. The build tag purego compiles
// the assembly out and leaves generic alone.
//
// Kernels' callers branch on the booleans of their architecture (AVX2 and AVX512,
// NEON and SHA3), which are fixed before main runs; a direct call behind a bool, unlike
// a func value, keeps the polynomials that it is given off the heap.
package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Env is the environment variable that forces a level at start-up.
const Env = "PQLANE_BACKEND"

// A level is one backend: a name, and what a processor needs for it beyond the
// level below.
type level struct {
	name     string
	features []feature
}

// levels holds the architecture's backends in ascending order, starting with
// generic, which needs nothing. current is the index of the one that runs, best of
// the highest that this machine supports.
var current, best int

func init() {
	best = supported(hasFeature)
	current = preferred(best)
	if name, ok := os.LookupEnv(Env); ok && name != "" {
		if i := index(name); i >= 0 && i <= best {
			current = i
		} else {
			fmt.Fprintf(os.Stderr, "pqlane: %s=%s is not available here (available: %s); running %s\n",
				Env, name, strings.Join(Available(), ", "), Backend())
		}
	}
	apply()
}

// supported returns the index of the highest level whose features, and those of
// all levels below it, has reports.
func supported(has func(feature) bool) int {
	for i, l := range levels {
		for _, f := range l.features {
			if !has(f) {
				return i - 1
			}
		}
	}
	return len(levels) - 1
}

func index(name string) int {
	for i, l := range levels {
		if l.name == name {
			return i
		}
	}
	return -1
}

// Backend returns the name of the level that runs.
func Backend() string { return levels[current].name }

// Available returns the names of the levels that this machine supports, in
// ascending order.
func Available() []string {
	names := make([]string, 0, best+1)
	for _, l := range levels[:best+1] {
		names = append(names, l.name)
	}
	return names
}

// Comparable returns the levels of [Available] that leave other code on this processor as fast
// as it is, so that contestants can be timed beside them.
func Comparable() []string { return slices.DeleteFunc(Available(), slows) }

// Use makes the named level run and returns a function that restores the one that
// ran before. It is for tests and benchmarks: nothing else may run meanwhile. It
// panics on a level that is not [Available].
func Use(name string) (restore func()) {
	i := index(name)
	if i < 0 || i > best {
		panic(fmt.Sprintf("cpu: backend %q is not available (available: %s)", name, strings.Join(Available(), ", ")))
	}
	old := current
	current = i
	apply()
	return func() {
		current = old
		apply()
	}
}
