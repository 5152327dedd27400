package keccak

import "encoding/binary"

// State8 holds eight Keccak states interleaved: word w of lane l is s[w][l]. It is for
// batches of streams that need one block: where registers are wide enough it costs less
// than two State4, and [Wide] says so.
type State8 [25][8]uint64

// Start begins sponges in all lanes, as [Scheduler.Start] does. After Permute they can be
// squeezed.
func (s *State8) Start(rate int, seed []byte, tail *[8]uint64) {
	s.start(seed, tail, rate/8-1)
}

// startGeneric is Start with the padding's last bit in word last. len(seed) is a multiple
// of 8 and less than 8·last.
func (s *State8) startGeneric(seed []byte, tail *[8]uint64, last int) {
	for l := range tail {
		for w := range s {
			s[w][l] = 0
		}
		for w := range len(seed) / 8 {
			s[w][l] = binary.LittleEndian.Uint64(seed[8*w:])
		}
		s[len(seed)/8][l] = tail[l]
		s[last][l] ^= 1 << 63
	}
}

// permuteGeneric applies Keccak-f[1600] to every lane.
func (s *State8) permuteGeneric() {
	var a [25]uint64
	for l := range s[0] {
		for w := range a {
			a[w] = s[w][l]
		}
		permuteGeneric(&a)
		for w := range a {
			s[w][l] = a[w]
		}
	}
	clear(a[:])
}
