// Package keccak is Keccak-f[1600] (FIPS 202, §3), for one state and for four at once,
// and the SHA-3 functions on top of it.
package keccak

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
