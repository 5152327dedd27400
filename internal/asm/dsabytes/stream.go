package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// streams emits the kernels that read four lanes: all of a state of four, or half of eight.
func (g *generator) streams() {
	g.readLanes("readLanes", "s *[25][4]uint64", 4)
	g.readLanes("readHalf", "s *uint64", 8)
}

// readLanes emits a kernel that computes nothing, for a state with so many lanes in a row. It
// takes four rows at a time: an insertion from memory puts two halves of rows beside each other,
// so that one interleaving makes four words of a lane.
func (g *generator) readLanes(name, state string, inRow int) {
	const (
		lanes = 4
		words = 136 / 8
	)
	row := 8 * inRow
	g.Function(g.name(name))
	g.Attributes(attr.NOSPLIT | attr.NOFRAME)
	g.SignatureExpr("func(dst0, dst1, dst2, dst3 *[136]byte, " + state + ")")
	s := g.pointer("s")
	var dst [lanes]reg.Register
	for i := range dst {
		dst[i] = g.pointer(fmt.Sprintf("dst%d", i))
	}
	for w := 0; w+4 <= words; w += 4 {
		for i := 0; i < lanes; i += 2 {
			half := func(w int) reg.VecVirtual {
				x, y := g.XMM(), g.YMM()
				g.VMOVDQU(at(s, row*w+8*i), x)
				g.VINSERTI128(operand.U8(1), at(s, row*(w+2)+8*i), x.AsY(), y)
				return y
			}
			a, b := half(w), half(w+1)
			even, odd := g.YMM(), g.YMM()
			g.VPUNPCKLQDQ(b, a, even)
			g.VPUNPCKHQDQ(b, a, odd)
			g.VMOVDQU(even, at(dst[i], 8*w))
			g.VMOVDQU(odd, at(dst[i+1], 8*w))
		}
	}
	last := g.GP64()
	for i := range dst {
		g.MOVQ(at(s, row*(words-1)+8*i), last)
		g.MOVQ(last, at(dst[i], 8*(words-1)))
	}
	g.VZEROUPPER()
	g.RET()
}
