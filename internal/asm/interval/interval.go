// Package interval proves, while a kernel is being generated, that its arithmetic
// cannot overflow.
//
// A [Kernel] is a thin layer over avo. Each of its operations emits one instruction
// (or one fixed group, such as a Montgomery product) and computes, for every lane of
// the result, the interval of integers that the lane may hold. An operation whose
// exact result might leave its type panics, so that a kernel that could overflow for
// some input within its contract is never written. Loads start from the contract's
// input interval, constants from their exact values, and [Kernel.Output] refuses a
// contract that is narrower than what was computed.
//
// A lane also carries the position of its coefficient within the polynomial, through
// every shuffle. Generators derive twiddle factors from it, and a store to any other
// position panics.
//
// A [Walk] does the same for kernels of which most is no arithmetic: it follows the
// instructions of a function that is written with avo alone.
//
// A straight-line kernel that passes adds, subtracts and multiplies as if on the
// integers modulo q; if it is meant to be linear, zero and a basis decide its
// correctness for all inputs.
package interval

import (
	"fmt"
	"math"
)

// An Interval is the set of integers from Min to Max.
type Interval struct{ Min, Max int64 }

// Within returns the interval from −bound to bound.
func Within(bound int64) Interval { return Interval{-bound, bound} }

// Exactly returns the interval that holds x alone.
func Exactly(x int64) Interval { return Interval{x, x} }

// Int16 and Int32 are the intervals of the types.
var (
	Int16 = Interval{math.MinInt16, math.MaxInt16}
	Int32 = Interval{math.MinInt32, math.MaxInt32}
)

// In reports whether i is a subset of j.
func (i Interval) In(j Interval) bool { return j.Min <= i.Min && i.Max <= j.Max }

// Union returns the smallest interval that holds i and j.
func (i Interval) Union(j Interval) Interval {
	return Interval{min(i.Min, j.Min), max(i.Max, j.Max)}
}

// Add returns the interval of x + y, for x in i and y in j.
func (i Interval) Add(j Interval) Interval { return Interval{i.Min + j.Min, i.Max + j.Max} }

// Sub returns the interval of x − y.
func (i Interval) Sub(j Interval) Interval { return Interval{i.Min - j.Max, i.Max - j.Min} }

// Mul returns the interval of x·y.
func (i Interval) Mul(j Interval) Interval {
	a, b, c, d := i.Min*j.Min, i.Min*j.Max, i.Max*j.Min, i.Max*j.Max
	return Interval{min(a, b, c, d), max(a, b, c, d)}
}

// Map returns the smallest interval that holds f(x) for every x in i.
func (i Interval) Map(f func(x int64) int64) Interval {
	r := Exactly(f(i.Min))
	for x := i.Min; x <= i.Max; x++ {
		r = r.Union(Exactly(f(x)))
	}
	return r
}

func (i Interval) String() string { return fmt.Sprintf("[%d, %d]", i.Min, i.Max) }
