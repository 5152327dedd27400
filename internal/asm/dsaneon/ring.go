package main

import "github.com/pqlane/pqlane/internal/asm/interval"

// The ring of ML-DSA (FIPS 204, Section 2.3).
const (
	n = 256
	q = 8380417
	// zeta is the primitive 512th root of unity (FIPS 204, Section 2.3).
	zeta = 1753
	// r is Montgomery's 2^32 mod q, and qInv q⁻¹ mod 2^32.
	r    = 1 << 32 % q
	qInv = 58728449
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

// powers are those of ζ.
var powers = func() (powers [n]int) {
	powers[0] = 1
	for i := 1; i < n; i++ {
		powers[i] = powers[i-1] * zeta % q
	}
	return powers
}()

// zetaOf returns ζ^BitRev8(i), the factor of a butterfly of FIPS 204, Algorithms 41 and 42,
// where i counts them.
func zetaOf(i int) int { return powers[bitRev8(i)] }

// A factor is a constant of a modular multiplication: the number z, centred, and its
// quotient ⌊2^31·z/q⌉ (V. Shoup's, in the form of H. Becker et al., "Neon NTT", ePrint
// 2021/986, Section 2.4).
type factor struct{ z, quotient int32 }

func newFactor(x int) factor {
	z := int64(centred(x))
	// Adding q·2^31 keeps the dividend positive; q/2 rounds.
	return factor{int32(z), int32((z<<31+q<<31+q/2)/q - 1<<31)}
}

// The intervals of contracts: multiples of q, [0, bound), (−bound, bound] and [0, q).
func within(multiple int64) interval.Interval { return interval.Within(multiple * q) }
func below(bound int64) interval.Interval     { return interval.Interval{Min: 0, Max: bound - 1} }
func upTo(bound int64) interval.Interval      { return interval.Interval{Min: 1 - bound, Max: bound} }

var least = below(q)

// magnitude is the largest absolute value.
func magnitude(i interval.Interval) int64 { return max(-i.Min, i.Max) }
