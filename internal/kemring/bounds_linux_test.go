package kemring

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/keccak"
)

// besideForbidden returns memory whose first bytes follow a page that nobody may read
// or write, and whose last bytes precede another.
func besideForbidden(t *testing.T) []byte {
	page := os.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(memory)) })
	require.NoError(t, syscall.Mprotect(memory[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(memory[2*page:], syscall.PROT_NONE))
	return memory[page : 2*page]
}

// A kernel that reads or writes a byte beside its operands faults here, which canaries
// do not notice of a read.
func TestConversionsTouchNothingBesideTheirOperands(t *testing.T) {
	polys, others := besideForbidden(t), besideForbidden(t)
	// place returns where size bytes begin at either end of memory.
	place := func(memory []byte, size int, end bool) unsafe.Pointer {
		if end {
			return unsafe.Pointer(&memory[len(memory)-size])
		}
		return unsafe.Pointer(&memory[0])
	}
	eachBackend(t, func(t *testing.T) {
		for _, end := range []bool{false, true} {
			p := (*Poly)(place(polys, 2*N, end))
			bytes := func(n int) []byte { return unsafe.Slice((*byte)(place(others, n, end)), n) }
			for _, d := range widths {
				Compress(bytes(32*d), p, d)
				Decompress(p, bytes(32*d), d)
			}
			Encode12(bytes(EncodedSize12), p)
			Decode12(p, bytes(EncodedSize12))
			CBD3(p, (*[192]byte)(bytes(192)))
			wide := (*keccak.State8)(place(others, int(unsafe.Sizeof(keccak.State8{})), end))
			for lane := range len(wide[0]) {
				CBD2Wide(p, wide, lane)
			}
			for n := 32; n <= 1568; n += 32 {
				a := unsafe.Slice((*byte)(place(polys, n, end)), n)
				Difference(a, bytes(n))
				Difference(bytes(n), a)
			}
			s := (*keccak.State4)(place(others, int(unsafe.Sizeof(keccak.State4{})), end))
			for _, fill := range []uint64{0, 1<<64 - 1} {
				for lane := range keccak.Lanes {
					for w := range s {
						s[w][lane] = fill
					}
					CBD2(p, s, lane)
					for n := range N + 1 {
						SampleNTT(p, n, s, lane)
					}
				}
			}
		}
	})
}
