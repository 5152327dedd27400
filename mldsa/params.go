package mldsa

import "github.com/pqlane/pqlane/internal/dsaring"

const (
	// PrivateKeySize is the size in bytes of a private key, its seed ξ.
	PrivateKeySize = 32

	// MLDSA44PublicKeySize is the size in bytes of an ML-DSA-44 public key.
	MLDSA44PublicKeySize = 1312
	// MLDSA65PublicKeySize is the size in bytes of an ML-DSA-65 public key.
	MLDSA65PublicKeySize = 1952
	// MLDSA87PublicKeySize is the size in bytes of an ML-DSA-87 public key.
	MLDSA87PublicKeySize = 2592

	// MLDSA44SignatureSize is the size in bytes of an ML-DSA-44 signature.
	MLDSA44SignatureSize = 2420
	// MLDSA65SignatureSize is the size in bytes of an ML-DSA-65 signature.
	MLDSA65SignatureSize = 3309
	// MLDSA87SignatureSize is the size in bytes of an ML-DSA-87 signature.
	MLDSA87SignatureSize = 4627

	// MuSize is the size in bytes of a message representative μ.
	MuSize = 64
)

// params is a parameter set (FIPS 204, Section 4, Table 1).
type params struct {
	name           string
	k, l           int // dimensions of Â
	eta            int32
	tau            int   // coefficients ±1 of c
	beta           int32 // τ·η
	gamma1, gamma2 int32
	omega          int // the most hints
	challengeSize  int // λ/4 bytes of c̃

	// See expansion. Of all choices these take the fewest permutations in key generation.
	early, hashAfter int
}

var (
	params44 = params{
		name: "ML-DSA-44", k: 4, l: 4, eta: 2, tau: 39, beta: 78,
		gamma1: dsaring.Gamma1Bits17, gamma2: dsaring.Gamma2Q88, omega: 80, challengeSize: 32,
		early: 1, hashAfter: 2,
	}
	params65 = params{
		name: "ML-DSA-65", k: 6, l: 5, eta: 4, tau: 49, beta: 196,
		gamma1: dsaring.Gamma1Bits19, gamma2: dsaring.Gamma2Q32, omega: 55, challengeSize: 48,
		early: 0, hashAfter: 2,
	}
	params87 = params{
		name: "ML-DSA-87", k: 8, l: 7, eta: 2, tau: 60, beta: 120,
		gamma1: dsaring.Gamma1Bits19, gamma2: dsaring.Gamma2Q32, omega: 75, challengeSize: 64,
		early: 11, hashAfter: 4,
	}
)

// The largest set's dimensions and sizes, for scratch memory.
const (
	maxK = 8
	maxL = 7

	maxW1Size = 1024 // packed w₁ of ML-DSA-87, the largest
)

// Parameters is one of the parameter sets of FIPS 204: [MLDSA44], [MLDSA65] or [MLDSA87].
// Values of a set are equal, and safe for concurrent use. The zero value is no set.
type Parameters struct{ *params }

// MLDSA44 returns the parameter set ML-DSA-44 (security category 2).
func MLDSA44() Parameters { return Parameters{&params44} }

// MLDSA65 returns the parameter set ML-DSA-65 (security category 3).
func MLDSA65() Parameters { return Parameters{&params65} }

// MLDSA87 returns the parameter set ML-DSA-87 (security category 5).
func MLDSA87() Parameters { return Parameters{&params87} }

// PublicKeySize returns the size of public keys in bytes, 0 for the zero Parameters.
func (p Parameters) PublicKeySize() int {
	if p.params == nil {
		return 0
	}
	return p.publicKeySize()
}

// SignatureSize returns the size of signatures in bytes, 0 for the zero Parameters.
func (p Parameters) SignatureSize() int {
	if p.params == nil {
		return 0
	}
	return p.signatureSize()
}

// String returns the name of the set, for example "ML-DSA-44".
func (p Parameters) String() string {
	if p.params == nil {
		return "no ML-DSA parameter set"
	}
	return p.name
}

func (p *params) publicKeySize() int { return 32 + p.k*dsaring.SizeT1 }

func (p *params) signatureSize() int {
	return p.challengeSize + p.l*dsaring.SizeZ(p.gamma1) + p.omega + p.k
}

// expandedKeySize is the size of the private key of FIPS 204, Table 2.
func (p *params) expandedKeySize() int {
	return 128 + (p.k+p.l)*dsaring.SizeEta(p.eta) + p.k*dsaring.SizeT0
}
