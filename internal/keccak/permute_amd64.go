//go:build !purego

package keccak

import (
	"math/bits"
	"unsafe"

	"github.com/pqlane/pqlane/internal/cpu"
)

// The kernels apply Keccak-f[1600] in place to whole states of any content. Words are
// in the order of [State4]. Any alignment will do; 32 bytes (four states) is fastest.
// The timing depends on nothing. On return no part of a state is left on the stack.

// permuteScalar permutes one state, in general registers (BMI1, BMI2).
//
//go:noescape
func permuteScalar(a *[25]uint64)

// permuteScalarLane permutes the state of a [State4] whose first word lane points to,
// and touches no other lane. It is permuteScalar with a stride of four words.
//
//go:noescape
func permuteScalarLane(lane *uint64)

// permuteScalarLane8 does so with a stride of eight words, for a [State8].
//
//go:noescape
func permuteScalarLane8(lane *uint64)

// permute4AVX2 permutes four states.
//
//go:noescape
func permute4AVX2(s *State4)

// permuteHalfAVX2 permutes the four lower or the four upper lanes of a [State8], to the first
// word of which half points.
//
//go:noescape
func permuteHalfAVX2(half *uint64)

// permuteAVX512 permutes one state, in xmm registers: with a rotation and three-operand
// logic they outrun the general registers.
//
//go:noescape
func permuteAVX512(a *[25]uint64)

// permuteLane8AVX512 does so with a stride of eight words, for a lane of a [State8].
//
//go:noescape
func permuteLane8AVX512(lane *uint64)

// absorbScalarLane adds blocks blocks of 136 bytes of message, one at least, to the state
// of a [State4] whose first word lane points to, and permutes it after each. It touches no
// other lane.
//
//go:noescape
func absorbScalarLane(lane *uint64, message *byte, blocks uint64)

// absorbScalarLane8 does so in a [State8].
//
//go:noescape
func absorbScalarLane8(lane *uint64, message *byte, blocks uint64)

// absorbLaneAVX512 is absorbScalarLane, in xmm registers.
//
//go:noescape
func absorbLaneAVX512(lane *uint64, message *byte, blocks uint64)

// absorbLane8AVX512 is absorbScalarLane8, in xmm registers.
//
//go:noescape
func absorbLane8AVX512(lane *uint64, message *byte, blocks uint64)

// permute4AVX512 permutes four states, in ymm registers.
//
//go:noescape
func permute4AVX512(s *State4)

// permuteHalfAVX512 permutes four lanes of a [State8], as permuteHalfAVX2 does.
//
//go:noescape
func permuteHalfAVX512(half *uint64)

// permute8AVX512 permutes eight states, in zmm registers.
//
//go:noescape
func permute8AVX512(s *State8)

// The start kernels begin sponges in the lanes whose bit is set in lanes: words words of seed,
// the same for every lane, then the lane's word of tail, zeros, and the padding's last bit in
// word last. words is less than last. That of a half has four lanes.

//go:noescape
func startAVX2(s *State4, lanes uint64, seed *byte, words uint64, tail *uint64, last uint64)

//go:noescape
func startAVX512(s *State4, lanes uint64, seed *byte, words uint64, tail *uint64, last uint64)

//go:noescape
func startHalfAVX2(half *uint64, lanes uint64, seed *byte, words uint64, tail *uint64, last uint64)

//go:noescape
func start8AVX512(s *State8, lanes uint64, seed *byte, words uint64, tail *uint64, last uint64)

// The absorb kernels add words words of block, of which there is one at least, to the lanes
// whose bit is set in lanes.

//go:noescape
func absorbAVX2(s *State4, lanes uint64, block *byte, words uint64)

//go:noescape
func absorbAVX512(s *State4, lanes uint64, block *byte, words uint64)

//go:noescape
func absorbHalfAVX2(half *uint64, lanes uint64, block *byte, words uint64)

//go:noescape
func absorb8AVX512(s *State8, lanes uint64, block *byte, words uint64)

// start begins sponges in some lanes; see startGeneric.
func (s *State4) start(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	switch {
	case cpu.AVX512:
		startAVX512(s, uint64(lanes), unsafe.SliceData(seed), uint64(len(seed)/8), &tail[0], uint64(last))
	case cpu.AVX2:
		startAVX2(s, uint64(lanes), unsafe.SliceData(seed), uint64(len(seed)/8), &tail[0], uint64(last))
	default:
		s.startGeneric(lanes, seed, tail, last)
	}
}

// absorb adds words to a lane; see [column.absorb].
func (s *State4) absorb(lane int, block []byte) {
	switch {
	case len(block) < 8:
	case cpu.AVX512:
		absorbAVX512(s, 1<<lane, &block[0], uint64(len(block)/8))
	case cpu.AVX2:
		absorbAVX2(s, 1<<lane, &block[0], uint64(len(block)/8))
	default:
		s.column(lane).absorb(block)
	}
}

