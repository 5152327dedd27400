package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

// power2Round is FIPS 204, Algorithm 35.
func (file *conversion) power2Round(in interval.Interval) {
	const d = 13
	f := file.Func("power2RoundNEON", "func(t1, t0, t *[256]int32)")
	t1, t0, t := pointer(f, "t1"), pointer(f, "t0"), pointer(f, "t")
	half, power := broadcast(f, 1<<(d-1)-1), broadcast(f, 1<<d)
	eachWindow(f, func() {
		low, high := take(f, t, in), f.Table(window)
		for i, v := range low {
			f.VADD(high[i].S4(), v.S4(), half)
			f.VUSHR(high[i].S4(), high[i].S4(), d)
		}
		for i, v := range low {
			f.VMLS(v.S4(), high[i].S4(), power.V.S(0))
			// The rest by 2^d of c + 2^(d−1) − 1, less that.
			f.Assume(v.S4(), upTo(1<<(d-1)))
		}
		give(f, t1, high, below(1<<10))
		give(f, t0, low, upTo(1<<(d-1)))
	})
	f.RET()
}

// A rounding is the division by 2γ₂, by the upper half of a doubled product with reciprocal and
// a shift that rounds.
type rounding struct {
	name              string
	gamma2            int64
	reciprocal, shift int64
	steps             int64 // (q−1)/(2γ₂)
}

var roundings = []rounding{newRounding("88", (q-1)/88), newRounding("32", (q-1)/32)}

// newRounding finds the reciprocal, and checks the quotient where it steps: between, it is
// constant, as it does not decrease.
func newRounding(name string, gamma2 int64) rounding {
	for shift := int64(18); shift > 8; shift-- {
		product := int64(1) << (31 + shift)
		nearest := (product + gamma2) / (2 * gamma2)
		for reciprocal := nearest - 1; reciprocal <= nearest+1; reciprocal++ {
			r := rounding{name, gamma2, reciprocal, shift, (q - 1) / (2 * gamma2)}
			if reciprocal < 1<<31 && r.exact() {
				return r
			}
		}
	}
	panic(fmt.Sprintf("no reciprocal of 2·%d", gamma2))
}

func (r rounding) quotient(w int64) int64 {
	return (w*r.reciprocal>>31 + 1<<(r.shift-1)) >> r.shift
}

func (r rounding) exact() bool {
	if r.quotient(0) != 0 || r.quotient(q-1) != r.steps {
		return false
	}
	for high := int64(1); high <= r.steps; high++ {
		first := high*2*r.gamma2 - r.gamma2 + 1
		if r.quotient(first) != high || r.quotient(first-1) != high-1 {
			return false
		}
	}
	return true
}

// contract is the interval of w₁.
func (r rounding) contract() interval.Interval { return below(r.steps) }

// A divider divides by 2γ₂.
type divider struct {
	*a64.Func
	rounding
	reciprocals, powers, multiples, last a64.Vec
}

func newDivider(f *a64.Func, r rounding) divider {
	return divider{f, r, broadcast(f, r.reciprocal), broadcast(f, 1<<(31-r.shift)), broadcast(f, 2*r.gamma2), broadcast(f, r.steps)}
}

// divide sets high to ⌊(w + γ₂ − 1)/(2γ₂)⌋ and takes that multiple of 2γ₂ from w, which is in [0, q),
// where the quotient is known to be exact.
func (d divider) divide(w, high []a64.V) {
	for i, v := range w {
		d.Require(v.S4(), least)
		d.VSQDMULH(high[i].S4(), v.S4(), d.reciprocals.V.S(0))
		// A shift that rounds, as in reduce.
		d.VSQRDMULH(high[i].S4(), high[i].S4(), d.powers.V.S(0))
		d.Assume(high[i].S4(), below(d.steps+1))
	}
	for i, v := range w {
		d.VMLS(v.S4(), high[i].S4(), d.multiples.V.S(0))
		d.Assume(v.S4(), upTo(d.gamma2))
	}
}

// decompose is FIPS 204, Algorithm 36.
func (file *conversion) decompose(r rounding, in interval.Interval) {
	f := file.Func("decompose"+r.name+"NEON", "func(w1, w0, w *[256]int32)")
	w1, w0, w := pointer(f, "w1"), pointer(f, "w0"), pointer(f, "w")
	d := newDivider(f, r)
	eachWindow(f, func() {
		low, high, wraps := take(f, w, in), f.Table(window), f.Vs(window)
		d.divide(low, high)
		for i, v := range high {
			f.VCMEQ(wraps[i].S4(), v.S4(), d.last)
		}
		for i, v := range high {
			f.VBIC(v.B16(), v.B16(), wraps[i].B16())
			f.Assume(v.S4(), r.contract())
			// Where r₁ wraps, w is less than q and the rest by q − 1 at most 0.
			f.VADD(low[i].S4(), low[i].S4(), wraps[i].S4())
		}
		give(f, w1, high, r.contract())
		give(f, w0, low, interval.Within(r.gamma2))
		f.Free(wraps)
	})
	f.RET()
}

// bitsOfWindows is how many registers the bits of a 32-bit word of hints belong to.
const bitsOfWindows = 8

// wordBits returns registers of bits 4i to 4i+3 of a word.
func (file *conversion) wordBits(f *a64.Func) []a64.V {
	vs := f.Vs(bitsOfWindows)
	loadTable(f, file.constant("wordBits", fill(32, func(i int) uint32 { return 1 << i })), vs)
	return vs
}

