// Command ctcheck generates the assembly of internal/ctcheck: Valgrind's client
// request, and two functions that break the rule of constant time on purpose.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	log.SetFlags(0)
	// avo's build package registers an -out of its own on flag.CommandLine.
	flags := flag.NewFlagSet("ctcheck", flag.ExitOnError)
	out := flags.String("out", ".", "directory of package ctcheck")
	flags.Parse(os.Args[1:])

	ctx := build.NewContext()
	ctx.ConstraintExpr("ctcheck")
	request(ctx)
	branchOnByte(ctx)
	indexByByte(ctx)
	f, err := ctx.Result()
	if err != nil {
		log.Fatal(err)
	}
	if err := pass.Compile.Execute(f); err != nil {
		log.Fatal(err)
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "internal/asm/ctcheck", Pkg: "ctcheck"}).Print(f)
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(*out, "ctcheck_amd64.s")
	if err := os.WriteFile(path, append(bytes.TrimRight(text, "\n"), '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}

// request emits the client request of valgrind.h (Valgrind manual, Section 3.1): six
// words in memory, their address in RAX, a default answer in RDX, and a sequence of
// instructions that does nothing on a processor and that Valgrind recognises.
func request(ctx *build.Context) {
	ctx.Function("request")
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(code uint64, p *byte, n uint64) uint64")
	ctx.Doc("request makes a client request of Valgrind.")
	block := ctx.AllocLocal(6 * 8)
	word := func(i int) Mem { return block.Offset(8 * i) }

	for i, name := range []string{"code", "p", "n"} {
		ctx.Load(ctx.Param(name), RCX)
		ctx.MOVQ(RCX, word(i))
	}
	ctx.XORL(ECX, ECX)
	for i := 3; i < 6; i++ {
		ctx.MOVQ(RCX, word(i))
	}
	ctx.LEAQ(word(0), RAX)
	ctx.Comment("The answer without Valgrind.")
	ctx.XORL(EDX, EDX)
	ctx.Comment("The rotations add up to 128 bits.")
	for _, n := range []uint8{3, 13, 61, 51} {
		ctx.ROLQ(U8(n), RDI)
	}
	ctx.XCHGQ(RBX, RBX)
	ctx.Store(RDX, ctx.ReturnIndex(0))
	ctx.RET()
}

// branchOnByte emits a branch on data.
func branchOnByte(ctx *build.Context) {
	ctx.Function("branchOnByte")
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(b *byte) uint64")
	ctx.Doc("branchOnByte branches on data, which the checks have to notice.")
	ctx.Load(ctx.Param("b"), RAX)
	ctx.XORL(ECX, ECX)
	ctx.CMPB(Mem{Base: RAX}, U8(0))
	ctx.JE(LabelRef("zero"))
	ctx.MOVQ(U32(1), RCX)
	ctx.Label("zero")
	ctx.Store(RCX, ctx.ReturnIndex(0))
	ctx.RET()
}

// indexByByte emits a memory access at an address that depends on data.
func indexByByte(ctx *build.Context) {
	ctx.Function("indexByByte")
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(table *[256]byte, b *byte) byte")
	ctx.Doc("indexByByte indexes memory by data, which the checks have to notice.")
	ctx.Load(ctx.Param("table"), RAX)
	ctx.Load(ctx.Param("b"), RCX)
	ctx.MOVBQZX(Mem{Base: RCX}, RCX)
	ctx.MOVB(Mem{Base: RAX, Index: RCX, Scale: 1}, DL)
	ctx.Store(DL, ctx.ReturnIndex(0))
	ctx.RET()
}
