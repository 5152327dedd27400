//go:build arm64 && !purego

package dsaring

import (
	"math/bits"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/keccak"
)

// SampleNTT continues FIPS 204, Algorithm 30 (RejNTTPoly), over one block of the XOF for each
// lane whose bit is set in lanes: it reads the first 168 bytes of the lane as 56 numbers of
// 3 bytes, without their highest bits, and appends those below q to the lane's stream, until it
// has 256; what is left over then is ignored. Entries of P from N on are unspecified.
//
// 0 ≤ N ≤ 256, lanes < 2^8. Output: [0, q), standard order of the NTT domain. Its time
// depends on the blocks, which are public: they derive from ρ alone.
func SampleNTT(streams *[8]Stream, lanes uint, s *keccak.State8) {
	if !cpu.NEON {
		sampleNTTGeneric(streams, lanes, s)
		return
	}
	for ; lanes != 0; lanes &= lanes - 1 {
		lane := bits.TrailingZeros(lanes) & 7
		stream := &streams[lane]
		stream.N = sampleNTTNEON(stream.P, stream.N, &s[0][lane])
	}
}

// SampleBounded continues FIPS 204, Algorithm 31 (RejBoundedPoly), over one block of the XOF for
// each lane whose bit is set in lanes: it reads the first 136 bytes of the lane as 272 half
// bytes, the lower half of each byte first, and appends a coefficient to the lane's stream for
// each that is below 15 if η is 2, below 9 if η is 4, until it has 256; what is left over then
// is ignored. Entries of P from N on are unspecified.
//
// 0 ≤ N ≤ 256, lanes < 2^8, η is 2 or 4. Output: |c| ≤ η. Its time and its accesses depend on
// which half bytes are rejected, which tells nothing of the others.
func SampleBounded(streams *[8]Stream, lanes uint, s *keccak.State8, eta int32) {
	if !cpu.NEON {
		sampleBoundedGeneric(streams, lanes, s, eta)
		return
	}
	for ; lanes != 0; lanes &= lanes - 1 {
		lane := bits.TrailingZeros(lanes) & 7
		stream := &streams[lane]
		if eta == 2 {
			stream.N = sampleBounded2NEON(stream.P, stream.N, &s[0][lane])
		} else {
			stream.N = sampleBounded4NEON(stream.P, stream.N, &s[0][lane])
		}
	}
}

// The kernels below have the contracts of the functions above and work at any alignment. They are
// for one lane, to the first word of which lane points; the others follow at a distance of 64
// bytes. p holds n coefficients, and they return the new n. On return no coefficient of those
// of RejBoundedPoly is left on the stack. The number in names is η.

//go:noescape
func sampleNTTNEON(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded2NEON(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded4NEON(p *Poly, n int, lane *uint64) int
