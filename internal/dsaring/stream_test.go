package dsaring

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/keccak"
)

func TestReadLanes(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		var s keccak.State4
		var wide keccak.State8
		var want [8][RateH]byte
		for lane := range want {
			for i := range want[lane] {
				want[lane][i] = byte(31*i + 97*lane + i>>3)
				word := uint64(want[lane][i]) << (i % 8 * 8)
				wide[i/8][lane] |= word
				if lane < keccak.Lanes {
					s[i/8][lane] |= word
				}
			}
		}
		var memory [keccak.Lanes][RateH + 2]byte // a byte of canary on either side
		var dst [keccak.Lanes]*[RateH]byte
		for lane := range dst {
			dst[lane] = (*[RateH]byte)(memory[lane][1:])
		}
		requireLanes := func(first int) {
			for lane := range dst {
				require.Equal(t, want[first+lane], *dst[lane], "lane %d", first+lane)
				require.Zero(t, memory[lane][0])
				require.Zero(t, memory[lane][RateH+1])
			}
		}
		ReadLanes(&dst, &s)
		requireLanes(0)
		ReadHalf(&dst, &wide, 4)
		requireLanes(4)
		ReadHalf(&dst, &wide, 0)
		requireLanes(0)
	})
}
