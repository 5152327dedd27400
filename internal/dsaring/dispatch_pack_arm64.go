//go:build arm64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/cpu"

// PackT1 packs t1 with 10 bits a coefficient (FIPS 204, Algorithm 22). dst has SizeT1 bytes.
//
// Input: [0, 2^10).
func PackT1(dst []byte, p *Poly) {
	_ = dst[SizeT1-1]
	if cpu.NEON {
		packT1NEON(&dst[0], p)
	} else {
		packT1Generic(dst, p)
	}
}

// UnpackT1 sets p to t1·2^13, which is what verification multiplies by (FIPS 204, Algorithm 8,
// line 9), for a packed t1 (Algorithm 23). src has SizeT1 bytes.
//
// Output: [0, q), multiples of 2^13.
func UnpackT1(p *Poly, src []byte) {
	_ = src[SizeT1-1]
	if cpu.NEON {
		unpackT1NEON(p, &src[0])
	} else {
		unpackT1Generic(p, src)
	}
}

// PackT0 packs 2^12 − c with 13 bits a coefficient (FIPS 204, Algorithm 24). dst has SizeT0
// bytes.
//
// Input: (−2^12, 2^12].
func PackT0(dst []byte, p *Poly) {
	_ = dst[SizeT0-1]
	if cpu.NEON {
		packT0NEON(&dst[0], p)
	} else {
		packT0Generic(dst, p)
	}
}

// UnpackT0 is the reverse. Every src of SizeT0 bytes is valid.
//
// Output: (−2^12, 2^12].
func UnpackT0(p *Poly, src []byte) {
	_ = src[SizeT0-1]
	if cpu.NEON {
		unpackT0NEON(p, &src[0])
	} else {
		unpackT0Generic(p, src)
	}
}

// PackEta packs η − c with 3 bits a coefficient for η = 2, with 4 for η = 4 (FIPS 204, Algorithm
// 24). dst has SizeEta(eta) bytes.
//
// Input: |c| ≤ η.
func PackEta(dst []byte, p *Poly, eta int32) {
	_ = dst[SizeEta(eta)-1]
	switch {
	case cpu.NEON && eta == 2:
		packEta2NEON(&dst[0], p)
	case cpu.NEON:
		packEta4NEON(&dst[0], p)
	default:
		packEtaGeneric(dst, p, eta)
	}
}

// UnpackEta is the reverse (FIPS 204, Algorithm 25). It reports whether every coefficient is at
// least −η.
//
// Output: |c| ≤ η if it returns true; if not, [−5, 2] for η = 2 and [−11, 4] for η = 4. Constant
// time but for the result.
func UnpackEta(p *Poly, src []byte, eta int32) bool {
	_ = src[SizeEta(eta)-1]
	switch {
	case cpu.NEON && eta == 2:
		return unpackEta2NEON(p, &src[0])
	case cpu.NEON:
		return unpackEta4NEON(p, &src[0])
	default:
		return unpackEtaGeneric(p, src, eta)
	}
}

// PackZ packs γ₁ − c with 18 bits a coefficient for γ₁ = 2^17, with 20 for γ₁ = 2^19 (FIPS 204,
// Algorithm 26). dst has SizeZ(gamma1) bytes.
//
// Input: (−γ₁, γ₁].
func PackZ(dst []byte, p *Poly, gamma1 int32) {
	_ = dst[SizeZ(gamma1)-1]
	switch {
	case cpu.NEON && gamma1 == Gamma1Bits17:
		packZ17NEON(&dst[0], p)
	case cpu.NEON:
		packZ19NEON(&dst[0], p)
	default:
		packZGeneric(dst, p, gamma1)
	}
}

// UnpackZ is the reverse (FIPS 204, Algorithm 27), which also makes the mask of Algorithm 34
// (ExpandMask) of its stream. Every src of SizeZ(gamma1) bytes is valid.
//
// Output: (−γ₁, γ₁].
func UnpackZ(p *Poly, src []byte, gamma1 int32) {
	_ = src[SizeZ(gamma1)-1]
	switch {
	case cpu.NEON && gamma1 == Gamma1Bits17:
		unpackZ17NEON(p, &src[0])
	case cpu.NEON:
		unpackZ19NEON(p, &src[0])
	default:
		unpackZGeneric(p, src, gamma1)
	}
}

// PackW1 packs w1 with 6 bits a coefficient for γ₂ = Gamma2Q88, with 4 for Gamma2Q32 (FIPS 204,
// Algorithm 28). dst has SizeW1(gamma2) bytes.
//
// Input: as Decompose returns it.
func PackW1(dst []byte, p *Poly, gamma2 int32) {
	_ = dst[SizeW1(gamma2)-1]
	switch {
	case cpu.NEON && gamma2 == Gamma2Q32:
		packW1Of32NEON(&dst[0], p)
	case cpu.NEON:
		packW1Of88NEON(&dst[0], p)
	default:
		packW1Generic(dst, p, gamma2)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address, and the
// processor state bit DIT makes the timing of all their instructions independent of data.

//go:noescape
func packT1NEON(dst *byte, p *Poly)

//go:noescape
func packT0NEON(dst *byte, p *Poly)

//go:noescape
func packEta2NEON(dst *byte, p *Poly)

//go:noescape
func packEta4NEON(dst *byte, p *Poly)

//go:noescape
func packZ17NEON(dst *byte, p *Poly)

//go:noescape
func packZ19NEON(dst *byte, p *Poly)

//go:noescape
func packW1Of88NEON(dst *byte, p *Poly)

//go:noescape
func packW1Of32NEON(dst *byte, p *Poly)

//go:noescape
func unpackT1NEON(p *Poly, src *byte)

//go:noescape
func unpackT0NEON(p *Poly, src *byte)

//go:noescape
func unpackEta2NEON(p *Poly, src *byte) bool

//go:noescape
func unpackEta4NEON(p *Poly, src *byte) bool

//go:noescape
func unpackZ17NEON(p *Poly, src *byte)

//go:noescape
func unpackZ19NEON(p *Poly, src *byte)
