package main

import (
	"math/bits"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The kernels below change some lanes of a State4 or State8, by whole rows: the permutation
// that follows loads rows, and a load that spans several narrower stores has to wait until
// they have reached the cache. For AVX2 a State8 is two halves, of rows that stand apart.

// A rowWriter replaces the lanes of rows that the caller has selected.
type rowWriter interface {
	// selectLanes prepares for the lanes of the bit mask.
	selectLanes(ctx *build.Context, lanes GPPhysical)
	// row returns a register of the size of a row, and load fills it.
	row(VecPhysical) Op
	load(ctx *build.Context, from, to Op)
	// put writes new, of which only the selected lanes are taken, to row.
	put(ctx *build.Context, new Op, row Mem)
	// xorWord adds a word in memory, which every selected lane gets, to row.
	xorWord(ctx *build.Context, word, row Mem)
}

// start emits the kernel that begins sponges in some lanes with a message of one block:
// words words of seed, the same for all, a word of tail for each lane, and padding that
// ends in word last. It leaves every other word of those lanes zero. Rows stand stride bytes
// apart, a power of two.
func start(ctx *build.Context, name, signature string, w rowWriter, stride int, padding Mem) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	row := ctx.Load(ctx.ParamIndex(0), RDI)
	w.selectLanes(ctx, ctx.Load(ctx.Param("lanes"), RAX).(GPPhysical))
	seed := ctx.Load(ctx.Param("seed"), RSI)
	words := ctx.Load(ctx.Param("words"), RCX)
	tail := ctx.Load(ctx.Param("tail"), RDX)
	last := ctx.Load(ctx.Param("last"), RBX)
	new := w.row(Y0)

	ctx.Comment("The row of the padding's last bit, and the first row that is all zero.")
	ctx.SHLQ(U8(bits.TrailingZeros(uint(stride))), last)
	ctx.ADDQ(row, last)
	end := R8
	ctx.LEAQ(Mem{Base: row, Disp: 25 * stride}, end)

	ctx.TESTQ(words, words)
	ctx.JE(LabelRef("tail"))
	ctx.Label("seed")
	ctx.VPBROADCASTQ(Mem{Base: seed}, new)
	w.put(ctx, new, Mem{Base: row})
	ctx.ADDQ(U8(8), seed)
	ctx.ADDQ(U8(stride), row)
	ctx.DECQ(words)
	ctx.JNE(LabelRef("seed"))

	ctx.Label("tail")
	w.load(ctx, Mem{Base: tail}, new)
	w.put(ctx, new, Mem{Base: row})
	ctx.ADDQ(U8(stride), row)
	ctx.VPXOR(Y0, Y0, Y0)
	ctx.Label("zero")
	w.put(ctx, new, Mem{Base: row})
	ctx.ADDQ(U8(stride), row)
	ctx.CMPQ(row, end)
	ctx.JNE(LabelRef("zero"))

	w.xorWord(ctx, padding, Mem{Base: last})
	ctx.VZEROUPPER()
	ctx.RET()
}

// absorb emits the kernel that adds words words of a message, at least one, to a lane.
func absorb(ctx *build.Context, name, signature string, w rowWriter, stride int) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	row := ctx.Load(ctx.ParamIndex(0), RDI)
	w.selectLanes(ctx, ctx.Load(ctx.Param("lanes"), RAX).(GPPhysical))
	block := ctx.Load(ctx.Param("block"), RSI)
	words := ctx.Load(ctx.Param("words"), RCX)
	ctx.Label("words")
	w.xorWord(ctx, Mem{Base: block}, Mem{Base: row})
	ctx.ADDQ(U8(8), block)
	ctx.ADDQ(U8(stride), row)
	ctx.DECQ(words)
	ctx.JNE(LabelRef("words"))
	ctx.VZEROUPPER()
	ctx.RET()
}

// maskedRows selects by an opmask register.
type maskedRows struct{ width width }

func (m maskedRows) row(v VecPhysical) Op { return m.width.register(v) }

func (m maskedRows) load(ctx *build.Context, from, to Op) { m.width.load(ctx, from, to) }

func (maskedRows) selectLanes(ctx *build.Context, lanes GPPhysical) {
	ctx.KMOVB(lanes.As32(), K1)
}

func (m maskedRows) put(ctx *build.Context, new Op, row Mem) {
	// Not by a masked store, since a load cannot take its row from one before that has
	// reached the cache.
	old := m.row(Y1)
	m.width.load(ctx, row, old)
	ctx.VMOVDQA64(new, K1, old)
	m.width.store(ctx, old, row)
}

func (m maskedRows) xorWord(ctx *build.Context, word, row Mem) {
	old := m.row(Y1)
	m.width.load(ctx, row, old)
	ctx.VPXORQ_BCST(word, old, K1, old)
	m.width.store(ctx, old, row)
}

// blendedRows selects by a vector, all ones in the selected lanes, in Y15. bits holds the
// bit of each lane.
type blendedRows struct{ bits Mem }

func (blendedRows) row(v VecPhysical) Op { return v.AsY() }

func (blendedRows) load(ctx *build.Context, from, to Op) { ctx.VMOVDQU(from, to) }

func (b blendedRows) selectLanes(ctx *build.Context, lanes GPPhysical) {
	ctx.VMOVQ(lanes, X15)
	ctx.VPBROADCASTQ(X15, Y15)
	ctx.VPAND(b.bits, Y15, Y15)
	ctx.VPCMPEQQ(b.bits, Y15, Y15)
}

func (blendedRows) put(ctx *build.Context, new Op, row Mem) {
	ctx.VMOVDQU(row, Y1)
	ctx.VPBLENDVB(Y15, new, Y1, Y1)
	ctx.VMOVDQU(Y1, row)
}

func (blendedRows) xorWord(ctx *build.Context, word, row Mem) {
	ctx.VPBROADCASTQ(word, Y1)
	ctx.VPAND(Y15, Y1, Y1)
	ctx.VPXOR(row, Y1, Y1)
	ctx.VMOVDQU(Y1, row)
}

// laneBits defines the constant of [blendedRows].
func laneBits(ctx *build.Context) Mem {
	bits := ctx.StaticGlobal("laneBits")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for lane := range 4 {
		ctx.AddDatum(8*lane, U64(1<<lane))
	}
	return bits
}

// lastBit defines the word that ends the padding of a block.
func lastBit(ctx *build.Context) Mem {
	word := ctx.StaticGlobal("lastBit")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	ctx.AddDatum(0, U64(1<<63))
	return word
}
