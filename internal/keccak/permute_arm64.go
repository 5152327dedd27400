//go:build !purego

package keccak

import (
	"math/bits"

	"github.com/pqlane/pqlane/internal/cpu"
)

// The kernels apply Keccak-f[1600] in place to whole states of any content. Words are
// in the order of [State4]. Any alignment will do; 16 bytes is fastest. The timing depends on
// nothing: all instructions that see a state are among those whose timing the processor state
// bit DIT makes independent of data. On return no part of a state is left on the stack.

// permuteGeneral permutes one state, in general registers.
//
//go:noescape
func permuteGeneral(a *[25]uint64)

// permuteLaneGeneral permutes the state of a [State4] whose first word lane points to, and
// touches no other lane.
//
//go:noescape
func permuteLaneGeneral(lane *uint64)

// permute2NEON permutes two neighbouring states of a [State4], in vector registers. lanes
// points to the first word of the first. It touches no other lane.
//
//go:noescape
func permute2NEON(lanes *uint64)

// permute3NEON permutes two neighbouring states of a [State4] in vector registers and
// meanwhile another in general ones. pair and lane point to the first words.
//
//go:noescape
func permute3NEON(pair, lane *uint64)

// permute4NEON is permute3NEON for another state and its neighbour.
//
//go:noescape
func permute4NEON(pair, lanes *uint64)

// permuteSHA3 permutes one state by the instructions of FEAT_SHA3.
//
//go:noescape
func permuteSHA3(a *[25]uint64)

// permute2SHA3 is permute2NEON by the instructions of FEAT_SHA3.
//
//go:noescape
func permute2SHA3(lanes *uint64)

// permute4SHA3 permutes four states, two after two, by the instructions of FEAT_SHA3.
//
//go:noescape
func permute4SHA3(s *State4)

// Permute applies Keccak-f[1600] to one state.
func Permute(a *[25]uint64) {
	switch {
	case cpu.SHA3:
		permuteSHA3(a)
	case cpu.NEON:
		permuteGeneral(a)
	default:
		permuteGeneric(a)
	}
}

// Permute applies Keccak-f[1600] to the lanes of s whose bit is set in active; what it
// leaves in the other lanes is unspecified. The timing may depend on active.
func (s *State4) Permute(active uint) {
	active &= 1<<Lanes - 1
	switch {
	case active == 0:
	case cpu.SHA3 && active&0b0011 != 0 && active&0b1100 != 0:
		permute4SHA3(s)
	case cpu.SHA3:
		permute2SHA3(&s[0][bits.TrailingZeros(active)&(Lanes-2)])
	case cpu.NEON:
		s.permuteNEON(active)
	default:
		s.permuteGeneric(active)
	}
}

// permuteNEON is Permute by the kernels of the level neon.
func (s *State4) permuteNEON(active uint) {
	low, high := active&0b11, active>>2
	single := func(lanes uint) uint { return lanes >> 1 } // of one lane, its number
	switch {
	case active == 0b1111:
		permute4NEON(&s[0][2], &s[0][0])
	case low == 0b11 && high != 0:
		permute3NEON(&s[0][0], &s[0][2+single(high)])
	case high == 0b11 && low != 0:
		permute3NEON(&s[0][2], &s[0][single(low)])
	case low == 0b11:
		permute2NEON(&s[0][0])
	case high == 0b11:
		permute2NEON(&s[0][2])
	default:
		if low != 0 {
			permuteLaneGeneral(&s[0][single(low)])
		}
		if high != 0 {
			permuteLaneGeneral(&s[0][2+single(high)])
		}
	}
}

func (s *State4) start(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	s.startGeneric(lanes, seed, tail, last)
}

func (s *State4) absorb(lane int, block []byte) { s.absorbGeneric(lane, block) }

// absorbBlocks adds whole blocks to a lane and permutes it after each; what it leaves in
// the other lanes is unspecified.
func (s *State4) absorbBlocks(lane, rate int, blocks []byte) {
	for ; len(blocks) >= rate; blocks = blocks[rate:] {
		s.absorb(lane, blocks[:rate])
		s.Permute(1 << lane)
	}
}

// Wide reports whether a [State8] costs less than two [State4].
func Wide() bool { return false }

// Permute applies Keccak-f[1600] to every lane of s.
func (s *State8) Permute() { s.permuteGeneric() }

func (s *State8) start(seed []byte, tail *[8]uint64, last int) { s.startGeneric(seed, tail, last) }
