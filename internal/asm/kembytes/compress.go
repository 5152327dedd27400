package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// Compression computes y = ⌈(2^d/q)·x⌋ without a division in two steps:
//
//	y₁ = ⌊x·c/2^16⌋ with c = ⌈2^(16+d)/q⌋, which is ⌊2^d·x/q + ε⌋ with |ε| < 0.08
//	r  = 2^d·x − y₁·q, which is in (−0.08q, 1.08q) and so is exact modulo 2^16
//
// and adds one to y₁ if r > (q−1)/2. Since q more in x is 2^d more in y, x needs no
// reduction.

// A compression holds the numbers above.
type compression struct {
	d          int
	in         interval.Interval // of x
	reciprocal int               // c
	half       int               // (q−1)/2
}

// newCompression returns the compression to d bits. If d is 11, x is taken doubled, so that c
// has 15 bits.
func newCompression(d int) compression {
	k := compression{d: d, in: compressible, half: q / 2}
	k.reciprocal = (1<<(16+d) + q/2) / q
	if k.doubled() {
		k.reciprocal = (1<<(16+d-1) + q/2) / q
	}
	return k
}

func (k compression) doubled() bool { return k.d == 11 }

// A quotient holds the constants of compression in registers.
type quotient struct {
	compression
	c, q, halfQ reg.VecVirtual
	ones        reg.VecVirtual // −1, for AVX-512 only
}

// fact is what y must be: Compress_d, of which the upper bits are not yet cut off.
func (k compression) fact(y reg.Register) interval.Fact {
	return interval.Fact{Register: y, Of: func(x interval.Interval) interval.Interval {
		dividend := x.Min<<(k.d+1) + q
		y := dividend / (2 * q)
		if dividend < 0 {
			y = -((-dividend + 2*q - 1) / (2 * q)) // rounded down
		}
		return interval.Exactly(y)
	}}
}

// why is the reason for which arithmetic modulo 2^16 is enough.
const why = "the remainder is in (−0.08q, 1.08q)"

func (g *generator) quotientAVX512(k compression) quotient {
	return quotient{
		compression: k,
		c:           g.zmmWords(fmt.Sprintf("reciprocal%d", k.d), k.reciprocal, k.reciprocal),
		q:           g.zmmWords("q", q, q),
		halfQ:       g.zmmWords("halfQ", k.half, k.half),
		ones:        g.zmmWords("ones", -1, -1),
	}
}

// compressAVX512 replaces the coefficients in z with their y, modulo 2^16.
func (k quotient) compressAVX512(g *generator, z reg.VecVirtual) {
	y, product, above := g.ZMM(), g.ZMM(), g.K()
	g.Cases(z, 16, k.in.Each(), func() {
		d := k.d
		if k.doubled() {
			g.VPADDW(z, z, z)
			d--
		}
		g.VPMULHW(k.c, z, y)
		g.Modulo(why, func() {
			g.VPSLLW(operand.U8(d), z, z)
			g.VPMULLW(k.q, y, product)
			g.VPSUBW(product, z, z)
		})
		g.VPCMPGTW(k.halfQ, z, above)
		g.VPSUBW(k.ones, y, above, y)
	}, k.fact(y))
	g.VMOVDQA64(y, z)
}

// A packer holds the constants that pack words of d bits, 4·d bytes from a vector.
type packer struct {
	d                    int
	joinPair, joinQuad   reg.VecVirtual
	window, front, cross reg.VecVirtual
	nibble               reg.VecVirtual
	bytes                reg.OpmaskVirtual
}

// packerAVX512: VPSLLVW brings the even words up to the odd ones, VPROLVD the even
// doublewords up to the odd ones, so that each quadword has the bits of four words
// from bit 32−2d on. If d is odd, they end within a byte, and the second quadword of
// each pair has to begin there.
func (g *generator) packerAVX512(d int) packer {
	start := 32 - 2*d
	k := packer{
		d:        d,
		joinPair: g.zmmWords(fmt.Sprintf("joinPair%d", d), 16-d, 0),
		joinQuad: g.zmm(fmt.Sprintf("joinQuad%d", d), words(fill(32, func(i int) int {
			return []int{16 - d, 0, 32 - (16 - d), 0}[i%4]
		})...)),
		window: g.zmm(fmt.Sprintf("packWindow%d", d), fill(64, func(i int) byte {
			bit := start + 8*(i%8)
			if d%2 == 1 && i/8%2 == 1 {
				bit -= 4 // bytes 0 to 5 of the second quadword begin with half a byte
			}
			return byte(bit & 63)
		})),
		bytes: g.mask(1<<d - 1),
	}
	k.front = g.zmm(fmt.Sprintf("packFront%d", d), fill(64, func(i int) byte { return frontByte(d, i, false) }))
	if d%2 == 1 {
		k.cross = g.zmm(fmt.Sprintf("packCross%d", d), fill(64, func(i int) byte { return frontByte(d, i, true) }))
		k.nibble = g.zmm(fmt.Sprintf("packNibble%d", d), fill(64, func(i int) byte {
			if i < 4*d && i%d == d/2 {
				return 0xf0
			}
			return 0
		}))
	}
	return k
}

