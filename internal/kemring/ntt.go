package kemring

// qInv is q⁻¹ mod 2^16, as a signed 16-bit number.
const qInv = -3327

// rModQ and r2ModQ are R and R² mod q; invN is R²/128 mod q, which undoes both the
// factor 128 that the inverse NTT accumulates and the R⁻¹ that Dot leaves behind
// (one more R is consumed by the Montgomery multiplication itself).
const (
	rModQ  = (1 << 16) % Q
	r2ModQ = rModQ * rModQ % Q
	invN   = r2ModQ * 3303 % Q // 3303 = 128⁻¹ mod q
)

// lastZeta is the factor of the inverse NTT's last layer with invN in it.
var lastZeta = int32(centered((int(montgomeryMul(zetas[1], invN)) + Q) % Q))

// zetas[i] is ζ^BitRev7(i)·R mod± q, where ζ = 17 (FIPS 203, Section 4.3), and
// gammas[i] is ζ^(2·BitRev7(i)+1)·R mod± q, the constant of the i-th quadratic factor.
var zetas, gammas = rootsOfUnity()

func rootsOfUnity() (zetas, gammas [128]int16) {
	var power [256]int
	power[0] = 1
	for i := 1; i < 256; i++ {
		power[i] = power[i-1] * 17 % Q
	}
	for i := range 128 {
		rev := 0
		for bit := range 7 {
			rev |= i >> bit & 1 << (6 - bit)
		}
		zetas[i] = centered(power[rev] * rModQ % Q)
		gammas[i] = centered(power[2*rev+1] * rModQ % Q)
	}
	return zetas, gammas
}

// centered returns the representative of x in [0, q) that lies in [−q/2, q/2].
func centered(x int) int16 {
	if x > Q/2 {
		x -= Q
	}
	return int16(x)
}

// montgomeryReduce returns x·R⁻¹ mod q, in absolute value at most |x|/2^16 + q/2,
// for |x| < 2^31 − q·2^15 (P. L. Montgomery, "Modular multiplication without trial
// division", in the signed form of G. Seiler, ePrint 2018/039).
func montgomeryReduce(x int32) int16 {
	t := int16(x) * qInv
	return int16((x - int32(t)*Q) >> 16)
}

// montgomeryMul returns a·b·R⁻¹ mod q.
func montgomeryMul(a, b int16) int16 { return montgomeryReduce(int32(a) * int32(b)) }

// barrettReduce returns the representative of x in [0, q), for every x.
func barrettReduce(x int16) int16 {
	// 20159 = ⌊2^26/q⌉. The quotient is ⌊x/q⌋, or one less for a negative multiple of
	// q, so that x − t·q lies in [0, q].
	t := int16((int32(x) * 20159) >> 26)
	x -= t * Q
	x -= Q
	return x + x>>15&Q
}

// centeredReduce returns a number congruent to x, in absolute value below 0.66q.
func centeredReduce(x int16) int16 {
	// 10 is 2^15/q, rounded; its error is 1.6 % of the quotient, which is at most 10.
	t := int16((int32(x)*10 + 1<<14) >> 15)
	return x - t*Q
}

// nttGeneric replaces p with its NTT (FIPS 203, Algorithm 9).
//
// Input: |c| ≤ q. Output: |c| ≤ 5q, standard order.
func nttGeneric(p *Poly) {
	k := 1
	for length := 128; length >= 2; length /= 2 {
		for start := 0; start < N; start += 2 * length {
			zeta := int32(zetas[k])
			k++
			lo, hi := p[start:start+length], p[start+length:start+2*length]
			hi = hi[:len(lo)]
			for j, a := range lo {
				t := montgomeryReduce(zeta * int32(hi[j]))
				lo[j] = a + t
				hi[j] = a - t
			}
		}
	}
}

