package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A rounding is the division by 2γ₂ = odd·2^shift: with the power of two shifted out of x,
// (x + plus)·reciprocal/2^scale is the quotient by odd, rounded down. steps is (q−1)/(2γ₂).
type rounding struct {
	name              string
	gamma2            int
	odd, shift        int
	reciprocal, scale int
	plus              int // added to x before
	steps             int
}

var roundings = []rounding{
	newRounding("88", 93, 11, 5638, 19, 0),
	newRounding("32", 1023, 9, 1025, 20, 1),
}

func newRounding(name string, odd, shift, reciprocal, scale, plus int) rounding {
	return rounding{name, odd << shift / 2, odd, shift, reciprocal, scale, plus, (q - 1) / (odd << shift)}
}

// high returns the r₁ of FIPS 204, Algorithm 36, for w; but from q − γ₂ on, steps.
func (r rounding) high(w int64) int64 {
	return (w + int64(r.gamma2) - 1) / int64(2*r.gamma2)
}

// pieces divides in where high steps, and in between where the remainder becomes positive.
func (r rounding) pieces(in interval.Interval) []interval.Interval {
	var pieces []interval.Interval
	for _, p := range in.Every(int64(r.gamma2+1), int64(2*r.gamma2)) {
		pieces = append(pieces, p.Every(r.high(p.Min)*int64(2*r.gamma2)+1, int64(2*r.gamma2))...)
	}
	return pieces
}

// contract is the interval of w₁.
func (r rounding) contract() interval.Interval { return below(int64(r.steps)) }

// Logic on vectors of either width.

func (g *generator) and(a operand.Op, b, dst reg.VecVirtual) {
	if g.width == interval.YMM {
		g.VPAND(a, b, dst)
	} else {
		g.VPANDD(a, b, dst)
	}
}

func (g *generator) andNot(a operand.Op, not, dst reg.VecVirtual) {
	if g.width == interval.YMM {
		g.VPANDN(a, not, dst)
	} else {
		g.VPANDND(a, not, dst)
	}
}

func (g *generator) or(a operand.Op, b, dst reg.VecVirtual) {
	if g.width == interval.YMM {
		g.VPOR(a, b, dst)
	} else {
		g.VPORD(a, b, dst)
	}
}

// zero returns a register of zeros.
func (g *generator) zero() reg.VecVirtual {
	z := g.vector()
	if g.width == interval.YMM {
		g.VPXOR(z, z, z)
	} else {
		g.VPXORD(z, z, z)
	}
	return z
}

// eachVector emits body in a loop over the polynomials at the pointers, with the offset of
// a vector from them; and moves the pointers of bits, if there are any, along too.
func (g *generator) eachVector(bits reg.Register, body func(offset int), pointers ...reg.Register) {
	const window = 64
	end := g.GP64()
	g.LEAQ(at(pointers[0], 4*n), end)
	g.Label("window")
	for i := 0; i < window; i += g.lanes() {
		body(4 * i)
	}
	for _, p := range pointers {
		g.ADDQ(operand.U32(4*window), p)
	}
	if bits != nil {
		g.ADDQ(operand.U32(window/8), bits)
	}
	g.CMPQ(pointers[0], end)
	g.JNE(operand.LabelRef("window"))
}

// name returns the name of a kernel.
func (g *generator) name(name string) string {
	return name + map[interval.Width]string{interval.YMM: "AVX2", interval.YMMVL: "AVX512VL", interval.ZMM: "AVX512"}[g.width]
}

// power2Round is FIPS 204, Algorithm 35.
func (g *generator) power2Round(in interval.Interval) {
	g.kernel(g.name("power2Round"), "func(t1, t0, t *[256]int32)", func() {
		const d = 13
		t1, t0, t := g.pointer("t1"), g.pointer("t0"), g.pointer("t")
		g.Reads(t, 32, in)
		g.Writes(t1, 32, below(1<<10))
		g.Writes(t0, 32, upTo(1<<12))
		half := g.broadcast("halfPowerLess1", 1<<12-1)
		g.eachVector(nil, func(offset int) {
			low, high, product := g.vector(), g.vector(), g.vector()
			g.move(at(t, offset), low)
			quotient := func(t interval.Interval) int64 { return (t.Min + 1<<(d-1) - 1) >> d }
			g.Cases(low, 32, in.Every(1<<(d-1)+1, 1<<d), func() {
				g.VPADDD(half, low, high)
				g.VPSRLD(operand.U8(d), high, high)
				g.VPSLLD(operand.U8(d), high, product)
				g.VPSUBD(product, low, low)
			}, interval.Fact{Register: high, Of: func(t interval.Interval) interval.Interval {
				return interval.Exactly(quotient(t))
			}}, interval.Fact{Register: low, Of: func(t interval.Interval) interval.Interval {
				return t.Sub(interval.Exactly(quotient(t) << d))
			}})
			g.move(high, at(t1, offset))
			g.move(low, at(t0, offset))
		}, t1, t0, t)
	})
}

