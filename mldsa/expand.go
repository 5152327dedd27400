package mldsa

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
)

// scratch is the working memory of one operation. It lives in a pool, not on the stack: a
// proxy runs a handshake on a fresh goroutine, whose stack would have to grow to tens of
// kilobytes, and growing copies secrets.
type scratch struct {
	// What kernels work on is aligned to cache lines, as the block is.
	a                  [maxRows * maxL]dsaring.Poly // rows of Â, where the key does not hold it
	polys              [3 * maxL]dsaring.Poly
	w0, w1             [maxK]dsaring.Poly
	t                  [maxK]dsaring.Poly
	c, acc             dsaring.Poly
	smallC, smallTwist [1]kemring.Poly // ĉ modulo 3329
	smallAcc           kemring.Poly
	hints              [maxK]dsaring.Hint
	wide               keccak.Scheduler8
	_                  [(64 - unsafe.Sizeof(keccak.Scheduler8{})%64) % 64]byte
	lanes              keccak.Scheduler

	y, mask []dsaring.Poly // of this and of the next attempt
	z       []dsaring.Poly
	streams [keccak.Lanes][5 * keccak.RateSHAKE256]byte // of ExpandMask, whole blocks
	w1Bytes [MuSize + maxW1Size]byte                    // μ ‖ packed w₁
	ride    ride
	sponge  keccak.Sponge
	tail    [keccak.Lanes]uint64
	tails   [8]uint64
	counts  [maxK * maxL]int // of coefficients that streams have given
	seed    [128]byte        // ρ ‖ ρ′ ‖ K of key generation, ρ″ of signing
	c1, c2  [64]byte         // challenges
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// begin prepares w for an operation with parameters p.
func (w *scratch) begin(p *params) {
	w.y, w.mask, w.z = w.polys[:p.l], w.polys[p.l:][:p.l], w.polys[2*p.l:][:p.l]
}

// release wipes w after an operation with parameters p and returns it to the pool. It
// keeps Â, which is public.
func (w *scratch) release(p *params) {
	clear(w.polys[:3*p.l])
	w.y, w.mask, w.z = nil, nil, nil
	clear(w.w0[:p.k])
	clear(w.w1[:p.k])
	clear(w.t[:p.k])
	clear(w.c[:])
	clear(w.acc[:])
	clear(w.smallC[:])
	clear(w.smallTwist[:])
	clear(w.smallAcc[:])
	clear(w.hints[:])
	for i := range w.streams {
		clear(w.streams[i][:])
	}
	clear(w.w1Bytes[:])
	w.lanes = keccak.Scheduler{}
	w.ride = ride{}
	w.sponge = keccak.Sponge{}
	clear(w.counts[:])
	clear(w.seed[:])
	clear(w.c1[:])
	clear(w.c2[:])
	scratches.Put(w)
}

// releaseSponge does so after an operation that has used w.sponge alone.
func (w *scratch) releaseSponge() {
	w.sponge = keccak.Sponge{}
	scratches.Put(w)
}

// A ride is a hash H = SHAKE256 that is absorbed in one lane while others squeeze streams:
// tr beside Â, or the challenge of one attempt beside the mask of the next.
type ride struct {
	message []byte
	ready   int  // how much of message can be read
	waiting bool // for a lane
	running bool
	lane    int
	digest  [64]byte
}

// hash makes the message the next ride.
func (w *scratch) hash(message []byte, ready int) {
	w.ride.message, w.ride.ready, w.ride.waiting = message, ready, true
}

// squeeze runs n streams of a rate: stream i has seed and then the two bytes of suffix(i).
// After each permutation take is told of a stream's block, in a lane of w.lanes.State, until
// it reports that it needs no more. A hash that waits takes a lane as soon as there is
// something to read; squeeze returns when it is done too.
func (w *scratch) squeeze(n, rate int, seed []byte, suffix func(i int) uint64, take func(i, lane int) bool) {
	r := &w.ride
	var streams [keccak.Lanes]int // 1 more than the stream that a lane has
	next, busy := 0, 0            // busy lanes with streams
	for {
		var begin uint
		for lane := range streams {
			switch {
			case streams[lane] != 0 || r.running && r.lane == lane:
			case r.waiting && r.ready > 0:
				r.waiting, r.running, r.lane = false, true, lane
				w.lanes.Absorb(lane, keccak.RateSHAKE256, keccak.DomainSHAKE, r.message, r.ready)
			case next < n:
				w.tail[lane] = suffix(next) | keccak.DomainSHAKE<<16
				begin |= 1 << lane
				next++
				streams[lane] = next
				busy++
			}
		}
		if busy == 0 && !r.running {
			return
		}
		if begin != 0 {
			w.lanes.Start(begin, rate, seed, &w.tail)
		}
		if r.running {
			w.lanes.SetReady(r.lane, r.ready)
		}
		if busy == 0 && r.ready == len(r.message) {
			w.lanes.Finish(r.lane)
		} else {
			w.lanes.Step()
		}
		for lane, stream := range streams {
			if stream != 0 && take(stream-1, lane) {
				w.lanes.Release(lane)
				streams[lane] = 0
				busy--
			}
		}
		if r.running && w.lanes.Ready(r.lane) {
			w.lanes.Read(r.lane, r.digest[:])
			w.lanes.Release(r.lane)
			r.running = false
		}
	}
}

// maxRows is how many rows of Â verification has memory for at a time: they stay in the nearest
// cache, and the streams in eight lanes belong to fewer.
const maxRows = 4

// An expansion is the work of expand: the polynomials of Â, which FIPS 204, Algorithm 32
// (ExpandA), draws from ρ, and in key generation s₁ and s₂, which Algorithm 33 (ExpandS) draws
// from ρ′.
type expansion struct {
	a        []dsaring.Poly // row i is at i mod rows
	rows     int            // that a has room for
	rho      []byte
	s1, s2   []dsaring.Poly
	rhoPrime []byte
	// early polynomials of Â begin before s₁ and s₂. The hash that waits takes a lane when
	// hashAfter rows are done: it is the last to end if it begins later, and has to wait for its
	// message if it begins earlier.
	early, hashAfter int
	// rowDone is called for each row of Â in order when all of it, and of s₁ and s₂, is there. After
	// that its memory may hold another.
	rowDone func(i int)
}

// expand runs the streams of x in eight lanes, and the hash that waits, if there is one. Which
// lane does what depends on what the streams reject.
func (w *scratch) expand(p *params, x *expansion) {
	r := &w.ride
	lanes := &w.wide
	secrets := len(x.s1) + len(x.s2)
	var left [maxK]int // polynomials that a row lacks
	for i := range left {
		left[i] = p.l
	}
	left[0] += secrets

	var (
		streams          [8]dsaring.Stream
		rows             [8]int // that streams belong to
		bounded, uniform uint   // lanes with streams, by what is sampled
		hash             uint   // the lane of the hash
		secret           int    // next polynomial of s₁ and s₂
		i, j             int    // next polynomial of Â
		done             int    // rows
	)
	for {
		var beginBounded, beginUniform uint
		for idle := ^(bounded | uniform | hash) & (1<<8 - 1); idle != 0; idle &= idle - 1 {
			lane := bits.TrailingZeros(idle) & 7
			if r.waiting && done >= x.hashAfter {
				r.waiting, r.lane, hash = false, lane, 1<<lane
				lanes.Absorb(lane, keccak.RateSHAKE256, keccak.DomainSHAKE, r.message, r.ready)
			} else if secret < secrets && i*p.l+j >= x.early {
				if secret < len(x.s1) {
					streams[lane].P = &x.s1[secret]
				} else {
					streams[lane].P = &x.s2[secret-len(x.s1)]
				}
				streams[lane].N, rows[lane] = 0, 0
				w.tails[lane] = uint64(secret) | keccak.DomainSHAKE<<16
				beginBounded |= 1 << lane
				secret++
			} else if i < p.k && i < done+x.rows {
				streams[lane].P = &x.a[i%x.rows*p.l+j]
				streams[lane].N, rows[lane] = 0, i
				w.tails[lane] = uint64(j) | uint64(i)<<8 | keccak.DomainSHAKE<<16
				beginUniform |= 1 << lane
				if j++; j == p.l {
					i, j = i+1, 0
				}
			} else {
				break
			}
		}
		if beginBounded != 0 {
			lanes.Start(beginBounded, dsaring.RateH, x.rhoPrime, &w.tails)
			bounded |= beginBounded
		}
		if beginUniform != 0 {
			lanes.Start(beginUniform, dsaring.RateXOF, x.rho, &w.tails)
			uniform |= beginUniform
		}
		if hash != 0 {
			lanes.SetReady(r.lane, r.ready)
		}
		switch {
		case bounded|uniform != 0:
			lanes.Step()
		case hash != 0:
			lanes.Finish(r.lane)
		default:
			lanes.Wipe()
			return
		}
		if bounded != 0 {
			dsaring.SampleBounded(&streams, bounded, &lanes.State, p.eta)
		}
		dsaring.SampleNTT(&streams, uniform, &lanes.State)
		for running := bounded | uniform; running != 0; running &= running - 1 {
			lane := bits.TrailingZeros(running) & 7
			if streams[lane].N == dsaring.N {
				lanes.Release(lane)
				bounded &^= 1 << lane
				uniform &^= 1 << lane
				left[rows[lane]]--
			}
		}
		for ; done < p.k && left[done] == 0; done++ {
			x.rowDone(done)
		}
		if hash != 0 && lanes.Ready(r.lane) {
			lanes.Read(r.lane, r.digest[:])
			lanes.Release(r.lane)
			hash = 0
		}
	}
}

// expandMask is Algorithm 34: it sets w.mask to the mask of ρ″, in w.seed, and κ.
func (w *scratch) expandMask(p *params, kappa int) {
	y := w.mask
	size := dsaring.SizeZ(p.gamma1)
	blocks := &w.counts
	clear(blocks[:])
	w.squeeze(p.l, dsaring.RateH, w.seed[:64],
		func(i int) uint64 { return uint64(kappa + i) },
		func(i, lane int) bool {
			stream := w.streams[lane][:]
			w.lanes.Read(lane, stream[dsaring.RateH*blocks[i]:][:dsaring.RateH])
			blocks[i]++
			if dsaring.RateH*blocks[i] < size {
				return false
			}
			dsaring.UnpackZ(&y[i], stream[:size], p.gamma1)
			return true
		})
}

// sampleInBall is Algorithm 29: it sets w.c to the challenge of seed c̃.
func (w *scratch) sampleInBall(p *params, seed []byte) {
	var b dsaring.Ball
	b.Begin(&w.c, p.tau)
	w.tail[0] = keccak.DomainSHAKE
	w.lanes.Start(1, keccak.RateSHAKE256, seed, &w.tail)
	for {
		w.lanes.Step()
		if b.Continue(&w.c, &w.lanes.State, 0) {
			break
		}
	}
	w.lanes.Release(0)
}

// hashH sets out to H = SHAKE256 of the parts.
func (w *scratch) hashH(out []byte, parts ...[]byte) {
	w.sponge.Init(keccak.RateSHAKE256, keccak.DomainSHAKE)
	for _, part := range parts {
		w.sponge.Write(part)
	}
	w.sponge.Read(out)
}
