package main

import (
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
	general(file, "permuteLaneGeneral", "func(lane *uint64)", 32, rc)
	neon2(file, "permute2NEON", "func(lanes *uint64)", rc)
	beside(file, "permute3NEON", "func(pair, lane *uint64)", 1, rc)
	beside(file, "permute4NEON", "func(pair, lanes *uint64)", 2, rc)
	sha3(file, "permuteSHA3", "func(a *[25]uint64)", single, rc)
	sha3(file, "permute2SHA3", "func(lanes *uint64)", pair, rc)
	sha3(file, "permute4SHA3", "func(s *[25][4]uint64)", twoPairs, rc)
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
