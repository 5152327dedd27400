// Package dsaring is arithmetic in the ring of ML-DSA, R_q = Z_q[X]/(X^256 + 1) with
// q = 8380417 (FIPS 204, Section 2.3), and the conversions between its elements and
// bytes: sampling, rounding, hints, packing.
//
// It knows no scheme. It owns the coefficient bounds: every function states the
// interval that it accepts and the one that it returns, and its callers in package
// mldsa never reduce by themselves. The bounds are what lets most operations skip
// reduction altogether; internal/asm proves them for each kernel that does arithmetic.
//
// # Representation
//
// A [Poly] holds 256 signed 32-bit coefficients in standard order: coefficient i of the
// polynomial, or, in the NTT domain, entry i of FIPS 204's ŵ (Section 7.5). Below, "in
// [0, q)" means least residues and "centred" means |c| ≤ (q−1)/2, FIPS 204's mod±.
//
// # Montgomery factors
//
// R is 2^32. A product, [Dot] or [Mul], leaves a factor R⁻¹, which [InverseNTT] removes.
//
// # Timing
//
// Nothing here depends on the values of coefficients, except the rejection sampling of
// [SampleNTT], whose input is public, that of [SampleBounded], which tells which half
// bytes of its stream are rejected and nothing of the others, and that of [Ball], whose
// seed is published with every signature. A result that is no polynomial, a bool or
// a number, may be secret: it is for the caller to know.
//
// # Backends
//
// Each function runs the kernel of the backend that package cpu has chosen. The
// functions named ...Generic are the kernels' twins in Go and have the same
// contracts.
package dsaring

const (
	// N is the number of coefficients of a polynomial.
	N = 256
	// Q is the modulus, 2^23 − 2^13 + 1.
	Q = 8380417
	// D is the number of bits that Power2Round drops from t.
	D = 13

	// RateXOF is the rate in bytes of the XOF that SampleNTT reads, SHAKE128, and
	// RateH that of SHAKE256, which the other samplers read.
	RateXOF = 168
	RateH   = 136
)

// The two values of γ₂ (FIPS 204, Table 1), half the step of [Decompose].
const (
	Gamma2Q88 = (Q - 1) / 88 // ML-DSA-44
	Gamma2Q32 = (Q - 1) / 32 // ML-DSA-65 and 87
)

// The two values of γ₁ (FIPS 204, Table 1), the bound of the mask.
const (
	Gamma1Bits17 = 1 << 17 // ML-DSA-44
	Gamma1Bits19 = 1 << 19 // ML-DSA-65 and 87
)

// A Poly is an element of R_q or of its image under the NTT.
type Poly [N]int32

// A Hint is one polynomial of a hint vector, a bit per coefficient: coefficient i is
// bit i mod 64 of word i/64.
type Hint [N / 64]uint64
