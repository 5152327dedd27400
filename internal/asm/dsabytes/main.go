// Command dsabytes generates the kernels of internal/dsaring that are no arithmetic modulo q:
// rounding, hints, norms, sampling, packing, and conversion from the ring of ML-KEM. Package
// interval proves all but sampling; tests compare them with their twins on every number.
//
// The AVX-512 kernels move bits by two instructions: VPERMB brings the bytes of the
// coefficients into place, and VPMULTISHIFTQB reads any eight bits of a quadword. The AVX2
// kernels use VPSHUFB and variable shifts.
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
	q = 8380417
)

// The intervals of the contracts: [0, bound), (−bound, bound] and [0, q).
func below(bound int64) interval.Interval { return interval.Interval{Min: 0, Max: bound - 1} }

func upTo(bound int64) interval.Interval { return interval.Interval{Min: 1 - bound, Max: bound} }

var least = below(q)

func main() {
	log.SetFlags(0)
	// avo's build package registers an -out of its own on flag.CommandLine.
	flags := flag.NewFlagSet("dsabytes", flag.ExitOnError)
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

// generate returns the generated files by name.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, f := range []struct {
		name  string
		width interval.Width
		body  func(*generator)
	}{
		{"sample_avx2", interval.YMM, func(g *generator) {
			g.sampleNTTAVX2()
			g.sampleBoundedAVX2(2)
			g.sampleBoundedAVX2(4)
		}},
		{"sample_avx512", interval.ZMM, func(g *generator) {
			g.sampleNTTAVX512()
			g.sampleBoundedAVX512(2)
			g.sampleBoundedAVX512(4)
		}},
		{"stream_avx2", interval.YMM, (*generator).streams},
		{"pack_avx2", interval.YMM, (*generator).packing},
		{"pack_avx512", interval.ZMM, (*generator).packing},
		{"small_avx2", interval.YMM, (*generator).small},
		{"small_avx512", interval.ZMM, (*generator).small},
		{"round_avx2", interval.YMM, (*generator).rounding},
		{"round_avx512vl", interval.YMMVL, (*generator).hints},
		{"round_avx512", interval.ZMM, (*generator).rounding},
	} {
		text, err := assemble(f.width, f.body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		files[f.name+"_amd64.s"] = text
	}
	return files, nil
}

// rounding emits the kernels of rounding, hints and norms, which are the same for both
// widths.
func (g *generator) rounding() {
	g.power2Round(least)
	for _, r := range roundings {
		g.decompose(r, least)
	}
	g.hints()
	g.makeHint(interval.Interval{Min: (q - 1) / 88, Max: (q - 1) / 32})
	g.exceeds(interval.Within(1<<30 - 1))
}

// hints emits the kernels that gain by masks beside vectors of the size of AVX2's.
func (g *generator) hints() {
	for _, r := range roundings {
		g.useHint(r, least)
	}
}

// small emits the kernels between this ring and that of ML-KEM.
func (g *generator) small() {
	g.narrow(interval.Within(1<<15 - 1))
	g.addSmall("addSmall", g.VPADDD, interval.Within(small), reciprocal)
	g.addSmall("subSmall", g.VPSUBD, interval.Within(small), reciprocal)
}

// packing emits the kernels of packing and unpacking.
func (g *generator) packing() {
	for _, k := range packings {
		if g.width == interval.YMM {
			g.packAVX2(k)
		} else {
			g.packAVX512(k)
		}
	}
	for _, k := range packings {
		if !k.packOnly {
			g.unpack(k)
		}
	}
}

// A generator emits the kernels of one file.
type generator struct {
	*build.Context
	*interval.Walk // of the kernel under construction
	width          interval.Width
	constants      map[string]operand.Mem // by content
	names          map[string]bool
}

// assemble returns the text of the assembly file that body builds, for kernels of width w.
func assemble(w interval.Width, body func(*generator)) ([]byte, error) {
	g := &generator{Context: build.NewContext(), width: w, constants: map[string]operand.Mem{}, names: map[string]bool{}}
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
	text, err := printer.NewGoAsm(printer.Config{Name: "internal/asm/dsabytes", Pkg: "dsaring"}).Print(f)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(text, "\n"), '\n'), nil
}

// kernel emits a function, whose body states its contract.
func (g *generator) kernel(name, signature string, body func()) {
	g.Function(name)
	g.Attributes(attr.NOSPLIT | attr.NOFRAME)
	g.SignatureExpr(signature)
	g.Walk = interval.Follow(g.Context, name)
	body()
	g.VZEROUPPER()
	g.RET()
	g.Done()
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

// dwords returns the little-endian bytes of 32-bit numbers.
func dwords(d ...int) []byte {
	var b []byte
	for _, x := range d {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
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

// vector returns a fresh vector register, load one that holds the constant of its size, and
// broadcast one that holds a number in every 32-bit lane.
func (g *generator) vector() reg.VecVirtual {
	if g.width == interval.ZMM {
		return g.ZMM()
	}
	return g.YMM()
}

func (g *generator) load(name string, content []byte) reg.VecVirtual {
	r := g.vector()
	g.move(g.constant(name, content), r)
	return r
}

func (g *generator) broadcast(name string, x int) reg.VecVirtual {
	r := g.vector()
	g.VPBROADCASTD(g.constant(name, dwords(x)), r)
	return r
}

// move loads or stores a vector.
func (g *generator) move(src, dst operand.Op) {
	if g.width == interval.YMM {
		g.VMOVDQU(src, dst)
	} else {
		g.VMOVDQU64(src, dst)
	}
}

// lanes is the number of 32-bit lanes of a register.
func (g *generator) lanes() int { return g.width.Bytes() / 4 }

// mask returns a mask register with the given low bits.
func (g *generator) mask(bits uint64) reg.OpmaskVirtual {
	r, k := g.GP64(), g.K()
	g.MOVQ(operand.U64(bits), r)
	g.KMOVQ(r, k)
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
