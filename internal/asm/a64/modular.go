package a64

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// BarrettFactor returns round(z·2^(bits−1)/q), which SQRDMULH multiplies by to estimate
// a·z/q (Becker, Hwang, Kannwischer, Yang and Yang, «Neon NTT», 2021, Section 2).
func BarrettFactor(bits int, q, z int64) int64 {
	n := z<<(bits-1)*2 + q
	return floorDiv(n, 2*q)
}

func floorDiv(a, b int64) int64 {
	d := a / b
	if a%b < 0 {
		d--
	}
	return d
}

// BarrettProduct returns the interval of a·z − q·SQRDMULH(a, [BarrettFactor](z)), for a in i
// and every z of zs: a representative of a·z modulo q. It panics if that, or a factor, is
// beyond the type of bits bits: low halves of products are enough to compute it then.
func BarrettProduct(bits int, q int64, i interval.Interval, zs ...int64) interval.Interval {
	var worst int64
	size := map[int]uint32{16: 1, 32: 2}[bits]
	for _, z := range zs {
		factor := BarrettFactor(bits, q, z)
		if !interval.Exactly(factor).In(signed(size)) {
			panic(fmt.Sprintf("a64: the Barrett factor of %d is %d", z, factor))
		}
		// With e = SQRDMULH(a, factor) − a·factor/2^(bits−1), |e| ≤ 1/2, the result is
		// a·(z − q·factor/2^(bits−1)) − q·e.
		off := z<<(bits-1) - q*factor
		largest := max(-i.Min, i.Max)
		worst = max(worst, (largest*max(off, -off)+q<<(bits-2))>>(bits-1))
	}
	r := interval.Within(worst)
	if !r.In(signed(size)) {
		panic(fmt.Sprintf("a64: the Barrett product of %v may be %v", i, r))
	}
	return r
}

// MontgomeryProduct returns the interval of (c − q·m)/2^bits for c in i and any m of bits
// bits, signed: what a Montgomery reduction leaves of c.
func MontgomeryProduct(bits int, q int64, i interval.Interval) interval.Interval {
	half := int64(1) << (bits - 1)
	m := interval.Interval{Min: -half, Max: half - 1}
	return shiftDown(i.Sub(m.Mul(interval.Exactly(q))), bits)
}

// ShiftReduction returns the interval of a − q·round(a/2^shift) for a in i, where halves are
// rounded up, as SRSHR does.
func ShiftReduction(q int64, shift int, i interval.Interval) interval.Interval {
	half := int64(1) << (shift - 1)
	var r interval.Interval
	for t := (i.Min + half) >> shift; t <= (i.Max+half)>>shift; t++ {
		part := interval.Interval{
			Min: max(i.Min, t<<shift-half) - t*q,
			Max: min(i.Max, t<<shift+half-1) - t*q,
		}
		if t == (i.Min+half)>>shift {
			r = part
		}
		r = r.Union(part)
	}
	return r
}

// BarrettReduction returns the interval of a − q·SRSHR(SQDMULH(a, v), shift) for a in i, of
// 16 bits; for shift 0, of a − q·SQRDMULH(a, v).
func BarrettReduction(q, v int64, shift int, i interval.Interval) interval.Interval {
	return i.Map(func(a int64) int64 {
		if shift == 0 {
			return a - q*((a*v+1<<14)>>15)
		}
		return a - q*((a*v>>15+1<<(shift-1))>>shift)
	})
}
