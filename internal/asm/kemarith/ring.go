package main

import "github.com/pqlane/pqlane/internal/asm/interval"

// The ring of ML-KEM (FIPS 203, Section 2.4).
const (
	n = 256
	q = 3329
	// zeta is the primitive 256th root of unity (FIPS 203, Section 4.3).
	zeta = 17
	// r is Montgomery's 2^16 mod q.
	r = 1 << 16 % q
)

// power returns x^e mod q.
func power(x, e int) int {
	y := 1
	for range e {
		y = y * x % q
	}
	return y
}

// bitRev7 reverses the order of seven bits.
func bitRev7(i int) int {
	rev := 0
	for bit := range 7 {
		rev |= i >> bit & 1 << (6 - bit)
	}
	return rev
}

// montgomeryForm returns x·R mod± q: a factor whose Montgomery product with c is x·c.
func montgomeryForm(x int) int16 {
	x = x * r % q
	if x > q/2 {
		x -= q
	}
	return int16(x)
}

// zetaOf returns ζ^BitRev7(i), the factor of a butterfly of FIPS 203, Algorithms 9
// and 10, where i counts them.
func zetaOf(i int) int { return power(zeta, bitRev7(i)) }

// gammaOf returns ζ^(2·BitRev7(i)+1), the factor of the i-th base case multiplication
// (FIPS 203, Algorithm 11).
func gammaOf(i int) int { return power(zeta, 2*bitRev7(i)+1) }

// The intervals of the contracts, in multiples of q.
func within(multiple int64) interval.Interval { return interval.Within(multiple * q) }

// canonical is [0, q).
var canonical = interval.Interval{Min: 0, Max: q - 1}
