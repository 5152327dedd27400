// Command dsaneon generates the kernels of internal/dsaring for arm64. Package a64 refuses those
// whose arithmetic might overflow, by the intervals of their contracts.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

func main() {
	log.SetFlags(0)
	// avo's build package, which package interval needs, registers an -out of its own.
	flags := flag.NewFlagSet("dsaneon", flag.ExitOnError)
	out := flags.String("out", ".", "directory of package dsaring")
	flags.Parse(os.Args[1:])
	for name, file := range generate() {
		if err := file.Write(*out, name); err != nil {
			log.Fatal(err)
		}
	}
}

// generate returns the files by name.
func generate() map[string]*a64.File {
	files := map[string]*a64.File{}
	newFile := func(name string) *a64.File {
		file := a64.NewFile("internal/asm/dsaneon", "dsaring")
		files[name+"_neon_arm64.s"] = file
		return file
	}

	ntt := arithmetic{newFile("ntt")}
	ntt.ntt(within(1), within(10))
	ntt.inverseNTT(within(2), least)

	products := arithmetic{newFile("product")}
	products.mul(within(10), within(1))
	products.dot("dot4NEON", 4, least, within(10), within(1))
	products.dot("dot5NEON", 5, least, within(10), within(1))
	products.dot("dot6NEON", 6, least, within(10), within(1))
	products.dot("dot7NEON", 7, least, within(10), within(1))
	products.dot("dot8NEON", 8, least, within(10), within(1))
	products.sum("addNEON", (*a64.Func).VADD)
	products.sum("subNEON", (*a64.Func).VSUB)
	products.reduceAll("reduceNEON", false, within(255), least)
	products.reduceAll("centreNEON", true, within(255), interval.Within(q/2))

	rounding := newConversion(newFile("round"))
	rounding.power2Round(least)
	for _, r := range roundings {
		rounding.decompose(r, least)
	}
	for _, r := range roundings {
		rounding.useHint(r, least)
	}
	rounding.makeHint(interval.Interval{Min: (q - 1) / 88, Max: (q - 1) / 32})
	rounding.exceeds(interval.Within(1<<30 - 1))

	packs := newConversion(newFile("pack"))
	for _, k := range packings {
		packs.pack(k)
	}
	for _, k := range packings {
		if !k.packOnly {
			packs.unpack(k)
		}
	}

	smalls := newConversion(newFile("small"))
	smalls.narrow(interval.Within(1<<15 - 1))
	smalls.addSmall("addSmallNEON", (*a64.Func).VSADDW, interval.Within(small), reciprocal)
	smalls.addSmall("subSmallNEON", (*a64.Func).VSSUBW, interval.Within(small), reciprocal)

	samples := newConversion(newFile("sample"))
	samples.sampleNTT()
	sets := samples.Data("compressions", compressions())
	samples.sampleBounded(2, sets)
	samples.sampleBounded(4, sets)
	samples.readLanes()
	return files
}

// An arithmetic file has the kernels modulo q.
type arithmetic struct{ *a64.File }
