package main

import "fmt"

// A lane is a position (x, y) in the state A[x, y] of FIPS 202, §3.1: column x of row
// y. A state in memory is 25 words, of which lane (x, y) is word x + 5y.
type lane struct{ x, y int }

func (l lane) word() int { return l.x + 5*l.y }

// rounds is n_r of Keccak-f[1600] (FIPS 202, §3.4).
const rounds = 24

// rhoOffsets returns how far ρ rotates each lane to the left, by word (FIPS 202,
// §3.2.2, Algorithm 2).
func rhoOffsets() (offsets [25]int) {
	l := lane{1, 0}
	for t := range 24 {
		offsets[l.word()] = (t + 1) * (t + 2) / 2 % 64
		l = lane{l.y, (2*l.x + 3*l.y) % 5}
	}
	return offsets
}

// piSource returns the lane that π moves to l (FIPS 202, §3.2.3, Algorithm 3).
func piSource(l lane) lane { return lane{(l.x + 3*l.y) % 5, l.x} }

// roundConstants returns the words that ι adds to lane (0, 0) (FIPS 202, §3.2.5,
// Algorithms 5 and 6).
func roundConstants() (rc [rounds]uint64) {
	lfsr := uint64(1) // x^t modulo x^8 + x^6 + x^5 + x^4 + 1; its constant term is rc(t)
	for i := range rc {
		for j := range 7 {
			rc[i] |= lfsr & 1 << (1<<j - 1)
			lfsr <<= 1
			lfsr ^= lfsr >> 8 * 0x171
		}
	}
	return rc
}

// A placement says in which slot, a register or a word of memory, each lane stands, by
// word.
//
// A round works in place and row by row. The five lanes that π brings to row y are read
// from their slots, and χ writes the row back over the same five slots, each lane to
// the slot that belongs to its own column. So π moves nothing: it renames. As a matrix
// on (x, y) the renaming is (1 0; 1 2) modulo 5, whose order is [period]: a loop over that
// many rounds begins and ends with every lane at home, and a column never leaves its
// five slots (Bertoni, Daemen, Peeters, Van Assche and Van Keer, "Keccak
// implementation overview" 3.2, §2.5).
type placement [25]int

// period is the number of rounds after which every lane is in its first slot again.
const period = 4

// of returns the slot of lane l.
func (p placement) of(l lane) int { return p[l.word()] }

// next returns the placement after one more round.
func (p placement) next() (q placement) {
	for y := range 5 {
		for x := range 5 {
			q[lane{x, y}.word()] = p.of(lane{x, (x + 2*y) % 5})
		}
	}
	return q
}

// placements returns the placement at the start of each round of a period.
func placements() (ps [period]placement) {
	var home placement
	for i := range home {
		home[i] = i
	}
	p := home
	for i := range ps {
		ps[i] = p
		checkInPlace(p)
		p = p.next()
	}
	if p != home {
		panic("keccak: a lane is not home after a period")
	}
	return ps
}

// checkInPlace panics if a row would be written to other slots than it was read from.
func checkInPlace(p placement) {
	q := p.next()
	for y := range 5 {
		read, written := map[int]bool{}, map[int]bool{}
		for x := range 5 {
			read[p.of(piSource(lane{x, y}))] = true
			written[q.of(lane{x, y})] = true
		}
		if fmt.Sprint(read) != fmt.Sprint(written) {
			panic("keccak: a row is not in place")
		}
	}
}
