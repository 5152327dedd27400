package keccak

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// besideForbidden returns a page between two that nobody may read or write.
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
func TestNothingIsTouchedBesideTheOperands(t *testing.T) {
	states, inputs, tails := besideForbidden(t), besideForbidden(t), besideForbidden(t)
	place := func(memory []byte, size int, end bool) []byte {
		if end {
			return memory[len(memory)-size:]
		}
		return memory[:size:size]
	}
	onEveryBackend(t, func(t *testing.T) {
		for _, end := range []bool{false, true} {
			at := func(memory []byte, size uintptr) unsafe.Pointer {
				return unsafe.Pointer(unsafe.SliceData(place(memory, int(size), end)))
			}
			Permute((*[25]uint64)(at(states, 8*25)))
			s4, tail4 := (*State4)(at(states, 8*25*4)), (*[4]uint64)(at(tails, 8*4))
			s8, tail8 := (*State8)(at(states, 8*25*8)), (*[8]uint64)(at(tails, 8*8))
			for lanes := range uint(1 << 8) {
				s8.Permute(lanes)
				s8.start(lanes, place(inputs, 64, end), tail8, 16)
			}
			for lanes := range uint(1 << 4) {
				s4.Permute(lanes)
				s4.start(lanes, place(inputs, 32, end), tail4, 20)
			}
			for _, n := range []int{1, 7, 8, 33, RateSHAKE256, 2 * RateSHAKE256} {
				input := place(inputs, n, end)
				for lane := range 8 {
					s8.absorb(lane, input[:min(n, RateSHAKE256)])
					s8.absorbBlocks(lane, RateSHAKE256, input)
					s4.absorb(lane%4, input[:min(n, RateSHAKE256)])
					s4.absorbBlocks(lane%4, RateSHAKE256, input)
				}
			}
		}
	})
}
