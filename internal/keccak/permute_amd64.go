//go:build !purego

package keccak

import (
	"math/bits"

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

// permute4AVX512 permutes four states, in ymm registers.
//
//go:noescape
func permute4AVX512(s *State4)

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
