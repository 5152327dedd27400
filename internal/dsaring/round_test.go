package dsaring

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var gammas2 = []int32{Gamma2Q88, Gamma2Q32}

// eachResidue calls f with polynomials that hold every element of Z_q, or with a sample
// that has the ends and the borders of Decompose.
func eachResidue(t *testing.T, f func(p *Poly)) {
	var p Poly
	fill := func(base int) {
		for i := range p {
			p[i] = int32((base + i + Q) % Q)
		}
		f(&p)
	}
	if !testing.Short() {
		for base := 0; base < Q; base += N {
			fill(base)
		}
		return
	}
	for _, step := range []int{1 << D, Gamma2Q88, Gamma2Q32} {
		for border := 0; border <= Q; border += step {
			fill(border - N/2)
		}
	}
	rng := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		fill(rng.IntN(Q))
	}
}

// centredModulo is mod±: the representative of x modulo m in (−m/2, m/2].
func centredModulo(x, m int32) int32 {
	x = (x%m + m) % m
	if 2*x > m {
		x -= m
	}
	return x
}

// decomposeOfStandard is FIPS 204, Algorithm 36.
func decomposeOfStandard(r, gamma2 int32) (r1, r0 int32) {
	r0 = centredModulo(r, 2*gamma2)
	if r-r0 == Q-1 {
		return 0, r0 - 1
	}
	return (r - r0) / (2 * gamma2), r0
}

func TestPower2RoundIsTheStandardsOnAllOfZq(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		eachResidue(t, func(p *Poly) {
			var t1, t0 Poly
			Power2Round(&t1, &t0, p)
			for i, c := range p {
				r0 := centredModulo(c, 1<<D)
				if t0[i] != r0 || t1[i] != (c-r0)>>D {
					require.Failf(t, "wrong", "%d is split into %d and %d", c, t1[i], t0[i])
				}
			}
		})
	})
}

func TestDecomposeIsTheStandardsOnAllOfZq(t *testing.T) {
	for _, gamma2 := range gammas2 {
		eachBackend(t, func(t *testing.T) {
			eachResidue(t, func(p *Poly) {
				var w1, w0 Poly
				Decompose(&w1, &w0, p, gamma2)
				for i, c := range p {
					r1, r0 := decomposeOfStandard(c, gamma2)
					if w1[i] != r1 || w0[i] != r0 {
						require.Failf(t, "wrong", "γ₂ = %d: %d is split into %d and %d", gamma2, c, w1[i], w0[i])
					}
				}
			})
		})
	}
}

func TestUseHintIsTheStandardsOnAllOfZq(t *testing.T) {
	for _, gamma2 := range gammas2 {
		eachBackend(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(13, 14))
			m := (Q - 1) / (2 * gamma2)
			eachResidue(t, func(p *Poly) {
				var hint, complement Hint
				for i := range hint {
					hint[i] = rng.Uint64()
					complement[i] = ^hint[i]
				}
				for _, h := range []*Hint{&hint, &complement} {
					var w1 Poly
					UseHint(&w1, h, p, gamma2)
					for i, c := range p {
						r1, r0 := decomposeOfStandard(c, gamma2)
						if h[i/64]>>(i%64)&1 == 1 {
							if r0 > 0 {
								r1 = (r1 + 1) % m
							} else {
								r1 = (r1 - 1 + m) % m
							}
						}
						if w1[i] != r1 {
							require.Failf(t, "wrong", "γ₂ = %d: %d yields %d", gamma2, c, w1[i])
						}
					}
				}
			})
		})
	}
}

// TestMakeHintIsTheStandards compares with FIPS 204, Algorithm 39, on w, cs₂ and ct₀ that
// have passed the checks before it: at random, and at the borders of both intervals.
func TestMakeHintIsTheStandards(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for _, gamma2 := range gammas2 {
		beta := int32(196)
		if gamma2 == Gamma2Q88 {
			beta = 78
		}
		eachBackend(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(15, 16))
			near := func(limit int32) int32 { return (limit - 1 - rng.Int32N(3)) * (1 - 2*rng.Int32N(2)) }
			for round := range rounds {
				g := newGuarded(2, round)
				r0, w1 := &g.polys()[0], &g.polys()[1]
				var want Hint
				weight := 0
				for i := range N {
					// w − cs₂ has a low part that its bound admits; cs₂ is small.
					var low int32
					w := rng.Int32N(Q)
					cs2 := rng.Int32N(2*beta+1) - beta
					_, low = decomposeOfStandard((w-cs2+Q)%Q, gamma2)
					high, w0 := decomposeOfStandard(w, gamma2)
					if abs(low) >= gamma2-beta || abs(w0-cs2) >= gamma2-beta || rng.IntN(4) == 0 {
						// Choose w by its parts; the first step also where it wraps.
						cs2 = near(beta + 1)
						low = near(gamma2 - beta)
						high = rng.Int32N(3) * rng.Int32N((Q-1)/(2*gamma2)/2)
						w = (high*2*gamma2 + low + cs2 + Q) % Q
						high, w0 = decomposeOfStandard(w, gamma2)
						if w0-cs2 != low { // beyond the wrap, low parts are one less
							low = w0 - cs2
						}
						if abs(low) >= gamma2-beta {
							low, w, cs2 = 0, high*2*gamma2, 0
							high, w0 = decomposeOfStandard(w, gamma2)
						}
					}
					var ct0 int32
					switch rng.IntN(4) {
					case 0:
						ct0 = near(gamma2)
					case 1: // the sum near the border
						ct0 = max(min(near(gamma2+2)-low, gamma2-1), 1-gamma2)
					default:
						ct0 = rng.Int32N(2*gamma2-1) - gamma2 + 1
					}
					// MakeHint(−ct₀, w − cs₂ + ct₀) compares high parts.
					r := ((w-cs2+ct0)%Q + Q) % Q
					before, _ := decomposeOfStandard(r, gamma2)
					after, _ := decomposeOfStandard(((r-ct0)%Q+Q)%Q, gamma2)
					if before != after {
						want[i/64] |= 1 << (i % 64)
						weight++
					}
					if high != after {
						require.Fail(t, "the test's own parts do not fit")
					}
					r0[i], w1[i] = w0-cs2+ct0, high
				}
				var got Hint
				require.Equal(t, weight, MakeHint(&got, r0, w1, gamma2))
				require.Equal(t, want, got)
				g.assertIntact(t)
			}
		})
	}
}

