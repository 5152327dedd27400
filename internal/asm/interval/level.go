package interval

import (
	"fmt"
	"slices"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/reg"
)

// features are the instruction sets that avo may find in kernels of each width: those
// that the levels of package internal/cpu guarantee.
var features = map[Width][]string{
	YMM:   {"CMOV", "POPCNT", "AVX", "AVX2", "BMI", "BMI2"},
	YMMVL: avx512,
	ZMM:   avx512,
}

var avx512 = []string{"CMOV", "POPCNT", "AVX", "AVX2", "BMI", "BMI2", "AVX512F", "AVX512BW", "AVX512DQ", "AVX512VL",
	"AVX512VBMI", "AVX512VBMI2", "AVX512VNNI"}

// Check fails if a compiled function of the file uses what the level of kernels of
// width w lacks: another instruction set, a wider register, or, without AVX-512, a register
// from 16 on, which avo hands out when it needs one.
func (w Width) Check(file *ir.File) error {
	for _, f := range file.Functions() {
		for _, isa := range f.ISA {
			if !slices.Contains(features[w], isa) {
				return fmt.Errorf("%s uses %s", f.Name, isa)
			}
		}
		for _, i := range f.Instructions() {
			for _, r := range i.Registers() {
				p := reg.ToPhysical(r)
				if p.Kind() == reg.KindVector && (w == YMM && p.PhysicalIndex() > 15 || int(p.Size()) > w.Bytes()) {
					return fmt.Errorf("%s uses %s", f.Name, p.Asm())
				}
			}
		}
	}
	return nil
}