// absorbBlocks adds whole blocks to a lane and permutes it after each; what it leaves in
// the other lanes is unspecified.
func (s *State4) absorbBlocks(lane, rate int, blocks []byte) {
	if rate == 136 && len(blocks) >= 136 {
		switch {
		case cpu.AVX512:
			absorbLaneAVX512(&s[0][lane], &blocks[0], uint64(len(blocks)/136))
			return
		case cpu.AVX2:
			absorbScalarLane(&s[0][lane], &blocks[0], uint64(len(blocks)/136))
			return
		}
	}
	for ; len(blocks) >= rate; blocks = blocks[rate:] {
		s.absorb(lane, blocks[:rate])
		s.Permute(1 << lane)
	}
}

// Permute applies Keccak-f[1600] to one state.
func Permute(a *[25]uint64) {
	switch {
	case cpu.AVX512:
		permuteAVX512(a)
	case cpu.AVX2:
		permuteScalar(a)
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
	case cpu.AVX512:
		permute4AVX512(s)
	case cpu.AVX2 && active&(active-1) == 0:
		permuteScalarLane(&s[0][bits.TrailingZeros(active)&(Lanes-1)])
	case cpu.AVX2:
		permute4AVX2(s)
	default:
		s.permuteGeneric(active)
	}
}

// Parallel reports whether a [State4] costs less than its lanes by themselves.
func Parallel() bool { return cpu.AVX2 }

// Wide reports whether a [State8] costs less than two [State4].
func Wide() bool { return cpu.AVX512 }

// Permute is [State4.Permute] for eight lanes. Halves of four without an active lane cost
// nothing with AVX2, and make it cheaper with AVX-512.
func (s *State8) Permute(active uint) {
	active &= 1<<8 - 1
	lowest := bits.TrailingZeros(active) & 7
	switch {
	case active == 0:
	case cpu.AVX512 && active&(active-1) == 0:
		permuteLane8AVX512(&s[0][lowest])
	case cpu.AVX512 && (active&0xf == 0 || active < 0x10):
		permuteHalfAVX512(&s[0][lowest&4])
	case cpu.AVX512:
		permute8AVX512(s)
	case cpu.AVX2:
		s.permuteHalfAVX2(0, active&0xf)
		s.permuteHalfAVX2(4, active>>4)
	default:
		s.permuteGeneric(active)
	}
}

// permuteHalfAVX2 is Permute for the four lanes from first on.
func (s *State8) permuteHalfAVX2(first int, active uint) {
	switch {
	case active == 0:
	case active&(active-1) == 0:
		permuteScalarLane8(&s[0][first+bits.TrailingZeros(active)])
	default:
		permuteHalfAVX2(&s[0][first])
	}
}

func (s *State8) start(lanes uint, seed []byte, tail *[8]uint64, last int) {
	words := uint64(len(seed) / 8)
	switch {
	case cpu.AVX512:
		start8AVX512(s, uint64(lanes), unsafe.SliceData(seed), words, &tail[0], uint64(last))
	case cpu.AVX2:
		if lanes&0xf != 0 {
			startHalfAVX2(&s[0][0], uint64(lanes&0xf), unsafe.SliceData(seed), words, &tail[0], uint64(last))
		}
		if lanes>>4 != 0 {
			startHalfAVX2(&s[0][4], uint64(lanes>>4), unsafe.SliceData(seed), words, &tail[4], uint64(last))
		}
	default:
		s.startGeneric(lanes, seed, tail, last)
	}
}

func (s *State8) absorb(lane int, block []byte) {
	switch {
	case len(block) < 8:
	case cpu.AVX512:
		absorb8AVX512(s, 1<<lane, &block[0], uint64(len(block)/8))
	case cpu.AVX2:
		absorbHalfAVX2(&s[0][lane&4], 1<<(lane&3), &block[0], uint64(len(block)/8))
	default:
		s.column(lane).absorb(block)
	}
}

// absorbBlocks is that of State4.
func (s *State8) absorbBlocks(lane, rate int, blocks []byte) {
	if rate == 136 && len(blocks) >= 136 {
		switch {
		case cpu.AVX512:
			absorbLane8AVX512(&s[0][lane], &blocks[0], uint64(len(blocks)/136))
			return
		case cpu.AVX2:
			absorbScalarLane8(&s[0][lane], &blocks[0], uint64(len(blocks)/136))
			return
		}
	}
	for ; len(blocks) >= rate; blocks = blocks[rate:] {
		s.absorb(lane, blocks[:rate])
		s.Permute(1 << lane)
	}
}
