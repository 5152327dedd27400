//go:build arm64 && !purego

package dsaring

import (
	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/keccak"
)

// ReadLanes copies the first 136 bytes of each lane of s, a block of SHAKE256, to its entry of
// dst. Entries may be the same; then what they hold is unspecified.
func ReadLanes(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State4) {
	if cpu.NEON {
		readLanesNEON(dst[0], dst[1], dst[2], dst[3], s)
	} else {
		readLanesGeneric(dst, s)
	}
}

// ReadHalf copies the first 136 bytes of the four lanes of s from first on, 0 or 4, as ReadLanes
// does. Nothing needs it fast here, where eight lanes cost as much as two times four.
func ReadHalf(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State8, first int) {
	readHalfGeneric(dst, s, first)
}

// readLanesNEON works at any alignment. Its time depends on nothing.
//
//go:noescape
func readLanesNEON(dst0, dst1, dst2, dst3 *[RateH]byte, s *keccak.State4)