// A divider divides by 2γ₂.
type divider struct {
	*generator
	rounding
	half, reciprocals, odds, last reg.VecVirtual
}

func (g *generator) divider(r rounding) divider {
	return divider{
		g, r,
		g.broadcast("half"+r.name, r.gamma2-1+r.plus<<r.shift),
		g.broadcast("reciprocal"+r.name, r.reciprocal),
		g.broadcast("odd"+r.name, r.odd),
		g.broadcast("last"+r.name, r.steps-1),
	}
}

// divide sets high to ⌊(w + γ₂ − 1)/(2γ₂)⌋ and low to w less that multiple of 2γ₂. The factors of both
// products are below 2^15 (VPMADDWD).
func (d divider) divide(w, high, low reg.VecVirtual) {
	d.VPADDD(d.half, w, high)
	d.VPSRLD(operand.U8(uint8(d.shift)), high, high)
	d.VPMADDWD(d.reciprocals, high, high)
	d.VPSRLD(operand.U8(uint8(d.scale)), high, high)
	d.VPMADDWD(d.odds, high, low)
	d.VPSLLD(operand.U8(uint8(d.shift)), low, low)
	d.VPSUBD(low, w, low)
}

// wraps returns ones where high is (q−1)/(2γ₂), and makes it 0 there.
func (d divider) wraps(high reg.VecVirtual) reg.VecVirtual {
	ones := d.vector()
	d.VPSUBD(high, d.last, ones)
	d.VPSRAD(operand.U8(31), ones, ones)
	d.andNot(high, ones, high)
	return ones
}

// decompose is FIPS 204, Algorithm 36.
func (g *generator) decompose(r rounding, in interval.Interval) {
	g.kernel(g.name("decompose"+r.name), "func(w1, w0, w *[256]int32)", func() {
		w1, w0, w := g.pointer("w1"), g.pointer("w0"), g.pointer("w")
		g.Reads(w, 32, in)
		g.Writes(w1, 32, r.contract())
		g.Writes(w0, 32, interval.Within(int64(r.gamma2)))
		d := g.divider(r)
		g.eachVector(nil, func(offset int) {
			v := g.vector()
			g.move(at(w, offset), v)
			high, low := g.vector(), g.vector()
			g.Cases(v, 32, r.pieces(in), func() {
				d.divide(v, high, low)
				g.VPADDD(d.wraps(high), low, low)
			}, interval.Fact{Register: high, Of: func(w interval.Interval) interval.Interval {
				return interval.Exactly(r.high(w.Min) % int64(r.steps))
			}}, interval.Fact{Register: low, Of: func(w interval.Interval) interval.Interval {
				// w less the multiple, or, where that is q − 1, less q.
				high := r.high(w.Min)
				return w.Sub(interval.Exactly(high*int64(2*r.gamma2) + high/int64(r.steps)))
			}})
			g.move(high, at(w1, offset))
			g.move(low, at(w0, offset))
		}, w1, w0, w)
	})
}

// useHint is FIPS 204, Algorithm 40.
func (g *generator) useHint(r rounding, in interval.Interval) {
	g.kernel(g.name("useHint"+r.name), "func(w1 *[256]int32, h *[4]uint64, w *[256]int32)", func() {
		w1, h, w := g.pointer("w1"), g.pointer("h"), g.pointer("w")
		g.Reads(w, 32, in)
		g.Writes(w1, 32, r.contract())
		d := g.divider(r)
		powerOf2 := r.steps&(r.steps-1) == 0
		var m reg.VecVirtual // the number of steps, or ones below it if it is a power of two
		if powerOf2 {
			m = d.last
		} else {
			m = g.broadcast("steps"+r.name, r.steps)
		}
		minus := g.broadcast("minusOne", -1)
		var bits, one, zero reg.VecVirtual
		if g.width == interval.YMM {
			bits = g.load("bits", dwords(fill(8, func(i int) int { return 1 << i })...))
		} else {
			one, zero = g.broadcast("one", 1), g.zero()
		}
		g.eachVector(h, func(offset int) {
			v := g.vector()
			g.move(at(w, offset), v)
			high, low := g.vector(), g.vector()
			g.Cases(v, 32, r.pieces(in), func() {
				d.divide(v, high, low)
				if g.width == interval.YMM {
					// odd, and so never 0: negative if low is not positive
					g.VPADDD(low, low, low)
					g.VPADDD(minus, low, low)
					hint := g.vector()
					g.VPBROADCASTB(at(h, offset/32), hint)
					g.and(bits, hint, hint)
					g.VPCMPEQD(bits, hint, hint)
					g.VPSIGND(low, hint, hint) // −1, 1, or 0 without a hint
					g.VPSUBD(hint, high, high)
				} else {
					hinted, positive, step := g.K(), g.K(), g.vector()
					if g.width == interval.ZMM {
						g.KMOVW(at(h, offset/32), hinted)
					} else {
						g.KMOVB(at(h, offset/32), hinted)
					}
					g.VPCMPGTD(zero, low, positive)
					g.move(minus, step)
					g.VMOVDQU32(one, positive, step)
					g.VPADDD(step, high, hinted, high)
				}
			}, interval.Fact{Register: high, Of: func(w interval.Interval) interval.Interval {
				// Up with a hint if the remainder is positive, or else down.
				without := r.high(w.Min)
				if w.Min > without*int64(2*r.gamma2) {
					return interval.Interval{Min: without, Max: without + 1}
				}
				return interval.Interval{Min: without - 1, Max: without}
			}})
			// modulo the number of steps, which high is where r₁ wraps: in general the least of high,
			// high + m and high − m
			up, down := g.vector(), g.vector()
			steps := int64(r.steps)
			g.Cases(high, 32, interval.Interval{Min: -1, Max: steps}.Each(), func() {
				if powerOf2 {
					g.and(m, high, high)
					return
				}
				g.VPADDD(m, high, up)
				g.VPSUBD(m, high, down)
				g.VPMINUD(up, high, high)
				g.VPMINUD(down, high, high)
			}, interval.Fact{Register: high, Of: func(high interval.Interval) interval.Interval {
				return interval.Exactly((high.Min + steps) % steps)
			}})
			g.move(high, at(w1, offset))
		}, w1, w)
	})
}