// inverseNTTGeneric replaces p with R times its inverse NTT (FIPS 203, Algorithm
// 10): the factor R cancels the one that Dot leaves.
//
// Input: |c| ≤ 3q. Output: |c| ≤ q.
func inverseNTTGeneric(p *Poly) {
	k := 127
	for length := 2; length <= 64; length *= 2 {
		for start := 0; start < N; start += 2 * length {
			zeta := int32(zetas[k])
			k--
			lo, hi := p[start:start+length], p[start+length:start+2*length]
			hi = hi[:len(lo)]
			for j, a := range lo {
				b := hi[j]
				lo[j] = a + b
				hi[j] = montgomeryReduce(zeta * int32(b-a))
			}
			// Sums double with each layer, and 9.8q is the limit of 16 bits. They
			// are 6q after the first layer, 2.6q after two more, and 4.6q after
			// another three, which leaves room for the last.
			if length == 2 || length == 8 {
				for j, c := range lo {
					lo[j] = centeredReduce(c)
				}
			}
		}
	}
	lo, hi := p[:N/2], p[N/2:]
	for j, a := range lo {
		b := hi[j]
		lo[j] = montgomeryMul(a+b, invN)
		hi[j] = montgomeryReduce(lastZeta * int32(b-a))
	}
}

// twistGeneric sets tw to b with every odd entry multiplied by the constant of its
// quadratic factor: (b₀, b₁) becomes (b₀, γ·b₁), which Dot needs beside b. tw and b
// may not overlap.
//
// Input: |c| ≤ 5q. Output: even entries those of b, odd ones |c| ≤ q.
func twistGeneric(tw, b *Poly) {
	for i := range gammas {
		tw[2*i] = b[2*i]
		tw[2*i+1] = montgomeryMul(b[2*i+1], gammas[i])
	}
}

// nttTwistGeneric replaces p with its NTT and sets tw to the twist of that. tw and p may
// not overlap.
//
// Input: |c| ≤ q. Output: as nttGeneric and twistGeneric.
func nttTwistGeneric(p, tw *Poly) {
	nttGeneric(p)
	twistGeneric(tw, p)
}

// dotGeneric sets dst to R⁻¹·Σ a[i·stride]∘b[i] in the NTT domain (FIPS 203,
// Algorithms 11 and 12), where i runs over b, of 1 to 4 polynomials, and tw is the twist
// of b. Products are summed in 32 bits and reduced once. dst may not overlap
// the inputs.
//
// Input: a in [0, q), |b| ≤ 5q, tw as nttTwistGeneric returns it. Output: |c| ≤ 3q.
func dotGeneric(dst *Poly, a []Poly, stride int, b, tw []Poly) {
	tw = tw[:len(b)]
	for j := 0; j < N; j += 2 {
		var even, odd int32
		for i := range b {
			x, y, z := &a[i*stride], &b[i], &tw[i]
			x0, x1 := int32(x[j]), int32(x[j+1])
			even += x0*int32(z[j]) + x1*int32(z[j+1])
			odd += x0*int32(y[j+1]) + x1*int32(y[j])
		}
		dst[j], dst[j+1] = montgomeryReduce(even), montgomeryReduce(odd)
	}
}

// mulAddGeneric sets dst to e + NTT⁻¹(Σ a[i·stride]∘b[i]), with the operands of dotGeneric.
// dst may not overlap the others.
//
// Input: |e| ≤ q, a in [0, q), |b| ≤ 5q, tw as nttTwistGeneric returns it. Output: |c| ≤ 2q.
func mulAddGeneric(dst, e *Poly, a []Poly, stride int, b, tw []Poly) {
	dotGeneric(dst, a, stride, b, tw)
	inverseNTTGeneric(dst)
	addGeneric(dst, e)
}

// addMontgomeryGeneric sets p to R·p + e.
//
// Input: |p| ≤ 3q, |e| ≤ 5q. Output: [0, q).
func addMontgomeryGeneric(p, e *Poly) {
	for i := range p {
		p[i] = barrettReduce(montgomeryMul(p[i], r2ModQ) + e[i])
	}
}

// reduceGeneric brings the coefficients of p, whatever they are, into [0, q).
func reduceGeneric(p *Poly) {
	for i := range p {
		p[i] = barrettReduce(p[i])
	}
}

// addGeneric adds a to p, and subGeneric subtracts it. The results must fit in 16
// bits; nothing is reduced.
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
