// Command keccak generates the Keccak-f[1600] permutations of package
// internal/keccak: the assembly kernels, and the Go one, which is unrolled in the same
// way; and the kernels that feed lanes.
//
// The programs are in the terms of FIPS 202, §3.2: lanes, rows, and the steps θ, ρ, π,
// χ and ι. See [placement] for what all of them have in common.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// generator names the source of the generated files in their first lines.
const generator = "internal/asm/keccak"

func main() {
	log.SetFlags(0)
	// avo's build package defines an -out of its own in flag.CommandLine.
	flags := flag.NewFlagSet("keccak", flag.ExitOnError)
	out := flags.String("out", ".", "directory of package keccak")
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

// generate returns the generated files by name.
func generate() (map[string][]byte, error) {
	amd64, err := assemble(func(ctx *build.Context) {
		rc := roundConstantTable(ctx)
		scalar(ctx, "permuteScalar", "func(a *[25]uint64)", 1, false, rc)
		scalar(ctx, "permuteScalarLane", "func(lane *uint64)", 4, false, rc)
		scalar(ctx, "permuteScalarLane8", "func(lane *uint64)", 8, false, rc)
		scalar(ctx, "absorbScalarLane", "func(lane *uint64, message *byte, blocks uint64)", 4, true, rc)
		scalar(ctx, "absorbScalarLane8", "func(lane *uint64, message *byte, blocks uint64)", 8, true, rc)
		rol8, rol56 := byteRotation(ctx, "rol8", 8), byteRotation(ctx, "rol56", 56)
		avx2(ctx, "permute4AVX2", "func(s *[25][4]uint64)", 32, rol8, rol56, rc)
		avx2(ctx, "permuteHalfAVX2", "func(half *uint64)", 64, rol8, rol56, rc)
		avx512(ctx, "permuteAVX512", "func(a *[25]uint64)", xmm, 8, false, rc)
		avx512(ctx, "permuteLane8AVX512", "func(lane *uint64)", xmm, 64, false, rc)
		avx512(ctx, "absorbLaneAVX512", "func(lane *uint64, message *byte, blocks uint64)", xmm, 32, true, rc)
		avx512(ctx, "absorbLane8AVX512", "func(lane *uint64, message *byte, blocks uint64)", xmm, 64, true, rc)
		avx512(ctx, "permute4AVX512", "func(s *[25][4]uint64)", ymm, 32, false, rc)
		avx512(ctx, "permuteHalfAVX512", "func(half *uint64)", ymm, 64, false, rc)
		avx512(ctx, "permute8AVX512", "func(s *[25][8]uint64)", zmm, 64, false, rc)

		blended, masked, masked8 := blendedRows{laneBits(ctx)}, maskedRows{ymm}, maskedRows{zmm}
		padding := lastBit(ctx)
		const begin = "lanes uint64, seed *byte, words uint64, tail *uint64, last uint64)"
		start(ctx, "startAVX2", "func(s *[25][4]uint64, "+begin, blended, 32, padding)
		start(ctx, "startHalfAVX2", "func(half *uint64, "+begin, blended, 64, padding)
		start(ctx, "startAVX512", "func(s *[25][4]uint64, "+begin, masked, 32, padding)
		start(ctx, "start8AVX512", "func(s *[25][8]uint64, "+begin, masked8, 64, padding)
		const add = "lanes uint64, block *byte, words uint64)"
		absorb(ctx, "absorbAVX2", "func(s *[25][4]uint64, "+add, blended, 32)
		absorb(ctx, "absorbHalfAVX2", "func(half *uint64, "+add, blended, 64)
		absorb(ctx, "absorbAVX512", "func(s *[25][4]uint64, "+add, masked, 32)
		absorb(ctx, "absorb8AVX512", "func(s *[25][8]uint64, "+add, masked8, 64)
	})
	if err != nil {
		return nil, err
	}
	purego, err := generic()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"permute_amd64.s": amd64, "permute_arm64.s": arm64(), "permute_generic.go": purego}, nil
}

// assemble returns the text of the assembly file that body builds.
func assemble(body func(*build.Context)) ([]byte, error) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64,!purego")
	body(ctx)
	file, err := ctx.Result()
	if err != nil {
		return nil, err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return nil, err
	}
	text, err := printer.NewGoAsm(printer.Config{Name: generator, Pkg: "keccak"}).Print(file)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(text, "\n"), '\n'), nil
}

// roundConstantTable defines the constants of ι in memory.
func roundConstantTable(ctx *build.Context) operand.Mem {
	table := ctx.StaticGlobal("roundConstants")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, rc := range roundConstants() {
		ctx.AddDatum(8*i, operand.U64(rc))
	}
	return table
}
