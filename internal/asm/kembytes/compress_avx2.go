package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

func (g *generator) quotientAVX2(k compression) quotient {
	return quotient{
		compression: k,
		c:           g.ymmWords(fmt.Sprintf("reciprocal%d", k.d), k.reciprocal, k.reciprocal),
		q:           g.ymmWords("q", q, q),
		halfQ:       g.ymmWords("halfQ", k.half, k.half),
	}
}

// compressAVX2 returns the y of the coefficients at m, modulo 2^16.
func (k quotient) compressAVX2(g *generator, m operand.Mem) (y reg.VecVirtual) {
	x, product := g.YMM(), g.YMM()
	y = g.YMM()
	g.VMOVDQU(m, x)
	g.Cases(x, 16, k.in.Each(), func() {
		d := k.d
		if k.doubled() {
			g.VPADDW(x, x, x)
			d--
		}
		g.VPMULHW(k.c, x, y)
		g.Modulo(why, func() {
			g.VPSLLW(operand.U8(d), x, x)
			g.VPMULLW(k.q, y, product)
			g.VPSUBW(product, x, x)
		})
		g.VPCMPGTW(k.halfQ, x, x) // −1 if the remainder is more than half of q
		g.VPSUBW(x, y, y)
	}, k.fact(y))
	return y
}

// compressAVX2 packs four coefficients into a quadword by VPMADDWD and two shifts,
// and the two quadwords of a half of the vector into d bytes by VPSHUFB.
func (g *generator) compressAVX2(k compression) {
	d := k.d
	g.kernel(fmt.Sprintf("compress%dAVX2", d), "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, k.in)
		g.Bytes(dst)
		quotient := g.quotientAVX2(k)
		low := g.ymmWords(fmt.Sprintf("low%d", d), 1<<d-1, 1<<d-1)
		joinPair := g.ymmWords(fmt.Sprintf("joinPair%dAVX2", d), 1, 1<<d)
		start := 32 - 2*d
		joinQuad := g.ymm(fmt.Sprintf("joinQuad%dAVX2", d), words(fill(16, func(i int) int {
			return []int{start, 0, 0, 0}[i%4]
		})...))
		// If d is odd, the second quadword begins within a byte.
		down := g.ymm(fmt.Sprintf("downQuads%d", d), words(fill(16, func(i int) int {
			return []int{start, 0, 0, 0, start - d%2*4, 0, 0, 0}[i%8]
		})...))
		first := g.ymm(fmt.Sprintf("firstQuad%d", d), fill(32, func(i int) byte {
			if i%16 >= (d+1)/2 {
				return 0x80
			}
			return byte(i % 16)
		}))
		both := first
		if d%2 == 0 {
			both = g.ymm(fmt.Sprintf("bothQuads%d", d), fill(32, func(i int) byte {
				switch b := i % 16; {
				case b < d/2:
					return byte(b)
				case b < d:
					return byte(8 + b - d/2)
				}
				return 0x80
			}))
		}
		second := g.ymm(fmt.Sprintf("secondQuad%d", d), fill(32, func(i int) byte {
			if b := i % 16; b >= d/2 && b < d {
				return byte(8 + b - d/2)
			}
			return 0x80
		}))
		packed := func() reg.VecVirtual {
			y := quotient.compressAVX2(g, at(p, 0))
			g.VPAND(low, y, y)
			g.VPMADDWD(joinPair, y, y)
			g.VPSLLVD(joinQuad, y, y)
			g.VPSRLVQ(down, y, y)
			if d%2 == 0 {
				g.VPSHUFB(both, y, y)
			} else {
				z := g.YMM()
				g.VPSHUFB(second, y, z)
				g.VPSHUFB(first, y, y)
				g.VPOR(z, y, y)
			}
			return y
		}
		g.storeHalves(d, dst, p, packed)
	})
}

