//go:build amd64 && !purego

package kemring

import "github.com/pqlane/pqlane/internal/cpu"

// NTT replaces p with its NTT (FIPS 203, Algorithm 9).
//
// Input: |c| ≤ q. Output: |c| ≤ 5q, standard order.
func NTT(p *Poly) {
	switch {
	case cpu.AVX512Wide:
		nttAVX512(p)
	case cpu.AVX512:
		nttAVX512VL(p)
	case cpu.AVX2:
		nttAVX2(p, 1)
	default:
		nttGeneric(p)
	}
}

// NTTVector is NTT of every polynomial of p.
func NTTVector(p []Poly) {
	if cpu.AVX2 && !cpu.AVX512 && len(p) > 0 {
		nttAVX2(&p[0], uint64(len(p)))
		return
	}
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
	if len(p) == 0 {
		return
	}
	tw = tw[:len(p)]
	if cpu.AVX2 && !cpu.AVX512 {
		nttTwistAVX2(&p[0], &tw[0], uint64(len(p)))
		return
	}
	for i := range p {
		switch {
		case cpu.AVX512Wide:
			nttTwistAVX512(&p[i], &tw[i])
		case cpu.AVX512:
			nttTwistAVX512VL(&p[i], &tw[i])
		default:
			nttTwistGeneric(&p[i], &tw[i])
		}
	}
}

// InverseNTT replaces p with R times its inverse NTT (FIPS 203, Algorithm 10).
//
// Input: |c| ≤ 3q, standard order. Output: |c| ≤ q.
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

// Dot sets dst to R⁻¹·Σ a[i·stride]∘b[i] in the NTT domain (FIPS 203, Algorithms 11
// and 12), where i runs over b, of 1 to 4 polynomials, and tw is the twist of b. dst may
// not overlap the inputs.
//
// Input: a in [0, q), |b| ≤ 5q, tw as NTTTwist returns it. Output: |c| ≤ 3q.
func Dot(dst *Poly, a []Poly, stride int, b, tw []Poly) {
	rank := len(b)
	if rank < 1 || rank > 4 || !cpu.AVX2 {
		dotGeneric(dst, a, stride, b, tw)
		return
	}
	_, _ = a[(rank-1)*stride], tw[rank-1]
	bytes := uintptr(stride) * 2 * N
	switch {
	case cpu.AVX512Wide && rank == 3:
		dot3AVX512(dst, &a[0], bytes, &b[0], &tw[0])
	case cpu.AVX512Wide && rank == 4:
		dot4AVX512(dst, &a[0], bytes, &b[0], &tw[0])
	case cpu.AVX512Wide && rank == 1:
		dot1AVX512(dst, &a[0], bytes, &b[0], &tw[0])
	case cpu.AVX512Wide:
		dot2AVX512(dst, &a[0], bytes, &b[0], &tw[0])
	case cpu.AVX512 && rank == 3:
		dot3AVX512VL(dst, &a[0], bytes, &b[0], &tw[0])
	case cpu.AVX512 && rank == 4:
		dot4AVX512VL(dst, &a[0], bytes, &b[0], &tw[0])
	case cpu.AVX512 && rank == 2:
		dot2AVX512VL(dst, &a[0], bytes, &b[0], &tw[0])
	case rank == 3:
		dot3AVX2(dst, &a[0], bytes, &b[0], &tw[0])
	case rank == 4:
		dot4AVX2(dst, &a[0], bytes, &b[0], &tw[0])
	case rank == 1:
		dot1AVX2(dst, &a[0], bytes, &b[0], &tw[0])
	default:
		dot2AVX2(dst, &a[0], bytes, &b[0], &tw[0])
	}
}

