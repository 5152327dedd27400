package dsaring

// qInv is q⁻¹ mod 2^32, as a signed 32-bit number.
const qInv = 58728449

// A factor is a constant of a modular multiplication in the form of V. Shoup: the number
// z, centred, and its quotient ⌊2^32·z/q⌉.
type factor struct{ z, quotient int32 }

// newFactor returns the factor of z, which is in [0, q).
func newFactor(z int64) factor {
	if z > Q/2 {
		z -= Q
	}
	// Adding q·2^32 keeps the dividend positive; q/2 rounds.
	quotient := (z<<32+Q<<32+Q/2)/Q - 1<<32
	return factor{int32(z), int32(quotient)}
}

// mul returns a number congruent to a·z. The quotient of a·z by q is estimated to less
// than one below and |a|/2^33 on either side: the result is at least −(q/2)·|a|/2^32 and at
// most q + (q/2)·|a|/2^32, so within [−q/4, 5q/4] for every a.
func (f factor) mul(a int32) int32 {
	t := int32(int64(a) * int64(f.quotient) >> 32)
	return a*f.z - t*Q
}

// zetas[i] is ζ^BitRev8(i), where ζ = 1753 (FIPS 204, Section 7.5), and minusZetas its
// negative. undo, R/256, is what the inverse NTT has to multiply by: 1/256 for the eight
// layers, each of which doubles, and R for the R⁻¹ that a product leaves; undoLast has the
// factor of the last layer in it too.
var (
	zetas, minusZetas = rootsOfUnity()
	undo              = newFactor(undoValue)
	undoLast          = newFactor(undoValue * (Q + int64(minusZetas[1].z)) % Q)
)

const (
	rModQ     = (1 << 32) % Q
	undoValue = rModQ * 8347681 % Q // 8347681 = 256⁻¹ mod q
)

func rootsOfUnity() (zetas, minusZetas [N]factor) {
	power := int64(1)
	for i := range N {
		rev := 0
		for bit := range 8 {
			rev |= i >> bit & 1 << (7 - bit)
		}
		zetas[rev], minusZetas[rev] = newFactor(power), newFactor(Q-power)
		power = power * 1753 % Q
	}
	return zetas, minusZetas
}

// montgomeryReduce returns x·R⁻¹ mod q, in absolute value at most |x|/2^32 + q/2, for
// |x| < 2^63 − q·2^31 (P. L. Montgomery, "Modular multiplication without trial
// division", in the signed form of G. Seiler, ePrint 2018/039).
func montgomeryReduce(x int64) int32 {
	t := int32(x) * qInv
	return int32((x - int64(t)*Q) >> 32)
}

// reduce32 returns a number congruent to x, in absolute value below q, for |x| ≤
// 2^31 − 2^22 − 1. The quotient by 2^23 exceeds the one by q by a thousandth of itself.
func reduce32(x int32) int32 {
	return x - (x+1<<22)>>23*Q
}

// leastResidue returns the representative of x, |x| < q, in [0, q).
func leastResidue(x int32) int32 {
	return x + x>>31&Q
}

// nttGeneric replaces p with its NTT (FIPS 204, Algorithm 41).
//
// Input: |c| ≤ q. Output: |c| ≤ 10q.
func nttGeneric(p *Poly) {
	// A layer adds to a bound of less than 2^27 at most q + q/64.
	k := 1
	for length := 128; length >= 1; length /= 2 {
		for start := 0; start < N; start += 2 * length {
			zeta := zetas[k]
			k++
			lo, hi := p[start:start+length], p[start+length:start+2*length]
			hi = hi[:len(lo)]
			for j, a := range lo {
				t := zeta.mul(hi[j])
				lo[j] = a + t
				hi[j] = a - t
			}
		}
	}
}

// inverseNTTGeneric replaces p with R times its inverse NTT (FIPS 204, Algorithm 42):
// the factor R cancels the one that a product leaves.
//
// Input: |c| ≤ 2q. Output: [0, q).
func inverseNTTGeneric(p *Poly) {
	k := 255
	for length := 1; length <= 64; length *= 2 {
		for start := 0; start < N; start += 2 * length {
			zeta := minusZetas[k]
			k--
			lo, hi := p[start:start+length], p[start+length:start+2*length]
			hi = hi[:len(lo)]
			for j, a := range lo {
				b := hi[j]
				lo[j] = a + b
				hi[j] = zeta.mul(a - b)
			}
			// A sum of sums doubles with each layer, and 256q is the limit of 32 bits.
			// The first of each block would be 512q after the last layer; all others
			// have left a multiplication behind, which brings them down.
			if length == 32 {
				lo[0] = reduce32(lo[0])
			}
		}
	}
	lo, hi := p[:N/2], p[N/2:]
	for j, a := range lo {
		b := hi[j]
		lo[j] = canonical(undo.mul(a + b))
		hi[j] = canonical(undoLast.mul(a - b))
	}
}

// canonical returns the representative of x in [−q, 2q) that is in [0, q).
func canonical(x int32) int32 {
	return leastResidue(leastResidue(x) - Q)
}

// mulGeneric sets dst to R⁻¹·a∘b, the products of entries in the NTT domain. dst may be
// a or b.
//
// Input: |a|, |b| ≤ 10q. Output: |c| ≤ q.
func mulGeneric(dst, a, b *Poly) {
	for i := range dst {
		dst[i] = montgomeryReduce(int64(a[i]) * int64(b[i]))
	}
}

// dotGeneric sets dst to R⁻¹·Σ a[i]∘b[i] in the NTT domain, where i runs over b, of at
// most 8 polynomials. Products are summed in 64 bits and reduced once. dst may not overlap
// the inputs.
//
// Input: a in [0, q), |b| ≤ 10q. Output: |c| ≤ q.
func dotGeneric(dst *Poly, a, b []Poly) {
	a = a[:len(b)]
	for j := range dst {
		var sum int64
		for i := range b {
			sum += int64(a[i][j]) * int64(b[i][j])
		}
		dst[j] = montgomeryReduce(sum)
	}
}

// addGeneric adds a to p, and subGeneric subtracts it. The results must fit in 32 bits;
// nothing is reduced. a may be p.
func addGeneric(p, a *Poly) {
	for i := range p {
		p[i] += a[i]
	}
}

func subGeneric(p, a *Poly) {
	for i := range p {
		p[i] -= a[i]
	}
}

// reduceGeneric brings the coefficients of p into [0, q).
//
// Input: |c| ≤ 255q. Output: [0, q).
func reduceGeneric(p *Poly) {
	for i := range p {
		p[i] = leastResidue(reduce32(p[i]))
	}
}

// centreGeneric brings the coefficients of p to their centred representatives.
//
// Input: |c| ≤ 255q. Output: centred.
func centreGeneric(p *Poly) {
	for i := range p {
		c := leastResidue(reduce32(p[i]))
		p[i] = c - (Q/2-c)>>31&Q
	}
}
