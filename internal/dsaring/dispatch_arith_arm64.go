//go:build arm64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/cpu"

// NTT replaces p with its NTT (FIPS 204, Algorithm 41).
//
// Input: |c| ≤ q. Output: |c| ≤ 10q, standard order.
func NTT(p *Poly) {
	if cpu.NEON {
		nttNEON(p)
	} else {
		nttGeneric(p)
	}
}

// InverseNTT replaces p with R times its inverse NTT (FIPS 204, Algorithm 42): the factor
// R cancels the one that a product leaves.
//
// Input: |c| ≤ 2q, standard order. Output: [0, q).
func InverseNTT(p *Poly) {
	if cpu.NEON {
		inverseNTTNEON(p)
	} else {
		inverseNTTGeneric(p)
	}
}

// Mul sets dst to R⁻¹·a∘b, the products of entries in the NTT domain. dst may be a or b.
//
// Input: |a|, |b| ≤ 10q. Output: |c| ≤ q.
func Mul(dst, a, b *Poly) {
	if cpu.NEON {
		mulNEON(dst, a, b)
	} else {
		mulGeneric(dst, a, b)
	}
}

// Dot sets dst to R⁻¹·Σ a[i]∘b[i] in the NTT domain, where i runs over b, of at most 8
// polynomials. There are kernels for 4 to 8. dst may not overlap the inputs.
//
// Input: a in [0, q), |b| ≤ 10q. Output: |c| ≤ q.
func Dot(dst *Poly, a, b []Poly) {
	rank := len(b)
	a = a[:rank]
	switch {
	case !cpu.NEON:
		dotGeneric(dst, a, b)
	case rank == 4:
		dot4NEON(dst, &a[0], &b[0])
	case rank == 5:
		dot5NEON(dst, &a[0], &b[0])
	case rank == 6:
		dot6NEON(dst, &a[0], &b[0])
	case rank == 7:
		dot7NEON(dst, &a[0], &b[0])
	case rank == 8:
		dot8NEON(dst, &a[0], &b[0])
	default:
		dotGeneric(dst, a, b)
	}
}

// Add adds a to p. The results must fit in 32 bits; nothing is reduced. a may be p.
func Add(p, a *Poly) {
	if cpu.NEON {
		addNEON(p, a)
	} else {
		addGeneric(p, a)
	}
}

// Sub subtracts a from p. The results must fit in 32 bits; nothing is reduced. a may be p.
func Sub(p, a *Poly) {
	if cpu.NEON {
		subNEON(p, a)
	} else {
		subGeneric(p, a)
	}
}

// Reduce brings the coefficients of p into [0, q).
//
// Input: |c| ≤ 255q. Output: [0, q).
func Reduce(p *Poly) {
	if cpu.NEON {
		reduceNEON(p)
	} else {
		reduceGeneric(p)
	}
}

// Centre brings the coefficients of p to their centred representatives.
//
// Input: |c| ≤ 255q. Output: centred.
func Centre(p *Poly) {
	if cpu.NEON {
		centreNEON(p)
	} else {
		centreGeneric(p)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address, and the
// processor state bit DIT makes the timing of all their instructions independent of data.

//go:noescape
func nttNEON(p *Poly)

//go:noescape
func inverseNTTNEON(p *Poly)

//go:noescape
func mulNEON(dst, a, b *Poly)

// dot4 to dot8 read that many polynomials from a and from b.

//go:noescape
func dot4NEON(dst, a, b *Poly)

//go:noescape
func dot5NEON(dst, a, b *Poly)

//go:noescape
func dot6NEON(dst, a, b *Poly)

//go:noescape
func dot7NEON(dst, a, b *Poly)

//go:noescape
func dot8NEON(dst, a, b *Poly)

//go:noescape
func addNEON(p, a *Poly)

//go:noescape
func subNEON(p, a *Poly)

//go:noescape
func reduceNEON(p *Poly)

//go:noescape
func centreNEON(p *Poly)
