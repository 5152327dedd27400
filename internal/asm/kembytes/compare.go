package main

import "github.com/mmcloughlin/avo/operand"

// differenceAVX2 takes 32 bytes at a time. The lengths of ciphertexts are multiples.
func (g *generator) differenceAVX2() {
	g.kernel("differenceAVX2", "func(a, b *byte, n uintptr) uint64", func() {
		a, b, count := g.pointer("a"), g.pointer("b"), g.pointer("n")
		sum, x := g.YMM(), g.YMM()
		g.VPXOR(sum, sum, sum)
		g.Label("rows")
		g.VMOVDQU(at(a, 0), x)
		g.VPXOR(at(b, 0), x, x)
		g.VPOR(x, sum, sum)
		g.ADDQ(operand.U8(32), a)
		g.ADDQ(operand.U8(32), b)
		g.SUBQ(operand.U8(32), count)
		g.JNZ(operand.LabelRef("rows"))

		g.Comment("Fold the row into a word.")
		half, word := g.XMM(), g.GP64()
		g.VEXTRACTI128(operand.U8(1), sum, half)
		g.VPOR(half, sum.AsX(), half)
		g.VPSHUFD(operand.U8(0x4e), half, sum.AsX())
		g.VPOR(sum.AsX(), half, half)
		g.VMOVQ(half, word)
		g.Store(word, g.ReturnIndex(0))
	})
}
