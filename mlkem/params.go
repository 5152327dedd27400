package mlkem

import "github.com/pqlane/pqlane/internal/kemring"

const (
	// SharedKeySize is the size in bytes of a shared key.
	SharedKeySize = 32

	// SeedSize is the size in bytes of the seed, d ‖ z, of a decapsulation key.
	SeedSize = 64

	// CiphertextSize512 is the size in bytes of an ML-KEM-512 ciphertext.
	CiphertextSize512 = 768
	// EncapsulationKeySize512 is the size in bytes of an ML-KEM-512 encapsulation key.
	EncapsulationKeySize512 = 800
	// ExpandedKeySize512 is the size in bytes of an expanded ML-KEM-512 decapsulation key.
	ExpandedKeySize512 = 1632

	// CiphertextSize768 is the size in bytes of an ML-KEM-768 ciphertext.
	CiphertextSize768 = 1088
	// EncapsulationKeySize768 is the size in bytes of an ML-KEM-768 encapsulation key.
	EncapsulationKeySize768 = 1184
	// ExpandedKeySize768 is the size in bytes of an expanded ML-KEM-768 decapsulation key.
	ExpandedKeySize768 = 2400

	// CiphertextSize1024 is the size in bytes of an ML-KEM-1024 ciphertext.
	CiphertextSize1024 = 1568
	// EncapsulationKeySize1024 is the size in bytes of an ML-KEM-1024 encapsulation key.
	EncapsulationKeySize1024 = 1568
	// ExpandedKeySize1024 is the size in bytes of an expanded ML-KEM-1024 decapsulation key.
	ExpandedKeySize1024 = 3168
)

// params is a parameter set (FIPS 203, Section 8, Table 2). η₂ is 2 in all of them.
type params struct {
	name   string
	k      int // dimension of the module
	eta1   int
	du, dv int    // bits a coefficient of the ciphertext's two parts
	tails  *tails // of Â
}

var (
	params512  = params{name: "ML-KEM-512", k: 2, tails: newMatrixTails(2), eta1: 3, du: 10, dv: 4}
	params768  = params{name: "ML-KEM-768", k: 3, tails: newMatrixTails(3), eta1: 2, du: 10, dv: 4}
	params1024 = params{name: "ML-KEM-1024", k: 4, tails: newMatrixTails(4), eta1: 2, du: 11, dv: 5}
)

const eta2 = 2

// The largest parameter set's dimension and sizes, for scratch memory.
const (
	maxK                    = 4
	maxEncapsulationKeySize = EncapsulationKeySize1024
	maxCiphertextSize       = CiphertextSize1024
)

func (p *params) encapsulationKeySize() int { return p.k*kemring.EncodedSize12 + 32 }

// ciphertextPolySize is the size of one polynomial of u in the ciphertext.
func (p *params) ciphertextPolySize() int { return kemring.N / 8 * p.du }

func (p *params) ciphertextSize() int {
	return p.k*p.ciphertextPolySize() + kemring.N/8*p.dv
}

func (p *params) expandedKeySize() int {
	return p.k*kemring.EncodedSize12 + p.encapsulationKeySize() + 64
}

// etaThrees is how many of encryption's noise polynomials, the first, have η = 3.
func (p *params) etaThrees() int {
	if p.eta1 == 3 {
		return p.k
	}
	return 0
}

// together is how many polynomials of Â from number next on are sampled together: three, which
// leave a lane to other work, or four at first if one would be left over. In ML-KEM-512 four
// leave no time for a hash that could begin at once; there the one is left over.
func (p *params) together(next int, hash bool) int {
	switch left := p.k*p.k - next; {
	case left%3 != 1:
		return 3
	case hash && p.k == 2:
		return min(left, 3)
	}
	return 4
}
