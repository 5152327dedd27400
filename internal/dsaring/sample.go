package dsaring

import (
	"encoding/binary"
	"math/bits"

	"github.com/pqlane/pqlane/internal/keccak"
)

// A Stream is a polynomial that a lane of the XOF is sampled to.
type Stream struct {
	P *Poly
	N int // coefficients that P has
}

// sampleNTTGeneric continues FIPS 204, Algorithm 30 (RejNTTPoly), over one block of the XOF for
// each lane whose bit is set in lanes: it reads the first 168 bytes of the lane as 56 numbers
// of 3 bytes, without their highest bits, and appends those below q to the lane's stream, until
// it has 256; what is left over then is ignored. Entries of P from N on are unspecified.
//
// 0 ≤ N ≤ 256, lanes < 2^8. Output: [0, q), standard order of the NTT domain. Its time
// depends on the blocks, which are public: they derive from ρ alone.
func sampleNTTGeneric(streams *[8]Stream, lanes uint, s *keccak.State8) {
	for ; lanes != 0; lanes &= lanes - 1 {
		lane := bits.TrailingZeros(lanes)
		stream := &streams[lane]
		stream.N = sampleNTTLane(stream.P, stream.N, s, lane)
	}
}

func sampleNTTLane(p *Poly, n int, s *keccak.State8, lane int) int {
	for w := 0; w < RateXOF/8; w += 3 {
		// Three words hold eight candidates.
		w0, w1, w2 := s[w][lane], s[w+1][lane], s[w+2][lane]
		candidates := [8]uint32{
			uint32(w0), uint32(w0 >> 24), uint32(w0>>48 | w1<<16), uint32(w1 >> 8),
			uint32(w1 >> 32), uint32(w1>>56 | w2<<8), uint32(w2 >> 16), uint32(w2 >> 40),
		}
		if n <= N-len(candidates) {
			// Every candidate has room: write each, keep it by advancing n.
			for _, c := range candidates {
				c &= 1<<23 - 1
				p[n&(N-1)] = int32(c)
				n += int((c - Q) >> 31)
			}
			continue
		}
		for _, c := range candidates {
			if c &= 1<<23 - 1; n < N && c < Q {
				p[n] = int32(c)
				n++
			}
		}
	}
	return n
}

// sampleBoundedGeneric continues FIPS 204, Algorithm 31 (RejBoundedPoly), over one block of the
// XOF for each lane whose bit is set in lanes: it reads the first 136 bytes of the lane as 272
// half bytes, the lower half of each byte first, and appends a coefficient to the lane's stream
// for each that is below 15 if η is 2, below 9 if η is 4, until it has 256; what is left over
// then is ignored. Entries of P from N on are unspecified.
//
// 0 ≤ N ≤ 256, lanes < 2^8, η is 2 or 4. Output: |c| ≤ η. Its time and its accesses depend on
// which half bytes are rejected, which tells nothing of the others.
func sampleBoundedGeneric(streams *[8]Stream, lanes uint, s *keccak.State8, eta int32) {
	for ; lanes != 0; lanes &= lanes - 1 {
		lane := bits.TrailingZeros(lanes)
		stream := &streams[lane]
		stream.N = sampleBoundedLane(stream.P, stream.N, s, lane, eta)
	}
}

func sampleBoundedLane(p *Poly, n int, s *keccak.State8, lane int, eta int32) int {
	limit := uint32(9)
	if eta == 2 {
		limit = 15
	}
	for w := range RateH / 8 {
		x := s[w][lane]
		room := n <= N-16
		for range 16 {
			b := uint32(x & 15)
			x >>= 4
			accepted := publicAcceptance(int((b - limit) >> 31))
			if eta == 2 {
				b -= b * 13 >> 6 * 5 // 13/64 is 1/5, closely enough below 16
			}
			// Where every candidate has room, write each, keep it by advancing n.
			if room || accepted == 1 {
				if n == N {
					return n
				}
				p[n&(N-1)] = eta - int32(b)
				n += accepted
			}
		}
	}
	return n
}

// A Ball is FIPS 204, Algorithm 29 (SampleInBall), between the blocks of its XOF.
type Ball struct {
	next  int    // the index i of the next position, from 256 − τ to 256
	signs uint64 // the bits that are left
	begun bool
}

// Begin makes p zero and b the beginning of a polynomial with τ coefficients ±1.
func (b *Ball) Begin(p *Poly, tau int) {
	*p = Poly{}
	*b = Ball{next: N - tau}
}

// Continue reads a block of the XOF, and reports whether p is complete; what is left of the block
// then is ignored.
//
// Output: |c| ≤ 1. Time and accesses depend on the block, which is public: it derives from the
// signature.
func (b *Ball) Continue(p *Poly, block *[RateH]byte) bool {
	positions := block[:]
	if !b.begun {
		b.begun = true
		b.signs = binary.LittleEndian.Uint64(positions)
		positions = positions[8:]
	}
	// A position that is rejected is treated as any other: p is zero at it and at b.next, and
	// the sign that is written there is zero.
	next, signs := b.next, b.signs
	for _, x := range positions {
		if next == N {
			return true
		}
		j := int(x)
		accepted := 1 - int(uint32(next-j)>>31)
		p[next&(N-1)] = p[j]
		p[j] = (1 - 2*int32(signs&1)) & -int32(accepted)
		signs >>= accepted
		next += accepted
	}
	b.next, b.signs = next, signs
	return next == N
}
