//go:build (!amd64 && !arm64) || purego

package keccak

// Permute applies Keccak-f[1600] to one state.
func Permute(a *[25]uint64) { permuteGeneric(a) }

// Permute applies Keccak-f[1600] to the lanes of s whose bit is set in active; what it
// leaves in the other lanes is unspecified. The timing may depend on active.
func (s *State4) Permute(active uint) { s.permuteGeneric(active) }

func (s *State4) start(lanes uint, seed []byte, tail *[Lanes]uint64, last int) {
	s.startGeneric(lanes, seed, tail, last)
}

func (s *State4) absorb(lane int, block []byte) { s.column(lane).absorb(block) }

// Parallel reports whether a [State4] costs less than its lanes by themselves.
func Parallel() bool { return false }

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

// Permute is [State4.Permute] for eight lanes.
func (s *State8) Permute(active uint) { s.permuteGeneric(active) }

func (s *State8) start(lanes uint, seed []byte, tail *[8]uint64, last int) {
	s.startGeneric(lanes, seed, tail, last)
}

func (s *State8) absorb(lane int, block []byte) { s.column(lane).absorb(block) }

func (s *State8) absorbBlocks(lane, rate int, blocks []byte) {
	for ; len(blocks) >= rate; blocks = blocks[rate:] {
		s.absorb(lane, blocks[:rate])
		s.Permute(1 << lane)
	}
}
