package dsaring

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/keccak"
)

func TestReadLanes(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		var s keccak.State4
		var want [keccak.Lanes][RateH]byte
		for lane := range want {
			for i := range want[lane] {
				want[lane][i] = byte(31*i + 97*lane + i>>3)
				s[i/8][lane] |= uint64(want[lane][i]) << (i % 8 * 8)
			}
		}
		var memory [keccak.Lanes][RateH + 2]byte // a byte of canary on either side
		var dst [keccak.Lanes]*[RateH]byte
		for lane := range dst {
			dst[lane] = (*[RateH]byte)(memory[lane][1:])
		}
		ReadLanes(&dst, &s)
		for lane := range want {
			require.Equal(t, want[lane], *dst[lane], "lane %d", lane)
			require.Zero(t, memory[lane][0])
			require.Zero(t, memory[lane][RateH+1])
		}
	})
}
