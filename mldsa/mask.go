package mldsa

import (
	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
)

const (
	// maskBlocks is how many blocks of SHAKE256 hold a polynomial of a mask, of 18 or 20 bits a
	// coefficient.
	maskBlocks = 5
	// maskDepth is of how many attempts there is room for the streams: of the one that is made, which
	// needs its mask to the end, and of those after it.
	maskDepth = 3
)

// masks are the streams of FIPS 204, Algorithm 34 (ExpandMask), for all attempts at a
// signature. Attempt a has κ = a·l, so that they are one queue: stream n is H(ρ″ ‖ n), for
// polynomial n mod l of attempt n/l.
//
// All else that is hashed, an attempt's challenge, is a chain of permutations in lane 0.
// The streams run in the other lanes, across the borders of attempts, as far ahead as there
// is room.
type masks struct {
	streams [maskDepth * maxL]maskStream // stream n is number n mod maskDepth·l
	other   [dsaring.RateH]byte          // takes the blocks of lanes without a stream
	lanes   [keccak.Lanes]struct {
		stream *maskStream // nil if there is none
		blocks int         // that it has
	}
	begun int // how many streams have been
	done  int // the first of them are complete
	slot  int // where the next one goes
}

type maskStream [maskBlocks * dsaring.RateH]byte

// polynomial sets y to polynomial i of the mask of an attempt, which has been expanded.
func (m *masks) polynomial(y *dsaring.Poly, p *params, attempt, i int) {
	dsaring.UnpackZ(y, m.streams[attempt%maskDepth*p.l+i][:], p.gamma1)
}

// expandMask completes the mask of an attempt. Those of earlier attempts are not needed any
// more.
func (w *scratch) expandMask(p *params, attempt int) {
	if w.masks.begun == 0 && keccak.Wide() && p.l > keccak.Lanes {
		w.firstMask()
	}
	for needed := (attempt + 1) * p.l; w.masks.done < needed; {
		// Lane 0 takes a stream that has to be waited for, as no other can end earlier.
		w.step(p, needed, w.room(p, attempt))
	}
}

// firstMask completes the first eight streams at once: before the first challenge nothing else
// runs, and four lanes would have to run twice. It is for sets whose masks have five streams at
// least.
func (w *scratch) firstMask() {
	m, s := &w.masks, &w.wide.State
	for i := range w.tails {
		w.tails[i] = uint64(i) | keccak.DomainSHAKE<<16
	}
	s.Start(dsaring.RateH, w.seed[:64], &w.tails)
	for block := range maskBlocks {
		s.Permute(1<<8 - 1)
		for first := 0; first < len(s[0]); first += keccak.Lanes {
			var blocks [keccak.Lanes]*[dsaring.RateH]byte
			for lane := range blocks {
				blocks[lane] = (*[dsaring.RateH]byte)(m.streams[first+lane][dsaring.RateH*block:])
			}
			dsaring.ReadHalf(&blocks, s, first)
		}
	}
	w.wide.Wipe()
	m.begun, m.done, m.slot = len(s[0]), len(s[0]), len(s[0])
}

// room returns the number of the first stream that must not begin during an attempt. Without
// vectors a lane that runs costs as much as any, so none runs before it is needed.
func (w *scratch) room(p *params, attempt int) int {
	if keccak.Parallel() {
		attempt += maskDepth - 1
	}
	return (attempt + 1) * p.l
}

// step permutes the lanes once, after idle ones have been given the next streams: lane 0 those
// before the number first, the others those before the number room.
func (w *scratch) step(p *params, first, room int) {
	m := &w.masks
	var begin uint
	for lane := range m.lanes {
		l := &m.lanes[lane]
		if l.stream != nil || m.begun >= room || lane == 0 && m.begun >= first {
			continue
		}
		l.stream, l.blocks = &m.streams[m.slot], 0
		if m.slot++; m.slot == maskDepth*p.l {
			m.slot = 0
		}
		w.tail[lane] = uint64(m.begun) | keccak.DomainSHAKE<<16
		m.begun++
		begin |= 1 << lane
	}
	if begin != 0 {
		w.lanes.Start(begin, dsaring.RateH, w.seed[:64], &w.tail)
	}
	w.lanes.Step()
	if m.begun == m.done {
		return
	}
	var blocks [keccak.Lanes]*[dsaring.RateH]byte
	for lane := range m.lanes {
		blocks[lane] = &m.other
		l := &m.lanes[lane]
		if l.stream == nil {
			continue
		}
		blocks[lane] = (*[dsaring.RateH]byte)(l.stream[dsaring.RateH*l.blocks:])
		if l.blocks++; l.blocks == maskBlocks {
			// Streams end in the order in which they begin: all are of the same length.
			m.done++
			l.stream = nil
			w.lanes.Release(lane)
		}
	}
	dsaring.ReadLanes(&blocks, &w.lanes.State)
}

// wipe wipes what signing with parameters p has left in m.
func (m *masks) wipe(p *params) {
	clear(m.streams[:min(m.begun, maskDepth*p.l)])
	clear(m.other[:])
	clear(m.lanes[:])
	m.begun, m.done, m.slot = 0, 0, 0
}
