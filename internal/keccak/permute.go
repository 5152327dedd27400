// Package keccak is Keccak-f[1600] (FIPS 202, §3), for one state and for four at once,
// and the SHA-3 functions on top of it.
package keccak

import "encoding/binary"

//go:generate sh -c "cd ../asm && go run ./keccak -out ../keccak"

// Lanes is the number of states in a [State4].
const Lanes = 4

// State4 holds four Keccak states, its lanes, interleaved: word w of lane l is s[w][l].
// Word x + 5y of a state is A[x, y] of FIPS 202, §3.1.2.
type State4 [25][Lanes]uint64

// permuteGeneric applies Keccak-f[1600] to the lanes of s whose bit is set in active
// and leaves the other lanes alone.
func (s *State4) permuteGeneric(active uint) {
	var a [25]uint64
	for l := range Lanes {
		if active>>l&1 == 0 {
			continue
		}
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

// startGeneric begins sponges in the lanes of s whose bit is set in lanes: the words of
// seed, the same for every lane, then the lane's word of tail, zeros, and the padding's
// last bit in word last. len(seed) is a multiple of 8 and less than 8·last.
func (s *State4) startGeneric(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	for l := range tail {
		if lanes>>l&1 == 0 {
			continue
		}
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

// absorbGeneric adds the words of block, at most 25, to a lane of s; bytes beyond whole
// words are left out.
func (s *State4) absorbGeneric(lane int, block []byte) {
	rows := s[:len(block)/8]
	for w := range rows {
		rows[w][lane] ^= binary.LittleEndian.Uint64(block[8*w:])
	}
}
