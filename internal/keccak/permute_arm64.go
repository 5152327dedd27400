//go:build !purego

package keccak

import (
	"math/bits"
	"unsafe"

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

// permuteSHA3 permutes one state by the instructions of FEAT_SHA3.
//
//go:noescape
func permuteSHA3(a *[25]uint64)

// The kernels below permute some of four interleaved states, or of eight, and touch no other.
// Their parameters point to the first words: of one lane, or of a pair of neighbours, that of
// the first.

// permute1GeneralOf4 permutes one state, in general registers.
//
//go:noescape
func permute1GeneralOf4(lane *uint64)

//go:noescape
func permute1GeneralOf8(lane *uint64)

// permute2NEONOf4 permutes a pair, in vector registers.
//
//go:noescape
func permute2NEONOf4(pair *uint64)

//go:noescape
func permute2NEONOf8(pair *uint64)

// permute3NEONOf4 permutes a pair in vector registers and meanwhile a lane in general ones.
//
//go:noescape
func permute3NEONOf4(pair, lane *uint64)

//go:noescape
func permute3NEONOf8(pair, lane *uint64)

// permute4NEONOf4 permutes a pair in vector registers and meanwhile another in general ones.
//
//go:noescape
func permute4NEONOf4(pair, other *uint64)

//go:noescape
func permute4NEONOf8(pair, other *uint64)

// permute2SHA3Of4 permutes a pair by the instructions of FEAT_SHA3.
//
//go:noescape
func permute2SHA3Of4(pair *uint64)

//go:noescape
func permute2SHA3Of8(pair *uint64)

// permute4SHA3Of4 permutes four neighbours, two after two, by the instructions of FEAT_SHA3.
//
//go:noescape
func permute4SHA3Of4(lanes *uint64)

//go:noescape
func permute4SHA3Of8(lanes *uint64)

// start4Of4NEON begins sponges in four neighbouring lanes: words words of seed, the same for
// every lane, then the lane's word of tail, zeros, and the padding's last bit in word last.
// words is at most last.
//
//go:noescape
func start4Of4NEON(lanes *uint64, seed *byte, words uint64, tail *uint64, last uint64)

//go:noescape
func start4Of8NEON(lanes *uint64, seed *byte, words uint64, tail *uint64, last uint64)

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
	a := &s[0]
	switch q := quartet(active & 0b1111); {
	case q == 0:
	case cpu.SHA3 && q.low() && q.high():
		permute4SHA3Of4(&a[0])
	case cpu.SHA3:
		permute2SHA3Of4(&a[q.pair()])
	case cpu.NEON && q == 0b1111:
		permute4NEONOf4(&a[0], &a[2])
	case cpu.NEON && q.three():
		permute3NEONOf4(&a[q.pair()], &a[q.lane()])
	case cpu.NEON && q.neighbours():
		permute2NEONOf4(&a[q.pair()])
	case cpu.NEON:
		for ; q != 0; q &= q - 1 {
			permute1GeneralOf4(&a[bits.TrailingZeros(uint(q))&3])
		}
	default:
		s.permuteGeneric(active)
	}
}

// Permute is [State4.Permute] for eight lanes. Each half is permuted by itself.
func (s *State8) Permute(active uint) {
	if !cpu.NEON {
		s.permuteGeneric(active)
		return
	}
	s.permuteHalf((*[4]uint64)(s[0][:4]), quartet(active&0b1111))
	s.permuteHalf((*[4]uint64)(s[0][4:]), quartet(active>>4&0b1111))
}

// permuteHalf is Permute for the four lanes whose first words are a.
func (s *State8) permuteHalf(a *[4]uint64, q quartet) {
	switch {
	case q == 0:
	case cpu.SHA3 && q.low() && q.high():
		permute4SHA3Of8(&a[0])
	case cpu.SHA3:
		permute2SHA3Of8(&a[q.pair()])
	case q == 0b1111:
		permute4NEONOf8(&a[0], &a[2])
	case q.three():
		permute3NEONOf8(&a[q.pair()], &a[q.lane()])
	case q.neighbours():
		permute2NEONOf8(&a[q.pair()])
	default:
		for ; q != 0; q &= q - 1 {
			permute1GeneralOf8(&a[bits.TrailingZeros(uint(q))&3])
		}
	}
}

// A quartet is a set of four lanes, which are two pairs of neighbours.
type quartet uint

// low and high report whether the quartet has lanes of either pair.
func (q quartet) low() bool  { return q&0b0011 != 0 }
func (q quartet) high() bool { return q&0b1100 != 0 }

// three and neighbours report whether the quartet is a whole pair and another lane, or
// without one.
func (q quartet) three() bool      { return bits.OnesCount(uint(q)) == 3 }
func (q quartet) neighbours() bool { return q == 0b0011 || q == 0b1100 }

// pair returns the first lane of the pair that is whole or, if none is, has lanes at all.
func (q quartet) pair() int {
	if q&0b1100 == 0b1100 || !q.low() {
		return 2
	}
	return 0
}

// lane returns, for three lanes, the one beside the pair.
func (q quartet) lane() int {
	return bits.TrailingZeros(uint(q)&^(0b11<<q.pair())) & 3
}

// Parallel reports whether a [State4] costs less than its lanes by themselves, by so much that
// work ahead of need pays: on the level neon, where two lanes of four are in general registers,
// a signature takes 8 % fewer instructions without it.
func Parallel() bool { return cpu.SHA3 }

// Wide reports whether a [State8] costs less than two [State4].
func Wide() bool { return false }

// start begins sponges in some lanes; see startGeneric.
func (s *State4) start(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	if cpu.NEON && lanes&0b1111 == 0b1111 {
		start4Of4NEON(&s[0][0], unsafe.SliceData(seed), uint64(len(seed)/8), &tail[0], uint64(last))
		return
	}
	s.startGeneric(lanes, seed, tail, last)
}

func (s *State8) start(lanes uint, seed []byte, tail *[8]uint64, last int) {
	for half := 0; half < 8; half += 4 {
		if these := lanes & (0b1111 << half); cpu.NEON && these == 0b1111<<half {
			start4Of8NEON(&s[0][half], unsafe.SliceData(seed), uint64(len(seed)/8), &tail[half], uint64(last))
			lanes &^= these
		}
	}
	s.startGeneric(lanes, seed, tail, last)
}

func (s *State4) absorb(lane int, block []byte) { s.column(lane).absorb(block) }
func (s *State8) absorb(lane int, block []byte) { s.column(lane).absorb(block) }

// absorbBlocks adds whole blocks to a lane and permutes it after each; what it leaves in
// the other lanes is unspecified.
func (s *State4) absorbBlocks(lane, rate int, blocks []byte) {
	for ; len(blocks) >= rate; blocks = blocks[rate:] {
		s.absorb(lane, blocks[:rate])
		s.Permute(1 << lane)
	}
}

// absorbBlocks is that of State4.
func (s *State8) absorbBlocks(lane, rate int, blocks []byte) {
	for ; len(blocks) >= rate; blocks = blocks[rate:] {
		s.absorb(lane, blocks[:rate])
		s.Permute(1 << lane)
	}
}
