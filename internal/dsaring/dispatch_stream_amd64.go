//go:build amd64 && !purego

package dsaring

import (
	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/keccak"
)

// ReadLanes copies the first 136 bytes of each lane of s, a block of SHAKE256, to its entry of
// dst. Entries may be the same; then what they hold is unspecified.
func ReadLanes(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State4) {
	if cpu.AVX2 {
		readLanesAVX2(dst[0], dst[1], dst[2], dst[3], s)
	} else {
		readLanesGeneric(dst, s)
	}
}

// ReadHalf copies the first 136 bytes of the four lanes of s from first on, 0 or 4, as ReadLanes
// does.
func ReadHalf(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State8, first int) {
	if cpu.AVX2 {
		readHalfAVX2(dst[0], dst[1], dst[2], dst[3], &s[0][first&4])
	} else {
		readHalfGeneric(dst, s, first)
	}
}

// The kernels below work at any alignment. Their time depends on nothing.

//go:noescape
func readLanesAVX2(dst0, dst1, dst2, dst3 *[RateH]byte, s *keccak.State4)

// readHalfAVX2 reads the lane to whose first word s points, and the three beside it; other words
// follow at a distance of 64 bytes.
//
//go:noescape
func readHalfAVX2(dst0, dst1, dst2, dst3 *[RateH]byte, s *uint64)
