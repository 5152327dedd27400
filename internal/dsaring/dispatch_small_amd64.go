//go:build amd64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/cpu"

// Narrow sets dst to p.
//
// Input: |c| < 2^15. Output: the same.
func Narrow(dst *[N]int16, p *Poly) {
	switch {
	case cpu.AVX512:
		narrowAVX512(dst, p)
	case cpu.AVX2:
		narrowAVX2(dst, p)
	default:
		narrowGeneric(dst, p)
	}
}

// AddSmall adds to p the numbers of absolute value at most SmallBound that c is congruent
// to modulo SmallModulus. The results must fit in 32 bits.
//
// Input: |c| ≤ SmallModulus, as kemring.InverseNTT returns it.
func AddSmall(p *Poly, c *[N]int16) {
	switch {
	case cpu.AVX512Wide:
		addSmallAVX512(p, c)
	case cpu.AVX2:
		addSmallAVX2(p, c)
	default:
		addSmallGeneric(p, c)
	}
}

// SubSmall subtracts from p the numbers of absolute value at most SmallBound that c is
// congruent to modulo SmallModulus. The results must fit in 32 bits.
//
// Input: |c| ≤ SmallModulus, as kemring.InverseNTT returns it.
func SubSmall(p *Poly, c *[N]int16) {
	switch {
	case cpu.AVX512Wide:
		subSmallAVX512(p, c)
	case cpu.AVX2:
		subSmallAVX2(p, c)
	default:
		subSmallGeneric(p, c)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address.

//go:noescape
func narrowAVX2(dst *[N]int16, p *Poly)

//go:noescape
func narrowAVX512(dst *[N]int16, p *Poly)

//go:noescape
func addSmallAVX2(p *Poly, c *[N]int16)

//go:noescape
func addSmallAVX512(p *Poly, c *[N]int16)

//go:noescape
func subSmallAVX2(p *Poly, c *[N]int16)

//go:noescape
func subSmallAVX512(p *Poly, c *[N]int16)
