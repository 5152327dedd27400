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
	var b strings.Builder
	b.Grow(int(unsafe.Sizeof(*new(T))))
	b.WriteByte(0)
	return (*T)(unsafe.Pointer(unsafe.StringData(b.String())))
}