// frontByte returns where byte i of the packed vector stands after the windows have
// been read. A byte that is half of one quadword and half of the next is in the first
// quadword, and with cross in the second.
func frontByte(d, i int, cross bool) byte {
	if i >= 4*d {
		return 0
	}
	if d%2 == 0 {
		return byte(i/(d/2)*8 + i%(d/2))
	}
	pair, b := i/d, i%d
	if b < d/2 || b == d/2 && !cross {
		return byte(16*pair + b)
	}
	return byte(16*pair + 8 + b - d/2)
}

// storeAVX512 packs the words of z, of which the upper bits are ignored, to m.
func (k packer) storeAVX512(g *generator, z reg.VecVirtual, m operand.Mem) {
	g.Discards("the upper bits", func() { g.VPSLLVW(k.joinPair, z, z) })
	g.VPROLVD(k.joinQuad, z, z)
	g.VPMULTISHIFTQB(z, k.window, z)
	if k.d%2 == 1 {
		second := g.ZMM()
		g.VPERMB(z, k.cross, second)
		g.VPERMB(z, k.front, z)
		// z takes the bits of nibble from second.
		g.VPTERNLOGQ(operand.U8(0xd8), k.nibble, second, z)
	} else {
		g.VPERMB(z, k.front, z)
	}
	if k.d == 4 {
		g.VMOVDQU(z.AsX(), m)
	} else {
		g.VMOVDQU32(z, k.bytes, m)
	}
}

func (g *generator) compressAVX512(k compression) {
	g.kernel(fmt.Sprintf("compress%dAVX512", k.d), "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, k.in)
		g.Bytes(dst)
		quotient, packer := g.quotientAVX512(k), g.packerAVX512(k.d)
		g.repeat("vectors", 8, func() {
			z := g.ZMM()
			g.VMOVDQU64(at(p, 0), z)
			quotient.compressAVX512(g, z)
			packer.storeAVX512(g, z, at(dst, 0))
			g.ADDQ(operand.U32(64), p)
			g.ADDQ(operand.U32(4*k.d), dst)
		})
	})
}

// A bit is compression to one: y is 1 if x is more than q/4 away from the next multiple of q.
type bit struct {
	in         interval.Interval // of x
	reciprocal int               // ⌈2^15/q⌋
	quarter    int               // (q−1)/4
}

func newBit() bit { return bit{compressible, (1<<15 + q/2) / q, q / 4} }

// fact is what y must be, which is −1 for 1 in a vector.
func (k bit) fact(y reg.Register, one int64) interval.Fact {
	return interval.Fact{Register: y, Of: func(x interval.Interval) interval.Interval {
		least := (x.Min%q + q) % q
		return interval.Exactly((4*least + q) / (2 * q) % 2 * one)
	}}
}

func (g *generator) compress1AVX512(k bit) {
	g.kernel("compress1AVX512", "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, k.in)
		g.Bytes(dst)
		reciprocal := g.zmmWords("reciprocal1", k.reciprocal, k.reciprocal)
		qs, quarter := g.zmmWords("q", q, q), g.zmmWords("quarterQ", k.quarter, k.quarter)
		g.repeat("vectors", 8, func() {
			z, product, far, y := g.ZMM(), g.ZMM(), g.K(), g.GP32()
			g.VMOVDQU64(at(p, 0), z)
			g.Cases(z, 16, k.in.Each(), func() {
				g.VPMULHRSW(reciprocal, z, product)
				g.VPMULLW(qs, product, product)
				g.VPSUBW(product, z, z) // |z| < 0.54q
				g.VPABSW(z, z)
				g.VPCMPGTW(quarter, z, far)
			}, k.fact(far, 1))
			g.KMOVD(far, y)
			g.MOVL(y, at(dst, 0))
			g.ADDQ(operand.U32(64), p)
			g.ADDQ(operand.U32(4), dst)
		})
	})
}

// decompressAVX512: with y·2^(15−d) in each word, VPMULHRSW by q is the decompression,
// (y·2^(15−d)·q + 2^14)/2^15, rounded down.
func (g *generator) decompressAVX512(d, modulus int, out interval.Interval) {
	g.kernel(fmt.Sprintf("decompress%dAVX512", d), "func(p *[256]int16, src *byte)", func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 16, out)
		bytes := g.mask(1<<d - 1)
		spread, window, field := g.unpackerAVX512(d, 15-d)
		qs := g.zmmWords("q", modulus, modulus)
		g.repeat("vectors", 8, func() {
			z := g.ZMM()
			g.VMOVDQU32_Z(at(src, 0), bytes, z)
			g.VPERMB(z, spread, z)
			g.VPMULTISHIFTQB(z, window, z)
			g.VPANDD(field, z, z)
			g.decompressed(d, z, func() { g.VPMULHRSW(qs, z, z) })
			g.VMOVDQU64(z, at(p, 0))
			g.ADDQ(operand.U32(4*d), src)
			g.ADDQ(operand.U32(64), p)
		})
	})
}

