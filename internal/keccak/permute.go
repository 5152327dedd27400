// Package keccak is Keccak-f[1600] (FIPS 202, §3), for one state and for four or eight at
// once, and the SHA-3 functions on top of it.
package keccak

//go:generate sh -c "cd ../asm && go run ./keccak -out ../keccak"

// Lanes is the number of states in a [State4].
const Lanes = 4

// State4 holds four Keccak states, its lanes, interleaved: word w of lane l is s[w][l].
// Word x + 5y of a state is A[x, y] of FIPS 202, §3.1.2.
type State4 [25][Lanes]uint64

// State8 holds eight Keccak states interleaved: word w of lane l is s[w][l].
type State8 [25][8]uint64

// Start begins sponges in all lanes, as [Scheduler8.Start] does. After Permute they can be
// squeezed.
func (s *State8) Start(rate int, seed []byte, tail *[8]uint64) {
	s.start(1<<8-1, seed, tail, rate/8-1)
}

// permuteGeneric applies Keccak-f[1600] to the lanes of s whose bit is set in active
// and leaves the other lanes alone.
func (s *State4) permuteGeneric(active uint) {
	for l := range s[0] {
		if active>>l&1 == 1 {
			s.column(l).permute()
		}
	}
}

func (s *State8) permuteGeneric(active uint) {
	for l := range s[0] {
		if active>>l&1 == 1 {
			s.column(l).permute()
		}
	}
}

// startGeneric begins sponges in the lanes of s whose bit is set in lanes: the words of
// seed, the same for every lane, then the lane's word of tail, zeros, and the padding's
// last bit in word last. len(seed) is a multiple of 8 and less than 8·last.
func (s *State4) startGeneric(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	for l, t := range tail {
		if lanes>>l&1 == 1 {
			s.column(l).start(seed, t, last)
		}
	}
}

func (s *State8) startGeneric(lanes uint, seed []byte, tail *[8]uint64, last int) {
	for l, t := range tail {
		if lanes>>l&1 == 1 {
			s.column(l).start(seed, t, last)
		}
	}
}