// MulAdd sets dst to e + NTT⁻¹(Σ a[i·stride]∘b[i]), with the operands of [Dot]. dst may not
// overlap the others.
//
// Input: |e| ≤ q, a in [0, q), |b| ≤ 5q, tw as NTTTwist returns it. Output: |c| ≤ 2q.
func MulAdd(dst, e *Poly, a []Poly, stride int, b, tw []Poly) {
	rank := len(b)
	if rank < 2 || rank > 4 || !cpu.AVX512 {
		Dot(dst, a, stride, b, tw)
		if cpu.AVX2 && !cpu.AVX512 {
			inverseNTTAddAVX2(dst, e)
		} else {
			InverseNTT(dst)
			Add(dst, e)
		}
		return
	}
	_, _ = a[(rank-1)*stride], tw[rank-1]
	bytes := uintptr(stride) * 2 * N
	if cpu.AVX512Wide {
		mulAddAVX512(dst, e, &a[0], bytes, &b[0], &tw[0], uint64(rank))
	} else {
		mulAddAVX512VL(dst, e, &a[0], bytes, &b[0], &tw[0], uint64(rank))
	}
}

// AddMontgomery sets p to R·p + e.
//
// Input: |p| ≤ 3q, |e| ≤ 5q. Output: [0, q).
func AddMontgomery(p, e *Poly) {
	switch {
	case cpu.AVX512Wide:
		addMontgomeryAVX512(p, e)
	case cpu.AVX2:
		addMontgomeryAVX2(p, e)
	default:
		addMontgomeryGeneric(p, e)
	}
}

// Reduce brings the coefficients of p, whatever they are, into [0, q).
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

// Add adds a to p. The results must fit in 16 bits; nothing is reduced.
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

// Sub subtracts a from p. The results must fit in 16 bits; nothing is reduced.
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

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address.

// nttAVX2 and nttTwistAVX2 transform count polynomials, 1 or more. Their time depends on
// count.

//go:noescape
func nttAVX2(p *Poly, count uint64)

//go:noescape
func nttTwistAVX2(p, tw *Poly, count uint64)

//go:noescape
func nttAVX512(p *Poly)

//go:noescape
func nttAVX512VL(p *Poly)

//go:noescape
func nttTwistAVX512(p, tw *Poly)

//go:noescape
func nttTwistAVX512VL(p, tw *Poly)

//go:noescape
func inverseNTTAVX2(p *Poly)

// inverseNTTAddAVX2 adds e, |c| ≤ q, to the result of InverseNTT. Output: |c| ≤ 2q. e may not
// overlap p.

//go:noescape
func inverseNTTAddAVX2(p, e *Poly)

//go:noescape
func inverseNTTAVX512(p *Poly)

//go:noescape
func inverseNTTAVX512VL(p *Poly)

// dot1 to dot4 read that many polynomials from a, stride bytes apart, and as many from b and
// from tw without a gap.

//go:noescape
func dot1AVX2(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot2AVX2(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot3AVX2(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot4AVX2(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot1AVX512(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot2AVX512(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot3AVX512(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot4AVX512(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot2AVX512VL(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot3AVX512VL(dst, a *Poly, stride uintptr, b, tw *Poly)

//go:noescape
func dot4AVX512VL(dst, a *Poly, stride uintptr, b, tw *Poly)

// mulAdd reads rank polynomials, 2, 3 or 4, in the same way. Its time depends on rank.

//go:noescape
func mulAddAVX512(dst, e, a *Poly, stride uintptr, b, tw *Poly, rank uint64)

//go:noescape
func mulAddAVX512VL(dst, e, a *Poly, stride uintptr, b, tw *Poly, rank uint64)

//go:noescape
func addMontgomeryAVX2(p, e *Poly)

//go:noescape
func addMontgomeryAVX512(p, e *Poly)

//go:noescape
func reduceAVX2(p *Poly)

//go:noescape
func reduceAVX512(p *Poly)

// add and sub allow a to be p.

//go:noescape
func addAVX2(p, a *Poly)

//go:noescape
func addAVX512(p, a *Poly)

//go:noescape
func subAVX2(p, a *Poly)

//go:noescape
func subAVX512(p, a *Poly)
