// Command kembytes generates the kernels of internal/kemring that convert between
// polynomials and bytes: sampling, compression, packing. Package interval proves all but
// SampleNTT, which has no arithmetic modulo q.
//
// The AVX-512 kernels move bits by two instructions: VPERMB brings the bytes of four
// coefficients into one quadword, and VPMULTISHIFTQB reads any eight bits of a
// quadword. The AVX2 kernels use VPSHUFB and shifts by multiplication.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

const (
	n = 256
	q = 3329
)

// The intervals of the contracts.
var (
	least        = interval.Interval{Min: 0, Max: q - 1}
	compressible = interval.Within(2 * q)
)

func main() {
	log.SetFlags(0)
	// avo's build package registers an -out of its own on flag.CommandLine.
	flags := flag.NewFlagSet("kembytes", flag.ExitOnError)
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

// generate returns the generated files by name.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, f := range []struct {
		name  string
		width interval.Width
		body  func(*generator)
	}{
		{"sample_avx512", interval.ZMM, func(g *generator) {
			g.sampleNTTAVX512()
			g.cbd2AVX512(interval.Within(2))
			g.cbd3AVX512(interval.Within(3))
		}},
		{"sample_avx2", interval.YMM, func(g *generator) {
			g.sampleNTTAVX2()
			g.cbd2AVX2(interval.Within(2))
			g.cbd3AVX2(interval.Within(3))
		}},
		{"compress_avx512", interval.ZMM, func(g *generator) {
			g.compress1AVX512(newBit())
			for _, d := range []int{4, 5, 10, 11} {
				g.compressAVX512(newCompression(d))
			}
			for _, d := range []int{1, 4, 5, 10, 11} {
				g.decompressAVX512(d, q, least)
			}
			g.encode12AVX512(least)
			g.decode12AVX512(q)
		}},
		{"compress_avx2", interval.YMM, func(g *generator) {
			g.compress1AVX2(newBit())
			g.compress4AVX2(newCompression(4))
			for _, d := range []int{5, 10, 11} {
				g.compressAVX2(newCompression(d))
			}
			g.decompress1AVX2(q, least)
			for _, d := range []int{4, 5, 10} {
				g.decompressAVX2(d, q, least)
			}
			g.decompress11AVX2(q, least)
			g.encode12AVX2(least)
			g.decode12AVX2(q)
			g.differenceAVX2()
		}},
	} {
		text, err := assemble(f.width, f.body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		files[f.name+"_amd64.s"] = text
	}
	return files, nil
}

// A generator emits the kernels of one file.
type generator struct {
	*build.Context
	*interval.Walk                        // of the kernel under construction
	constants      map[string]operand.Mem // by content
	names          map[string]bool
}

// assemble returns the text of the assembly file that body builds, for kernels of width w.
func assemble(w interval.Width, body func(*generator)) ([]byte, error) {
	g := &generator{Context: build.NewContext(), constants: map[string]operand.Mem{}, names: map[string]bool{}}
	g.ConstraintExpr("amd64,!purego")
	body(g)
	f, err := g.Result()
	if err != nil {
		return nil, err
	}
	if err := pass.Compile.Execute(f); err != nil {
		return nil, err
	}
	if err := w.Check(f); err != nil {
		return nil, err
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "internal/asm/kembytes", Pkg: "kemring"}).Print(f)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(text, "\n"), '\n'), nil
}

// begin begins a function. Nothing that it calls may need stack.
func (g *generator) begin(name, signature string) {
	g.Function(name)
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr(signature)
}

// kernel emits a function, whose body states its contract.
func (g *generator) kernel(name, signature string, body func()) {
	g.begin(name, signature)
	g.Walk = interval.Follow(g.Context, name)
	body()
	g.VZEROUPPER()
	g.RET()
	g.Done()
}

// sampler emits a kernel of SampleNTT, which interval does not follow. body gets registers of
// its own that hold the arguments.
func (g *generator) sampler(name string, frame int, body func(poly, done, lane, lanes reg.Register)) {
	g.begin(name, "func(p *[256]int16, done *int, lane *uint64, lanes int)")
	if frame > 0 {
		g.AllocLocal(frame)
	}
	body(g.pointer("p"), g.pointer("done"), g.pointer("lane"), g.Load(g.Param("lanes"), g.GP64()))
	g.VZEROUPPER()
	g.RET()
}

// repeat emits body in a loop of count passes.
func (g *generator) repeat(label string, count int, body func()) {
	counter := g.GP64()
	g.MOVL(operand.U32(count), counter.As32())
	g.Label(label)
	body()
	g.DECL(counter.As32())
	g.JNZ(operand.LabelRef(label))
}

// constant returns the address of read-only memory with these bytes, which the file
// holds once.
func (g *generator) constant(name string, content []byte) operand.Mem {
	if m, ok := g.constants[string(content)]; ok {
		return m
	}
	if g.names[name] {
		log.Fatalf("constant %s has two contents", name)
	}
	g.names[name] = true
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	offset := 0
	for ; offset+8 <= len(content); offset += 8 {
		g.AddDatum(offset, operand.U64(binary.LittleEndian.Uint64(content[offset:])))
	}
	if offset+4 == len(content) {
		g.AddDatum(offset, operand.U32(binary.LittleEndian.Uint32(content[offset:])))
	}
	g.constants[string(content)] = m
	return m
}

// words returns the little-endian bytes of 16-bit words.
func words(w ...int) []byte {
	var b []byte
	for _, x := range w {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	return b
}

// fill returns count values of f.
func fill[T any](count int, f func(i int) T) []T {
	s := make([]T, count)
	for i := range s {
		s[i] = f(i)
	}
	return s
}

// zmm returns a register that holds the constant of 64 bytes, zmmWords one that
// repeats a pair of words.
func (g *generator) zmm(name string, content []byte) reg.VecVirtual {
	r := g.ZMM()
	g.VMOVDQU64(g.constant(name, content), r)
	return r
}

func (g *generator) zmmWords(name string, even, odd int) reg.VecVirtual {
	r := g.ZMM()
	g.VPBROADCASTD(g.constant(name, words(even, odd)), r)
	return r
}

// ymm returns a register that holds the constant of 32 bytes, ymmWords one that
// repeats a pair of words.
func (g *generator) ymm(name string, content []byte) reg.VecVirtual {
	r := g.YMM()
	g.VMOVDQU(g.constant(name, content), r)
	return r
}

func (g *generator) ymmWords(name string, even, odd int) reg.VecVirtual {
	r := g.YMM()
	g.VPBROADCASTD(g.constant(name, words(even, odd)), r)
	return r
}

// mask returns a mask register with the given low bits.
func (g *generator) mask(bits uint32) reg.OpmaskVirtual {
	r, k := g.GP32(), g.K()
	g.MOVL(operand.U32(bits), r)
	g.KMOVD(r, k)
	return k
}

// pointer returns a register that holds a pointer argument.
func (g *generator) pointer(argument string) reg.Register {
	return g.Load(g.Param(argument), g.GP64())
}

// at returns the memory at an offset from base.
func at(base reg.Register, offset int) operand.Mem {
	return operand.Mem{Base: base, Disp: offset}
}
