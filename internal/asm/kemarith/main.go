// Command kemarith generates the kernels of internal/kemring that do arithmetic: the
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
	flags := flag.NewFlagSet("kemarith", flag.ExitOnError)
	out := flags.String("out", ".", "directory of package kemring")
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
	text, err := printer.NewGoAsm(printer.Config{Name: "internal/asm/kemarith", Pkg: "kemring"}).Print(file)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(text, "\n"), '\n'), nil
}

// ntts emits the NTT, alone and with the twist of its result, and its inverse, alone and,
// where there are registers enough, behind the products that it is for.
func ntts(ctx *build.Context, l level) {
	const tableSize = 6400
	table := interval.NewTable(ctx, "zetas", l.width, tableSize)
	begin := func(name, signature string, input interval.Interval) (transform, *interval.Memory) {
		k := interval.New(ctx, name+l.suffix, signature, l.width, table)
		p := k.Memory("p", k.Pointer("p"), n, input)
		k.Constants()
		k.Modulus(q)
		return transform{Kernel: k}, p
	}

	// The AVX2 kernels transform count polynomials.
	count := ""
	if l.width == interval.YMM {
		count = ", count uint64"
	}
	t, p := begin("ntt", "func(p *[256]int16"+count+")", within(1))
	t.counted()
	t.ntt(p, nil)
	t, p = begin("nttTwist", "func(p, tw *[256]int16"+count+")", within(1))
	t.counted()
	t.ntt(p, t.Memory("tw", t.Pointer("tw"), n, interval.Int16))

	t, p = begin("inverseNTT", "func(p *[256]int16)", within(3))
	t.barrett = t.Barrett()
	if l.width == interval.YMM {
		inverseNTTAVX2(t, p, nil)
		t.Output(p, within(1))
		t.End()

		t, p = begin("inverseNTTAdd", "func(p, e *[256]int16)", within(3))
		t.barrett = t.Barrett()
		inverseNTTAVX2(t, p, t.Memory("e", t.Pointer("e"), n, within(1)))
		t.Output(p, within(2))
	} else {
		z := t.fetch(p)
		inverseNTTAVX512(t, z)
		for i := range z {
			t.Store(z[i], p, t.Words()*i)
		}
		t.Output(p, within(1))
	}
	t.End()

	if l.width != interval.YMM {
		const signature = "func(dst, e, a *[256]int16, stride uintptr, b, tw *[256]int16, rank uint64)"
		transform{Kernel: interval.New(ctx, "mulAdd"+l.suffix, signature, l.width, table)}.mulAdd()
	}

	table.Emit(ctx)
}

// products emits the kernels that work on each pair of coefficients by itself.
func products(ctx *build.Context, l level) {
	const tableSize = 1088
	table := interval.NewTable(ctx, "constants", l.width, tableSize)
	begin := func(name, signature string) product {
		return product{interval.New(ctx, name+l.suffix, signature, l.width, table)}
	}
	dots := func(lowest int) {
		for rank := lowest; rank <= 4; rank++ {
			name := fmt.Sprintf("dot%d", rank)
			begin(name, "func(dst, a *[256]int16, stride uintptr, b, tw *[256]int16)").dot(rank)
		}
	}
	if l.width == interval.YMMVL {
		dots(2) // the others gain nothing over AVX2
	} else {
		dots(1)
		begin("addMontgomery", "func(p, e *[256]int16)").addMontgomery()
		begin("reduce", "func(p *[256]int16)").reduce()
		begin("add", "func(p, a *[256]int16)").sum((*interval.Kernel).AddPromised)
		begin("sub", "func(p, a *[256]int16)").sum((*interval.Kernel).SubPromised)
	}
	table.Emit(ctx)
}