// storeHalves calls packed for each vector of 16 coefficients from p on, and stores
// the first d bytes of each of its halves. It stores 16 bytes at a time as long as
// later ones overwrite the rest; for the last halves it stays within the d bytes.
func (g *generator) storeHalves(d int, dst, p reg.Register, packed func() reg.VecVirtual) {
	advance := func() {
		g.ADDQ(operand.U32(32), p)
		g.ADDQ(operand.U32(2*d), dst)
	}
	last := (15/d + 1) / 2 // vectors with a half that has less than 16 bytes left
	g.repeat("vectors", 16-last, func() {
		y := packed()
		g.VMOVDQU(y.AsX(), at(dst, 0))
		g.VEXTRACTI128(operand.U8(1), y, at(dst, d))
		advance()
	})
	g.repeat("last", last, func() {
		y := packed()
		g.storeBytes(d, y, at(dst, 0))
		high := g.YMM()
		g.VEXTRACTI128(operand.U8(1), y, high.AsX())
		g.storeBytes(d, high, at(dst, d))
		advance()
	})
}

// storeBytes stores the first d bytes of y, in two pieces that may overlap.
func (g *generator) storeBytes(d int, y reg.VecVirtual, m operand.Mem) {
	rest := g.XMM()
	if d < 8 {
		g.VMOVD(y.AsX(), m)
		g.VPSRLDQ(operand.U8(d-4), y.AsX(), rest)
		g.VMOVD(rest, m.Offset(d-4))
		return
	}
	g.VMOVQ(y.AsX(), m)
	g.VPSRLDQ(operand.U8(d-8), y.AsX(), rest)
	g.VMOVQ(rest, m.Offset(d-8))
}

func (g *generator) compress1AVX2(k bit) {
	g.kernel("compress1AVX2", "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, k.in)
		g.Bytes(dst)
		reciprocal := g.ymmWords("reciprocal1", k.reciprocal, k.reciprocal)
		qs, quarter := g.ymmWords("q", q, q), g.ymmWords("quarterQ", k.quarter, k.quarter)
		ones := func(offset int) reg.VecVirtual {
			y, product := g.YMM(), g.YMM()
			g.VMOVDQU(at(p, offset), y)
			g.Cases(y, 16, k.in.Each(), func() {
				g.VPMULHRSW(reciprocal, y, product)
				g.VPMULLW(qs, product, product)
				g.VPSUBW(product, y, y) // |y| < 0.54q
				g.VPABSW(y, y)
				g.VPCMPGTW(quarter, y, y)
			}, k.fact(y, -1))
			return y
		}
		g.repeat("vectors", 8, func() {
			y0, y1, bits := ones(0), ones(32), g.GP32()
			g.VPACKSSWB(y1, y0, y0)
			g.VPERMQ(operand.U8(0b11_01_10_00), y0, y0)
			g.VPMOVMSKB(y0, bits)
			g.MOVL(bits, at(dst, 0))
			g.ADDQ(operand.U32(64), p)
			g.ADDQ(operand.U32(4), dst)
		})
	})
}

// compress4AVX2 packs 64 coefficients at a time, since VPACKUSWB is enough for it.
func (g *generator) compress4AVX2(k compression) {
	g.kernel("compress4AVX2", "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, k.in)
		g.Bytes(dst)
		quotient := g.quotientAVX2(k)
		low := g.ymmWords("low4", 0xf, 0xf)
		join := g.ymmWords("join4", 1+1<<12, 1+1<<12)
		order := g.ymm("halvesInOrder", words(0, 0, 4, 0, 1, 0, 5, 0, 2, 0, 6, 0, 3, 0, 7, 0))
		// nibbles returns 32 coefficients, two in each word.
		nibbles := func(offset int) reg.VecVirtual {
			y0 := quotient.compressAVX2(g, at(p, offset))
			y1 := quotient.compressAVX2(g, at(p, offset+32))
			g.VPAND(low, y0, y0)
			g.VPAND(low, y1, y1)
			g.VPACKUSWB(y1, y0, y0)
			g.VPMADDUBSW(join, y0, y0)
			return y0
		}
		g.repeat("vectors", 4, func() {
			y0, y1 := nibbles(0), nibbles(64)
			g.VPACKUSWB(y1, y0, y0)
			g.VPERMD(y0, order, y0)
			g.VMOVDQU(y0, at(dst, 0))
			g.ADDQ(operand.U32(128), p)
			g.ADDQ(operand.U32(32), dst)
		})
	})
}

