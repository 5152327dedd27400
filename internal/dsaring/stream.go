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