// makeHint gathers the signs of two differences, one of which is negative outside the
// interval of LowBits.
func (g *generator) makeHint(gamma2 interval.Interval) {
	g.kernel(g.name("makeHint"), "func(h *[4]uint64, r0, w1 *[256]int32, gamma2 int32) int", func() {
		h, r0, w1 := g.pointer("h"), g.pointer("r0"), g.pointer("w1")
		g.Reads(r0, 32, interval.Within(2*gamma2.Max))
		g.Reads(w1, 32, below((q-1)/(2*gamma2.Min)))
		g.Bytes(h)
		gamma := g.number("gamma2", gamma2)
		zero := g.zero()
		weight := g.GP64()
		g.XORL(weight.As32(), weight.As32())
		g.eachVector(h, func(offset int) {
			r, high, above, below, bits := g.vector(), g.vector(), g.vector(), g.vector(), g.GP64()
			g.move(at(r0, offset), r)
			g.VPSUBD(at(w1, offset), zero, high)
			g.VPSRAD(operand.U8(31), high, high) // −1 unless w1 is 0
			g.VPSUBD(r, gamma, above)
			g.VPADDD(gamma, r, below)
			g.VPADDD(high, below, below)
			g.or(above, below, below)
			if g.width == interval.YMM {
				g.VMOVMSKPS(below, bits.As32())
				g.MOVB(bits.As8(), at(h, offset/32))
			} else {
				k := g.K()
				g.VPMOVD2M(below, k)
				g.KMOVW(k, bits.As32())
				g.MOVW(bits.As16(), at(h, offset/32))
			}
			g.POPCNTL(bits.As32(), bits.As32())
			g.ADDQ(bits, weight)
		}, r0, w1)
		g.Store(weight, g.ReturnIndex(0))
	})
}

// exceeds takes the largest absolute value.
func (g *generator) exceeds(in interval.Interval) {
	g.kernel(g.name("exceeds"), "func(p *[256]int32, bound int32) bool", func() {
		p := g.pointer("p")
		g.Reads(p, 32, in)
		bound := g.number("bound", interval.Interval{Min: 1, Max: in.Max + 1})
		largest := [2]reg.VecVirtual{g.zero(), g.zero()}
		g.eachVector(nil, func(offset int) {
			v := g.vector()
			g.VPABSD(at(p, offset), v)
			i := offset / g.width.Bytes() % 2
			g.VPMAXUD(v, largest[i], largest[i])
		}, p)
		g.VPMAXUD(largest[0], largest[1], largest[0])
		found := g.GP32()
		if g.width == interval.YMM {
			// bound > largest everywhere
			inside := g.vector()
			g.VPCMPGTD(largest[0], bound, inside)
			g.VMOVMSKPS(inside, found)
			g.XORL(operand.U32(0xff), found)
		} else {
			const notLess = 5
			k := g.K()
			g.VPCMPUD(operand.U8(notLess), bound, largest[0], k)
			g.KMOVW(k, found)
		}
		result := g.GP8()
		g.TESTL(found, found)
		g.SETNE(result)
		g.Store(result, g.ReturnIndex(0))
	})
}

// number returns a vector of a 32-bit argument within in.
func (g *generator) number(argument string, in interval.Interval) reg.VecVirtual {
	x, v := g.XMM(), g.vector()
	g.VMOVD(g.Load(g.Param(argument), g.GP32()), x)
	g.VPBROADCASTD(x, v)
	g.Argument(v, 32, in)
	return v
}