// loadHalves returns a vector with the d bytes of eight numbers in each half, from
// byte 0 of the low half and from byte skip of the high half on: that one's load ends
// where the bytes end, so that none leaves the source.
func (g *generator) loadHalves(d int, src reg.Register) (y reg.VecVirtual) {
	y = g.YMM()
	if d >= 8 {
		g.VMOVDQU(at(src, 0), y.AsX())
		g.VINSERTI128(operand.U8(1), at(src, 2*d-16), y, y)
		return y
	}
	g.VPBROADCASTQ(at(src, 0), y)
	if d > 4 {
		high := g.YMM()
		g.VPBROADCASTQ(at(src, 2*d-8), high)
		g.VPBLENDD(operand.U8(0xf0), high, y, y)
	}
	return y
}

func skip(d int) int {
	if d >= 8 {
		return 16 - d
	}
	return 8 - d
}

// spreadWords returns the shuffle that brings the two bytes that number j of d bits
// begins in into word j.
func (g *generator) spreadWords(d int) reg.VecVirtual {
	return g.ymm(fmt.Sprintf("spreadWords%d", d), fill(32, func(i int) byte {
		return byte((d*(i%16/2)/8 + i%2 + i/16*skip(d)) & 15)
	}))
}

// alignWords returns the multipliers that bring number j to the top of word j.
func (g *generator) alignWords(d int) reg.VecVirtual {
	return g.ymm(fmt.Sprintf("alignWords%d", d), words(fill(16, func(i int) int {
		return 1 << (16 - d - d*i%8)
	})...))
}

func (g *generator) decompressAVX2(d, modulus int, out interval.Interval) {
	g.kernel(fmt.Sprintf("decompress%dAVX2", d), "func(p *[256]int16, src *byte)", func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 16, out)
		spread, align := g.spreadWords(d), g.alignWords(d)
		field := g.ymmWords(fmt.Sprintf("unpackField%d", d), (1<<d-1)<<(15-d), (1<<d-1)<<(15-d))
		qs := g.ymmWords("q", modulus, modulus)
		g.repeat("vectors", 16, func() {
			y := g.loadHalves(d, src)
			g.VPSHUFB(spread, y, y)
			g.Discards("bits of the neighbour", func() { g.VPMULLW(align, y, y) })
			g.VPSRLW(operand.U8(1), y, y)
			g.VPAND(field, y, y)
			g.decompressed(d, y, func() { g.VPMULHRSW(qs, y, y) })
			g.VMOVDQU(y, at(p, 0))
			g.ADDQ(operand.U32(2*d), src)
			g.ADDQ(operand.U32(32), p)
		})
	})
}

// decompress11AVX2 takes the numbers in pairs, since one may touch three bytes.
func (g *generator) decompress11AVX2(modulus int, out interval.Interval) {
	const d = 11
	g.kernel("decompress11AVX2", "func(p *[256]int16, src *byte)", func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 16, out)
		spread := g.ymm("spreadPairs11", fill(32, func(i int) byte {
			return byte((2*d*(i%16/4)/8 + i%4 + i/16*skip(d)) & 15)
		}))
		down := g.ymm("downPairs11", words(fill(16, func(i int) int {
			return []int{2 * d * (i / 2) % 8, 0}[i%2]
		})...))
		field := g.ymmWords("unpackField11", (1<<d-1)<<(15-d), (1<<d-1)<<(15-d))
		qs := g.ymmWords("q", modulus, modulus)
		g.repeat("vectors", 16, func() {
			y, odd := g.loadHalves(d, src), g.YMM()
			g.VPSHUFB(spread, y, y)
			g.VPSRLVD(down, y, y) // the pair is now in the low 22 bits
			g.Discards("bits of the neighbours", func() {
				g.VPSLLD(operand.U8(16-d+15-d), y, odd)
				g.VPSLLD(operand.U8(15-d), y, y)
			})
			g.VPBLENDW(operand.U8(0xaa), odd, y, y)
			g.VPAND(field, y, y)
			g.decompressed(d, y, func() { g.VPMULHRSW(qs, y, y) })
			g.VMOVDQU(y, at(p, 0))
			g.ADDQ(operand.U32(2*d), src)
			g.ADDQ(operand.U32(32), p)
		})
	})
}

