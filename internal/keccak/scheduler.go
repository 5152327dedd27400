package keccak

import "math/bits"

// A Scheduler runs up to four sponges, of different rates and in different phases, in the
// lanes of one permutation: a hash that must absorb its blocks one after another
// rides beside streams that are being squeezed. Each call of Step permutes all lanes
// that have work once.
//
// A lane is started with [Scheduler.Start] (a message shorter than a block) or
// [Scheduler.Absorb] (a message of any length); once Ready it is squeezed a block
// at a time by reading State in place, and continues with every further Step until it
// is started anew or released. The zero value has no lane at work.
type Scheduler struct {
	// State is first so that its rows share the alignment of the Scheduler.
	State State4
	lanes
}

// A Scheduler8 is a [Scheduler] of eight lanes. Those of either half share permutations
// where registers are not wide enough for all, so that work in few lanes belongs in one half.
type Scheduler8 struct {
	State State8
	lanes
}

// lanes is what the schedulers of both widths keep beside the state.
type lanes struct {
	busy      uint // lanes that Step permutes
	absorbing uint // those of them that have blocks to absorb
	hashes    [8]absorption
	saved     [25]uint64 // the lane that waits for its message, during Step
}

// An absorption is the message of a lane that still has blocks to absorb.
type absorption struct {
	message []byte
	next    int // offset of the next block
	ready   int // how many bytes of message can be read already
	rate    int
	domain  byte
}

// Start begins sponges in the lanes whose bit is set in lanes: PRF_η(s, b) and XOF(ρ, j, i)
// of FIPS 203, Section 4.1, and their like. The message of each is seed, whose length is a
// multiple of 8, and then the lane's tail, little endian: up to 7 bytes, followed by the
// domain. With its padding it fits into one block. The lanes, which may not be absorbing,
// are Ready after the next Step.
func (s *Scheduler) Start(lanes uint, rate int, seed []byte, tail *[Lanes]uint64) {
	s.busy |= lanes
	s.State.Start(lanes, rate, seed, tail)
}

// Start is [Scheduler.Start].
func (s *Scheduler8) Start(lanes uint, rate int, seed []byte, tail *[8]uint64) {
	s.busy |= lanes
	s.State.start(lanes, seed, tail, rate/8-1)
}

// Absorb begins a sponge that absorbs message, of which the first ready bytes can be
// read now; see SetReady. Step reads the message in place. The lane is Ready when all of it is
// absorbed.
func (s *Scheduler) Absorb(lane, rate int, domain byte, message []byte, ready int) {
	s.begin(s.State.column(lane), lane, absorption{message: message, ready: ready, rate: rate, domain: domain})
}

// Absorb is [Scheduler.Absorb].
func (s *Scheduler8) Absorb(lane, rate int, domain byte, message []byte, ready int) {
	s.begin(s.State.column(lane), lane, absorption{message: message, ready: ready, rate: rate, domain: domain})
}

func (l *lanes) begin(c column, lane int, h absorption) {
	c.store(new([25]uint64))
	l.busy |= 1 << lane
	l.absorbing |= 1 << lane
	l.hashes[lane] = h
}

// Join continues h in lane: the message that has been written to h is complete, and the lane is
// Ready after the next Step. h is used up.
func (s *Scheduler) Join(lane int, h *Sponge) {
	h.pad()
	s.State.column(lane).store(&h.a)
	s.busy |= 1 << lane
}

// Join is [Scheduler.Join].
func (s *Scheduler8) Join(lane int, h *Sponge) {
	h.pad()
	s.State.column(lane).store(&h.a)
	s.busy |= 1 << lane
}

// SetReady says that the first ready bytes of the message that lane absorbs can be
// read. Until a whole block can be, the lane keeps its state through Step.
func (l *lanes) SetReady(lane, ready int) { l.hashes[lane].ready = ready }

// Ready reports whether lane has absorbed its message and can be squeezed.
func (l *lanes) Ready(lane int) bool { return l.absorbing>>lane&1 == 0 }

// Release ends the work of lane. Its state is unspecified after the next Step or Start.
func (l *lanes) Release(lane int) {
	l.busy &^= 1 << lane
	if !l.Ready(lane) {
		l.end(lane)
	}
}

// Wipe makes s, at whose lanes no work is left, the zero value.
func (s *Scheduler8) Wipe() {
	clear(s.State[:])
	clear(s.saved[:])
}

