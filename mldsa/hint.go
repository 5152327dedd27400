package mldsa

import (
	"math/bits"

	"github.com/pqlane/pqlane/internal/dsaring"
)

// packHints is FIPS 204, Algorithm 20 (HintBitPack): the positions of the hints, row by row,
// and for each row where it ends. dst has ω + k bytes; there are at most ω hints.
func packHints(dst []byte, hints []dsaring.Hint, omega int) {
	clear(dst[:omega])
	n := 0
	for i := range hints {
		for word, x := range hints[i] {
			for ; x != 0; x &= x - 1 {
				dst[n] = byte(64*word + bits.TrailingZeros64(x))
				n++
			}
		}
		dst[omega+i] = byte(n)
	}
}

// unpackHints is Algorithm 21 (HintBitUnpack): it reports whether src is the one encoding
// of its hints: rows that end in order and within ω, positions that rise within a row,
// and zeros after the last.
func unpackHints(hints []dsaring.Hint, src []byte, omega int) bool {
	clear(hints)
	n := 0
	for i := range hints {
		end := int(src[omega+i])
		if end < n || end > omega {
			return false
		}
		for first := n; n < end; n++ {
			if n > first && src[n] <= src[n-1] {
				return false
			}
			hints[i][src[n]/64] |= 1 << (src[n] % 64)
		}
	}
	for _, b := range src[n:omega] {
		if b != 0 {
			return false
		}
	}
	return true
}
