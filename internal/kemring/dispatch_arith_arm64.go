//go:build arm64 && !purego

package kemring

import "github.com/pqlane/pqlane/internal/cpu"

// NTT replaces p with its NTT (FIPS 203, Algorithm 9).
//
// Input: |c| ≤ q. Output: |c| ≤ 5q, standard order.
func NTT(p *Poly) {
	if cpu.NEON {
		nttNEON(p)
	} else {
		nttGeneric(p)
	}
}

// NTTVector is NTT of every polynomial of p.
func NTTVector(p []Poly) {
	for i := range p {
		NTT(&p[i])
	}
}

// NTTTwist replaces every polynomial of p with its NTT and sets tw to the twists of those:
// every odd entry is multiplied by the constant of its quadratic factor. tw and p, of equal
// length, may not overlap.
//
// Input: |c| ≤ q. Output: |c| ≤ 5q, standard order; of tw, even entries those of p, odd
// ones |c| ≤ q.
func NTTTwist(p, tw []Poly) {
	tw = tw[:len(p)]
	for i := range p {
		if cpu.NEON {
			nttTwistNEON(&p[i], &tw[i])
		} else {
			nttTwistGeneric(&p[i], &tw[i])
		}
	}
}

// InverseNTT replaces p with R times its inverse NTT (FIPS 203, Algorithm 10).
//
// Input: |c| ≤ 3q, standard order. Output: |c| ≤ q.
func InverseNTT(p *Poly) {
	if cpu.NEON {
		inverseNTTNEON(p)
	} else {
		inverseNTTGeneric(p)
	}
}

// Dot sets dst to R⁻¹·Σ a[i·stride]∘b[i] in the NTT domain (FIPS 203, Algorithms 11
// and 12), where i runs over b, of 1 to 4 polynomials, and tw is the twist of b. dst may
// not overlap the inputs.
//
// Input: a in [0, q), |b| ≤ 5q, tw as NTTTwist returns it. Output: |c| ≤ 3q.
func Dot(dst *Poly, a []Poly, stride int, b, tw []Poly) {
	rank := len(b)
	if rank < 1 || rank > 4 || !cpu.NEON {
		dotGeneric(dst, a, stride, b, tw)
		return
	}
	_, _ = a[(rank-1)*stride], tw[rank-1]
	bytes := uintptr(stride) * 2 * N
	switch rank {
	case 3:
		dot3NEON(dst, &a[0], bytes, &b[0], &tw[0])
	case 4:
		dot4NEON(dst, &a[0], bytes, &b[0], &tw[0])
	case 2:
		dot2NEON(dst, &a[0], bytes, &b[0], &tw[0])
	default:
		dot1NEON(dst, &a[0], bytes, &b[0], &tw[0])
	}
}

// MulAdd sets dst to e + NTT⁻¹(Σ a[i·stride]∘b[i]), with the operands of [Dot]. dst may not
// overlap the others.
//
// Input: |e| ≤ q, a in [0, q), |b| ≤ 5q, tw as NTTTwist returns it. Output: |c| ≤ 2q.
func MulAdd(dst, e *Poly, a []Poly, stride int, b, tw []Poly) {
	Dot(dst, a, stride, b, tw)
	if cpu.NEON {
		inverseNTTAddNEON(dst, e)
	} else {
		inverseNTTGeneric(dst)
		addGeneric(dst, e)
	}
}

// AddMontgomery sets p to R·p + e.
//
// Input: |p| ≤ 3q, |e| ≤ 5q. Output: [0, q).
func AddMontgomery(p, e *Poly) {
	if cpu.NEON {
		addMontgomeryNEON(p, e)
	} else {
		addMontgomeryGeneric(p, e)
	}
}

// Reduce brings the coefficients of p, whatever they are, into [0, q).
func Reduce(p *Poly) {
	if cpu.NEON {
		reduceNEON(p)
	} else {
		reduceGeneric(p)
	}
}

// Add adds a to p. The results must fit in 16 bits; nothing is reduced.
func Add(p, a *Poly) {
	if cpu.NEON {
		addNEON(p, a)
	} else {
		addGeneric(p, a)
	}
}

// Sub subtracts a from p. The results must fit in 16 bits; nothing is reduced.
func Sub(p, a *Poly) {
	if cpu.NEON {
		subNEON(p, a)
	} else {
		subGeneric(p, a)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address.

//go:noescape
func nttNEON(p *Poly)

//go:noescape
func nttTwistNEON(p, tw *Poly)

//go:noescape
func inverseNTTNEON(p *Poly)

// inverseNTTAddNEON is inverseNTTNEON, and then addNEON of e, with which |c| ≤ 2q if
// |e| ≤ q. p and e may not overlap.
//
//go:noescape
func inverseNTTAddNEON(p, e *Poly)

// dot1 to dot4 read that many polynomials from a, stride bytes apart, and as many from b and
// from tw without a gap.

//go:noescape
func dot1NEON(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot2NEON(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot3NEON(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot4NEON(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func addMontgomeryNEON(p, e *Poly)

//go:noescape
func reduceNEON(p *Poly)

// add and sub allow a to be p.

//go:noescape
func addNEON(p, a *Poly)

//go:noescape
func subNEON(p, a *Poly)
