// Package kemring is arithmetic in the ring of ML-KEM, R_q = Z_q[X]/(X^256 + 1)
// with q = 3329 (FIPS 203, Section 2.4), and the conversions between its elements
// and bytes: sampling, compression, packing.
//
// It knows no scheme. It owns the coefficient bounds: every function states the
// interval that it accepts and the one that it returns, and its callers in package
// mlkem never reduce by themselves. The bounds are what lets most operations skip
// reduction altogether; internal/asm proves them for each kernel.
//
// # Representation
//
// A [Poly] holds 256 signed 16-bit coefficients in standard order: coefficient i of
// the polynomial, or, in the NTT domain, entry i of FIPS 203's f̂ (Section 4.3), so
// that entries 2i and 2i+1 are the remainder modulo X² − ζ^(2·BitRev7(i)+1). Both
// domains use the order of the standard, so packing and sampling need no
// permutation; the kernels pay for it with a shuffle at the end of the last layer.
//
// # Montgomery factors
//
// R is 2^16. A product of a vector with another, [Dot], leaves a factor R⁻¹, which
// [InverseNTT] and [AddMontgomery] remove.
//
// # Timing
//
// Nothing here depends on the values of coefficients, except [SampleNTT], whose
// input is public by definition.
//
// # Backends
//
// Each function runs the kernel of the backend that package cpu has chosen. The
// functions named ...Generic are the kernels' twins in Go and have the same
// contracts.
package kemring

const (
	// N is the number of coefficients of a polynomial.
	N = 256
	// Q is the modulus.
	Q = 3329

	// RateXOF is the rate in bytes of the XOF that SampleNTT reads, SHAKE128.
	RateXOF = 168

	// EncodedSize12 is the size of a polynomial packed with 12 bits a coefficient.
	EncodedSize12 = N * 12 / 8
)

// A Poly is an element of R_q or of its image under the NTT.
type Poly [N]int16
