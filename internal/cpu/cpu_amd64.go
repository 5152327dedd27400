//go:build !purego

package cpu

import "github.com/klauspost/cpuid/v2"

// AVX2 and AVX512 report that kernels of that level may run. AVX512 implies AVX2.
var AVX2, AVX512 bool

type feature = cpuid.FeatureID

// levels: cpuid reports the AVX and AVX-512 features only if the operating system
// saves the registers that they use (OSXSAVE, XCR0).
var levels = []level{
	{name: "generic"},
	{name: "avx2", features: []feature{
		cpuid.OSXSAVE, cpuid.POPCNT, cpuid.AVX, cpuid.AVX2, cpuid.BMI1, cpuid.BMI2,
	}},
	{name: "avx512", features: []feature{
		cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL,
		cpuid.AVX512VBMI, cpuid.AVX512VBMI2, cpuid.AVX512VNNI,
	}},
}

func hasFeature(f feature) bool { return cpuid.CPU.Supports(f) }

func preferred(best int) int { return best }

func apply() {
	AVX2 = current >= 1
	AVX512 = current >= 2
}
