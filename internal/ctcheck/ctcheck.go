//go:build ctcheck && amd64

package ctcheck

import "unsafe"

// Codes of Valgrind's and memcheck's client requests (valgrind.h, memcheck.h).
const (
	runningOnValgrind = 0x1001
	countErrors       = 0x1201
	makeUndefined     = 0x4d430001
	makeDefined       = 0x4d430002
	checkDefined      = 0x4d430005
)

// request makes the client request code, with the arguments p and n, and returns the
// answer, or 0 without Valgrind. The memory at p is not accessed. Constant time.
//
//go:noescape
func request(code uint64, p unsafe.Pointer, n uint64) uint64

// Running reports whether this process runs on Valgrind. Without it the other functions
// do nothing, and a test that relies on them proves nothing.
func Running() bool { return request(runningOnValgrind, nil, 0) != 0 }

// Errors returns how many errors memcheck has reported, repetitions counted and
// suppressed ones not.
func Errors() int { return int(uint32(request(countErrors, nil, 0))) }

// Secret marks the bytes of b: from now on memcheck reports a branch or an address that
// depends on them, or on what is computed from them.
func Secret(b []byte) { request(makeUndefined, unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b))) }

// SecretValue is [Secret] of the memory of *p.
func SecretValue[T any](p *T) { request(makeUndefined, unsafe.Pointer(p), uint64(unsafe.Sizeof(*p))) }

// Declassify takes the mark from the bytes of b.
func Declassify(b []byte) {
	request(makeDefined, unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b)))
}

// DeclassifyValue is [Declassify] of the memory of *p.
func DeclassifyValue[T any](p *T) {
	request(makeDefined, unsafe.Pointer(p), uint64(unsafe.Sizeof(*p)))
}

// Publish is [Declassify] in the code that is checked: what is its reason, in one word.
func Publish(what string, b []byte) {
	if what != withheld {
		Declassify(b)
	}
}

// PublishValue is [Publish] of the memory of *p.
func PublishValue[T any](what string, p *T) {
	if what != withheld {
		DeclassifyValue(p)
	}
}

var withheld string

// Withhold makes Publish do nothing for what, until restore is called: a test sees that
// nothing is published without need, and that memcheck watches there.
func Withhold(what string) (restore func()) {
	before := withheld
	withheld = what
	return func() { withheld = before }
}

// FirstSecret returns the offset of the first byte of *p that is marked, or computed from
// such, and −1 if there is none. A byte that it finds counts as an error.
func FirstSecret[T any](p *T) int {
	return FirstSecretByte(unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)))
}

// FirstSecretByte is [FirstSecret] of the bytes of b.
func FirstSecretByte(b []byte) int {
	p := unsafe.Pointer(unsafe.SliceData(b))
	at := request(checkDefined, p, uint64(len(b)))
	if at == 0 {
		return -1
	}
	return int(at - uint64(uintptr(p)))
}
