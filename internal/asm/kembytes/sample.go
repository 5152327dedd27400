package main

import (
	"math/bits"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A lane's words stand 32 bytes apart in the interleaved state.
const stride = 32

// lastFull is the largest n at which a whole block of 112 candidates, stored in
// vectors, cannot reach past the polynomial.
const lastFull = n - 112

// sampleNTTAVX512 takes 32 candidates at a time from six words of the lane.
func (g *generator) sampleNTTAVX512() {
	g.sampler("sampleNTTAVX512", 0, func(p, done, lane, lanes reg.Register) {
		// words loads six words of the lane from word first on, or three. The state
		// has just been stored in rows, and only a load within a row is served
		// before its store has reached the cache.
		var place [6]reg.OpmaskVirtual
		for i := 1; i < 6; i++ {
			place[i] = g.mask(1 << i)
		}
		words := func(first int) reg.VecVirtual {
			z := g.ZMM()
			g.VPBROADCASTQ(at(lane, stride*first), z)
			for i := 1; i < 6 && first+i < 21; i++ {
				g.VPBROADCASTQ(at(lane, stride*(first+i)), place[i], z)
			}
			return z
		}
		// spread brings the bytes of candidate j, the even ones with the low bits of
		// the next, the odd ones with the high bits of the one before, into word j.
		spread := g.zmm("spreadLane", fill(64, func(i int) byte { return byte(i/4*3 + (i%4+1)/2) }))
		shift := g.zmmWords("shiftOdd4", 0, 4)
		low12 := g.zmmWords("low12", 0xfff, 0xfff)
		qs := g.zmmWords("q", q, q)

		// accepted returns the candidates below q of the words from first on, at the
		// front of a vector, and their number.
		accepted := func(first int) (z reg.VecVirtual, number reg.GPVirtual) {
			z = words(first)
			k := g.K()
			number = g.GP64()
			g.VPERMB(z, spread, z)
			g.VPSRLVW(shift, z, z)
			g.VPANDD(low12, z, z)
			if first+3 < 21 {
				g.VPCMPUW(operand.U8(1), qs, z, k)
				g.VPCOMPRESSW_Z(z, k, z)
			} else {
				g.VPCMPUW(operand.U8(1), qs.AsY(), z.AsY(), k)
				g.VPCOMPRESSW_Z(z.AsY(), k, z.AsY())
			}
			g.KMOVD(k, number.As32())
			g.POPCNTL(number.As32(), number.As32())
			return z, number
		}

		ones, limit := g.GP64(), g.GP64()
		g.MOVQ(operand.I32(-1), ones)
		g.MOVL(operand.U32(n), limit.As32())

		g.Label("lane")
		count := g.GP64()
		g.MOVQ(at(done, 0), count)
		g.CMPQ(count, operand.U32(lastFull))
		g.JA(operand.LabelRef("bounded"))

		g.Comment("All 112 candidates have room: store whole vectors.")
		for first := 0; first < 21; first += 6 {
			z, number := accepted(first)
			dst := operand.Mem{Base: p, Index: count, Scale: 2}
			if first+3 < 21 {
				g.VMOVDQU64(z, dst)
			} else {
				g.VMOVDQU(z.AsY(), dst)
			}
			g.ADDQ(number, count)
		}
		g.JMP(operand.LabelRef("next"))

		// A masked store that reaches past the polynomial would be right, but very
		// slow where a page ends there: the last vector is stored in its last place,
		// its candidates moved up.
		g.Label("bounded")
		g.Comment("Where a vector would reach past the polynomial, move its candidates up.")
		for first := 0; first < 21; first += 6 {
			z, number := accepted(first)
			width := min(32, (21-first)/3*16)
			place, shift, k := g.GP64(), g.GP64(), g.K()
			g.MOVL(operand.U32(n-width), place.As32())
			g.CMPQ(count, place)
			g.CMOVQCS(count, place)
			g.MOVQ(count, shift)
			g.SUBQ(place, shift)
			g.SHLXQ(shift, ones, shift)
			g.KMOVD(shift.As32(), k)
			dst := operand.Mem{Base: p, Index: place, Scale: 2}
			if width == 32 {
				g.VPEXPANDW_Z(z, k, z)
				g.VMOVDQU16(z, k, dst)
			} else {
				g.VPEXPANDW_Z(z.AsY(), k, z.AsY())
				g.VMOVDQU16(z.AsY(), k, dst)
			}
			g.ADDQ(number, count)
			g.CMPQ(count, limit)
			g.CMOVQHI(limit, count)
		}

		g.Label("next")
		g.MOVQ(count, at(done, 0))
		g.ADDQ(operand.U32(2*n), p)
		g.ADDQ(operand.U32(8), done)
		g.ADDQ(operand.U32(8), lane)
		g.DECQ(lanes)
		g.JNE(operand.LabelRef("lane"))
	})
}

// difference returns the coefficient of FIPS 203, Algorithm 8, for its 2·η bits.
func difference(b, eta int) int {
	return bits.OnesCount(uint(b&(1<<eta-1))) - bits.OnesCount(uint(b>>eta&(1<<eta-1)))
}

// cbd2AVX512 takes 32 coefficients at a time from two words, which stand stride bytes
// apart: a State4's or a State8's.
func (g *generator) cbd2AVX512(out interval.Interval) {
	g.kernel("cbd2AVX512", "func(p *[256]int16, lane *uint64, stride uintptr)", func() {
		p, lane := g.pointer("p"), g.pointer("lane")
		g.Writes(p, 16, out)
		stride := g.Load(g.Param("stride"), g.GP64())
		upper := g.mask(0xf0)
		// window reads eight bits of which the low four are the coefficient's, for
		// both bytes of its word.
		window := g.zmm("window2", fill(64, func(i int) byte { return byte(4 * (i / 2 % 16)) }))
		table := g.zmm("difference2", fill(64, func(i int) byte { return byte(difference(i, 2)) }))
		g.repeat("words", 8, func() {
			z := g.ZMM()
			g.VPBROADCASTQ(at(lane, 0), z)
			g.VPBROADCASTQ(operand.Mem{Base: lane, Index: stride, Scale: 1}, upper, z)
			g.VPMULTISHIFTQB(z, window, z)
			g.VPERMB(table, z, z)
			g.VPSRAW(operand.U8(8), z, z)
			g.VMOVDQU64(z, at(p, 0))
			g.LEAQ(operand.Mem{Base: lane, Index: stride, Scale: 2}, lane)
			g.ADDQ(operand.U32(64), p)
		})
	})
}

// cbd3AVX512 takes 32 coefficients at a time from 24 bytes.
func (g *generator) cbd3AVX512(out interval.Interval) {
	g.kernel("cbd3AVX512", "func(p *[256]int16, b *[192]byte)", func() {
		p, b := g.pointer("p"), g.pointer("b")
		g.Writes(p, 16, out)
		three := g.mask(0x07)
		// spread brings the three bytes of four coefficients into a quadword; window
		// reads eight bits of which the low six are the coefficient's.
		spread := g.zmm("spread3", fill(64, func(i int) byte { return byte(i/8*3 + i%8) }))
		window := g.zmm("window3", fill(64, func(i int) byte { return byte(6 * (i / 2 % 4)) }))
		table := g.zmm("difference3", fill(64, func(i int) byte { return byte(difference(i, 3)) }))
		g.repeat("bytes", 8, func() {
			z := g.ZMM()
			g.VMOVDQU64_Z(at(b, 0), three, z)
			g.VPERMB(z, spread, z)
			g.VPMULTISHIFTQB(z, window, z)
			g.VPERMB(table, z, z)
			g.VPSRAW(operand.U8(8), z, z)
			g.VMOVDQU64(z, at(p, 0))
			g.ADDQ(operand.U32(24), b)
			g.ADDQ(operand.U32(64), p)
		})
	})
}
