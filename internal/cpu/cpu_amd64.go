//go:build !purego

package cpu

import "github.com/klauspost/cpuid/v2"

// AVX2, AVX512 and AVX512Wide report that kernels of that level may run. Each implies those
// before it. AVX512Wide stands for the kernels of AVX-512 that multiply in all 512 bits.
var AVX2, AVX512, AVX512Wide bool

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
	{name: "avx512-wide"},
}

func hasFeature(f feature) bool { return cpuid.CPU.Supports(f) }

// preferred is best, but avx512 where wide multiplications slow down all other code.
func preferred(best int) int {
	if slows(levels[best].name) {
		return best - 1
	}
	return best
}

// slows reports whether a level slows down other code on this processor.
func slows(level string) bool { return slowsOn(cpuid.CPU.VendorID, level) }

// slowsOn knows of Intel's processors alone that they lower the clock of a core for
// multiplications of 512 bits: that of a Granite Rapids core by 5.6 %, for whatever runs on it
// during milliseconds, and not for other instructions of 512 bits. A handshake, of which ours
// is the smaller part, loses more by that than the kernels gain.
func slowsOn(vendor cpuid.Vendor, level string) bool {
	return level == "avx512-wide" && vendor == cpuid.Intel
}

func apply() {
	AVX2 = current >= 1
	AVX512 = current >= 2
	AVX512Wide = current >= 3
}
