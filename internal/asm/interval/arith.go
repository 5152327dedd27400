package interval

import (
	"github.com/mmcloughlin/avo/operand"
)

// Operands: the first may have to be a register, the second may be in memory.

// lanewise returns f of the lanes of a and b, with the positions of a.
func lanewise(a, b Vector, f func(x, y Interval) Interval) []Lane {
	lanes := make([]Lane, len(a.Lanes))
	for i, l := range a.Lanes {
		lanes[i] = Lane{f(l.Interval, b.Lanes[i].Interval), l.Coeff}
	}
	return lanes
}

// Add returns a + b (VPADDW).
func (k *Kernel) Add(a, b Vector) Vector {
	k.sixteen(a, b)
	r := k.register(lanewise(a, b, Interval.Add))
	k.check("a sum", r.Lanes, Int16)
	k.VPADDW(b.Op, a.Op, r.Op)
	return r
}

// Sub returns a − b (VPSUBW).
func (k *Kernel) Sub(a, b Vector) Vector {
	k.sixteen(a, b)
	r := k.register(lanewise(a, b, Interval.Sub))
	k.check("a difference", r.Lanes, Int16)
	k.VPSUBW(b.Op, a.Op, r.Op)
	return r
}

// AddPromised and SubPromised are Add and Sub of numbers whose sum or difference the
// contract promises to fit.
func (k *Kernel) AddPromised(a, b Vector) Vector { return k.promised(a, b, k.VPADDW) }
func (k *Kernel) SubPromised(a, b Vector) Vector { return k.promised(a, b, k.VPSUBW) }

func (k *Kernel) promised(a, b Vector, op func(...operand.Op)) Vector {
	r := k.register(lanewise(a, b, func(Interval, Interval) Interval { return Int16 }))
	op(b.Op, a.Op, r.Op)
	return r
}

// Add32 returns a + b in 32-bit lanes (VPADDD).
func (k *Kernel) Add32(a, b Vector) Vector {
	k.thirtyTwo(a, b)
	r := k.register(lanewise(a, b, Interval.Add))
	k.check("a 32-bit sum", r.Lanes, Int32)
	k.VPADDD(b.Op, a.Op, r.Op)
	return r
}

// pairProducts returns the intervals of a₀·b₀ + a₁·b₁ of each pair of 16-bit lanes.
func (k *Kernel) pairProducts(a, b Vector) []Lane {
	k.sixteen(a, b)
	lanes := make([]Lane, len(a.Lanes)/2)
	for i := range lanes {
		x := a.Lanes[2*i].Mul(b.Lanes[2*i].Interval)
		y := a.Lanes[2*i+1].Mul(b.Lanes[2*i+1].Interval)
		lanes[i] = Lane{x.Add(y), none}
	}
	return lanes
}

// MulAddPairs returns a₀·b₀ + a₁·b₁ of each pair of lanes, in 32 bits (VPMADDWD).
func (k *Kernel) MulAddPairs(a, b Vector) Vector {
	r := k.register(k.pairProducts(a, b))
	k.check("a sum of products", r.Lanes, Int32)
	k.VPMADDWD(b.Op, a.Op, r.Op)
	return r
}

// AccumulatePairs returns acc + a₀·b₀ + a₁·b₁ of each pair of lanes, in 32 bits: with
// VPDPWSSD, which overwrites acc's register, or with VPMADDWD and VPADDD.
func (k *Kernel) AccumulatePairs(acc, a, b Vector) Vector {
	if k.Width == YMM {
		return k.Add32(acc, k.MulAddPairs(a, b))
	}
	k.thirtyTwo(acc)
	r := Vector{acc.Op, lanewise(acc, Vector{Lanes: k.pairProducts(a, b)}, Interval.Add)}
	k.check("a sum of products", r.Lanes, Int32)
	k.VPDPWSSD(b.Op, a.Op, r.Op)
	return r
}

// inverse returns q⁻¹ mod 2^16, as a signed number.
func (k *Kernel) inverse() int64 {
	inv := int64(1)
	for range 4 { // Newton's iteration doubles the number of correct bits
		inv *= 2 - k.modulus*inv
	}
	return int64(int16(inv))
}

// A Factor is a constant prepared for [Kernel.MontgomeryMul].
type Factor struct {
	value, twisted Vector // z, and z·q⁻¹ mod 2^16
}

// Factor prepares the words of a constant.
func (k *Kernel) Factor(words []int16) Factor {
	twisted := make([]int16, len(words))
	for i, w := range words {
		twisted[i] = w * int16(k.inverse())
	}
	return Factor{value: k.Constant(words), twisted: k.Constant(twisted)}
}

// montgomery returns the interval of x·2⁻¹⁶ mod q as Montgomery's reduction leaves
// it: the integer (x − m·q)/2^16, where m may be any 16-bit number.
func (k *Kernel) montgomery(x Interval) Interval {
	d := x.Sub(Int16.Mul(Exactly(k.modulus)))
	return Interval{-(-d.Min >> 16), d.Max >> 16} // rounded up, and down
}

