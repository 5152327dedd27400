package interval

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
)

// Arithmetic in 32-bit lanes, for moduli of up to 30 bits. Products take 64-bit lanes, of
// which there are half as many: those of even coefficients and those of odd ones are
// computed apart.

// Dwords is the number of 32-bit lanes of a register.
func (k *Kernel) Dwords() int { return k.Width.Bytes() / 4 }

// Constant32 is [Kernel.Constant] of 32-bit lanes.
func (k *Kernel) Constant32(dwords []int32) Vector {
	words := make([]int16, 0, 2*len(dwords))
	lanes := make([]Lane, len(dwords))
	for i, d := range dwords {
		words = append(words, int16(d), int16(d>>16))
		lanes[i] = Lane{Exactly(int64(d)), none}
	}
	return Vector{k.Constant(words).Op, lanes}
}

// Broadcast32 returns a register with x in every 32-bit lane.
func (k *Kernel) Broadcast32(x int64) Vector {
	if !Exactly(x).In(Int32) {
		k.refuse("constant %d", x)
	}
	dwords := make([]int32, k.Dwords())
	for i := range dwords {
		dwords[i] = int32(x)
	}
	return k.Constant32(dwords)
}

// Modulus32 sets the modulus q, an odd number, for 32-bit lanes and keeps it in a register.
func (k *Kernel) Modulus32(q int64) {
	if q%2 == 0 || q <= 0 || q > math.MaxInt32/2 {
		k.refuse("modulus %d", q)
	}
	k.modulus = q
	k.q = k.Broadcast32(q)
	if k.Width != YMM {
		bits, mask := k.GP32(), k.K()
		k.MOVL(operand.U32(0x5555), bits)
		k.KMOVW(bits, mask)
		k.even = mask
	}
}

// Sub32 returns a − b in 32-bit lanes (VPSUBD).
func (k *Kernel) Sub32(a, b Vector) Vector {
	k.thirtyTwo(a, b)
	r := k.register(lanewise(a, b, Interval.Sub))
	k.check("a 32-bit difference", r.Lanes, Int32)
	k.VPSUBD(b.Op, a.Op, r.Op)
	return r
}

// AddPromised32 and SubPromised32 are Add32 and Sub32 of numbers whose sum or difference
// the contract promises to fit.
func (k *Kernel) AddPromised32(a, b Vector) Vector { return k.promised32(a, b, k.VPADDD) }
func (k *Kernel) SubPromised32(a, b Vector) Vector { return k.promised32(a, b, k.VPSUBD) }

func (k *Kernel) promised32(a, b Vector, op func(...operand.Op)) Vector {
	k.thirtyTwo(a, b)
	r := k.register(lanewise(a, b, func(Interval, Interval) Interval { return Int32 }))
	op(b.Op, a.Op, r.Op)
	return r
}

// A ShoupFactor is a constant prepared for [Kernel.ShoupMul].
type ShoupFactor struct {
	value, quotient Vector // z, and ⌊2^32·z/q⌉
	paired          bool   // whether the quotients of lanes 2i and 2i+1 are the same
}

// ShoupFactor prepares the factors, which are in [−q/2, q/2].
func (k *Kernel) ShoupFactor(zs []int32) ShoupFactor {
	quotients := make([]int32, len(zs))
	paired := true
	for i, z := range zs {
		if !Exactly(int64(z)).In(Within(k.modulus / 2)) {
			k.refuse("factor %d", z)
		}
		// Adding q·2^32 keeps the dividend positive.
		quotients[i] = int32((int64(z)<<32+k.modulus<<32+k.modulus/2)/k.modulus - 1<<32)
		paired = paired && quotients[i] == quotients[i&^1]
	}
	return ShoupFactor{k.Constant32(zs), k.Constant32(quotients), paired}
}

// shoup returns the interval of a·z − t·q for a in the interval, where t is the floor of
// a·w/2^32 for the quotient w. With e = z·2^32 − w·q the difference is (a·e + f·q)/2^32, where
// f, the low half of a·w, may be any 32-bit number without sign.
func (k *Kernel) shoup(a Interval, z, quotient int64) Interval {
	d := a.Mul(Exactly(z<<32 - quotient*k.modulus)).Add(Interval{0, math.MaxUint32 * k.modulus})
	return Interval{-(-d.Min >> 32), d.Max >> 32} // rounded up, and down
}

