package kemring

import (
	"testing"
	"unsafe"
)

// TestArithmeticTouchesNothingBesideItsOperands puts operands at both ends of pages
// between forbidden ones, so that a read that canaries do not notice faults.
func TestArithmeticTouchesNothingBesideItsOperands(t *testing.T) {
	first, second, third := besideForbidden(t), besideForbidden(t), besideForbidden(t)
	polys := func(memory []byte, n int, end bool) []Poly {
		at := 0
		if end {
			at = len(memory) - n*2*N
		}
		return unsafe.Slice((*Poly)(unsafe.Pointer(&memory[at])), n)
	}
	eachBackend(t, func(t *testing.T) {
		for _, end := range []bool{false, true} {
			p, a := &polys(first, 1, end)[0], &polys(second, 1, end)[0]
			NTT(p)
			InverseNTT(p)
			for n := 1; n <= 3; n++ {
				NTTVector(polys(first, n, end))
				NTTTwist(polys(first, n, end), polys(second, n, end))
				NTTTwist(polys(second, n, end), polys(first, n, end))
			}
			AddMontgomery(p, a)
			Reduce(p)
			Add(p, a)
			Sub(p, a)
			for rank := 1; rank <= 4; rank++ {
				for _, stride := range []int{1, 2} {
					matrix := polys(first, (rank-1)*stride+1, end)
					var dst Poly
					MulAdd(&dst, p, matrix, stride, polys(second, rank, end), polys(third, rank, end))
					MulAdd(p, &dst, polys(second, 3, end), 1, polys(second, 3, end), polys(third, 3, end))
					Dot(&dst, matrix, stride, polys(second, rank, end), polys(third, rank, end))
				}
			}
		}
	})
}
