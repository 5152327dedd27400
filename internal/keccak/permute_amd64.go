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

// permute4AVX2 permutes four states.
//
//go:noescape
func permute4AVX2(s *State4)

// permuteAVX512 permutes one state, in xmm registers: with a rotation and three-operand
// logic they outrun the general registers.
//
//go:noescape
func permuteAVX512(a *[25]uint64)

// absorbLaneAVX512 adds blocks blocks of 136 bytes of message, one at least, to the state
// of a [State4] whose first word lane points to, and permutes it after each. It touches no
// other lane.
//
//go:noescape
func absorbLaneAVX512(lane *uint64, message *byte, blocks uint64)

// permute4AVX512 permutes four states, in ymm registers.
//
//go:noescape
func permute4AVX512(s *State4)

// permute8AVX512 permutes eight states, in zmm registers.
//
//go:noescape
func permute8AVX512(s *State8)

// The kernels startAVX2 and startAVX512 begin sponges in the lanes whose bit is set in
// lanes: words words of seed, the same for every lane, then the lane's word of tail,
// zeros, and the padding's last bit in word last. words is less than last.
//
//go:noescape
func startAVX2(s *State4, lanes uint64, seed *byte, words uint64, tail *[Lanes]uint64, last uint64)

//go:noescape
func startAVX512(s *State4, lanes uint64, seed *byte, words uint64, tail *[Lanes]uint64, last uint64)

// start8AVX512 is startAVX512 for all lanes of a State8.
//
//go:noescape
func start8AVX512(s *State8, seed *byte, words uint64, tail *[8]uint64, last uint64)

// The kernels absorbAVX2 and absorbAVX512 add words words of block, of which there is one
// at least, to the lanes whose bit is set in lanes.
//
//go:noescape
func absorbAVX2(s *State4, lanes uint64, block *byte, words uint64)

//go:noescape
func absorbAVX512(s *State4, lanes uint64, block *byte, words uint64)

// start begins sponges in some lanes; see startGeneric.
func (s *State4) start(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	switch {
	case cpu.AVX512:
		startAVX512(s, uint64(lanes), unsafe.SliceData(seed), uint64(len(seed)/8), tail, uint64(last))
	case cpu.AVX2:
		startAVX2(s, uint64(lanes), unsafe.SliceData(seed), uint64(len(seed)/8), tail, uint64(last))
	default:
		s.startGeneric(lanes, seed, tail, last)
	}
}

// absorb adds words to a lane; see absorbGeneric.
func (s *State4) absorb(lane int, block []byte) {
	switch {
	case len(block) < 8:
	case cpu.AVX512:
		absorbAVX512(s, 1<<lane, &block[0], uint64(len(block)/8))
	case cpu.AVX2:
		absorbAVX2(s, 1<<lane, &block[0], uint64(len(block)/8))
	default:
		s.absorbGeneric(lane, block)
	}
}

// absorbBlocks adds whole blocks to a lane and permutes it after each; what it leaves in
// the other lanes is unspecified.
func (s *State4) absorbBlocks(lane, rate int, blocks []byte) {
	if cpu.AVX512 && rate == 136 && len(blocks) >= 136 {
		absorbLaneAVX512(&s[0][lane], &blocks[0], uint64(len(blocks)/136))
		return
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

// Wide reports whether a [State8] costs less than two [State4].
func Wide() bool { return cpu.AVX512 }

// Permute applies Keccak-f[1600] to every lane of s.
func (s *State8) Permute() {
	if cpu.AVX512 {
		permute8AVX512(s)
	} else {
		s.permuteGeneric()
	}
}

func (s *State8) start(seed []byte, tail *[8]uint64, last int) {
	if cpu.AVX512 {
		start8AVX512(s, unsafe.SliceData(seed), uint64(len(seed)/8), tail, uint64(last))
	} else {
		s.startGeneric(seed, tail, last)
	}
}