// ShoupMul returns a·z mod q: a·z − t·q, where t is the floor of a·z/q, by its quotient
// (VPMULDQ for the even and the odd lanes, whose high halves are t, and VPMULLD twice). The
// low halves of both products may wrap; the difference is exact (V. Shoup's NTL).
func (k *Kernel) ShoupMul(a Vector, f ShoupFactor) Vector {
	k.thirtyTwo(a)
	lanes := make([]Lane, len(a.Lanes))
	for i, l := range a.Lanes {
		lanes[i] = Lane{k.shoup(l.Interval, f.value.Lanes[i].Min, f.quotient.Lanes[i].Min), l.Coeff}
	}
	r := k.register(lanes)
	k.check("a product by Shoup's quotient", r.Lanes, Int32)
	quotients := f.quotient
	if !f.paired {
		quotients = k.DuplicateOdd(f.quotient)
	}
	even, odd := k.register(nil), k.register(nil)
	k.VPMULDQ(f.quotient.Op, a.Op, even.Op)
	k.VPMULDQ(quotients.Op, k.DuplicateOdd(a).Op, odd.Op)
	t := k.highHalves(even, odd)
	low, tq := k.register(nil), k.register(nil)
	k.VPMULLD(f.value.Op, a.Op, low.Op)
	k.VPMULLD(k.q.Op, t.Op, tq.Op)
	k.VPSUBD(tq.Op, low.Op, r.Op)
	return r
}

// montgomery32 returns the interval of (x − m·q)/2^32, where m may be any 32-bit number.
func (k *Kernel) montgomery32(x Interval) Interval {
	d := x.Sub(Int32.Mul(Exactly(k.modulus)))
	return Interval{-(-d.Min >> 32), d.Max >> 32} // rounded up, and down
}

// inverse32 returns q⁻¹ mod 2^32, as a signed number.
func (k *Kernel) inverse32() int64 {
	inverse := int64(1)
	for range 5 { // Newton's iteration doubles the number of correct bits
		inverse *= 2 - k.modulus*inverse
	}
	return int64(int32(inverse))
}

// highHalves returns the high halves of the 64-bit lanes of even and odd, those of even in
// the even lanes. odd is used up.
func (k *Kernel) highHalves(even, odd Vector) Vector {
	if k.Width != YMM {
		k.VMOVSHDUP(even.Op, k.even, odd.Op)
		return odd
	}
	t, r := k.register(nil), k.register(nil)
	k.VMOVSHDUP(even.Op, t.Op)
	k.VPBLENDD(operand.U8(0xaa), odd.Op, t.Op, r.Op)
	return r
}

// DuplicateOdd returns a with each even lane replaced by the odd one after it (VMOVSHDUP,
// which reads memory at no more cost than a load).
func (k *Kernel) DuplicateOdd(a Vector) Vector {
	k.thirtyTwo(a)
	lanes := make([]Lane, len(a.Lanes))
	for i := range lanes {
		lanes[i] = a.Lanes[i|1]
	}
	r := k.register(lanes)
	k.VMOVSHDUP(a.Op, r.Op)
	return r
}

// MulEven returns the products of the even lanes, in 64-bit lanes (VPMULDQ).
func (k *Kernel) MulEven(a, b Vector) Vector {
	k.thirtyTwo(a, b)
	lanes := make([]Lane, len(a.Lanes)/2)
	for i := range lanes {
		lanes[i] = Lane{a.Lanes[2*i].Mul(b.Lanes[2*i].Interval), none}
	}
	r := k.register(lanes)
	k.VPMULDQ(b.Op, a.Op, r.Op)
	return r
}

// Add64 returns a + b in 64-bit lanes (VPADDQ).
func (k *Kernel) Add64(a, b Vector) Vector {
	k.sixtyFour(a, b)
	r := k.register(lanewise(a, b, Interval.Add))
	k.check("a 64-bit sum", r.Lanes, Within(1<<62))
	k.VPADDQ(b.Op, a.Op, r.Op)
	return r
}

// A WideReducer holds the constant of [Kernel.MontgomeryReduce64].
type WideReducer struct{ inverse Vector }

// WideReducer prepares q⁻¹ mod 2^32.
func (k *Kernel) WideReducer() WideReducer {
	return WideReducer{k.Broadcast32(k.inverse32())}
}

// MontgomeryReduce64 returns x·2⁻³² mod q of the 64-bit lanes x of even and odd, those of
// even in the even 32-bit lanes of the result: (x − m·q)/2^32, where m = x·q⁻¹ mod 2^32. They
// become the coefficients of like.
func (k *Kernel) MontgomeryReduce64(even, odd, like Vector, c WideReducer) Vector {
	k.sixtyFour(even, odd)
	lanes := make([]Lane, k.Dwords())
	for i := range lanes {
		x := [2]Vector{even, odd}[i%2].Lanes[i/2].Interval
		k.check("a Montgomery reduction", []Lane{{x.Sub(Int32.Mul(Exactly(k.modulus))), none}}, Within(1<<62))
		lanes[i] = Lane{k.montgomery32(x), like.Lanes[i].Coeff}
	}
	k.check("a Montgomery reduction", lanes, Int32)
	var differences [2]Vector
	for i, x := range []Vector{even, odd} {
		m, mq := k.register(nil), k.register(nil)
		k.VPMULDQ(c.inverse.Op, x.Op, m.Op)
		k.VPMULDQ(k.q.Op, m.Op, mq.Op)
		differences[i] = k.register(nil)
		k.VPSUBQ(mq.Op, x.Op, differences[i].Op)
	}
	return Vector{k.highHalves(differences[0], differences[1]).Op, lanes}
}

