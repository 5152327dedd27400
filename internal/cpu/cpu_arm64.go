//go:build !purego

package cpu

import (
	"runtime"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd ../asm && go run ./cpu -out ../cpu"

// NEON and SHA3 report that kernels of that level may run. SHA3 implies NEON.
var NEON, SHA3 bool

type feature int

const featureSHA3 feature = iota

// levels: Go's arm64 has NEON (Advanced SIMD) everywhere.
var levels = []level{
	{name: "generic"},
	{name: "neon"},
	{name: "neon-sha3", features: []feature{featureSHA3}},
}

// hasFeature: the operating system reports the instructions EOR3, RAX1, XAR and BCAX
// (FEAT_SHA3) by a HWCAP, a sysctl or a call, which x/sys/cpu reads. Nothing here reads a
// system register that could trap.
func hasFeature(f feature) bool { return f == featureSHA3 && cpu.ARM64.HasSHA3 }

func apply() {
	NEON = current >= 1
	SHA3 = current >= 2
}

// slows reports whether a level slows down other code on this processor.
func slows(string) bool { return false }

// preferred is best, but neon where the SHA-3 instructions are slow.
func preferred(best int) int {
	return preferredOf(best, fastSHA3(runtime.GOOS, mainID()))
}

func preferredOf(best int, fast bool) int {
	if levels[best].name == "neon-sha3" && !fast {
		return best - 1
	}
	return best
}

// fastSHA3 reports whether two states by SHA-3 instructions cost less than four by the
// general and vector registers together. They do on Apple's cores, which have them in
// every vector pipe, and there alone for all that is known; Arm's Neoverse V1, N2 and V2 and
// their kin have one such pipe (Becker and Kannwischer, «Hybrid scalar/vector
// implementations of Keccak and SPHINCS+ on AArch64», 2022; Arm's software optimization
// guides). Neoverse V3 has more (mlkem-native, pull request 1784), but two states after two
// measured 8 % slower there than a hybrid (AWS-LC, pull request 3374): it is not in the list.
// id is the Main ID Register, or 0 if it cannot be read.
func fastSHA3(goos string, id uint64) bool {
	const apple = 'a'
	return goos == "darwin" || goos == "ios" || implementer(id) == apple
}

// implementer is the field of the Main ID Register.
func implementer(id uint64) byte { return byte(id >> 24) }

// mainID returns the Main ID Register of this processor, where Linux lets it be read.
func mainID() uint64 {
	if runtime.GOOS != "linux" || !cpu.ARM64.HasCPUID {
		return 0
	}
	return midr()
}

// midr reads MIDR_EL1, which traps unless the kernel emulates it (HWCAP_CPUID).
func midr() uint64
