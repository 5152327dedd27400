package main

import (
	"github.com/mmcloughlin/avo/operand"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// small is the modulus of ML-KEM.
const small = 3329

// narrow keeps the lower halves of the lanes, which hold the numbers whole.
func (g *generator) narrow(in interval.Interval) {
	g.kernel(g.name("narrow"), "func(dst *[256]int16, p *[256]int32)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 32, in)
		g.Writes(dst, 16, interval.Within(1<<15-1))
		for i := 0; i < n; i += 16 {
			y := g.YMM()
			if g.width == interval.ZMM {
				z := g.ZMM()
				g.VMOVDQU64(at(p, 4*i), z)
				g.VPMOVDW(z, y)
			} else {
				g.VMOVDQU(at(p, 4*i), y)
				g.VPACKSSDW(at(p, 4*i+32), y, y)
				g.VPERMQ(operand.U8(0b11_01_10_00), y, y)
			}
			g.VMOVDQU(y, at(dst, 2*i))
		}
	})
}

const (
	// bound is the absolute value up to which a number is told from its neighbours modulo
	// 3329: from others of at most neighbour.
	bound     = 1600
	neighbour = small - bound - 1
	// reciprocal is ⌈2^15/3329⌋, and step where the quotient by it steps.
	reciprocal = (1<<15 + small/2) / small
	step       = 3277
)

// addSmall centres sixteen or thirty-two numbers modulo 3329, by a rounded quotient, and widens
// them.
func (g *generator) addSmall(name string, op func(...operand.Op), in interval.Interval, reciprocal int) {
	g.kernel(g.name(name), "func(p *[256]int32, c *[256]int16)", func() {
		p, c := g.pointer("p"), g.pointer("c")
		g.Reads(c, 16, in)
		g.Reads(p, 32, interval.Int32)
		g.Writes(p, 32, interval.Int32)
		reciprocals := g.broadcast("reciprocal3329", reciprocal|reciprocal<<16)
		modulus := g.broadcast("q3329", small|small<<16)
		for i := 0; i < n; i += g.width.Bytes() / 2 {
			x, t := g.vector(), g.vector()
			g.move(at(c, 2*i), x)
			g.Cases(x, 16, in.Every(-step/2, step), func() {
				g.VPMULHRSW(reciprocals, x, t)
				g.VPMULLW(modulus, t, t)
				g.VPSUBW(t, x, x)
			}, interval.Fact{Register: x, Of: func(c interval.Interval) interval.Interval {
				quotient := (c.Max + step/2) / step
				if c.Max < 0 {
					quotient = (c.Max - step/2) / step
				}
				return c.Sub(interval.Exactly(quotient * small))
			}})
			g.Expect("a centred number", x, 16, interval.Within(neighbour))
			lower, upper := g.vector(), g.vector()
			if g.width == interval.ZMM {
				half := g.YMM()
				g.VEXTRACTI64X4(operand.U8(1), x, half)
				g.VPMOVSXWD(x.AsY(), lower)
				g.VPMOVSXWD(half, upper)
			} else {
				half := g.XMM()
				g.VEXTRACTI128(operand.U8(1), x, half)
				g.VPMOVSXWD(x.AsX(), lower)
				g.VPMOVSXWD(half, upper)
			}
			first, second := at(p, 4*i), at(p, 4*i+g.width.Bytes())
			a, b := g.vector(), g.vector()
			g.move(first, a)
			g.move(second, b)
			g.Promised("the results must fit in 32 bits", func() {
				op(lower, a, a)
				op(upper, b, b)
			})
			g.move(a, first)
			g.move(b, second)
		}
	})
}
