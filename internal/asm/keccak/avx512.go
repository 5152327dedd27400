package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A width is a register size of AVX-512VL and what depends on it.
type width struct {
	states   int // interleaved states that a register holds a word of
	register func(VecPhysical) Op
	// load and store move one word of each state; xor3 is dst ^= a ^ b with a in
	// memory. They touch no byte beyond that word.
	load, store func(ctx *build.Context, from, to Op)
	xor3        func(ctx *build.Context, a, b, dst Op)
}

var (
	xmm = width{
		states:   1,
		register: func(r VecPhysical) Op { return r.AsX() },
		load:     func(ctx *build.Context, from, to Op) { ctx.VMOVQ(from, to) },
		store:    func(ctx *build.Context, from, to Op) { ctx.VMOVQ(from, to) },
		xor3:     func(ctx *build.Context, a, b, dst Op) { ctx.VPTERNLOGQ_BCST(U8(truthXor3), a, b, dst) },
	}
	ymm = width{
		states:   4,
		register: func(r VecPhysical) Op { return r.AsY() },
		load:     func(ctx *build.Context, from, to Op) { ctx.VMOVDQU64(from, to) },
		store:    func(ctx *build.Context, from, to Op) { ctx.VMOVDQU64(from, to) },
		xor3:     func(ctx *build.Context, a, b, dst Op) { ctx.VPTERNLOGQ(U8(truthXor3), a, b, dst) },
	}
	zmm = width{
		states:   8,
		register: func(r VecPhysical) Op { return r.AsZ() },
		load:     func(ctx *build.Context, from, to Op) { ctx.VMOVDQU64(from, to) },
		store:    func(ctx *build.Context, from, to Op) { ctx.VMOVDQU64(from, to) },
		xor3:     func(ctx *build.Context, a, b, dst Op) { ctx.VPTERNLOGQ(U8(truthXor3), a, b, dst) },
	}
)

// rate136 is the rate in bytes of SHA3-256 and SHAKE256.
const rate136 = 136

// Truth tables for VPTERNLOGQ(table, c, b, a), which replaces a.
const (
	truthXor3 = 0xF0 ^ 0xCC ^ 0xAA    // a ^ b ^ c
	truthChi  = 0xF0 ^ (^0xCC & 0xAA) // a ^ (^b & c)
)

var vectors = []VecPhysical{
	Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15,
	Y16, Y17, Y18, Y19, Y20, Y21, Y22, Y23, Y24, Y25, Y26, Y27, Y28, Y29, Y30, Y31,
}