// decompress1AVX2 compares bit j of 16 with one, in word j.
func (g *generator) decompress1AVX2(modulus int, out interval.Interval) {
	g.kernel("decompress1AVX2", "func(p *[256]int16, src *byte)", func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 16, out)
		bit := g.ymm("bitOfWord", words(fill(16, func(i int) int { return 1 << i })...))
		one := g.ymmWords("decompressed1", (modulus+1)/2, (modulus+1)/2)
		g.repeat("vectors", 16, func() {
			y := g.YMM()
			g.VPBROADCASTW(at(src, 0), y)
			g.VPAND(bit, y, y)
			g.VPCMPEQW(bit, y, y)
			g.Cases(y, 16, interval.Interval{Min: -1, Max: 0}.Each(), func() { g.VPAND(one, y, y) },
				interval.Fact{Register: y, Of: func(x interval.Interval) interval.Interval {
					return interval.Exactly(x.Min * -((q + 1) / 2))
				}})
			g.VMOVDQU(y, at(p, 0))
			g.ADDQ(operand.U32(2), src)
			g.ADDQ(operand.U32(32), p)
		})
	})
}

func (g *generator) encode12AVX2(in interval.Interval) {
	g.kernel("encode12AVX2", "func(dst *byte, p *[256]int16)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 16, in)
		g.Bytes(dst)
		join := g.ymmWords("join12", 1, 1<<12)
		front := g.ymm("front24", fill(32, func(i int) byte {
			if i%16 >= 12 {
				return 0x80
			}
			return byte(i%16/3*4 + i%16%3)
		}))
		g.storeHalves(12, dst, p, func() reg.VecVirtual {
			y := g.YMM()
			g.VMOVDQU(at(p, 0), y)
			g.VPMADDWD(join, y, y)
			g.Expect("two numbers", y, 32, threeBytes)
			g.VPSHUFB(front, y, y)
			return y
		})
	})
}

func (g *generator) decode12AVX2(limit int) {
	g.kernel("decode12AVX2", "func(p *[256]int16, src *byte) bool", func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 16, twelve)
		spread, align := g.spreadWords(12), g.alignWords(12)
		largest := g.YMM()
		g.VPXOR(largest, largest, largest)
		g.repeat("vectors", 16, func() {
			y := g.loadHalves(12, src)
			g.VPSHUFB(spread, y, y)
			g.Discards("bits of the neighbour", func() { g.VPMULLW(align, y, y) })
			g.VPSRLW(operand.U8(4), y, y)
			g.VPMAXSW(y, largest, largest)
			g.VMOVDQU(y, at(p, 0))
			g.ADDQ(operand.U32(24), src)
			g.ADDQ(operand.U32(32), p)
		})
		bits, ok := g.GP32(), g.GP8()
		qMinus1 := g.ymmWords("qMinus1", limit-1, limit-1)
		g.Cases(largest, 16, twelve.Each(), func() { g.VPCMPGTW(qMinus1, largest, largest) }, tooLarge(largest, -1))
		g.VPMOVMSKB(largest, bits)
		g.TESTL(bits, bits)
		g.SETEQ(ok)
		g.Store(ok, g.ReturnIndex(0))
	})
}
