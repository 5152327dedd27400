package dsaring

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/keccak"
)

// forbidden is memory between pages that nobody may read or write.
type forbidden []byte

func besideForbidden(t *testing.T) forbidden {
	page := os.Getpagesize()
	const pages = 4 // room for fourteen polynomials and more
	memory, err := syscall.Mmap(-1, 0, (pages+2)*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(memory)) })
	require.NoError(t, syscall.Mprotect(memory[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(memory[(pages+1)*page:], syscall.PROT_NONE))
	return memory[page : (pages+1)*page]
}

// place returns where size bytes begin at either end.
func (f forbidden) place(size int, end bool) unsafe.Pointer {
	if end {
		return unsafe.Pointer(&f[len(f)-size])
	}
	return unsafe.Pointer(&f[0])
}

func (f forbidden) polys(n int, end bool) []Poly {
	return unsafe.Slice((*Poly)(f.place(n*4*N, end)), n)
}

func (f forbidden) bytes(n int, end bool) []byte {
	return unsafe.Slice((*byte)(f.place(n, end)), n)
}

// A kernel that reads or writes a byte beside its operands faults here, which canaries
// do not notice of a read.
func TestNothingIsTouchedBesideTheOperands(t *testing.T) {
	first, second, third := besideForbidden(t), besideForbidden(t), besideForbidden(t)
	eachBackend(t, func(t *testing.T) {
		for _, end := range []bool{false, true} {
			p, a, b := &first.polys(1, end)[0], &second.polys(1, end)[0], &third.polys(1, end)[0]
			*p, *a, *b = Poly{}, Poly{}, Poly{}
			NTT(p)
			InverseNTT(p)
			Mul(p, a, b)
			Reduce(p)
			Centre(p)
			Add(p, a)
			Sub(p, a)
			for _, rank := range []int{1, 4, 5, 6, 7, 8} {
				Dot(p, second.polys(rank, end), third.polys(rank, end))
			}
			Power2Round(p, a, b)
			h := (*Hint)(third.place(8*N/64, end))
			for _, gamma2 := range gammas2 {
				Decompose(p, a, b, gamma2)
				MakeHint(h, p, a, gamma2)
				UseHint(p, h, a, gamma2)
			}
			Exceeds(p, 1)
			c := (*[N]int16)(third.place(2*N, end))
			Narrow(c, p)
			AddSmall(p, c)
			SubSmall(p, c)
			for _, k := range packings() {
				dst := second.bytes(32*k.width, end)
				*p = Poly{}
				k.pack(dst, p)
				if k.unpack != nil {
					k.unpack(p, dst)
				}
			}
			s := (*keccak.State8)(second.place(int(unsafe.Sizeof(keccak.State8{})), end))
			first4 := (*keccak.State4)(first.place(int(unsafe.Sizeof(keccak.State4{})), end))
			block := (*[RateH]byte)(third.bytes(RateH, end))
			blocks := [keccak.Lanes]*[RateH]byte{block, block, block, block}
			ReadLanes(&blocks, first4)
			ReadHalf(&blocks, s, 0)
			ReadHalf(&blocks, s, 4)
			for _, fill := range []uint64{0, 1<<64 - 1} {
				for lane := range len(s[0]) {
					for w := range s {
						s[w][lane] = fill
					}
					for n := range N + 1 {
						for _, k := range samplers {
							k.sample(p, n, s, lane)
						}
					}
				}
			}
		}
	})
}
