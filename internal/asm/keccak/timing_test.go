package main

import (
	"regexp"
	"strings"
	"testing"
)

// countsOnly matches the ends of the loops of the kernels for arm64, whose registers hold numbers
// of rounds and words, addresses and round constants.
var countsOnly = []*regexp.Regexp{
	// The round constant after the last one is zero.
	regexp.MustCompile(`\tMOVD \d+\(RSP\), R26\n\tADD \$\d+, R26, R26\n\tMOVD R26, \d+\(RSP\)\n\tMOVD \(R26\), R27\n\tCBNZ R27, rounds\d\n`),
	regexp.MustCompile(`\tCMP R1, R2\n\tBNE rounds\d\n`),
	// The single states, by their address.
	regexp.MustCompile(`\tMOVD R30, \d+\(RSP\)\n\tMOVD other\+8\(FP\), R26\n\tSUB R26, R30, R27\n\tCMP \$16, R27\n\tBNE next\d\n`),
	regexp.MustCompile(`\tSUB \$1, (R2, R2\n\tCBNZ R2|R3, R3\n\tCBNZ R3), (loop|pairs)\d\n`),
	// The words of a seed: an argument.
	regexp.MustCompile(`\tCBZ R2, tail\d\n`),
}

// TestNothingDependsOnStates refuses other branches, computed addresses, and, where R1 to R3
// count, words of a state in general registers.
func TestNothingDependsOnStates(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	branch := regexp.MustCompile(`^\t(BL?|B(EQ|NE|CS|HS|CC|LO|MI|PL|VS|VC|HI|LS|GE|LT|GT|LE)|CBN?ZW?|TBN?Z|JMP|CALL)\b`)
	indexed := regexp.MustCompile(`\(R\d+\)\(R\d+|\[x\d+, x\d+`)
	transfer := regexp.MustCompile(`VMOV V\d+\.[BHSD]\[\d+\], R\d+|FMOV[SD] F\d+, R\d+|smov|umov`)
	load := regexp.MustCompile(`^\t(MOV[DWHB]U?(\.[PW])?|LDP(\.[PW])?) -?\d*\(`)
	functions := strings.Split(string(files["permute_arm64.s"]), "\nTEXT ·")[1:]
	if len(functions) != 16 {
		t.Fatalf("%d kernels", len(functions))
	}
	for _, f := range functions {
		name, _, _ := strings.Cut(f, "(")
		// These have their states, or one of them, in all general registers.
		general := strings.Contains(f, "R27")
		for _, end := range countsOnly {
			f = end.ReplaceAllString(f, "")
		}
		for _, line := range strings.Split(f, "\n") {
			switch {
			case branch.MatchString(line):
				t.Errorf("%s branches:%s", name, line)
			case indexed.MatchString(line):
				t.Errorf("%s computes an address:%s", name, line)
			case transfer.MatchString(line), !general && load.MatchString(line):
				t.Errorf("%s moves what it reads to a general register:%s", name, line)
			}
		}
	}
}
