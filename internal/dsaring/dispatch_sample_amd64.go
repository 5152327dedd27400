//go:build amd64 && !purego

package dsaring

import (
	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/keccak"
)

// SampleNTT continues FIPS 204, Algorithm 30 (RejNTTPoly), over one block of the XOF: it reads
// the first 168 bytes of a lane of s as 56 numbers of 3 bytes, without their highest bits,
// and appends those below q to p, which holds n already. It returns the new n, at most
// 256; what is left over then is ignored. Entries of p from the new n on are unspecified.
//
// 0 ≤ n ≤ 256, lane < 4. Output: [0, q), standard order of the NTT domain. Its time
// depends on the block, which is public: it derives from ρ alone.
func SampleNTT(p *Poly, n int, s *keccak.State4, lane int) int {
	switch {
	case cpu.AVX512:
		return sampleNTTAVX512(p, n, &s[0][lane])
	case cpu.AVX2:
		return sampleNTTAVX2(p, n, &s[0][lane])
	default:
		return sampleNTTGeneric(p, n, s, lane)
	}
}

// SampleBounded continues FIPS 204, Algorithm 31 (RejBoundedPoly), over one block of the XOF:
// it reads the first 136 bytes of a lane of s as 272 half bytes, the lower half of each
// byte first, and appends a coefficient to p, which holds n already, for each that is
// below 15 if η is 2, below 9 if η is 4. It returns the new n, at most 256; what is left over
// then is ignored. Entries of p from the new n on are unspecified.
//
// 0 ≤ n ≤ 256, lane < 4, η is 2 or 4. Output: |c| ≤ η. Its time and its accesses depend on
// which half bytes are rejected, which tells nothing of the others.
func SampleBounded(p *Poly, n int, s *keccak.State4, lane int, eta int32) int {
	switch {
	case cpu.AVX512 && eta == 2:
		return sampleBounded2AVX512(p, n, &s[0][lane])
	case cpu.AVX512:
		return sampleBounded4AVX512(p, n, &s[0][lane])
	case cpu.AVX2:
		block := publicAcceptances(s)
		next := 0
		if eta == 2 {
			next = sampleBounded2AVX2(p, n, &block[0][lane])
		} else {
			next = sampleBounded4AVX2(p, n, &block[0][lane])
		}
		secretAgain(p[n:next], s, block, lane)
		return next
	default:
		return sampleBoundedGeneric(p, n, s, lane, eta)
	}
}

// The kernels below have the contracts of the functions above and work at any alignment.
// lane is the first word of the lane; the others follow at a distance of 32 bytes.

//go:noescape
func sampleNTTAVX2(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleNTTAVX512(p *Poly, n int, lane *uint64) int

// The number in the names of these is η.

//go:noescape
func sampleBounded2AVX2(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded2AVX512(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded4AVX2(p *Poly, n int, lane *uint64) int

//go:noescape
func sampleBounded4AVX512(p *Poly, n int, lane *uint64) int
