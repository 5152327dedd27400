// Command dsaarith generates the kernels of internal/dsaring that do arithmetic: the
// NTT and its inverse, products, reductions. Package interval proves them.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

func main() {
	log.SetFlags(0)
	// avo's build package registers an -out of its own on flag.CommandLine.
	flags := flag.NewFlagSet("dsaarith", flag.ExitOnError)
	out := flags.String("out", ".", "directory of package dsaring")
	flags.Parse(os.Args[1:])

	files, err := generate()
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(*out, name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// A level is a backend: its name in files and in names of functions.
type level struct {
	name, suffix string
	width        interval.Width
}

var levels = []level{
	{"avx2", "AVX2", interval.YMM},
	{"avx512vl", "AVX512VL", interval.YMMVL},
	{"avx512", "AVX512", interval.ZMM},
}

// generate returns the generated files by name.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, l := range levels {
		for name, body := range map[string]func(*build.Context, level){"ntt": ntts, "product": products} {
			text, err := assemble(l, body)
			if err != nil {
				return nil, fmt.Errorf("%s for %s: %w", name, l.name, err)
			}
			files[name+"_"+l.name+"_amd64.s"] = text
		}
	}
	return files, nil
}

// assemble returns the text of the assembly file that body builds.
func assemble(l level, body func(*build.Context, level)) ([]byte, error) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64,!purego")
	body(ctx, l)
	file, err := ctx.Result()
	if err != nil {
		return nil, err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return nil, err
	}
	if err := l.width.Check(file); err != nil {
		return nil, err
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "internal/asm/dsaarith", Pkg: "dsaring"}).Print(file)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(text, "\n"), '\n'), nil
}

// ntts emits the NTT and its inverse.
func ntts(ctx *build.Context, l level) {
	const tableSize = 9216
	table := interval.NewTable(ctx, "zetas", l.width, tableSize)
	begin := func(name string, input interval.Interval) (transform, *interval.Memory) {
		k := interval.New(ctx, name+l.suffix, "func(p *[256]int32)", l.width, table)
		p := k.Memory32("p", k.Pointer("p"), n, input)
		k.Constants()
		k.Modulus32(q)
		return transform{Kernel: k, last: &shared{}}, p
	}

	t, p := begin("ntt", within(1))
	if l.width == interval.YMM {
		nttAVX2(t, p)
	} else {
		nttAVX512(t, p)
	}
	t.Output(p, within(10))
	t.End()

	t, p = begin("inverseNTT", within(2))
	t.reducer = t.ShiftReducer()
	if l.width == interval.YMM {
		inverseNTTAVX2(t, p)
	} else {
		inverseNTTAVX512(t, p)
	}
	t.Output(p, least)
	t.End()

	table.Emit(ctx)
}

// products emits the kernels that work on each coefficient by itself.
func products(ctx *build.Context, l level) {
	const tableSize = 64
	table := interval.NewTable(ctx, "constants", l.width, tableSize)
	begin := func(name, signature string) pointwise {
		return pointwise{interval.New(ctx, name+l.suffix, signature, l.width, table)}
	}
	if l.width == interval.YMMVL { // the others gain nothing over AVX2
		begin("mul", "func(dst, a, b *[256]int32)").mul()
		begin("centre", "func(p *[256]int32)").reduce(true)
		table.Emit(ctx)
		return
	}
	for _, rank := range []int{4, 5, 6, 7, 8} {
		begin(fmt.Sprintf("dot%d", rank), "func(dst, a, b *[256]int32)").dot(rank)
	}
	begin("mul", "func(dst, a, b *[256]int32)").mul()
	begin("reduce", "func(p *[256]int32)").reduce(false)
	begin("centre", "func(p *[256]int32)").reduce(true)
	begin("add", "func(p, a *[256]int32)").sum((*interval.Kernel).AddPromised32)
	begin("sub", "func(p, a *[256]int32)").sum((*interval.Kernel).SubPromised32)
	table.Emit(ctx)
}
