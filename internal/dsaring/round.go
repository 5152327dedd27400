package dsaring

import "math/bits"

// power2RoundGeneric splits each t = t1·2^13 + t0 (FIPS 204, Algorithm 35). t1 or t0
// may be t.
//
// Input: [0, q). Output: t1 in [0, 2^10), t0 in (−2^12, 2^12].
func power2RoundGeneric(t1, t0, t *Poly) {
	for i, c := range t {
		high := (c + 1<<(D-1) - 1) >> D
		t1[i], t0[i] = high, c-high<<D
	}
}

// roundedQuotient returns ⌊(w + γ₂ − 1)/(2γ₂)⌋, the r₁ for which w − r₁·2γ₂ is in (−γ₂, γ₂]:
// that of FIPS 204, Algorithm 36, but for the w from q − γ₂ on, whose r₁ is (q−1)/(2γ₂)
// here.
//
// 2γ₂ is 2^11·93 or 2^9·1023. The powers of two are shifted out first; the reciprocals
// are exact for what is left, a number below 2^15: 5638·93 = 2^19 + 46, 1025·1023 = 2^20 − 1.
func roundedQuotient(w, gamma2 int32) int32 {
	if gamma2 == Gamma2Q32 {
		return ((w+Gamma2Q32-1)>>9 + 1) * 1025 >> 20
	}
	return (w + Gamma2Q88 - 1) >> 11 * 5638 >> 19
}

// steps returns (q−1)/(2γ₂), the number of values of HighBits.
func steps(gamma2 int32) int32 {
	if gamma2 == Gamma2Q32 {
		return 16
	}
	return 44
}

// decomposeGeneric splits each w = w1·2γ₂ + w0 mod q (FIPS 204, Algorithm 36), for γ₂ =
// Gamma2Q88 or Gamma2Q32. w1 or w0 may be w.
//
// Input: [0, q). Output: w1 in [0, 44) or [0, 16), w0 in [−γ₂, γ₂].
func decomposeGeneric(w1, w0, w *Poly, gamma2 int32) {
	last := steps(gamma2) - 1
	for i, c := range w {
		high := roundedQuotient(c, gamma2)
		wraps := (last - high) >> 31 // all ones from q − γ₂ on
		// There, w − (q−1) − 1.
		w1[i], w0[i] = high&^wraps, c-high*2*gamma2+wraps
	}
}

// makeHintGeneric sets h to the hints of FIPS 204, Algorithm 39, for z = −ct₀ and r =
// w − cs₂ + ct₀, and returns their number. It takes w1 = HighBits(w) and r0 = w₀ − cs₂ +
// ct₀, where w₀ = LowBits(w); w1 is HighBits(w − cs₂) because |w₀ − cs₂| < γ₂ − β, which
// signing has checked, so that a bit is set if r0 leaves the interval of LowBits
// (V. Lyubashevsky et al., "CRYSTALS-Dilithium", Section 5.1).
//
// Input: w1 as Decompose returns it, |r0| ≤ 2γ₂. Output: [0, 256].
func makeHintGeneric(h *Hint, r0, w1 *Poly, gamma2 int32) int {
	weight := 0
	for i := range h {
		var word uint64
		for j := range 64 {
			r, high := r0[64*i+j], w1[64*i+j]
			// −γ₂ is a low part only where r₁ has wrapped to 0.
			lowest := -gamma2 + int32(uint32(-high)>>31)
			outside := uint32((gamma2-r)|(r-lowest)) >> 31
			word |= uint64(outside) << j
		}
		h[i] = word
		weight += bits.OnesCount64(word)
	}
	return weight
}

// useHintGeneric sets w1 to the high bits of w that the hints correct (FIPS 204,
// Algorithm 40), for γ₂ = Gamma2Q88 or Gamma2Q32. w1 may be w.
//
// Input: [0, q). Output: [0, 44) or [0, 16).
func useHintGeneric(w1 *Poly, h *Hint, w *Poly, gamma2 int32) {
	m := steps(gamma2)
	for i, c := range w {
		high := roundedQuotient(c, gamma2)
		low := c - high*2*gamma2 // its sign is that of r₀ also where r₁ wraps
		hint := int32(h[i/64] >> (i % 64) & 1)
		positive := -low >> 31 // all ones or zero, as low ≥ −γ₂
		high += (1 | ^positive) & -hint
		high += high >> 31 & m // from −1 to m−1
		w1[i] = high &^ ((m - 1 - high) >> 31)
	}
}

// exceedsGeneric reports whether any |c| ≥ bound. It reads all of p.
//
// Input: |c| < 2^30, 0 < bound ≤ 2^30. Constant time but for the result.
func exceedsGeneric(p *Poly, bound int32) bool {
	var outside int32
	for _, c := range p {
		outside |= (bound - 1 - c) | (bound - 1 + c)
	}
	return outside < 0
}