// decompressed checks that body makes Decompress_d(y) of the y·2^(15−d) in z.
func (g *generator) decompressed(d int, z reg.Register, body func()) {
	step := int64(1) << (15 - d)
	all := interval.Interval{Min: 0, Max: (1<<d - 1) * step}
	// All but the first of the numbers between two multiples do not occur.
	g.Cases(z, 16, all.Every(0, step), body, interval.Fact{Register: z, Of: func(x interval.Interval) interval.Interval {
		decompress := func(y int64) int64 { return (y*q*2 + 1<<d) >> (d + 1) }
		return interval.Interval{Min: decompress(x.Min / step), Max: decompress((x.Max + step - 1) / step)}
	}})
}

// unpackerAVX512 returns the constants that bring number j of d bits to the bits from
// low on of word j: VPERMB by spread brings the bytes of four numbers into a quadword,
// VPMULTISHIFTQB by window reads sixteen bits around each, and field has its bits.
func (g *generator) unpackerAVX512(d, low int) (spread, window, field reg.VecVirtual) {
	spread = g.zmm(fmt.Sprintf("unpackSpread%d", d), fill(64, func(i int) byte {
		return byte((4*d*(i/8)/8 + i%8) & 63)
	}))
	window = g.zmm(fmt.Sprintf("unpackWindow%d", d), fill(64, func(i int) byte {
		first := 4 * d * (i / 8) % 8 // bit of the quadword's first number
		return byte((first + d*(i%8/2) - low + 8*(i%2)) & 63)
	}))
	bits := (1<<d - 1) << low
	return spread, window, g.zmmWords(fmt.Sprintf("unpackField%d", d), bits, bits)
}

// threeBytes is the interval of two numbers of twelve bits, joined.
var threeBytes = interval.Interval{Min: 0, Max: 1<<24 - 1}

func (g *generator) encode12AVX512(in interval.Interval) {
	g.kernel("encode12AVX512", "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, in)
		g.Bytes(dst)
		join := g.zmmWords("join12", 1, 1<<12)
		front := g.zmm("packFront24", fill(64, func(i int) byte { return byte(i/3*4 + i%3&63) }))
		bytes := g.mask(1<<12 - 1)
		g.repeat("vectors", 8, func() {
			z := g.ZMM()
			g.VMOVDQU64(at(p, 0), z)
			g.VPMADDWD(join, z, z)
			g.Expect("two numbers", z, 32, threeBytes)
			g.VPERMB(z, front, z)
			g.VMOVDQU32(z, bytes, at(dst, 0))
			g.ADDQ(operand.U32(64), p)
			g.ADDQ(operand.U32(48), dst)
		})
	})
}

// twelve is what decoding makes, valid or not, and tooLarge the fact that r is one, as a vector
// or a mask has it, for those from q on.
var twelve = interval.Interval{Min: 0, Max: 1<<12 - 1}

func tooLarge(r reg.Register, one int64) interval.Fact {
	return interval.Fact{Register: r, Of: func(x interval.Interval) interval.Interval {
		if x.Min >= q {
			return interval.Exactly(one)
		}
		return interval.Exactly(0)
	}}
}

func (g *generator) decode12AVX512(limit int) {
	g.kernel("decode12AVX512", "func(p *[256]int16, src *byte) bool", func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 16, twelve)
		bytes := g.mask(1<<12 - 1)
		spread, window, field := g.unpackerAVX512(12, 0)
		largest := g.ZMM()
		g.VPXORD(largest, largest, largest)
		g.repeat("vectors", 8, func() {
			z := g.ZMM()
			g.VMOVDQU32_Z(at(src, 0), bytes, z)
			g.VPERMB(z, spread, z)
			g.VPMULTISHIFTQB(z, window, z)
			g.VPANDD(field, z, z)
			g.VPMAXSW(z, largest, largest)
			g.VMOVDQU64(z, at(p, 0))
			g.ADDQ(operand.U32(48), src)
			g.ADDQ(operand.U32(64), p)
		})
		k, bits, ok := g.K(), g.GP32(), g.GP8()
		qs := g.zmmWords("q", limit, limit)
		g.Cases(largest, 16, twelve.Each(), func() {
			const notLess = 5
			g.VPCMPW(operand.U8(notLess), qs, largest, k)
		}, tooLarge(k, 1))
		g.KMOVD(k, bits)
		g.TESTL(bits, bits)
		g.SETEQ(ok)
		g.Store(ok, g.ReturnIndex(0))
	})
}
