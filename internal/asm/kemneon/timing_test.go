package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestNothingDependsOnCoefficients refuses branches and computed addresses in all kernels but
// those named: the loops of the products count, the comparison's length is public, and so is
// all that the rejection sampling sees.
func TestNothingDependsOnCoefficients(t *testing.T) {
	branches := map[string]string{
		"dot1NEON": "CBNZ", "dot2NEON": "CBNZ", "dot3NEON": "CBNZ", "dot4NEON": "CBNZ",
		"differenceNEON": "BLT B TBZ",
	}
	const public = "sampleNTTNEON"
	function := regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	branch := regexp.MustCompile(`^\t(B|BL|B[A-Z]{2}|CBN?Z|TBN?Z|JMP|CALL)\b`)
	transfer := regexp.MustCompile(`VMOV (V\d+\.[BHSD]\[\d+\], R\d+|R\d+, V)|FMOV[SD] F\d+, R\d+`)
	indexed := regexp.MustCompile(`\(R\d+\)\((R\d+)|\[x\d+, x\d+`)
	// What may leave vector registers, or index memory: results, and the stride of CBD.
	leaves := map[string]int{"decode12NEON": 1, "differenceNEON": 2}
	computes := map[string]string{"cbd2NEON": "R2"}

	kernels := 0
	for file, text := range generate() {
		// Not in the list of DIT (Arm Architecture Reference Manual, PSTATE.DIT).
		if strings.Contains(string(text), "// srshr ") {
			t.Errorf("%s: the time of SRSHR may depend on data", file)
		}
		name, left := "", 0
		for _, line := range strings.Split(string(text), "\n") {
			if m := function.FindStringSubmatch(line); m != nil {
				name, left = m[1], 0
				kernels++
			}
			if name == public {
				continue
			}
			if m := branch.FindStringSubmatch(line); m != nil && !strings.Contains(" "+branches[name]+" ", " "+m[1]+" ") {
				t.Errorf("%s: %s branches:%s", file, name, line)
			}
			if transfer.MatchString(line) {
				if left++; left > leaves[name] {
					t.Errorf("%s: %s moves a coefficient to a general register:%s", file, name, line)
				}
			}
			if m := indexed.FindStringSubmatch(line); m != nil && m[1] != computes[name] {
				t.Errorf("%s: %s computes an address:%s", file, name, line)
			}
		}
	}
	if kernels < 28 {
		t.Errorf("%d kernels", kernels)
	}
}
