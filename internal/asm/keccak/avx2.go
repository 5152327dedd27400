package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// avx2 emits the kernel name for four interleaved states, whose rows stand stride bytes
// apart, in the sixteen registers of AVX2.
//
// The state stays in memory, and nowhere else: five registers hold a row, five hold D,
// five gather the column parities of the next round while χ writes the rows, and one
// is left. AVX2 has no rotation: it is two shifts and an exclusive or, except by 1
// (where an addition shifts on one more port) and by whole bytes.
func avx2(ctx *build.Context, name, signature string, stride int, rol8, rol56, roundConstants Mem) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)

	state := ctx.Load(ctx.ParamIndex(0), RDI)
	a := func(slot int) Mem { return Mem{Base: state, Disp: stride * slot} }
	b := [5]Op{Y0, Y1, Y2, Y3, Y4}
	c := [5]Op{Y5, Y6, Y7, Y8, Y9}
	d := [5]Op{Y10, Y11, Y12, Y13, Y14}
	t := Op(Y15)
	rc, rcEnd := RSI, RDX
	rho := rhoOffsets()

	ctx.LEAQ(roundConstants, rc)
	ctx.LEAQ(roundConstants.Offset(8*rounds), rcEnd)
	ctx.Comment("Column parities.")
	for x := range 5 {
		ctx.VMOVDQU(a(x), c[x])
	}
	for y := 1; y < 5; y++ {
		for x := range 5 {
			ctx.VPXOR(a(lane{x, y}.word()), c[x], c[x])
		}
	}

	ctx.Label("rounds")
	for round, p := range placements() {
		next := p.next()
		ctx.Comment(fmt.Sprintf("Round %d of %d. θ: D[x] = C[x-1] ^ rol(C[x+1], 1).", round+1, period))
		for x := range 5 {
			ctx.VPADDQ(c[(x+1)%5], c[(x+1)%5], d[x])
			ctx.VPSRLQ(U8(63), c[(x+1)%5], t)
			ctx.VPXOR(c[(x+4)%5], d[x], d[x])
			ctx.VPXOR(t, d[x], d[x])
		}
		for y := range 5 {
			ctx.Comment(fmt.Sprintf("Row %d: θ, ρ and π.", y))
			for x := range 5 {
				from := piSource(lane{x, y})
				ctx.VPXOR(a(p.of(from)), d[from.x], b[x])
				switch n := rho[from.word()]; n {
				case 0:
				case 1:
					ctx.VPSRLQ(U8(63), b[x], t)
					ctx.VPADDQ(b[x], b[x], b[x])
					ctx.VPXOR(t, b[x], b[x])
				case 8:
					ctx.VPSHUFB(rol8, b[x], b[x])
				case 56:
					ctx.VPSHUFB(rol56, b[x], b[x])
				default:
					ctx.VPSLLQ(U8(n), b[x], t)
					ctx.VPSRLQ(U8(64-n), b[x], b[x])
					ctx.VPXOR(t, b[x], b[x])
				}
			}
			ctx.Comment(fmt.Sprintf("Row %d: χ, and the next column parities.", y))
			for x := range 5 {
				out := t
				if y == 0 {
					out = c[x]
				}
				ctx.VPANDN(b[(x+2)%5], b[(x+1)%5], out)
				ctx.VPXOR(b[x], out, out)
				if x == 0 && y == 0 {
					ctx.VPBROADCASTQ(Mem{Base: rc, Disp: 8 * round}, t)
					ctx.VPXOR(t, out, out)
				}
				ctx.VMOVDQU(out, a(next.of(lane{x, y})))
				if y != 0 {
					ctx.VPXOR(out, c[x], c[x])
				}
			}
		}
	}
	ctx.ADDQ(U8(8*period), rc)
	ctx.CMPQ(rc, rcEnd)
	ctx.JNE(LabelRef("rounds"))
	ctx.VZEROUPPER()
	ctx.RET()
}

// byteRotation defines the VPSHUFB control that rotates four words left by n bits, a
// multiple of eight.
func byteRotation(ctx *build.Context, name string, n int) Mem {
	control := ctx.StaticGlobal(name)
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for word := range 4 {
		var q uint64
		for i := range 8 {
			// VPSHUFB counts bytes within each half of the register.
			from := 8*(word%2) + (i+8-n/8)%8
			q |= uint64(from) << (8 * i)
		}
		ctx.AddDatum(8*word, U64(q))
	}
	return control
}