// MontgomeryMul returns a·z·2⁻¹⁶ mod q: the high half of a·z, less the high half of
// m·q, where m = a·z·q⁻¹ mod 2^16 makes the low halves equal (G. Seiler, ePrint
// 2018/039). The low product waits for nothing but a.
func (k *Kernel) MontgomeryMul(a Vector, z Factor) Vector {
	k.sixteen(a)
	r := k.register(lanewise(a, z.value, func(x, y Interval) Interval { return k.montgomery(x.Mul(y)) }))
	k.check("a Montgomery product", r.Lanes, Int16)
	m, high := k.register(nil), k.register(nil)
	k.VPMULLW(z.twisted.Op, a.Op, m.Op)
	k.VPMULHW(z.value.Op, a.Op, high.Op)
	mq := k.register(nil)
	k.VPMULHW(k.q.Op, m.Op, mq.Op)
	k.VPSUBW(mq.Op, high.Op, r.Op)
	return r
}

// A Barrett holds the constant of [Kernel.BarrettReduce].
type Barrett struct{ reciprocal Vector }

// Barrett prepares ⌊2^15/q⌉.
func (k *Kernel) Barrett() Barrett {
	return Barrett{k.Broadcast((1<<15 + k.modulus/2) / k.modulus)}
}

// BarrettReduce returns a number congruent to a, close to [−q/2, q/2]: a − t·q, where t
// is a/q, by its rounded reciprocal, rounded (VPMULHRSW, VPMULLW, VPSUBW). The product
// may wrap; the difference is exact.
func (k *Kernel) BarrettReduce(a Vector, b Barrett) Vector {
	k.sixteen(a)
	r := k.register(lanewise(a, b.reciprocal, func(x, c Interval) Interval {
		return x.Map(func(x int64) int64 { return x - (x*c.Min+1<<14)>>15*k.modulus })
	}))
	k.check("a reduced number", r.Lanes, Int16)
	t, tq := k.register(nil), k.register(nil)
	k.VPMULHRSW(b.reciprocal.Op, a.Op, t.Op)
	k.VPMULLW(k.q.Op, t.Op, tq.Op)
	k.VPSUBW(tq.Op, a.Op, r.Op)
	return r
}

// Canonical returns a, or a + q where a is negative: of both, the one that is smaller as an
// unsigned number (VPADDW, VPMINUW). a must be greater than −q and less than 2^15 − q.
func (k *Kernel) Canonical(a Vector) Vector {
	k.sixteen(a)
	k.check("a number to make canonical", a.Lanes, Interval{1 - k.modulus, Int16.Max - k.modulus})
	r := k.register(lanewise(a, k.q, func(x, q Interval) Interval {
		return x.Map(func(x int64) int64 {
			if x < 0 {
				x += q.Min
			}
			return x
		})
	}))
	sum := k.register(nil)
	k.VPADDW(k.q.Op, a.Op, sum.Op)
	k.VPMINUW(sum.Op, a.Op, r.Op)
	return r
}

// A PairReducer holds the constants of [Kernel.MontgomeryReducePairs].
type PairReducer struct{ inverse, minusQ Vector }

// PairReducer prepares them.
func (k *Kernel) PairReducer() PairReducer {
	if k.Width == YMM {
		return PairReducer{inverse: k.Broadcast(k.inverse())}
	}
	words := make([]int16, k.Words())
	for i := 0; i < len(words); i += 2 {
		words[i] = int16(k.inverse())
	}
	return PairReducer{inverse: k.Constant(words), minusQ: k.Broadcast(-k.modulus)}
}

// MontgomeryReducePairs returns the Montgomery reductions of the 32-bit lanes of even and
// odd, those of even in the even 16-bit lanes of the result, those of odd in the odd ones;
// they become the coefficients of like. even and odd are used up.
func (k *Kernel) MontgomeryReducePairs(even, odd, like Vector, c PairReducer) Vector {
	k.thirtyTwo(even, odd)
	lanes := make([]Lane, k.Words())
	for i := range lanes {
		from := [2]Vector{even, odd}[i%2].Lanes[i/2].Interval
		lanes[i] = Lane{k.montgomery(from), like.Lanes[i].Coeff}
		// x − m·q passes through 32 bits in one form of the code below.
		mq := Int16.Mul(Exactly(k.modulus))
		k.check("a Montgomery reduction", []Lane{{from.Sub(mq), none}}, Int32)
	}
	k.check("a Montgomery reduction", lanes, Int16)
	if k.Width != YMM {
		// m stands in the low half of each 32-bit lane, above it zero; x − m·q
		// leaves zero in the low half and the result in the high one.
		for _, x := range []Vector{even, odd} {
			m := k.register(nil)
			k.VPMULLW(c.inverse.Op, x.Op, m.Op)
			k.VPDPWSSD(c.minusQ.Op, m.Op, x.Op)
		}
		low, r := k.register(nil), k.register(lanes)
		k.VPSRLD(operand.U8(16), even.Op, low.Op)
		k.VPORD(odd.Op, low.Op, r.Op)
		return r
	}
	shifted, low, high := k.register(nil), k.register(nil), k.register(nil)
	const oddWords = 0xaa
	k.VPSLLD(operand.U8(16), odd.Op, shifted.Op)
	k.VPBLENDW(operand.U8(oddWords), shifted.Op, even.Op, low.Op)
	k.VPSRLD(operand.U8(16), even.Op, shifted.Op)
	k.VPBLENDW(operand.U8(oddWords), odd.Op, shifted.Op, high.Op)
	m, mq, r := k.register(nil), k.register(nil), k.register(lanes)
	k.VPMULLW(c.inverse.Op, low.Op, m.Op)
	k.VPMULHW(k.q.Op, m.Op, mq.Op)
	k.VPSUBW(mq.Op, high.Op, r.Op)
	return r
}
