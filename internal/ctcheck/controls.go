//go:build ctcheck && amd64

package ctcheck

// branchOnByte returns 1, or 0 if *b is 0. It branches on *b.
//
//go:noescape
func branchOnByte(b *byte) uint64

// indexByByte returns table[*b]. Its address depends on *b.
//
//go:noescape
func indexByByte(table *[256]byte, b *byte) byte
