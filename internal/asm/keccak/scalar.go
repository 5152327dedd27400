package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// scalar emits the kernel name for one state in general registers. Word w of the state
// is at 8*stride*w from the kernel's argument.
//
// The state stays in memory. Of the fifteen registers five hold a row, five gather the
// column parities of the next round while χ writes the rows, and three hold columns of
// D; the other two columns are on the stack, where XORQ takes them from.
func scalar(ctx *build.Context, name, signature string, stride int, roundConstants Mem) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	stack := ctx.AllocLocal(24)

	state := ctx.Load(ctx.ParamIndex(0), RDI)
	a := func(slot int) Mem { return Mem{Base: state, Disp: 8 * stride * slot} }
	b := [5]Op{R8, R9, R10, R11, R12}
	c := [5]Op{RAX, RBX, RCX, RDX, RSI}
	d := [5]Op{R13, stack, R14, stack.Offset(8), R15}
	rc := stack.Offset(16) // address of the next round constants
	t := RBP
	rho := rhoOffsets()

	ctx.LEAQ(roundConstants, t)
	ctx.MOVQ(t, rc)
	ctx.Comment("Column parities.")
	for x := range 5 {
		ctx.MOVQ(a(x), c[x])
	}
	for y := 1; y < 5; y++ {
		for x := range 5 {
			ctx.XORQ(a(lane{x, y}.word()), c[x])
		}
	}

	ctx.Label("rounds")
	for round, p := range placements() {
		next := p.next()
		ctx.Comment(fmt.Sprintf("Round %d of %d. θ: D[x] = C[x-1] ^ rol(C[x+1], 1).", round+1, period))
		for x := range 5 {
			dx := d[x]
			if IsMem(dx) {
				dx = b[x]
			}
			ctx.RORXQ(U8(63), c[(x+1)%5], dx)
			ctx.XORQ(c[(x+4)%5], dx)
			if dx != d[x] {
				ctx.MOVQ(dx, d[x])
			}
		}
		for y := range 5 {
			ctx.Comment(fmt.Sprintf("Row %d: θ, ρ and π.", y))
			for x := range 5 {
				from := piSource(lane{x, y})
				ctx.MOVQ(a(p.of(from)), b[x])
				ctx.XORQ(d[from.x], b[x])
				if n := rho[from.word()]; n != 0 {
					ctx.RORXQ(U8(64-n), b[x], b[x])
				}
			}
			ctx.Comment(fmt.Sprintf("Row %d: χ, and the next column parities.", y))
			for x := range 5 {
				out := Op(t)
				if y == 0 {
					out = c[x]
				}
				ctx.ANDNQ(b[(x+2)%5], b[(x+1)%5], out)
				ctx.XORQ(b[x], out)
				if x == 0 && y == 0 {
					ctx.MOVQ(rc, t)
					ctx.XORQ(Mem{Base: t, Disp: 8 * round}, out)
				}
				ctx.MOVQ(out, a(next.of(lane{x, y})))
				if y != 0 {
					ctx.XORQ(out, c[x])
				}
			}
		}
	}
	ctx.LEAQ(roundConstants.Offset(8*rounds), b[0])
	ctx.MOVQ(rc, t)
	ctx.ADDQ(U8(8*period), t)
	ctx.MOVQ(t, rc)
	ctx.CMPQ(t, b[0])
	ctx.JNE(LabelRef("rounds"))

	ctx.Comment("D depends on the state, which may be secret.")
	for x := range 5 {
		if IsMem(d[x]) {
			ctx.MOVQ(U32(0), d[x])
		}
	}
	ctx.RET()
}
