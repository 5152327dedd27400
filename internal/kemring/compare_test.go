package kemring

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDifference flips every bit of one operand in turn, at every alignment of a row.
func TestDifference(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		buf := make([]byte, 1568+32)
		rand.Read(buf)
		for _, n := range []int{32, 64, 768, 1088, 1568} {
			for shift := range 32 {
				a := buf[shift:][:n]
				b := bytes.Clone(a)
				require.Zero(t, Difference(a, b))
				for i := shift; i < 8*n; i += 31 {
					b[i/8] ^= 1 << (i % 8)
					require.NotZero(t, Difference(a, b), "bit %d of %d bytes", i, n)
					b[i/8] ^= 1 << (i % 8)
				}
			}
		}
		require.Panics(t, func() { Difference(buf[:64:64], buf[:32:32]) })
		require.Panics(t, func() { Difference(nil, nil) })
	})
}
