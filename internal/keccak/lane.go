package keccak

// These methods of a State4 are what a [Scheduler] is made of, for work whose lanes and order
// are known in advance.

// Start begins sponges in some lanes, as [Scheduler.Start] does. After Permute they can be
// squeezed.
func (s *State4) Start(lanes uint, rate int, seed []byte, tail *[Lanes]uint64) {
	s.start(lanes, seed, tail, rate/8-1)
}

// SetLane sets the state of lane to a, and GetLane a to it.
func (s *State4) SetLane(lane int, a *[25]uint64) { s.column(lane).store(a) }
func (s *State4) GetLane(lane int, a *[25]uint64) { s.column(lane).load(a) }

// Absorb adds to lane the next block of what is left of a message, message, and returns what
// is then left. That is nil if the block was the last, with the padding: once permuted, lane
// can be squeezed.
func (s *State4) Absorb(lane, rate int, domain byte, message []byte) (rest []byte) {
	if len(message) >= rate {
		s.absorb(lane, message[:rate])
		return message[rate:]
	}
	s.absorb(lane, message)
	s.column(lane).pad(len(message)/8, message[len(message)&^7:], rate, domain)
	return nil
}

// AbsorbAll absorbs all that is left of a message in lane and permutes it after each block.
// What it leaves in the other lanes is unspecified.
func (s *State4) AbsorbAll(lane, rate int, domain byte, message []byte) {
	blocks := len(message) / rate * rate
	s.absorbBlocks(lane, rate, message[:blocks])
	s.Absorb(lane, rate, domain, message[blocks:])
	s.Permute(1 << lane)
}

// Read copies the first len(dst) bytes of a lane to dst. len(dst) is a multiple of 8 and at
// most the rate.
func (s *State4) Read(lane int, dst []byte) { s.column(lane).read(dst) }
