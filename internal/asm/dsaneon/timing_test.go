package main

import (
	"regexp"
	"strconv"
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
	if kernels != 40 {
		t.Errorf("%d kernels", kernels)
	}
}

// TestSecretsLeaveTheStack: what kernels keep on the stack is wiped before they return, but for
// candidates for Â, which are public.
func TestSecretsLeaveTheStack(t *testing.T) {
	function := regexp.MustCompile(`(?s)TEXT ·(\w+)\(SB\), NOSPLIT, \$(\d+)-\d+\n(.*?)\n\tRET\n`)
	zeroed := regexp.MustCompile(`// movi v(\d+)\.2d, #0x0\n\tADD \$8, RSP, (R\d+)\n((?:\tFSTPQ .*\n)+)done`)
	frames := 0
	for _, f := range generate() {
		for _, m := range function.FindAllStringSubmatch(string(f.Bytes()), -1) {
			size, _ := strconv.Atoi(m[2])
			if size == 0 || m[1] == "sampleNTTNEON" {
				continue
			}
			frames++
			wipe := zeroed.FindStringSubmatch(m[3])
			if wipe == nil {
				t.Errorf("%s leaves its frame as it is", m[1])
				continue
			}
			want := ""
			for at := 0; at < size-8; at += 32 {
				offset := ""
				if at > 0 {
					offset = strconv.Itoa(at)
				}
				want += "\tFSTPQ (F" + wipe[1] + ", F" + wipe[1] + "), " + offset + "(" + wipe[2] + ")\n"
			}
			if wipe[3] != want {
				t.Errorf("%s wipes\n%snot\n%s", m[1], wipe[3], want)
			}
		}
	}
	if frames != 2 {
		t.Errorf("%d kernels have a frame for secrets", frames)
	}
}
