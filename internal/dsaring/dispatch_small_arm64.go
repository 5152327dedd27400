//go:build arm64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/cpu"

// Narrow sets dst to p.
//
// Input: |c| < 2^15. Output: the same.
func Narrow(dst *[N]int16, p *Poly) {
	if cpu.NEON {
		narrowNEON(dst, p)
	} else {
		narrowGeneric(dst, p)
	}
}

// AddSmall adds to p the numbers of absolute value at most SmallBound that c is congruent
// to modulo SmallModulus. The results must fit in 32 bits.
//
// Input: |c| ≤ SmallModulus, as kemring.InverseNTT returns it.
func AddSmall(p *Poly, c *[N]int16) {
	if cpu.NEON {
		addSmallNEON(p, c)
	} else {
		addSmallGeneric(p, c)
	}
}

// SubSmall subtracts from p the numbers of absolute value at most SmallBound that c is
// congruent to modulo SmallModulus. The results must fit in 32 bits.
//
// Input: |c| ≤ SmallModulus, as kemring.InverseNTT returns it.
func SubSmall(p *Poly, c *[N]int16) {
	if cpu.NEON {
		subSmallNEON(p, c)
	} else {
		subSmallGeneric(p, c)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address, and the
// processor state bit DIT makes the timing of all their instructions independent of data.

//go:noescape
func narrowNEON(dst *[N]int16, p *Poly)

//go:noescape
func addSmallNEON(p *Poly, c *[N]int16)

//go:noescape
func subSmallNEON(p *Poly, c *[N]int16)
