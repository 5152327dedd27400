package keccak

import "encoding/binary"

// A Scheduler runs up to four sponges, of different rates and in different phases, in the
// lanes of one permutation: a hash that must absorb its blocks one after another
// rides beside streams that are being squeezed. Each call of Step permutes all lanes
// that have work once.
//
// A lane is started with [Scheduler.Start] (a message shorter than a block) or
// [Scheduler.Absorb] (a message of any length); once [Scheduler.Ready] it is squeezed a block
// at a time by reading State in place, and continues with every further Step until it
// is started anew or released. The zero value has no lane at work.
type Scheduler struct {
	// State is first so that its rows share the alignment of the Scheduler.
	State  State4
	busy   uint // lanes that Step permutes
	hashes [Lanes]absorption
	saved  [25]uint64 // the lane that waits for its message, during Step
}

// An absorption is the message of a lane that still has blocks to absorb.
type absorption struct {
	message []byte
	next    int // offset of the next block
	ready   int // how many bytes of message can be read already
	rate    int
	domain  byte
	pending bool
}

// Start begins sponges in the lanes whose bit is set in lanes: PRF_η(s, b) and XOF(ρ, j, i)
// of FIPS 203, Section 4.1, and their like. The message of each is seed, whose length is a
// multiple of 8, and then the lane's tail, little endian: up to 7 bytes, followed by the
// domain. With its padding it fits into one block. The lanes, which may not be absorbing,
// are Ready after the next Step.
func (s *Scheduler) Start(lanes uint, rate int, seed []byte, tail *[Lanes]uint64) {
	s.busy |= lanes
	// Idle lanes are overwritten too: whole rows are stored faster.
	s.State.start(lanes|^s.busy, seed, tail, rate/8-1)
}

// Absorb begins a sponge that absorbs message, of which the first ready bytes can be
// read now; see [Scheduler.SetReady]. Step reads the message in place. The lane is Ready
// when all of it is absorbed.
func (s *Scheduler) Absorb(lane, rate int, domain byte, message []byte, ready int) {
	lane &= Lanes - 1
	for w := range s.State {
		s.State[w][lane] = 0
	}
	s.busy |= 1 << lane
	s.hashes[lane] = absorption{message: message, ready: ready, rate: rate, domain: domain, pending: true}
}

// SetReady says that the first ready bytes of the message that lane absorbs can be
// read. Until a whole block can be, the lane keeps its state through Step.
func (s *Scheduler) SetReady(lane, ready int) {
	h := &s.hashes[lane&(Lanes-1)]
	h.ready = ready
}

// Ready reports whether lane has absorbed its message and can be squeezed.
func (s *Scheduler) Ready(lane int) bool {
	return !s.hashes[lane&(Lanes-1)].pending
}

// Release ends the work of lane. Its state is unspecified after the next Step or Start.
func (s *Scheduler) Release(lane int) {
	s.busy &^= 1 << lane
	s.hashes[lane&(Lanes-1)] = absorption{}
}

// Step feeds the lanes that absorb and permutes those at work.
func (s *Scheduler) Step() {
	active := s.busy
	stalled := -1
	for lane := range s.hashes {
		h := &s.hashes[lane]
		if !h.pending {
			continue
		}
		switch end := h.next + h.rate; {
		case end <= h.ready:
			s.State.absorb(lane, h.message[h.next:end])
			h.next = end
		case end > len(h.message) && h.ready == len(h.message):
			s.absorbLast(lane)
		default:
			// The permutation may overwrite a lane that has no part in it.
			if stalled >= 0 {
				panic("keccak: two lanes wait for their messages")
			}
			stalled = lane
			active &^= 1 << lane
			for w := range s.saved {
				s.saved[w] = s.State[w][lane]
			}
		}
	}
	s.State.Permute(active)
	if stalled >= 0 {
		for w := range s.saved {
			s.State[w][stalled] = s.saved[w]
		}
	}
}

// Finish absorbs what is left of the message of lane, all of which is ready, and makes lane
// Ready: it is for a lane that is alone at work.
func (s *Scheduler) Finish(lane int) {
	lane &= Lanes - 1
	h := &s.hashes[lane]
	if !h.pending {
		return
	}
	if s.busy != 1<<lane || h.ready != len(h.message) {
		panic("keccak: Finish beside other work or before the message is there")
	}
	whole := (len(h.message) - h.next) / h.rate * h.rate
	s.State.absorbBlocks(lane, h.rate, h.message[h.next:h.next+whole])
	h.next += whole
	s.absorbLast(lane)
	s.State.Permute(1 << lane)
}

// absorbLast adds the last, incomplete block of a message with its padding.
func (s *Scheduler) absorbLast(lane int) {
	h := &s.hashes[lane]
	rest := h.message[h.next:]
	whole := len(rest) &^ 7
	s.State.absorb(lane, rest[:whole])
	last := uint64(h.domain) << (8 * (len(rest) - whole))
	for i, b := range rest[whole:] {
		last ^= uint64(b) << (8 * i)
	}
	s.State[whole/8][lane] ^= last
	s.State[h.rate/8-1][lane] ^= 1 << 63
	*h = absorption{}
}

// Read copies the first len(dst) bytes of a lane's block, which has to be Ready, to
// dst. len(dst) is a multiple of 8 and at most the rate.
func (s *Scheduler) Read(lane int, dst []byte) {
	lane &= Lanes - 1
	for w := range s.State[:len(dst)/8] {
		binary.LittleEndian.PutUint64(dst[8*w:], s.State[w][lane])
	}
}
