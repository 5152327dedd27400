package mlkem

import (
	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
)

// How the operations share the four lanes of the permutation. There are hashes whose blocks
// follow one another (H(ek) and J(z ‖ c)), which take lane 0, a noise polynomial takes a lane
// for one permutation, or two if η = 3, and a polynomial of Â takes one for three, rarely
// more. So three polynomials of Â and three permutations of other work, in lane 0, keep all
// lanes busy, and nothing has to be decided on the way.

// chainLane is the lane of the hashes, and of noise beside Â.
const chainLane = 0

// A chain is a hash with a rate of 136 bytes that absorbs a message of any length in a lane.
type chain struct {
	lane   int
	domain byte
	begin  *[25]uint64 // its state before it takes the lane, then nil
	rest   []byte      // what is left of the message; nil when all is absorbed
	digest [32]byte    // the first bytes of the output, then
}

// hash makes c a hash of message that has yet to begin, in the chains' lane.
func (c *chain) hash(domain byte, message []byte) {
	c.lane, c.domain, c.begin, c.rest = chainLane, domain, &newHash, message
}

const chainRate = keccak.RateSHAKE256 // and that of SHA3-256

// newHash is the state in which a hash begins.
var newHash [25]uint64

// enter puts c into its lane, before its first block.
func (c *chain) enter(s *keccak.State4) {
	if c.begin != nil {
		s.SetLane(c.lane, c.begin)
		c.begin = nil
	}
}

// feed absorbs a block, and take reads the digest if that was the last, once it is permuted.
func (c *chain) feed(s *keccak.State4) {
	c.enter(s)
	c.rest = s.Absorb(c.lane, chainRate, c.domain, c.rest)
}

func (c *chain) take(s *keccak.State4) {
	if c.rest == nil {
		s.Read(c.lane, c.digest[:])
	}
}

// finish absorbs what is left of the message, beside nothing.
func (c *chain) finish(s *keccak.State4) {
	if c.rest != nil {
		c.enter(s)
		s.AbsorbAll(c.lane, chainRate, c.domain, c.rest)
		c.rest = nil
		c.take(s)
	}
}

// permute advances the lanes in active, and c by a block unless it is nil or done.
func (w *scratch) permute(active uint, c *chain) {
	if c == nil || c.rest == nil {
		w.state.Permute(active)
		return
	}
	c.feed(&w.state)
	w.state.Permute(active | 1<<c.lane)
	c.take(&w.state)
}

// hashG sets w.g to G = SHA3-512 of w.seed[:n] and tail, beside c.
func (w *scratch) hashG(n int, tail uint64, c *chain) {
	const lane = chainLane + 1
	w.state.Start(1<<lane, keccak.RateSHA3_512, w.seed[:n], &[keccak.Lanes]uint64{lane: tail})
	w.permute(1<<lane, c)
	w.state.Read(lane, w.g[:])
}

// What follows the seed in the inputs of PRF_η and of the XOF: tails of consecutive
// polynomials, with room for lanes that are not started.
type tails [keccak.Lanes + maxK*maxK + keccak.Lanes]uint64

// from returns tails with that of polynomial number first in a lane, and the next ones in those
// behind it.
func (t *tails) from(first, lane int) *[keccak.Lanes]uint64 {
	return (*[keccak.Lanes]uint64)(t[keccak.Lanes+first-lane:])
}

// noiseTails are those of PRF_η(seed, i).
var noiseTails = func() (t tails) {
	for i := range 2*maxK + 1 {
		t[keccak.Lanes+i] = uint64(i) | keccak.DomainSHAKE<<8
	}
	return t
}()

// newMatrixTails returns those of the XOF(ρ, j, i), row by row, of Â with k rows.
func newMatrixTails(k int) *tails {
	t := new(tails)
	for i := range k {
		for j := range k {
			t[keccak.Lanes+k*i+j] = uint64(j) | uint64(i)<<8 | keccak.DomainSHAKE<<16
		}
	}
	return t
}

// noise are the noise polynomials of an operation, in the order of their numbers.
type noise struct {
	first []kemring.Poly // s or y
	rest  []kemring.Poly // e or e₁, e₂
}

