package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// arm64 returns the kernels for arm64.
//
// Lanes are loaded once and stay in registers. A round works in place, as [placement]
// says, and the loops run over a period.
func arm64() []byte {
	file := a64.NewFile(generator, "keccak")
	var table []uint64
	for _, c := range roundConstants() {
		table = append(table, c, c)
	}
	// A zero, which no round constant is, ends the loops over the rounds.
	rc := file.Data("roundConstants", append(table, 0, 0))

	general(file, "permuteGeneral", "func(a *[25]uint64)", 8, rc)
	sha3(file, "permuteSHA3", "func(a *[25]uint64)", 1, 8, rc)
	for _, lanes := range []int{4, 8} {
		stride := 8 * lanes
		name := func(kernel string) string { return fmt.Sprintf("permute%sOf%d", kernel, lanes) }
		general(file, name("1General"), "func(lane *uint64)", stride, rc)
		neon2(file, name("2NEON"), "func(pair *uint64)", stride, rc)
		beside(file, name("3NEON"), "func(pair, lane *uint64)", 1, stride, rc)
		beside(file, name("4NEON"), "func(pair, other *uint64)", 2, stride, rc)
		sha3(file, name("2SHA3"), "func(pair *uint64)", 1, stride, rc)
		sha3(file, name("4SHA3"), "func(lanes *uint64)", 2, stride, rc)
		startRows(file, fmt.Sprintf("start4Of%dNEON", lanes), "func(lanes *uint64, seed *byte, words uint64, tail *uint64, last uint64)", stride)
	}
	return file.Bytes()
}

// A constant of ι is in the table twice, for two states in a vector register.
const constantSize = 16

// A place is a register that holds a lane of a row, or is free, while χ works on it: the
// five slots of the row by column, and then the temporary ones.
type place int

// rowPlaces returns where the lanes that π brings to row y stand at first.
func rowPlaces(y int) (at [5]place) {
	for x := range 5 {
		at[x] = place(piSource(lane{x, y}).x)
	}
	return at
}
