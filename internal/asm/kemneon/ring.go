package main

import "math/bits"

const (
	q = 3329
	n = 256

	qInv = -3327 // q⁻¹ mod 2^16, signed

	// undo is what the inverse NTT has to multiply by: 128⁻¹ for the seven layers, each of
	// which doubles, and R for the R⁻¹ that the products leave.
	undo = 3303 * ((1 << 16) % q) % q
)

// power returns ζ^e mod q for ζ = 17.
func power(e int) int {
	x := 1
	for range e {
		x = x * 17 % q
	}
	return x
}

func bitRev7(i int) int { return int(bits.Reverse8(uint8(i)) >> 1) }

// zetaOf and gammaOf are FIPS 203's ζ^BitRev7(i) and ζ^(2·BitRev7(i)+1).
func zetaOf(i int) int  { return power(bitRev7(i)) }
func gammaOf(i int) int { return power(2*bitRev7(i) + 1) }

// centered returns the representative of x in [−q/2, q/2].
func centered(x int) int {
	x %= q
	switch {
	case x > q/2:
		return x - q
	case x < -q/2:
		return x + q
	}
	return x
}

// quotientOf returns ⌊z·2^15/q⌉, with which SQRDMULH finds the multiple of q in a product
// by z.
func quotientOf(z int) int {
	x := 2*z<<15 + q
	if x < 0 {
		return -((-x + 2*q - 1) / (2 * q))
	}
	return x / (2 * q)
}

// ten is 2^15/q, rounded, with which SQRDMULH finds the multiple of q in a number, of which
// 0.66q at most remain: the error is 1.6 % of a quotient of ten at most.
const ten = 10

// sqrdmulh and sqdmulh are what the instructions compute of numbers that do not saturate.
func sqrdmulh(a, b int) int { return (2*a*b + 1<<15) >> 16 }
func sqdmulh(a, b int) int  { return 2 * a * b >> 16 }

// An interval has the numbers that a lane may hold.
type interval struct{ min, max int }

func within(multiple int) interval { return interval{-multiple * q, multiple * q} }

func (i interval) plus(j interval) interval  { return interval{i.min + j.min, i.max + j.max} }
func (i interval) minus(j interval) interval { return interval{i.min - j.max, i.max - j.min} }
func (i interval) times(j interval) interval {
	products := []int{i.min * j.min, i.min * j.max, i.max * j.min, i.max * j.max}
	r := interval{products[0], products[0]}
	for _, p := range products {
		r.min, r.max = min(r.min, p), max(r.max, p)
	}
	return r
}
func (i interval) in(j interval) bool { return i.min >= j.min && i.max <= j.max }

var int16s, int32s = interval{-1 << 15, 1<<15 - 1}, interval{-1 << 31, 1<<31 - 1}

// image returns the interval of f over every number of i.
func (i interval) image(f func(x int) int) interval {
	y := f(i.min)
	r := interval{y, y}
	for x := i.min + 1; x <= i.max; x++ {
		y := f(x)
		r.min, r.max = min(r.min, y), max(r.max, y)
	}
	return r
}

var images = map[[3]int]interval{}

// multiplied is the interval of products by z: z·x less q times their rounded quotient, which
// is computed exactly although z·x wraps, since the difference fits.
func (i interval) multiplied(z int) interval {
	key := [3]int{i.min, i.max, z}
	r, ok := images[key]
	if !ok {
		quotient := quotientOf(z)
		r = i.image(func(x int) int { return z*x - q*sqrdmulh(x, quotient) })
		images[key] = r
	}
	return r
}

// reduced is the interval of numbers less q times the quotient that ten finds.
func (i interval) reduced() interval {
	return i.image(func(x int) int { return x - q*sqrdmulh(x, ten) })
}
