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
// kilobytes, and growing copies secrets. Polynomials and states stand at whole cache lines, which
// a vector that straddles two would pay for.
type scratch struct {
	a                  [maxRows * maxL]dsaring.Poly // rows of Â, where the key does not hold it
	polys              [maxL + 1]dsaring.Poly
	w0, w1             [maxK]dsaring.Poly
	t                  [maxK]dsaring.Poly
	c, acc             dsaring.Poly
	smallC, smallTwist [1]kemring.Poly // ĉ modulo 3329
	smallAcc           kemring.Poly
	hints              [maxK]dsaring.Hint
	wide               keccak.Scheduler8
	_                  [(64 - unsafe.Sizeof(keccak.Scheduler8{})%64) % 64]byte
	lanes              keccak.Scheduler

	masks   masks
	w1Bytes [MuSize + maxW1Size]byte // μ ‖ packed w₁
	ball    dsaring.Ball
	ride    ride
	sponge  keccak.Sponge
	tail    [keccak.Lanes]uint64
	tails   [8]uint64
	seed    [128]byte      // ρ ‖ ρ′ ‖ K of key generation, ρ″ of signing
	c1, c2  [64]byte       // challenges
	z       []dsaring.Poly // polys, as many as there are
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// begin prepares w for an operation with parameters p.
func (w *scratch) begin(p *params) {
	w.z = w.polys[:p.l]
}

// release wipes w after an operation with parameters p and returns it to the pool. It
// keeps Â, which is public.
func (w *scratch) release(p *params) {
	clear(w.polys[:p.l])
	w.z = nil
	clear(w.w0[:p.k])
	clear(w.w1[:p.k])
	clear(w.t[:p.k])
	clear(w.c[:])
	clear(w.acc[:])
	clear(w.smallC[:])
	clear(w.smallTwist[:])
	clear(w.smallAcc[:])
	clear(w.hints[:])
	w.masks.wipe(p)
	clear(w.w1Bytes[:])
	w.lanes = keccak.Scheduler{}
	w.ride = ride{}
	w.ball = dsaring.Ball{}
	w.sponge = keccak.Sponge{}
	clear(w.seed[:])
	clear(w.c1[:])
	clear(w.c2[:])
	scratches.Put(w)
}

// releasePublic returns w to the pool after an operation without secrets. It drops the references
// to memory of others.
func (w *scratch) releasePublic() {
	w.ride = ride{}
	scratches.Put(w)
}

// A ride is a hash H = SHAKE256 that is absorbed in one lane while others squeeze streams:
// tr beside Â, and in verification μ and c̃ after it.
type ride struct {
	message []byte
	ready   int  // how much of message can be read
	written bool // the message is in w.sponge, but for its last permutation
	waiting bool // for a lane
	lane    int
	digest  [64]byte
}

// hash makes the message the next ride.
func (w *scratch) hash(message []byte, ready int) {
	w.ride.message, w.ride.ready, w.ride.waiting = message, ready, true
}

// hashWritten makes what has been written to w.sponge the next ride.
func (w *scratch) hashWritten() { w.ride.written, w.ride.waiting = true, true }

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
	// hashDone, if it is not nil, is called when the hash is done, and may begin another.
	hashDone func()
	// challenge, if it is not nil, is what w.c is sampled from, before the first row is done.
	challenge []byte
	// rowDone is called for each row of Â in order when all of it, and of s₁ and s₂, is there. After
	// that its memory may hold another.
	rowDone func(i int)
}

// expand runs the streams of x in eight lanes, and the hashes that wait, one after another. Which
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
		hash, ball       uint   // the lanes of the hash and of the challenge
		secret           int    // next polynomial of s₁ and s₂
		i, j             int    // next polynomial of Â
		done             int    // rows
	)
	if x.challenge != nil {
		ball = 1
		w.ball.Begin(&w.c, p.tau)
		w.tails[0] = keccak.DomainSHAKE
		lanes.Start(ball, keccak.RateSHAKE256, x.challenge, &w.tails)
	}
	for {
		var beginBounded, beginUniform uint
		for idle := ^(bounded | uniform | hash | ball) & (1<<8 - 1); idle != 0; idle &= idle - 1 {
			lane := bits.TrailingZeros(idle) & 7
			if r.waiting && done >= x.hashAfter {
				r.waiting, r.lane, hash = false, lane, 1<<lane
				if r.written {
					lanes.Join(lane, &w.sponge)
				} else {
					lanes.Absorb(lane, keccak.RateSHAKE256, keccak.DomainSHAKE, r.message, r.ready)
				}
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
		case bounded|uniform|ball != 0 || r.written:
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
		if ball != 0 {
			var block [dsaring.RateH]byte
			if lanes.Read(0, block[:]); w.ball.Continue(&w.c, &block) {
				lanes.Release(0)
				ball = 0
			}
		}
		for ; done < p.k && left[done] == 0 && ball == 0; done++ {
			x.rowDone(done)
		}
		if hash != 0 && lanes.Ready(r.lane) {
			lanes.Read(r.lane, r.digest[:])
			lanes.Release(r.lane)
			hash, r.written = 0, false
			if x.hashDone != nil {
				x.hashDone()
			}
		}
	}
}

// hashH sets out to H = SHAKE256 of the parts.
func (w *scratch) hashH(out []byte, parts ...[]byte) {
	w.sponge.Init(keccak.RateSHAKE256, keccak.DomainSHAKE)
	for _, part := range parts {
		w.sponge.Write(part)
	}
	w.sponge.Read(out)
}
