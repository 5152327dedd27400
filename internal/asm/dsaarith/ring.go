package main

import "github.com/pqlane/pqlane/internal/asm/interval"

// The ring of ML-DSA (FIPS 204, Section 2.3).
const (
	n = 256
	q = 8380417
	// zeta is the primitive 512th root of unity (FIPS 204, Section 2.3).
	zeta = 1753
	// r is Montgomery's 2^32 mod q.
	r = 1 << 32 % q
)

// centred returns x mod± q.
func centred(x int) int32 {
	x = (x%q + q) % q
	if x > q/2 {
		x -= q
	}
	return int32(x)
}

// bitRev8 reverses the order of eight bits.
func bitRev8(i int) int {
	rev := 0
	for bit := range 8 {
		rev |= i >> bit & 1 << (7 - bit)
	}
	return rev
}

// zetaOf returns ζ^BitRev8(i), the factor of a butterfly of FIPS 204, Algorithms 41 and
// 42, where i counts them.
func zetaOf(i int) int { return powers[bitRev8(i)] }

// powers are those of ζ.
var powers = func() (powers [n]int) {
	powers[0] = 1
	for i := 1; i < n; i++ {
		powers[i] = powers[i-1] * zeta % q
	}
	return powers
}()

// within is the interval of a contract, in multiples of q.
func within(multiple int64) interval.Interval { return interval.Within(multiple * q) }

// least is [0, q), and halves the centred residues.
var (
	least  = interval.Interval{Min: 0, Max: q - 1}
	halves = interval.Within(q / 2)
)
