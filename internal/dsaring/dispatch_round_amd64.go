//go:build amd64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/cpu"

// Power2Round splits each t = t1·2^13 + t0 (FIPS 204, Algorithm 35). t1 or t0 may be t.
//
// Input: [0, q). Output: t1 in [0, 2^10), t0 in (−2^12, 2^12].
func Power2Round(t1, t0, t *Poly) {
	switch {
	case cpu.AVX512:
		power2RoundAVX512(t1, t0, t)
	case cpu.AVX2:
		power2RoundAVX2(t1, t0, t)
	default:
		power2RoundGeneric(t1, t0, t)
	}
}

// Decompose splits each w = w1·2γ₂ + w0 mod q (FIPS 204, Algorithm 36), for γ₂ = Gamma2Q88 or
// Gamma2Q32. w1 or w0 may be w.
//
// Input: [0, q). Output: w1 in [0, 44) or [0, 16), w0 in [−γ₂, γ₂].
func Decompose(w1, w0, w *Poly, gamma2 int32) {
	switch {
	case cpu.AVX512Wide && gamma2 == Gamma2Q32:
		decompose32AVX512(w1, w0, w)
	case cpu.AVX512Wide:
		decompose88AVX512(w1, w0, w)
	case cpu.AVX2 && gamma2 == Gamma2Q32:
		decompose32AVX2(w1, w0, w)
	case cpu.AVX2:
		decompose88AVX2(w1, w0, w)
	default:
		decomposeGeneric(w1, w0, w, gamma2)
	}
}

// MakeHint sets h to the hints of FIPS 204, Algorithm 39, for z = −ct₀ and r = w − cs₂ + ct₀,
// and returns their number. It takes w1 = HighBits(w) and r0 = w₀ − cs₂ + ct₀, where w₀ =
// LowBits(w), |w₀ − cs₂| < γ₂ − β and |ct₀| < γ₂, as signing has checked.
//
// Input: w1 as Decompose returns it, |r0| ≤ 2γ₂. Output: [0, 256].
func MakeHint(h *Hint, r0, w1 *Poly, gamma2 int32) int {
	switch {
	case cpu.AVX512:
		return makeHintAVX512(h, r0, w1, gamma2)
	case cpu.AVX2:
		return makeHintAVX2(h, r0, w1, gamma2)
	default:
		return makeHintGeneric(h, r0, w1, gamma2)
	}
}

// UseHint sets w1 to the high bits of w that the hints correct (FIPS 204, Algorithm 40), for
// γ₂ = Gamma2Q88 or Gamma2Q32. w1 may be w.
//
// Input: [0, q). Output: [0, 44) or [0, 16).
func UseHint(w1 *Poly, h *Hint, w *Poly, gamma2 int32) {
	switch {
	case cpu.AVX512Wide && gamma2 == Gamma2Q32:
		useHint32AVX512(w1, h, w)
	case cpu.AVX512Wide:
		useHint88AVX512(w1, h, w)
	case cpu.AVX512 && gamma2 == Gamma2Q32:
		useHint32AVX512VL(w1, h, w)
	case cpu.AVX512:
		useHint88AVX512VL(w1, h, w)
	case cpu.AVX2 && gamma2 == Gamma2Q32:
		useHint32AVX2(w1, h, w)
	case cpu.AVX2:
		useHint88AVX2(w1, h, w)
	default:
		useHintGeneric(w1, h, w, gamma2)
	}
}

// Exceeds reports whether any |c| ≥ bound. It reads all of p.
//
// Input: |c| < 2^30, 0 < bound ≤ 2^30. Constant time but for the result.
func Exceeds(p *Poly, bound int32) bool {
	switch {
	case cpu.AVX512:
		return exceedsAVX512(p, bound)
	case cpu.AVX2:
		return exceedsAVX2(p, bound)
	default:
		return exceedsGeneric(p, bound)
	}
}

// The kernels below have the contracts of the functions above and work at any
// alignment. Their time depends on nothing: no data reaches a branch or an address. The
// numbers in names are (q−1)/γ₂.

//go:noescape
func power2RoundAVX2(t1, t0, t *Poly)

//go:noescape
func power2RoundAVX512(t1, t0, t *Poly)

//go:noescape
func decompose88AVX2(w1, w0, w *Poly)

//go:noescape
func decompose88AVX512(w1, w0, w *Poly)

//go:noescape
func decompose32AVX2(w1, w0, w *Poly)

//go:noescape
func decompose32AVX512(w1, w0, w *Poly)

//go:noescape
func makeHintAVX2(h *Hint, r0, w1 *Poly, gamma2 int32) int

//go:noescape
func makeHintAVX512(h *Hint, r0, w1 *Poly, gamma2 int32) int

//go:noescape
func useHint88AVX2(w1 *Poly, h *Hint, w *Poly)

//go:noescape
func useHint88AVX512(w1 *Poly, h *Hint, w *Poly)

//go:noescape
func useHint88AVX512VL(w1 *Poly, h *Hint, w *Poly)

//go:noescape
func useHint32AVX2(w1 *Poly, h *Hint, w *Poly)

//go:noescape
func useHint32AVX512(w1 *Poly, h *Hint, w *Poly)

//go:noescape
func useHint32AVX512VL(w1 *Poly, h *Hint, w *Poly)

//go:noescape
func exceedsAVX2(p *Poly, bound int32) bool

//go:noescape
func exceedsAVX512(p *Poly, bound int32) bool
