package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The kernels below change some lanes of a State4, by whole rows: the permutation that
// follows loads rows, and a load that spans several narrower stores has to wait until
// they have reached the cache.

// A rowWriter replaces the lanes of rows that the caller has selected.
type rowWriter interface {
	// selectLanes prepares for the lanes of the bit mask.
	selectLanes(ctx *build.Context, lanes GPPhysical)
	// put writes new, of which only the selected lanes are taken, to row.
	put(ctx *build.Context, new VecPhysical, row Mem)
	// xorWord adds a word in memory, which every selected lane gets, to row.
	xorWord(ctx *build.Context, word, row Mem)
}

const rowSize = 4 * 8

// start emits the kernel that begins sponges in some lanes with a message of one block:
// words words of seed, the same for all, a word of tail for each lane, and padding that
// ends in word last. It leaves every other word of those lanes zero.
func start(ctx *build.Context, name string, w rowWriter, padding Mem) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(s *[25][4]uint64, lanes uint64, seed *byte, words uint64, tail *[4]uint64, last uint64)")
	row := ctx.Load(ctx.Param("s"), RDI)
	w.selectLanes(ctx, ctx.Load(ctx.Param("lanes"), RAX).(GPPhysical))
	seed := ctx.Load(ctx.Param("seed"), RSI)
	words := ctx.Load(ctx.Param("words"), RCX)
	tail := ctx.Load(ctx.Param("tail"), RDX)
	last := ctx.Load(ctx.Param("last"), RBX)

	ctx.Comment("The row of the padding's last bit, and the first row that is all zero.")
	ctx.SHLQ(U8(5), last)
	ctx.ADDQ(row, last)
	end := R8
	ctx.LEAQ(Mem{Base: row, Disp: 25 * rowSize}, end)

	ctx.TESTQ(words, words)
	ctx.JE(LabelRef("tail"))
	ctx.Label("seed")
	ctx.VPBROADCASTQ(Mem{Base: seed}, Y0)
	w.put(ctx, Y0, Mem{Base: row})
	ctx.ADDQ(U8(8), seed)
	ctx.ADDQ(U8(rowSize), row)
	ctx.DECQ(words)
	ctx.JNE(LabelRef("seed"))

	ctx.Label("tail")
	ctx.VMOVDQU(Mem{Base: tail}, Y0)
	w.put(ctx, Y0, Mem{Base: row})
	ctx.ADDQ(U8(rowSize), row)
	ctx.VPXOR(Y0, Y0, Y0)
	ctx.Label("zero")
	w.put(ctx, Y0, Mem{Base: row})
	ctx.ADDQ(U8(rowSize), row)
	ctx.CMPQ(row, end)
	ctx.JNE(LabelRef("zero"))

	w.xorWord(ctx, padding, Mem{Base: last})
	ctx.VZEROUPPER()
	ctx.RET()
}

// startWide emits the kernel that does the same in all lanes of a State8.
func startWide(ctx *build.Context, name string, padding Mem) {
	const rowSize = 8 * 8
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(s *[25][8]uint64, seed *byte, words uint64, tail *[8]uint64, last uint64)")
	row := ctx.Load(ctx.Param("s"), RDI)
	seed := ctx.Load(ctx.Param("seed"), RSI)
	words := ctx.Load(ctx.Param("words"), RCX)
	tail := ctx.Load(ctx.Param("tail"), RDX)
	last := ctx.Load(ctx.Param("last"), RBX)
	ctx.SHLQ(U8(6), last)
	ctx.ADDQ(row, last)
	end := R8
	ctx.LEAQ(Mem{Base: row, Disp: 25 * rowSize}, end)

	ctx.TESTQ(words, words)
	ctx.JE(LabelRef("tail"))
	ctx.Label("seed")
	ctx.VPBROADCASTQ(Mem{Base: seed}, Z0)
	ctx.VMOVDQU64(Z0, Mem{Base: row})
	ctx.ADDQ(U8(8), seed)
	ctx.ADDQ(U8(rowSize), row)
	ctx.DECQ(words)
	ctx.JNE(LabelRef("seed"))

	ctx.Label("tail")
	ctx.VMOVDQU64(Mem{Base: tail}, Z0)
	ctx.VMOVDQU64(Z0, Mem{Base: row})
	ctx.ADDQ(U8(rowSize), row)
	ctx.VPXORQ(Z0, Z0, Z0)
	ctx.Label("zero")
	ctx.VMOVDQU64(Z0, Mem{Base: row})
	ctx.ADDQ(U8(rowSize), row)
	ctx.CMPQ(row, end)
	ctx.JNE(LabelRef("zero"))

	ctx.VPBROADCASTQ(padding, Z0)
	ctx.VPXORQ(Mem{Base: last}, Z0, Z0)
	ctx.VMOVDQU64(Z0, Mem{Base: last})
	ctx.VZEROUPPER()
	ctx.RET()
}

// absorb emits the kernel that adds words words of a message, at least one, to a lane.
func absorb(ctx *build.Context, name string, w rowWriter) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(s *[25][4]uint64, lanes uint64, block *byte, words uint64)")
	row := ctx.Load(ctx.Param("s"), RDI)
	w.selectLanes(ctx, ctx.Load(ctx.Param("lanes"), RAX).(GPPhysical))
	block := ctx.Load(ctx.Param("block"), RSI)
	words := ctx.Load(ctx.Param("words"), RCX)
	ctx.Label("words")
	w.xorWord(ctx, Mem{Base: block}, Mem{Base: row})
	ctx.ADDQ(U8(8), block)
	ctx.ADDQ(U8(rowSize), row)
	ctx.DECQ(words)
	ctx.JNE(LabelRef("words"))
	ctx.VZEROUPPER()
	ctx.RET()
}

// maskedRows selects by an opmask register.
type maskedRows struct{}

func (maskedRows) selectLanes(ctx *build.Context, lanes GPPhysical) {
	ctx.KMOVB(lanes.As32(), K1)
}

func (maskedRows) put(ctx *build.Context, new VecPhysical, row Mem) {
	// Not by a masked store, since a load cannot take its row from one before that has
	// reached the cache.
	ctx.VMOVDQU64(row, Y1)
	ctx.VMOVDQA64(new, K1, Y1)
	ctx.VMOVDQU64(Y1, row)
}

func (maskedRows) xorWord(ctx *build.Context, word, row Mem) {
	ctx.VMOVDQU64(row, Y1)
	ctx.VPXORQ_BCST(word, Y1, K1, Y1)
	ctx.VMOVDQU64(Y1, row)
}

// blendedRows selects by a vector, all ones in the selected lanes, in Y15. bits holds the
// bit of each lane.
type blendedRows struct{ bits Mem }

func (b blendedRows) selectLanes(ctx *build.Context, lanes GPPhysical) {
	ctx.VMOVQ(lanes, X15)
	ctx.VPBROADCASTQ(X15, Y15)
	ctx.VPAND(b.bits, Y15, Y15)
	ctx.VPCMPEQQ(b.bits, Y15, Y15)
}

func (blendedRows) put(ctx *build.Context, new VecPhysical, row Mem) {
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
