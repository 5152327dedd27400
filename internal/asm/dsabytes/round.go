package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A rounding is the division by 2γ₂ = odd·2^shift: for 0 ≤ x ≤ most, with the power of two
// shifted out, x·reciprocal/2^scale is the quotient by odd, rounded down. steps is
// (q−1)/(2γ₂).
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

// newRounding refuses a reciprocal that is wrong for any x that occurs.
func newRounding(name string, odd, shift, reciprocal, scale, plus int) rounding {
	r := rounding{name, odd << shift / 2, odd, shift, reciprocal, scale, plus, (q - 1) / (odd << shift)}
	for x := range (q+r.gamma2)>>shift + 1 {
		if (x+plus)*reciprocal>>scale != x/odd || x+plus >= 1<<15 {
			panic(fmt.Sprintf("%d is divided by %d wrongly", x, odd))
		}
	}
	return r
}

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
	if g.width == interval.YMM {
		return name + "AVX2"
	}
	return name + "AVX512"
}

// power2Round is FIPS 204, Algorithm 35.
func (g *generator) power2Round() {
	g.kernel(g.name("power2Round"), "func(t1, t0, t *[256]int32)", func() {
		t1, t0, t := g.pointer("t1"), g.pointer("t0"), g.pointer("t")
		half := g.broadcast("halfPowerLess1", 1<<12-1)
		g.eachVector(nil, func(offset int) {
			low, high, product := g.vector(), g.vector(), g.vector()
			g.move(at(t, offset), low)
			g.VPADDD(half, low, high)
			g.VPSRLD(operand.U8(13), high, high)
			g.VPSLLD(operand.U8(13), high, product)
			g.VPSUBD(product, low, low)
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

// divide returns ⌊(w + γ₂ − 1)/(2γ₂)⌋ and w less that multiple of 2γ₂. The factors of both
// products are below 2^15 (VPMADDWD).
func (d divider) divide(w reg.VecVirtual) (high, low reg.VecVirtual) {
	high, low = d.vector(), d.vector()
	d.VPADDD(d.half, w, high)
	d.VPSRLD(operand.U8(uint8(d.shift)), high, high)
	d.VPMADDWD(d.reciprocals, high, high)
	d.VPSRLD(operand.U8(uint8(d.scale)), high, high)
	d.VPMADDWD(d.odds, high, low)
	d.VPSLLD(operand.U8(uint8(d.shift)), low, low)
	d.VPSUBD(low, w, low)
	return high, low
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
func (g *generator) decompose(r rounding) {
	g.kernel(g.name("decompose"+r.name), "func(w1, w0, w *[256]int32)", func() {
		w1, w0, w := g.pointer("w1"), g.pointer("w0"), g.pointer("w")
		d := g.divider(r)
		g.eachVector(nil, func(offset int) {
			v := g.vector()
			g.move(at(w, offset), v)
			high, low := d.divide(v)
			g.VPADDD(d.wraps(high), low, low)
			g.move(high, at(w1, offset))
			g.move(low, at(w0, offset))
		}, w1, w0, w)
	})
}

// useHint is FIPS 204, Algorithm 40.
func (g *generator) useHint(r rounding) {
	g.kernel(g.name("useHint"+r.name), "func(w1 *[256]int32, h *[4]uint64, w *[256]int32)", func() {
		w1, h, w := g.pointer("w1"), g.pointer("h"), g.pointer("w")
		d := g.divider(r)
		m := g.broadcast("steps"+r.name, r.steps)
		minus := g.broadcast("minusOne", -1)
		var bits reg.VecVirtual
		if g.width == interval.YMM {
			bits = g.load("bits", dwords(fill(8, func(i int) int { return 1 << i })...))
		}
		g.eachVector(h, func(offset int) {
			v := g.vector()
			g.move(at(w, offset), v)
			high, low := d.divide(v)
			// odd, and so never 0: negative if low is not positive
			g.VPADDD(low, low, low)
			g.VPADDD(minus, low, low)
			if g.width == interval.YMM {
				hint := g.vector()
				g.VPBROADCASTB(at(h, offset/32), hint)
				g.and(bits, hint, hint)
				g.VPCMPEQD(bits, hint, hint)
				g.VPSIGND(low, hint, hint) // −1, 1, or 0 without a hint
				g.VPSUBD(hint, high, high)
			} else {
				// ones or zero, and then −1 or 1
				k := g.K()
				g.KMOVW(at(h, offset/32), k)
				g.VPSRAD(operand.U8(31), low, low)
				g.VPADDD(low, low, low)
				g.VPSUBD(minus, low, low)
				g.VPADDD(low, high, k, high)
			}
			// modulo the number of steps, which high is where r₁ wraps: the least of high, high + m
			// and high − m
			up, down := g.vector(), g.vector()
			g.VPADDD(m, high, up)
			g.VPSUBD(m, high, down)
			g.VPMINUD(up, high, high)
			g.VPMINUD(down, high, high)
			g.move(high, at(w1, offset))
		}, w1, w)
	})
}

// makeHint gathers the signs of two differences, one of which is negative outside the
// interval of LowBits.
func (g *generator) makeHint() {
	g.kernel(g.name("makeHint"), "func(h *[4]uint64, r0, w1 *[256]int32, gamma2 int32) int", func() {
		h, r0, w1 := g.pointer("h"), g.pointer("r0"), g.pointer("w1")
		gamma := g.number("gamma2")
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
func (g *generator) exceeds() {
	g.kernel(g.name("exceeds"), "func(p *[256]int32, bound int32) bool", func() {
		p := g.pointer("p")
		bound := g.number("bound")
		largest := [2]reg.VecVirtual{g.zero(), g.zero()}
		g.eachVector(nil, func(offset int) {
			v := g.vector()
			g.VPABSD(at(p, offset), v)
			i := offset / int(g.width) % 2
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

// number returns a vector of a 32-bit argument.
func (g *generator) number(argument string) reg.VecVirtual {
	x, v := g.XMM(), g.vector()
	g.VMOVD(g.Load(g.Param(argument), g.GP32()), x)
	g.VPBROADCASTD(x, v)
	return v
}
