package dsaring

// SmallModulus is the modulus of ML-KEM. The products c·s₁ and c·s₂ of signing have
// coefficients of at most τ·η ≤ 196, so package kemring, whose lanes are half as wide, has
// them exactly; c·t₀ does not fit.
const SmallModulus = 3329

// SmallBound is the absolute value up to which numbers are told from their neighbours modulo
// SmallModulus: not quite half of it, as its reciprocal is rounded.
const SmallBound = 1600

// narrowGeneric sets dst to p.
//
// Input: |c| < 2^15. Output: the same.
func narrowGeneric(dst *[N]int16, p *Poly) {
	for i, c := range p {
		dst[i] = int16(c)
	}
}

// small returns the number of absolute value at most SmallBound that is congruent to c,
// |c| ≤ SmallModulus.
func small(c int16) int32 {
	// 10 is 2^15/3329, rounded.
	t := (int32(c)*10 + 1<<14) >> 15
	return int32(c) - t*SmallModulus
}

// addSmallGeneric adds to p the numbers of absolute value at most SmallBound that c is
// congruent to modulo SmallModulus, and subSmallGeneric subtracts them. The results must
// fit in 32 bits.
//
// Input: |c| ≤ SmallModulus, as kemring.InverseNTT returns it.
func addSmallGeneric(p *Poly, c *[N]int16) {
	for i, x := range c {
		p[i] += small(x)
	}
}

func subSmallGeneric(p *Poly, c *[N]int16) {
	for i, x := range c {
		p[i] -= small(x)
	}
}