// useHint is FIPS 204, Algorithm 40.
func (file *conversion) useHint(r rounding, in interval.Interval) {
	f := file.Func("useHint"+r.name+"NEON", "func(w1 *[256]int32, h *[4]uint64, w *[256]int32)")
	w1, h, w := pointer(f, "w1"), pointer(f, "h"), pointer(f, "w")
	d := newDivider(f, r)
	bits := file.wordBits(f)
	greatest := broadcast(f, r.steps-1)
	f.Loop(n/32, func() {
		hints := f.V()
		f.LD1R(h.Post(4), hints.S4())
		for half := range bitsOfWindows / window {
			low, high, masks := take(f, w, in), f.Table(window), f.Vs(window)
			d.divide(low, high)
			for i, v := range low {
				// up, 1, if the rest is positive, or else down, −1
				f.VCMLEZ(v.S4(), v.S4())
				f.VORRI(v.S4(), 1, 0)
				f.VCMTST(masks[i].S4(), hints.S4(), bits[half*window+i].S4())
				f.Assume(v.S4(), interval.Within(1))
			}
			for i, v := range high {
				f.VMLS(v.S4(), low[i].S4(), masks[i].S4())
			}
			for i, v := range high {
				// Modulo the number of steps: from −1, or where r₁ wraps, which is never followed by
				// up, as the rest is not positive there.
				f.Assume(v.S4(), interval.Interval{Min: -1, Max: r.steps})
				if r.steps == 16 {
					f.VAND(v.B16(), v.B16(), greatest.V.B16())
				} else {
					f.VCMEQ(masks[i].S4(), v.S4(), d.last)
					f.VBIC(v.B16(), v.B16(), masks[i].B16())
					f.VUMIN(v.S4(), v.S4(), greatest)
				}
				f.Assume(v.S4(), r.contract())
			}
			give(f, w1, high, r.contract())
			f.Free(low, masks)
		}
		f.Free(hints)
	})
	f.RET()
}

// makeHint compares |2·r0 − 1|, or |2·r0| where w1 is 0, with 2γ₂: the interval of LowBits is
// (−γ₂, γ₂], and −γ₂ belongs to it where r₁ has wrapped.
func (file *conversion) makeHint(gamma2 interval.Interval) {
	f := file.Func("makeHintNEON", "func(h *[4]uint64, r0, w1 *[256]int32, gamma2 int32) int")
	h, r0, w1 := pointer(f, "h"), pointer(f, "r0"), pointer(f, "w1")
	first := f.X()
	f.MOV(first, h)
	limit, two := number(f, "gamma2", gamma2), broadcast(f, 2)
	f.VADD(limit, limit, limit)
	bits := file.wordBits(f)
	f.Loop(n/32, func() {
		word := f.V()
		for half := range bitsOfWindows / window {
			r, high := take(f, r0, interval.Within(2*gamma2.Max)), take(f, w1, below((q-1)/(2*gamma2.Min)))
			for _, v := range high {
				f.VCMTST(v.S4(), v.S4(), v.S4())
				f.Assume(v.S4(), interval.Interval{Min: -1, Max: 0})
			}
			for i, v := range high {
				f.VMLA(v.S4(), r[i].S4(), two.V.S(0))
				f.VABS(v.S4(), v.S4())
				f.VCMGT(v.S4(), v.S4(), limit)
			}
			for i, v := range high {
				bit := bits[half*window+i]
				if half == 0 && i == 0 {
					f.VAND(word.B16(), v.B16(), bit.B16())
				} else {
					f.VMLS(word.S4(), v.S4(), bit.S4())
				}
			}
			f.Free(r, high)
		}
		f.VADDV(word, word.S4())
		f.STRS(word, h.Post(4))
		f.Free(word)
	})
	weight, a, b := f.X(), f.V(), f.V()
	f.LDP(a, b, first.At(0))
	f.VCNT(a.B16(), a.B16())
	f.VCNT(b.B16(), b.B16())
	f.VADD(a.B16(), a.B16(), b.B16())
	f.VUADDLV(a, a.B16())
	f.UMOV(weight, a.H(0))
	f.Result("ret", weight)
	f.RET()
}

// exceeds takes the largest absolute value.
func (file *conversion) exceeds(in interval.Interval) {
	f := file.Func("exceedsNEON", "func(p *[256]int32, bound int32) bool")
	p, bound := pointer(f, "p"), f.X()
	f.Arg(bound, "bound")
	largest := f.Vs(window)
	for _, v := range largest {
		f.VMOVI(v.S4(), 0, 0)
		f.Forget(v)
	}
	eachWindow(f, func() {
		vs := take(f, p, in)
		for _, v := range vs {
			f.VABS(v.S4(), v.S4())
		}
		for i, v := range vs {
			f.VUMAX(largest[i].S4(), largest[i].S4(), v.S4())
		}
		f.Free(vs)
	})
	f.VUMAX(largest[0].S4(), largest[0].S4(), largest[1].S4())
	f.VUMAX(largest[2].S4(), largest[2].S4(), largest[3].S4())
	f.VUMAX(largest[0].S4(), largest[0].S4(), largest[2].S4())
	f.VUMAXV(largest[0], largest[0].S4())
	found := f.X()
	f.UMOV(found, largest[0].S(0))
	f.CMPW(found, bound)
	f.CSET(found, "HS")
	f.Result("ret", found)
	f.RET()
}

// number returns a register of a 32-bit argument within in.
func number(f *a64.Func, argument string, in interval.Interval) a64.Vec {
	x, v := f.X(), f.V()
	f.Arg(x, argument)
	f.VDUPX(v.S4(), x)
	f.Free(x)
	f.Assume(v.S4(), in)
	return v.S4()
}