func abs(x int32) int32 { return max(x, -x) }

// TestMakeHintAtTheBorders takes every r0 around ±γ₂, where the lower end depends on w1.
func TestMakeHintAtTheBorders(t *testing.T) {
	for _, gamma2 := range gammas2 {
		eachBackend(t, func(t *testing.T) {
			for high := range steps(gamma2) {
				var r0, w1 Poly
				var want Hint
				for i := range N {
					r0[i], w1[i] = gamma2-64+int32(i), high
					if i >= 128 {
						r0[i] = -gamma2 + 64 - int32(i-128)
					}
					if r0[i] > gamma2 || r0[i] < -gamma2 || r0[i] == -gamma2 && high != 0 {
						want[i/64] |= 1 << (i % 64)
					}
				}
				var got Hint
				MakeHint(&got, &r0, &w1, gamma2)
				require.Equal(t, want, got)
			}
		})
	}
}

func TestExceedsFindsEveryCoefficientAtTheBound(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(17, 18))
		for _, bound := range []int32{1, 2, Gamma2Q88 - 78, Gamma2Q32 - 196, 1<<17 - 78, 1<<19 - 196, Q / 2, 1 << 30} {
			inside := bounds{1 - bound, bound - 1}
			for position := range N {
				g := newGuarded(1, position)
				p := &g.polys()[0]
				*p = inside.poly(rng)
				for _, c := range []int32{bound - 1, 1 - bound, 0} {
					p[position] = c
					assert.False(t, Exceeds(p, bound), "%d", c)
				}
				for _, c := range []int32{bound, -bound, bound + 1, -bound - 1, 1<<30 - 1, 1 - 1<<30} {
					if bound == 1<<30 {
						continue
					}
					p[position] = c
					assert.True(t, Exceeds(p, bound), "%d", c)
				}
				g.assertIntact(t)
			}
		}
	})
}

// TestRoundingWorksInPlace gives each output the memory of the input, and looks for
// writes beside it.
func TestRoundingWorksInPlace(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(19, 20))
		for round := range 32 {
			w := least.poly(rng)
			for _, gamma2 := range gammas2 {
				for _, f := range []func(high, low, w *Poly){
					Power2Round,
					func(high, low, w *Poly) { Decompose(high, low, w, gamma2) },
				} {
					var want1, want0 Poly
					f(&want1, &want0, &w)
					for alias := range 3 { // of w with high, low or neither
						g := newGuarded(3, round)
						p := g.polys()
						p[alias] = w
						f(&p[0], &p[1], &p[alias])
						require.True(t, want1 == p[0] && want0 == p[1])
						if alias == 2 {
							require.True(t, w == p[2])
						}
						g.assertIntact(t)
					}
				}
				h := Hint{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()}
				var want Poly
				UseHint(&want, &h, &w, gamma2)
				g := newGuarded(1, round)
				g.polys()[0] = w
				UseHint(&g.polys()[0], &h, &g.polys()[0], gamma2)
				require.True(t, want == g.polys()[0])
				g.assertIntact(t)
			}
		}
	})
}

func TestRoundingAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			var p, high, low Poly
			var h Hint
			Power2Round(&high, &low, &p)
			Decompose(&high, &low, &p, Gamma2Q32)
			MakeHint(&h, &low, &high, Gamma2Q32)
			UseHint(&high, &h, &p, Gamma2Q88)
			Exceeds(&low, 5)
		}))
	})
}

func BenchmarkPower2Round(b *testing.B) {
	var t1, t0, t Poly
	benchmark(b, func() { Power2Round(&t1, &t0, &t) })
}

// eachGamma2 runs a benchmark for both values.
func eachGamma2(b *testing.B, f func(gamma2 int32)) {
	for _, gamma2 := range gammas2 {
		b.Run(fmt.Sprintf("gamma2=%d", gamma2), func(b *testing.B) {
			benchmark(b, func() { f(gamma2) })
		})
	}
}

func BenchmarkDecompose(b *testing.B) {
	var w1, w0, w Poly
	eachGamma2(b, func(gamma2 int32) { Decompose(&w1, &w0, &w, gamma2) })
}

func BenchmarkMakeHint(b *testing.B) {
	var h Hint
	var r0, w1 Poly
	eachGamma2(b, func(gamma2 int32) { MakeHint(&h, &r0, &w1, gamma2) })
}

func BenchmarkUseHint(b *testing.B) {
	var h Hint
	var w1, w Poly
	eachGamma2(b, func(gamma2 int32) { UseHint(&w1, &h, &w, gamma2) })
}

func BenchmarkExceeds(b *testing.B) {
	var p Poly
	benchmark(b, func() { Exceeds(&p, 5) })
}
