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

// FirstSecret returns the offset of the first byte of *p that is marked, or computed from
// such, and −1 if there is none. A byte that it finds counts as an error.
func FirstSecret[T any](p *T) int {
	at := request(checkDefined, unsafe.Pointer(p), uint64(unsafe.Sizeof(*p)))
	if at == 0 {
		return -1
	}
	return int(at - uint64(uintptr(unsafe.Pointer(p))))
}
