//go:build amd64 && !purego

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
	switch {
	case cpu.AVX512:
		sampleNTTAVX512(streams, uint64(lanes), s)
	case cpu.AVX2:
		sampleNTTAVX2(streams, uint64(lanes), s)
	default:
		sampleNTTGeneric(streams, lanes, s)
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
	if !cpu.AVX2 {
		sampleBoundedGeneric(streams, lanes, s, eta)
		return
	}
	block := s
	if !cpu.AVX512 { // which memcheck does not know
		block = publicAcceptances(s)
	}
	for ; lanes != 0; lanes &= lanes - 1 {
		lane := bits.TrailingZeros(lanes) & 7
		p, n := streams[lane].P, streams[lane].N
		switch first := &block[0][lane]; {
		case cpu.AVX512 && eta == 2:
			streams[lane].N = sampleBounded2AVX512(p, n, first)
		case cpu.AVX512:
			streams[lane].N = sampleBounded4AVX512(p, n, first)
		case eta == 2:
			streams[lane].N = sampleBounded2AVX2(p, n, first)
		default:
			streams[lane].N = sampleBounded4AVX2(p, n, first)
		}
		secretAgain(p[n:streams[lane].N], s, block, lane)
	}
}

// The kernels below have the contracts of the functions above and work at any alignment.

//go:noescape
func sampleNTTAVX2(streams *[8]Stream, lanes uint64, s *keccak.State8)

//go:noescape
func sampleNTTAVX512(streams *[8]Stream, lanes uint64, s *keccak.State8)

// These are for one lane, to the first word of which lane points; the others follow at a
// distance of 64 bytes. p holds n coefficients, and they return the new n. The number in the
// names is η.

//go:noescape
func sampleBounded2AVX2(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded2AVX512(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded4AVX2(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded4AVX512(p *Poly, n int, lane *uint64) int
