//go:build amd64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/cpu"

// NTT replaces p with its NTT (FIPS 204, Algorithm 41).
//
// Input: |c| ≤ q. Output: |c| ≤ 10q, standard order.
func NTT(p *Poly) {
	switch {
	case cpu.AVX512Wide:
		nttAVX512(p)
	case cpu.AVX512:
		nttAVX512VL(p)
	case cpu.AVX2:
		nttAVX2(p)
	default:
		nttGeneric(p)
	}
}

// InverseNTT replaces p with R times its inverse NTT (FIPS 204, Algorithm 42): the factor
// R cancels the one that a product leaves.
//
// Input: |c| ≤ 2q, standard order. Output: [0, q).
func InverseNTT(p *Poly) {
	switch {
	case cpu.AVX512Wide:
		inverseNTTAVX512(p)
	case cpu.AVX512:
		inverseNTTAVX512VL(p)
	case cpu.AVX2:
		inverseNTTAVX2(p)
	default:
		inverseNTTGeneric(p)
	}
}

// Mul sets dst to R⁻¹·a∘b, the products of entries in the NTT domain. dst may be a or b.
//
// Input: |a|, |b| ≤ 10q. Output: |c| ≤ q.
func Mul(dst, a, b *Poly) {
	switch {
	case cpu.AVX512Wide:
		mulAVX512(dst, a, b)
	case cpu.AVX512:
		mulAVX512VL(dst, a, b)
	case cpu.AVX2:
		mulAVX2(dst, a, b)
	default:
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
	case !cpu.AVX2:
		dotGeneric(dst, a, b)
	case cpu.AVX512Wide && rank == 4:
		dot4AVX512(dst, &a[0], &b[0])
	case cpu.AVX512Wide && rank == 5:
		dot5AVX512(dst, &a[0], &b[0])
	case cpu.AVX512Wide && rank == 6:
		dot6AVX512(dst, &a[0], &b[0])
	case cpu.AVX512Wide && rank == 7:
		dot7AVX512(dst, &a[0], &b[0])
	case cpu.AVX512Wide && rank == 8:
		dot8AVX512(dst, &a[0], &b[0])
	case rank == 4:
		dot4AVX2(dst, &a[0], &b[0])
	case rank == 5:
		dot5AVX2(dst, &a[0], &b[0])
	case rank == 6:
		dot6AVX2(dst, &a[0], &b[0])
	case rank == 7:
		dot7AVX2(dst, &a[0], &b[0])
	case rank == 8:
		dot8AVX2(dst, &a[0], &b[0])
	default:
		dotGeneric(dst, a, b)
	}
}

// Add adds a to p. The results must fit in 32 bits; nothing is reduced. a may be p.
func Add(p, a *Poly) {
	switch {
	case cpu.AVX512:
		addAVX512(p, a)
	case cpu.AVX2:
		addAVX2(p, a)
	default:
		addGeneric(p, a)
	}
}

// Sub subtracts a from p. The results must fit in 32 bits; nothing is reduced. a may be p.
func Sub(p, a *Poly) {
	switch {
	case cpu.AVX512:
		subAVX512(p, a)
	case cpu.AVX2:
		subAVX2(p, a)
	default:
		subGeneric(p, a)
	}
}

// Reduce brings the coefficients of p into [0, q).
//
// Input: |c| ≤ 255q. Output: [0, q).
func Reduce(p *Poly) {
	switch {
	case cpu.AVX512Wide:
		reduceAVX512(p)
	case cpu.AVX2:
		reduceAVX2(p)
	default:
		reduceGeneric(p)
	}
}

// Centre brings the coefficients of p to their centred representatives.
//
// Input: |c| ≤ 255q. Output: centred.
func Centre(p *Poly) {
	switch {
	case cpu.AVX512Wide:
		centreAVX512(p)
	case cpu.AVX512:
		centreAVX512VL(p)
	case cpu.AVX2:
		centreAVX2(p)
	default:
		centreGeneric(p)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address.

//go:noescape
func nttAVX2(p *Poly)

//go:noescape
func nttAVX512(p *Poly)

//go:noescape
func nttAVX512VL(p *Poly)

//go:noescape
func inverseNTTAVX2(p *Poly)

//go:noescape
func inverseNTTAVX512(p *Poly)

//go:noescape
func inverseNTTAVX512VL(p *Poly)

//go:noescape
func mulAVX2(dst, a, b *Poly)

//go:noescape
func mulAVX512(dst, a, b *Poly)

//go:noescape
func mulAVX512VL(dst, a, b *Poly)

// dot4 to dot8 read that many polynomials from a and from b.

//go:noescape
func dot4AVX2(dst, a, b *Poly)

//go:noescape
func dot4AVX512(dst, a, b *Poly)

//go:noescape
func dot5AVX2(dst, a, b *Poly)

//go:noescape
func dot5AVX512(dst, a, b *Poly)

//go:noescape
func dot6AVX2(dst, a, b *Poly)

//go:noescape
func dot6AVX512(dst, a, b *Poly)

//go:noescape
func dot7AVX2(dst, a, b *Poly)

//go:noescape
func dot7AVX512(dst, a, b *Poly)

//go:noescape
func dot8AVX2(dst, a, b *Poly)

//go:noescape
func dot8AVX512(dst, a, b *Poly)

//go:noescape
func addAVX2(p, a *Poly)

//go:noescape
func addAVX512(p, a *Poly)

//go:noescape
func subAVX2(p, a *Poly)

//go:noescape
func subAVX512(p, a *Poly)

//go:noescape
func reduceAVX2(p *Poly)

//go:noescape
func reduceAVX512(p *Poly)

//go:noescape
func centreAVX2(p *Poly)

//go:noescape
func centreAVX512(p *Poly)

//go:noescape
func centreAVX512VL(p *Poly)