// end ends the absorption of lane.
func (l *lanes) end(lane int) {
	l.absorbing &^= 1 << lane
	l.hashes[lane] = absorption{}
}

// next returns the next block of the message that lane absorbs, shorter than the rate if it
// is the last, or false if it is not there yet.
func (l *lanes) next(lane int) (block []byte, ok bool) {
	h := &l.hashes[lane]
	rest := h.message[h.next:]
	switch {
	case h.next+h.rate <= h.ready:
		h.next += h.rate
		return rest[:h.rate], true
	case len(rest) < h.rate && h.ready == len(h.message):
		return rest, true
	}
	return nil, false
}

// pad ends the absorption of lane if block, whose words c has absorbed, is the last.
func (l *lanes) pad(c column, lane int, block []byte) {
	if h := &l.hashes[lane]; len(block) < h.rate {
		c.pad(len(block)/8, block[len(block)&^7:], h.rate, h.domain)
		l.end(lane)
	}
}

// feed gives lane its next block and reports whether it is there.
func (s *Scheduler) feed(lane int) bool {
	block, ok := s.next(lane)
	if ok {
		s.State.absorb(lane, block)
		s.pad(s.State.column(lane), lane, block)
	}
	return ok
}

func (s *Scheduler8) feed(lane int) bool {
	block, ok := s.next(lane)
	if ok {
		s.State.absorb(lane, block)
		s.pad(s.State.column(lane), lane, block)
	}
	return ok
}

// Step feeds the lanes that absorb and permutes those at work. At most one lane may have to
// wait for its message.
func (s *Scheduler) Step() {
	stalled := -1
	for left := s.absorbing; left != 0; left &= left - 1 {
		if lane := bits.TrailingZeros(left); !s.feed(lane) {
			stalled = s.stall(s.State.column(lane), lane, stalled)
		}
	}
	if stalled < 0 {
		s.State.Permute(s.busy)
		return
	}
	s.State.Permute(s.busy &^ (1 << stalled))
	s.State.column(stalled).store(&s.saved)
}

// Step is [Scheduler.Step].
func (s *Scheduler8) Step() {
	stalled := -1
	for left := s.absorbing; left != 0; left &= left - 1 {
		if lane := bits.TrailingZeros(left); !s.feed(lane) {
			stalled = s.stall(s.State.column(lane), lane, stalled)
		}
	}
	if stalled < 0 {
		s.State.Permute(s.busy)
		return
	}
	s.State.Permute(s.busy &^ (1 << stalled))
	s.State.column(stalled).store(&s.saved)
}

// stall saves the state of lane, since the permutation may overwrite a lane that has no part
// in it, and returns lane. other is the lane that is saved already, or -1.
func (l *lanes) stall(c column, lane, other int) int {
	if other >= 0 {
		panic("keccak: two lanes wait for their messages")
	}
	c.load(&l.saved)
	return lane
}

// Finish absorbs what is left of the message of lane, all of which is ready, and makes lane
// Ready: it is for a lane that is alone at work.
func (s *Scheduler) Finish(lane int) {
	if !s.Ready(lane) {
		s.State.absorbBlocks(lane, s.hashes[lane].rate, s.wholeBlocks(lane))
		s.feed(lane)
		s.State.Permute(1 << lane)
	}
}

// Finish is [Scheduler.Finish].
func (s *Scheduler8) Finish(lane int) {
	if !s.Ready(lane) {
		s.State.absorbBlocks(lane, s.hashes[lane].rate, s.wholeBlocks(lane))
		s.feed(lane)
		s.State.Permute(1 << lane)
	}
}

// wholeBlocks returns all blocks of lane's message but the last, which is not whole.
func (l *lanes) wholeBlocks(lane int) (blocks []byte) {
	h := &l.hashes[lane]
	if l.busy != 1<<lane || h.ready != len(h.message) {
		panic("keccak: Finish beside other work or before the message is there")
	}
	blocks = h.message[h.next:]
	blocks = blocks[:len(blocks)/h.rate*h.rate]
	h.next += len(blocks)
	return blocks
}

// Read copies the first len(dst) bytes of a lane's block, which has to be Ready, to
// dst. len(dst) is a multiple of 8 and at most the rate.
func (s *Scheduler) Read(lane int, dst []byte)  { s.State.Read(lane, dst) }
func (s *Scheduler8) Read(lane int, dst []byte) { s.State.column(lane).read(dst) }
