package main

import (
	"math/bits"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// sampleNTTAVX2 takes 32 candidates at a time from two times three words of a lane,
// and moves the accepted ones of each eight to the front by a shuffle that a table
// holds for each of the 256 patterns.
func (g *generator) sampleNTTAVX2() {
	compaction := g.constant("compaction", compactionTable())

	// Where n is so large that a block could reach past the polynomial, the kernel
	// works on a copy of the polynomial's last 112 coefficients with space behind.
	const tail = 2 * (n - lastFull)
	frame := tail + 2*(112+8)
	g.sampler("sampleNTTAVX2", frame+32, func(poly, done, lane, lanes reg.Register) {
		scratch, table := g.GP64(), g.GP64()
		g.LEAQ(operand.Mem{Base: reg.StackPointer, Disp: 31 - 2*lastFull}, scratch)
		g.ANDQ(operand.I32(-32), scratch)
		g.LEAQ(compaction, table)
		// spread brings the bytes of candidate j into word j. The low half of the
		// vector has words 0 and 1 of three, the high half words 1 and 2.
		spread := g.ymm("spreadThree", fill(32, func(i int) byte {
			return byte(i%16/4*3 + (i%4+1)/2 + i/16*4)
		}))
		align := g.ymmWords("shiftEven4", 1<<4, 1)
		qs := g.ymmWords("q", q, q)

		g.Label("lane")
		p, count := g.GP64(), g.GP64()
		g.MOVQ(poly, p)
		g.MOVQ(at(done, 0), count)
		g.CMPQ(count, operand.U32(lastFull))
		g.JBE(operand.LabelRef("sample"))
		g.MOVQ(scratch, p)
		for i := 2 * lastFull; i < 2*n; i += 32 {
			y := g.YMM()
			g.VMOVDQU(at(poly, i), y)
			g.VMOVDQA(y, at(p, i))
		}

		g.Label("sample")
		candidates := func(word int) (y, below reg.VecVirtual) {
			y, below = g.YMM(), g.YMM()
			g.VPBROADCASTQ(at(lane, stride*(word+1)), y)
			g.VPBLENDD(operand.U8(0x03), at(lane, stride*word), y, y)
			g.VPBLENDD(operand.U8(0xc0), at(lane, stride*(word+2)-24), y, y)
			g.VPSHUFB(spread, y, y)
			g.VPMULLW(align, y, y) // the twelve bits are now the high ones in each word
			g.VPSRLW(operand.U8(4), y, y)
			g.VPCMPGTW(y, qs, below)
			return y, below
		}
		// store appends the candidates of y whose bits, low half and high half, stand
		// in bytes low and low+2 of below.
		store := func(y reg.VecVirtual, below reg.GPVirtual, low int) {
			// entry returns the offset in the table for a byte of below; it has the
			// bits of the pattern and no others.
			entry := func(b int) reg.GPVirtual {
				offset := g.GP64()
				g.RORXL(operand.U8((8*b-4)&31), below.As32(), offset.As32())
				g.ANDL(operand.U32(0xff0), offset.As32())
				return offset
			}
			lo, hi, shuffle := entry(low), entry(low+2), g.YMM()
			g.VMOVDQU(operand.Mem{Base: table, Index: lo, Scale: 1}, shuffle.AsX())
			g.VINSERTI128(operand.U8(1), operand.Mem{Base: table, Index: hi, Scale: 1}, shuffle, shuffle)
			g.VPSHUFB(shuffle, y, y)
			g.VMOVDQU(y.AsX(), operand.Mem{Base: p, Index: count, Scale: 2})
			g.POPCNTL(lo.As32(), lo.As32())
			g.ADDQ(lo, count)
			g.VEXTRACTI128(operand.U8(1), y, operand.Mem{Base: p, Index: count, Scale: 2})
			g.POPCNTL(hi.As32(), hi.As32())
			g.ADDQ(hi, count)
		}
		for word := 0; word < 18; word += 6 {
			y0, below0 := candidates(word)
			y1, below1 := candidates(word + 3)
			g.VPACKSSWB(below1, below0, below0)
			below := g.GP64()
			g.VPMOVMSKB(below0, below.As32())
			store(y0, below, 0)
			store(y1, below, 1)
		}
		y, below := candidates(18)
		g.VPACKSSWB(below, below, below)
		bits := g.GP64()
		g.VPMOVMSKB(below, bits.As32())
		store(y, bits, 0)

		g.CMPQ(p, poly)
		g.JEQ(operand.LabelRef("done"))
		limit := g.GP64()
		g.MOVL(operand.U32(n), limit.As32())
		g.CMPQ(count, limit)
		g.CMOVQHI(limit, count)
		for i := 2 * lastFull; i < 2*n; i += 32 {
			y := g.YMM()
			g.VMOVDQA(at(p, i), y)
			g.VMOVDQU(y, at(poly, i))
		}
		g.Label("done")
		g.MOVQ(count, at(done, 0))
		g.ADDQ(operand.U32(2*n), poly)
		g.ADDQ(operand.U32(8), done)
		g.ADDQ(operand.U32(8), lane)
		g.DECQ(lanes)
		g.JNE(operand.LabelRef("lane"))
	})
}

// compactionTable returns, for each pattern of eight bits, the shuffle that brings
// the words of its ones to the front.
func compactionTable() []byte {
	var table []byte
	for pattern := range 256 {
		entry := make([]byte, 0, 16)
		for w := range 8 {
			if pattern>>w&1 == 1 {
				entry = append(entry, byte(2*w), byte(2*w+1))
			}
		}
		table = append(table, entry[:cap(entry)]...)
	}
	return table
}

// cbd2AVX2 takes 16 coefficients at a time from one word.
func (g *generator) cbd2AVX2(out interval.Interval) {
	g.kernel("cbd2AVX2", "func(p *[256]int16, lane *uint64)", func() {
		p, lane := g.pointer("p"), g.pointer("lane")
		g.Writes(p, 16, out)
		// Each byte goes to the upper halves of two words, of which the first keeps
		// the low and the second the high nibble, brought down by a multiplication.
		spread := g.ymm("spreadNibbles", fill(32, func(i int) byte {
			if i%2 == 0 {
				return 0x80
			}
			return byte(i / 4)
		}))
		nibble := g.ymmWords("nibble", 0x0f00, 0xf000)
		down := g.ymmWords("nibbleDown", 1<<8, 1<<4)
		// The table's entries are two too large, so that they are not negative.
		table := g.ymm("difference2Plus2", fill(32, func(i int) byte { return byte(difference(i, 2) + 2) }))
		two := g.ymmWords("twoAndTwo", 2+2<<8, 2+2<<8)
		g.repeat("words", 4, func() {
			for i := range 4 {
				y := g.YMM()
				g.VPBROADCASTQ(at(lane, stride*i), y)
				g.VPSHUFB(spread, y, y)
				g.VPAND(nibble, y, y)
				g.VPMULHUW(down, y, y)
				g.VPSHUFB(y, table, y)
				g.VPSUBW(two, y, y)
				g.VMOVDQU(y, at(p, 32*i))
			}
			g.ADDQ(operand.U32(4*stride), lane)
			g.ADDQ(operand.U32(4*32), p)
		})
	})
}

// cbd3AVX2 takes 16 coefficients at a time from twelve bytes.
func (g *generator) cbd3AVX2(out interval.Interval) {
	g.kernel("cbd3AVX2", "func(p *[256]int16, b *[192]byte)", func() {
		p, b := g.pointer("p"), g.pointer("b")
		g.Writes(p, 16, out)
		// The low half of the vector has bytes 0 to 7 of twelve, the high half bytes 4
		// to 11, so that no load leaves b.
		spread := g.ymm("spreadSextets", fill(32, func(i int) byte {
			return byte(6*(i%16/2)/8 + i%2 + i/16*2)
		}))
		align := g.ymm("alignSextets", words(fill(16, func(i int) int { return 1 << (10 - 6*i%8) })...))
		low3 := g.ymmWords("low3", 7, 7)
		// The first table's entry 0 is what the upper byte of each word finds.
		count := g.ymm("count3", fill(32, func(i int) byte { return byte(bits.OnesCount(uint(i & 7))) }))
		g.repeat("bytes", 16, func() {
			y, minus := g.YMM(), g.YMM()
			g.VPBROADCASTQ(at(b, 0), y)
			g.VPBROADCASTQ(at(b, 4), minus)
			g.VPBLENDD(operand.U8(0xf0), minus, y, y)
			g.VPSHUFB(spread, y, y)
			g.Discards("bits of the neighbours", func() {
				g.VPMULLW(align, y, y) // the six bits are now the high ones in each word
			})
			g.VPSRLW(operand.U8(10), y, y)
			g.VPSRLW(operand.U8(3), y, minus)
			g.VPAND(low3, y, y)
			g.VPSHUFB(y, count, y)
			g.VPSHUFB(minus, count, minus)
			g.VPSUBW(minus, y, y)
			g.VMOVDQU(y, at(p, 0))
			g.ADDQ(operand.U32(12), b)
			g.ADDQ(operand.U32(32), p)
		})
	})
}
