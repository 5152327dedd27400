package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestNothingDependsOnCoefficients refuses, in all kernels but the samplers, branches other than
// those of loops that count, computed addresses, and coefficients in general registers other
// than a result.
func TestNothingDependsOnCoefficients(t *testing.T) {
	function := regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	branch := regexp.MustCompile(`^\t(B|BL|B[A-Z]{2}|CBZ|CBZW|CBNZW|TBN?Z|JMP|CALL)\b`)
	transfer := regexp.MustCompile(`VMOV (V\d+\.[BHSD]\[\d+\], R\d+|R\d+, V)|FMOV[SD] F\d+, R\d+|smov|umov`)
	indexed := regexp.MustCompile(`\(R\d+\)\(R\d+|\[x\d+, x\d+`)
	results := map[string]int{"makeHintNEON": 1, "exceedsNEON": 1, "unpackEta2NEON": 1, "unpackEta4NEON": 1}

	kernels := 0
	for file, f := range generate() {
		name := ""
		// Not in the list of DIT (Arm Architecture Reference Manual, PSTATE.DIT).
		if strings.Contains(string(f.Bytes()), "// srshr ") {
			t.Errorf("%s: the time of SRSHR may depend on data", file)
		}
		for _, line := range strings.Split(string(f.Bytes()), "\n") {
			if m := function.FindStringSubmatch(line); m != nil {
				name = m[1]
				kernels++
			}
			if strings.HasPrefix(name, "sample") {
				continue
			}
			if branch.MatchString(line) {
				t.Errorf("%s: %s branches:%s", file, name, line)
			}
			if transfer.MatchString(line) {
				if results[name]--; results[name] < 0 {
					t.Errorf("%s: %s moves a coefficient to a general register:%s", file, name, line)
				}
			}
			if indexed.MatchString(line) {
				t.Errorf("%s: %s computes an address:%s", file, name, line)
			}
		}
	}
	if kernels != 38 {
		t.Errorf("%d kernels", kernels)
	}
}
