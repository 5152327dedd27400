package dsaring

import (
	"encoding/binary"

	"github.com/pqlane/pqlane/internal/keccak"
)

// readLanesGeneric copies the first 136 bytes of each lane of s, a block of SHAKE256, to its
// entry of dst. Entries may be the same; then what they hold is unspecified.
func readLanesGeneric(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State4) {
	for lane, block := range dst {
		for w := range RateH / 8 {
			binary.LittleEndian.PutUint64(block[8*w:], s[w][lane])
		}
	}
}

// readHalfGeneric copies the first 136 bytes of the four lanes of s from first on, 0 or 4, as
// readLanesGeneric does.
func readHalfGeneric(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State8, first int) {
	for lane, block := range dst {
		for w := range RateH / 8 {
			binary.LittleEndian.PutUint64(block[8*w:], s[w][first+lane])
		}
	}
}
