package dsaring

import "encoding/binary"

// The sizes of packed polynomials (FIPS 204, Section 7.1 and Algorithms 22 to 28).
const (
	SizeT1 = N * 10 / 8
	SizeT0 = N * 13 / 8
)

// SizeEta returns the size of a polynomial packed by PackEta, SizeZ by PackZ and SizeW1 by
// PackW1.
func SizeEta(eta int32) int   { return N / 8 * int(bitsEta(eta)) }
func SizeZ(gamma1 int32) int  { return N / 8 * int(bitsZ(gamma1)) }
func SizeW1(gamma2 int32) int { return N / 8 * int(bitsW1(gamma2)) }

func bitsEta(eta int32) uint {
	if eta == 2 {
		return 3
	}
	return 4
}

func bitsZ(gamma1 int32) uint {
	if gamma1 == Gamma1Bits17 {
		return 18
	}
	return 20
}

func bitsW1(gamma2 int32) uint {
	if gamma2 == Gamma2Q32 {
		return 4
	}
	return 6
}

// pack sets dst to the numbers base + sign·c, of width bits each, for the coefficients c
// (FIPS 204, Algorithms 16 and 17). dst has 32·width bytes.
func pack(dst []byte, p *Poly, width uint, base, sign int32) {
	_ = dst[32*width-1]
	var bits uint64
	var n uint
	for _, c := range p {
		bits |= uint64(uint32(base+sign*c)) << (n & 31)
		n += width
		if n >= 32 {
			binary.LittleEndian.PutUint32(dst, uint32(bits))
			dst = dst[4:]
			bits >>= 32
			n -= 32
		}
	}
}

// unpack is the reverse (FIPS 204, Algorithms 18 and 19): it sets each coefficient to base
// + factor·x for a number x of width bits.
func unpack(p *Poly, src []byte, width uint, base, factor int32) {
	_ = src[32*width-1]
	var bits uint64
	var n uint
	for i := range p {
		if n < width {
			bits |= uint64(binary.LittleEndian.Uint32(src)) << (n & 31)
			src = src[4:]
			n += 32
		}
		p[i] = base + factor*int32(bits&(1<<(width&31)-1))
		bits >>= width & 31
		n -= width
	}
}

// packT1Generic packs t1 with 10 bits a coefficient (FIPS 204, Algorithm 22). dst has SizeT1
// bytes.
//
// Input: [0, 2^10).
func packT1Generic(dst []byte, p *Poly) { pack(dst, p, 10, 0, 1) }

// unpackT1Generic sets p to t1·2^13, which is what verification multiplies by (FIPS 204,
// Algorithm 8, line 9), for a packed t1 (Algorithm 23). src has SizeT1 bytes.
//
// Output: [0, q), multiples of 2^13.
func unpackT1Generic(p *Poly, src []byte) { unpack(p, src, 10, 0, 1<<D) }

// packT0Generic packs 2^12 − c with 13 bits a coefficient (FIPS 204, Algorithm 24). dst has
// SizeT0 bytes.
//
// Input: (−2^12, 2^12].
func packT0Generic(dst []byte, p *Poly) { pack(dst, p, 13, 1<<12, -1) }

// unpackT0Generic is the reverse. Every src of SizeT0 bytes is valid.
//
// Output: (−2^12, 2^12].
func unpackT0Generic(p *Poly, src []byte) { unpack(p, src, 13, 1<<12, -1) }

// packEtaGeneric packs η − c with 3 bits a coefficient for η = 2, with 4 for η = 4 (FIPS 204,
// Algorithm 24). dst has SizeEta(eta) bytes.
//
// Input: |c| ≤ η.
func packEtaGeneric(dst []byte, p *Poly, eta int32) { pack(dst, p, bitsEta(eta), eta, -1) }

// unpackEtaGeneric is the reverse (FIPS 204, Algorithm 25). It reports whether every
// coefficient is at least −η.
//
// Output: |c| ≤ η if it returns true; if not, [−5, 2] for η = 2 and [−11, 4] for η = 4. Constant
// time but for the result.
func unpackEtaGeneric(p *Poly, src []byte, eta int32) bool {
	unpack(p, src, bitsEta(eta), eta, -1)
	var tooSmall int32
	for _, c := range p {
		tooSmall |= c + eta
	}
	return tooSmall >= 0
}

// packZGeneric packs γ₁ − c with 18 bits a coefficient for γ₁ = 2^17, with 20 for γ₁ = 2^19
// (FIPS 204, Algorithm 26). dst has SizeZ(gamma1) bytes.
//
// Input: (−γ₁, γ₁].
func packZGeneric(dst []byte, p *Poly, gamma1 int32) { pack(dst, p, bitsZ(gamma1), gamma1, -1) }

// unpackZGeneric is the reverse (FIPS 204, Algorithm 27), which also makes the mask of
// Algorithm 34 (ExpandMask) of its stream. Every src of SizeZ(gamma1) bytes is valid.
//
// Output: (−γ₁, γ₁].
func unpackZGeneric(p *Poly, src []byte, gamma1 int32) {
	unpack(p, src, bitsZ(gamma1), gamma1, -1)
}

// packW1Generic packs w1 with 6 bits a coefficient for γ₂ = Gamma2Q88, with 4 for Gamma2Q32
// (FIPS 204, Algorithm 28). dst has SizeW1(gamma2) bytes.
//
// Input: as Decompose returns it.
func packW1Generic(dst []byte, p *Poly, gamma2 int32) { pack(dst, p, bitsW1(gamma2), 0, 1) }
