package kemring

import "encoding/binary"

// differenceGeneric returns 0 if a and b, of equal length, a multiple of 32 that is not 0,
// are the same, and another number if not. All of both is read. Constant time.
func differenceGeneric(a, b []byte) uint64 {
	_ = b[len(a)-1]
	var sum uint64
	for len(a) >= 32 && len(b) >= 32 {
		x, y := (*[32]byte)(a), (*[32]byte)(b)
		sum |= load64(x, 0) ^ load64(y, 0)
		sum |= load64(x, 8) ^ load64(y, 8)
		sum |= load64(x, 16) ^ load64(y, 16)
		sum |= load64(x, 24) ^ load64(y, 24)
		a, b = a[32:], b[32:]
	}
	return sum
}

func load64(b *[32]byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
