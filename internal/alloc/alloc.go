// Package alloc allocates memory that its user overwrites as a whole.
package alloc

import (
	"strings"
	"unsafe"
)

// Uncleared returns a new T like the built-in new, but with unspecified content: what
// earlier users of the memory left. The caller overwrites all of it before anything
// reads it. T holds no pointers, and is too large for the runtime's tiny allocator (16
// bytes), so that it is aligned as new would align it.
//
// Clearing an expanded key of 8 KB, which lies in no near cache yet, takes a tenth of the
// time of making the key. The runtime leaves out the clearing for a [strings.Builder],
// which writes before it reads; no string is made of the memory here.
func Uncleared[T any]() *T {
	return (*T)(unsafe.Pointer(unsafe.SliceData(UnclearedBytes(int(unsafe.Sizeof(*new(T)))))))
}

// UnclearedBytes returns size bytes like Uncleared: more than 16, and aligned as an array of
// any type that has no pointers needs it.
func UnclearedBytes(size int) []byte {
	var b strings.Builder
	b.Grow(size)
	b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), size)
}