func (v *noise) len() int { return len(v.first) + len(v.rest) }

func (v *noise) at(i int) *kemring.Poly {
	if i < len(v.first) {
		return &v.first[i]
	}
	return &v.rest[i-len(v.first)]
}

// sampleNoise samples w.noise, PRF_η(w.g[32:], i), of which the first threes have η = 3 and
// the others 2, in all lanes, or beside c in those behind its own.
func (w *scratch) sampleNoise(threes int, c *chain) {
	count := w.noise.len()
	next, lane0 := 0, 0
	switch {
	case c != nil:
		lane0 = chainLane + 1
	case keccak.Wide() && threes == 0:
		next = w.sampleInEight()
	}
	held := 0 // lanes that take a second block for the first polynomials
	for next < count || held > 0 {
		first := lane0 + held // the lane of polynomial number next
		n := min(keccak.Lanes-first, count-next)
		lanes := uint(1<<n-1) << first
		w.state.Start(lanes, keccak.RateSHAKE256, w.g[32:], noiseTails.from(next, first))
		w.permute(lanes|uint(1<<held-1)<<lane0, c)
		for i := range held {
			w.state.Read(lane0+i, w.prf[i][keccak.RateSHAKE256:])
			kemring.CBD3(w.noise.at(i), &w.prf[i])
		}
		held = 0
		for lane := first; lane < first+n; lane++ {
			if next < threes {
				w.state.Read(lane, w.prf[next][:keccak.RateSHAKE256])
				held++
			} else {
				kemring.CBD2(w.noise.at(next), &w.state, lane)
			}
			next++
		}
	}
	w.sampled = count
}

// sampleInEight samples up to eight noise polynomials with η = 2 at once, and returns how many.
func (w *scratch) sampleInEight() int {
	n := min(w.noise.len(), len(w.wide[0]))
	w.wide.Start(keccak.RateSHAKE256, w.g[32:], (*[8]uint64)(noiseTails[keccak.Lanes:]))
	w.wide.Permute(1<<8 - 1)
	for i := range n {
		kemring.CBD2Wide(w.noise.at(i), &w.wide, i)
	}
	clear(w.wide[:])
	return n
}

// xofBlocks is how many blocks of the XOF nearly every polynomial of Â takes.
const xofBlocks = 3

// sampleMatrix samples n polynomials of Â from number first on. Up to three leave a lane to the
// polynomials of w.noise from number w.sampled on, one for each permutation, and then to c.
// How many permutations it takes depends on ρ, through the rejections of SampleNTT, and on
// nothing secret.
func (w *scratch) sampleMatrix(pk *publicKey, first, n int, c *chain) {
	lane0, noise := chainLane+1, w.noise.len()
	if n == keccak.Lanes {
		lane0, noise, c = 0, 0, nil
	}
	a := pk.a[first:][:n]
	lanes := uint(1<<n-1) << lane0
	w.state.Start(lanes, keccak.RateSHAKE128, pk.rho[:], pk.tails.from(first, lane0))
	var done [keccak.Lanes]int // coefficients of each
	for range xofBlocks {
		if i := w.sampled; i < noise {
			w.state.Start(1<<chainLane, keccak.RateSHAKE256, w.g[32:], noiseTails.from(i, chainLane))
			w.state.Permute(lanes | 1<<chainLane)
			kemring.CBD2(w.noise.at(i), &w.state, chainLane)
			w.sampled++
		} else {
			w.permute(lanes, c)
		}
		kemring.SampleNTTs(a, &done, &w.state, lane0)
	}
	for i := range a {
		for done[i] < kemring.N {
			w.permuteAside(lane0 + i)
			done[i] = kemring.SampleNTT(&a[i], done[i], &w.state, lane0+i)
		}
	}
}

// permuteAside permutes one lane beside Â and changes no other.
func (w *scratch) permuteAside(lane int) {
	var a [25]uint64
	w.state.GetLane(lane, &a)
	keccak.Permute(&a)
	w.state.SetLane(lane, &a)
}