// avx512 emits the kernel name for as many interleaved states as a register of width w
// holds words, which stand stride bytes apart. If absorbs is set it first adds a block
// of the rate of SHA3-256 and SHAKE256 to the state, and repeats both for a number of
// blocks, between which the state stays in registers.
//
// The arithmetic ports are the limit, so θ never forms D: VPTERNLOGQ adds C[x-1] and
// rol(C[x+1], 1) to a lane in one operation, for which the five C and the five rotated C
// must be at hand all the time. That leaves registers for twenty lanes and two
// temporaries. The five lanes of column 0 stay in the caller's memory; column 0, because
// a column keeps its slots (see [placement]), so that which slots are registers does not
// change from round to round.
//
// A round is 10 operations for C and 5 for its rotations, 25 for θ, 24 for ρ, 25 for χ
// and 1 for ι. Register moves are left to the processor's renaming.
func avx512(ctx *build.Context, name, signature string, w width, stride int, absorbs bool, roundConstants Mem) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)

	state := ctx.Load(ctx.ParamIndex(0), RDI)
	word := func(i int) Mem { return Mem{Base: state, Disp: stride * i} }
	free := vectors
	register := func() Op {
		r := w.register(free[0])
		free = free[1:]
		return r
	}
	var a [25]Op // by slot
	for slot := range a {
		if slot%5 == 0 {
			a[slot] = word(slot)
		} else {
			a[slot] = register()
		}
	}
	var c, rolC [5]Op
	for x := range 5 {
		c[x], rolC[x] = register(), register()
	}
	t, u := register(), register()
	rc, rcEnd := RSI, RDX
	message, blocks := RCX, RBX
	rho := rhoOffsets()

	ctx.LEAQ(roundConstants.Offset(8*rounds), rcEnd)
	for slot, r := range a {
		if !IsMem(r) {
			w.load(ctx, word(slot), r)
		}
	}
	if absorbs {
		ctx.Load(ctx.Param("message"), message)
		ctx.Load(ctx.Param("blocks"), blocks)
		ctx.Label("absorb")
		for slot, r := range a[:rate136/8] {
			in := Mem{Base: message, Disp: 8 * slot}
			if IsMem(r) {
				w.load(ctx, r, t)
				ctx.VPXORQ_BCST(in, t, t)
				w.store(ctx, t, r)
			} else {
				ctx.VPXORQ_BCST(in, r, r)
			}
		}
	}
	ctx.LEAQ(roundConstants, rc)
	ctx.Comment("C[0] of the first round.")
	w.load(ctx, a[0], c[0])
	w.load(ctx, a[5], t)
	w.xor3(ctx, a[10], t, c[0])
	w.load(ctx, a[15], t)
	w.xor3(ctx, a[20], t, c[0])

	ctx.Label("rounds")
	for round, p := range placements() {
		next := p.next()
		ctx.Comment(fmt.Sprintf("Round %d of %d. θ: the other C[x], and rol(C[x], 1).", round+1, period))
		for x := range 5 {
			if x != 0 {
				lane := func(y int) Op { return a[p.of(lane{x, y})] }
				ctx.VMOVDQA64(lane(0), c[x])
				ctx.VPTERNLOGQ(U8(truthXor3), lane(1), lane(2), c[x])
				ctx.VPTERNLOGQ(U8(truthXor3), lane(3), lane(4), c[x])
			}
			ctx.VPROLQ(U8(1), c[x], rolC[x])
		}
		for y := range 5 {
			ctx.Comment(fmt.Sprintf("Row %d: θ; the lane of column 0 comes from memory.", y))
			var src [5]Op // where θ leaves the lane that π moves to (x, y)
			var offsets [5]int
			for x := range 5 {
				from := piSource(lane{x, y})
				left, right := c[(from.x+4)%5], rolC[(from.x+1)%5]
				src[x] = a[p.of(from)]
				offsets[x] = rho[from.word()]
				if from.x == 0 {
					ctx.VMOVDQA64(left, t)
					w.xor3(ctx, src[x], right, t)
					src[x] = t
				} else {
					ctx.VPTERNLOGQ(U8(truthXor3), right, left, src[x])
				}
			}

			ctx.Comment(fmt.Sprintf("Row %d: ρ, which also brings the lanes to their columns' registers.", y))
			b0, spare := u, t
			if src[0] == t {
				b0, spare = t, u
			}
			b := [5]Op{b0}
			for x := 1; x < 5; x++ {
				b[x] = a[next.of(lane{x, y})]
			}
			for _, x := range moveOrder(src, b) {
				if n := offsets[x]; n != 0 {
					ctx.VPROLQ(U8(n), src[x], b[x])
				} else if src[x] != b[x] {
					panic("keccak: a lane that ρ does not rotate must be in place")
				}
			}

			ctx.Comment(fmt.Sprintf("Row %d: χ; column 0 goes to memory.", y))
			out0 := spare
			ctx.VMOVDQA64(b[0], out0)
			ctx.VPTERNLOGQ(U8(truthChi), b[2], b[1], out0)
			if y == 0 {
				ctx.VPXORQ_BCST(Mem{Base: rc, Disp: 8 * round}, out0, out0)
			}
			w.store(ctx, out0, a[next.of(lane{0, y})])
			if y == 4 {
				// C[0] of the next round. The last lane comes from its register,
				// because a load would have to wait for the store.
				column := func(y int) Op { return a[next.of(lane{0, y})] }
				w.load(ctx, column(0), c[0])
				w.xor3(ctx, column(1), out0, c[0])
				w.load(ctx, column(2), spare)
				w.xor3(ctx, column(3), spare, c[0])
			}
			b1 := spare
			ctx.VMOVDQA64(b[1], b1)
			ctx.VPTERNLOGQ(U8(truthChi), b[3], b[2], b[1])
			ctx.VPTERNLOGQ(U8(truthChi), b[4], b[3], b[2])
			ctx.VPTERNLOGQ(U8(truthChi), b[0], b[4], b[3])
			ctx.VPTERNLOGQ(U8(truthChi), b1, b[0], b[4])
		}
	}
	ctx.ADDQ(U8(8*period), rc)
	ctx.CMPQ(rc, rcEnd)
	ctx.JNE(LabelRef("rounds"))
	if absorbs {
		ctx.ADDQ(U32(rate136), message)
		ctx.DECQ(blocks)
		ctx.JNE(LabelRef("absorb"))
	}

	for slot, r := range a {
		if !IsMem(r) {
			w.store(ctx, r, word(slot))
		}
	}
	if w.states > 1 {
		ctx.VZEROUPPER()
	}
	ctx.RET()
}

// moveOrder returns an order of the moves src[x] to dst[x] in which none overwrites
// what a later one reads.
func moveOrder(src, dst [5]Op) (order []int) {
	pending := map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true}
	for len(pending) > 0 {
		n := len(pending)
	next:
		for x := range 5 {
			if !pending[x] {
				continue
			}
			for other := range pending {
				if other != x && src[other] == dst[x] {
					continue next
				}
			}
			delete(pending, x)
			order = append(order, x)
		}
		if len(pending) == n {
			panic("keccak: moves form a cycle")
		}
	}
	return order
}