// A ShiftReducer holds the constant of [Kernel.ShiftReduce].
type ShiftReducer struct {
	half  Vector
	shift int
}

// ShiftReducer prepares the reduction by the power of two next above q.
func (k *Kernel) ShiftReducer() ShiftReducer {
	shift := 1
	for 1<<shift < k.modulus {
		shift++
	}
	return ShiftReducer{k.Broadcast32(1 << (shift - 1)), shift}
}

// ShiftReduce returns a number congruent to a: a − t·q, where t is a/2^shift, rounded. It
// reduces well for a modulus just below the power of two.
func (k *Kernel) ShiftReduce(a Vector, c ShiftReducer) Vector {
	k.thirtyTwo(a)
	k.check("a number to reduce", a.Lanes, Interval{Int32.Min, Int32.Max - c.half.Lanes[0].Max})
	quotient := func(x int64) int64 { return (x + 1<<(c.shift-1)) >> c.shift }
	r := k.register(lanewise(a, c.half, func(x, _ Interval) Interval {
		// Between the steps of the quotient the result grows with a.
		at := func(x int64) Interval { return Exactly(x - quotient(x)*k.modulus) }
		all := at(x.Min).Union(at(x.Max))
		for t := quotient(x.Min); t < quotient(x.Max); t++ {
			step := (t+1)<<c.shift - 1<<(c.shift-1)
			all = all.Union(at(step - 1)).Union(at(step))
		}
		return all
	}))
	k.check("a reduced number", r.Lanes, Int32)
	t, tq := k.register(nil), k.register(nil)
	k.VPADDD(c.half.Op, a.Op, t.Op)
	k.VPSRAD(operand.U8(uint8(c.shift)), t.Op, t.Op)
	k.VPMULLD(k.q.Op, t.Op, tq.Op)
	k.VPSUBD(tq.Op, a.Op, r.Op)
	return r
}

// LeastResidue returns the residue of a in [0, q), for a in [−q, 2q): it adds q where
// that makes a smaller as an unsigned number, and subtracts it where that does.
func (k *Kernel) LeastResidue(a Vector) Vector {
	k.thirtyTwo(a)
	k.check("a number to make canonical", a.Lanes, Interval{-k.modulus, 2*k.modulus - 1})
	lanes := lanewise(a, k.q, func(Interval, Interval) Interval { return Interval{0, k.modulus - 1} })
	below, above := false, false
	for _, l := range a.Lanes {
		below, above = below || l.Min < 0, above || l.Max >= k.modulus
	}
	r := Vector{a.Op, lanes}
	for _, step := range []struct {
		needed bool
		op     func(...operand.Op)
	}{{below, k.VPADDD}, {above, k.VPSUBD}} {
		if step.needed {
			moved, least := k.register(nil), k.register(nil)
			step.op(k.q.Op, r.Op, moved.Op)
			k.VPMINUD(moved.Op, r.Op, least.Op)
			r.Op = least.Op
		}
	}
	return r
}

// A Centre holds the constant of [Kernel.Centred].
type Centre struct{ half Vector }

// Centre prepares (q−1)/2.
func (k *Kernel) Centre() Centre { return Centre{k.Broadcast32(k.modulus / 2)} }

// Centred returns a, in [0, q), less q where it exceeds (q−1)/2.
func (k *Kernel) Centred(a Vector, c Centre) Vector {
	k.thirtyTwo(a)
	k.check("a number to centre", a.Lanes, Interval{0, k.modulus - 1})
	r := k.register(lanewise(a, k.q, func(Interval, Interval) Interval { return Within(k.modulus / 2) }))
	if k.Width != YMM {
		mask := k.K()
		k.VPCMPGTD(c.half.Op, a.Op, mask)
		k.move(a.Op, r.Op)
		k.VPSUBD(k.q.Op, a.Op, mask, r.Op)
		return r
	}
	above := k.register(nil)
	k.VPCMPGTD(c.half.Op, a.Op, above.Op)
	k.VPAND(k.q.Op, above.Op, above.Op)
	k.VPSUBD(above.Op, a.Op, r.Op)
	return r
}

// sixtyFour refuses vectors that are not of 64-bit lanes.
func (k *Kernel) sixtyFour(vs ...Vector) {
	for _, v := range vs {
		if len(v.Lanes) != k.Words()/4 {
			k.refuse("vector of %d lanes where %d are due", len(v.Lanes), k.Words()/4)
		}
	}
}
