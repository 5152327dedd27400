package kemring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// eachBackend runs f as a subtest under every backend of this machine.
func eachBackend(t *testing.T, f func(t *testing.T)) {
	for _, name := range cpu.Available() {
		t.Run(name, func(t *testing.T) {
			defer cpu.Use(name)()
			f(t)
		})
	}
}

// bounds is an interval of a contract.
type bounds struct{ min, max int16 }

func within(multiple int16) bounds { return bounds{-multiple * Q, multiple * Q} }

var canonical = bounds{0, Q - 1}

func (b bounds) random(rng *rand.Rand) int16 {
	return int16(int(b.min) + rng.IntN(int(b.max)-int(b.min)+1))
}

// corners returns polynomials at the extremes of b: all at one end, alternating with
// every period that the NTT's layers see, one coefficient alone at an end; and some at
// random, half of them made of the ends only.
func (b bounds) corners(rng *rand.Rand) []Poly {
	fill := func(f func(i int) int16) (p Poly) {
		for i := range p {
			p[i] = f(i)
		}
		return p
	}
	ends := [2]int16{b.min, b.max}
	ps := []Poly{{}, fill(func(int) int16 { return b.min }), fill(func(int) int16 { return b.max })}
	for period := 1; period < N; period *= 2 {
		for phase := range 2 {
			ps = append(ps, fill(func(i int) int16 { return ends[(i/period+phase)%2] }))
		}
	}
	for i := range N {
		for _, end := range ends {
			var p Poly
			p[i] = end
			ps = append(ps, p)
		}
	}
	for range 100 {
		ps = append(ps, fill(func(int) int16 { return ends[rng.IntN(2)] }), fill(func(int) int16 { return b.random(rng) }))
	}
	return ps
}

// basis returns zero and the 256 basis vectors.
func basis() []Poly {
	ps := make([]Poly, N+1)
	for i := range N {
		ps[i+1][i] = 1
	}
	return ps
}

// assertCongruent fails unless got is within b and congruent to want modulo q; if b is
// canonical, that is equality with want's least residues.
func assertCongruent(t *testing.T, want, got *Poly, b bounds) {
	t.Helper()
	for i, c := range got {
		if c < b.min || c > b.max || (int(c)-int(want[i]))%Q != 0 {
			require.Failf(t, "wrong coefficient", "%d is %d, want %d mod q in [%d, %d]", i, c, want[i], b.min, b.max)
		}
	}
}

// A guarded is memory for polynomials with canaries before and after it, at any
// alignment to two bytes.
type guarded struct {
	cells  []int16
	before int
	n      int
}

const canary = 0x5a5a

// newGuarded makes room for n polynomials, shift coefficients off the alignment to 64
// bytes.
func newGuarded(n, shift int) *guarded {
	g := &guarded{cells: make([]int16, n*N+256), n: n}
	for i := range g.cells {
		g.cells[i] = canary
	}
	misaligned := int(uintptr(unsafe.Pointer(&g.cells[0])) / 2 % 32)
	g.before = 64 + (32-misaligned)%32 + shift
	return g
}

func (g *guarded) polys() []Poly {
	return unsafe.Slice((*Poly)(unsafe.Pointer(&g.cells[g.before])), g.n)
}

func (g *guarded) assertIntact(t *testing.T) {
	t.Helper()
	for i, c := range g.cells {
		if (i < g.before || i >= g.before+g.n*N) && c != canary {
			require.Failf(t, "write out of bounds", "at coefficient %d of %d", i-g.before, g.n*N)
		}
	}
}

// testInPlace compares f with its twin on every input of its contract that corners and
// extra have.
func testInPlace(t *testing.T, f, generic func(p *Poly), input, output bounds, extra ...Poly) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for i, p := range append(input.corners(rng), extra...) {
			want := p
			generic(&want)
			g := newGuarded(1, i%32)
			g.polys()[0] = p
			f(&g.polys()[0])
			assertCongruent(t, &want, &g.polys()[0], output)
			g.assertIntact(t)
		}
	})
}

func TestNTTAgreesWithGeneric(t *testing.T) {
	testInPlace(t, NTT, nttGeneric, within(1), within(5), basis()...)
}

func TestNTTVectorIsNTTOfEach(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		ps := within(1).corners(rng)
		for i := range ps {
			n := 1 + i%4
			g := newGuarded(n, i%32)
			copy(g.polys(), ps[i:])
			want := append([]Poly(nil), g.polys()...)
			for j := range want {
				NTT(&want[j])
			}
			NTTVector(g.polys())
			require.Equal(t, want, append([]Poly(nil), g.polys()...))
			g.assertIntact(t)
		}
		NTTVector(nil)
	})
}

func TestInverseNTTAgreesWithGeneric(t *testing.T) {
	testInPlace(t, InverseNTT, inverseNTTGeneric, within(3), within(1), basis()...)
}

// TestInverseNTTUndoesNTT checks both on a basis against the definition alone: the
// factor is R.
func TestInverseNTTUndoesNTT(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, p := range append(basis(), within(1).corners(rng)...) {
			want := timesR(p)
			NTT(&p)
			Reduce(&p)
			InverseNTT(&p)
			assertCongruent(t, &want, &p, within(1))
		}
	})
}

// TestNTTUndoesInverseNTT takes the corners of the inverse's input, where sums are the
// largest: the twins agree there even if both overflow.
func TestNTTUndoesInverseNTT(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, p := range within(3).corners(rng) {
			want := timesR(p)
			InverseNTT(&p)
			NTT(&p)
			assertCongruent(t, &want, &p, within(5))
		}
	})
}

func timesR(p Poly) Poly {
	for i, c := range p {
		p[i] = int16(int(c) * rModQ % Q)
	}
	return p
}

func TestNTTEvaluates(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		for m := range N {
			var p, want Poly
			p[m] = 1
			for i := range gammas {
				// X^m = γ^(m/2)·X^(m mod 2).
				x := int16(1)
				gamma := montgomeryMul(gammas[i], 1)
				for range m / 2 {
					x = int16(int32(x) * int32(gamma) % Q)
				}
				want[2*i+m%2] = x
			}
			NTT(&p)
			assertCongruent(t, &want, &p, within(5))
		}
	})
}

func TestReduceIsCanonicalForEveryNumber(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		for base := math.MinInt16; base <= math.MaxInt16; base += N {
			var p Poly
			for i := range p {
				p[i] = int16(base + i)
			}
			want := p
			Reduce(&p)
			assertCongruent(t, &want, &p, canonical)
		}
	})
	testInPlace(t, Reduce, reduceGeneric, bounds{math.MinInt16, math.MaxInt16}, canonical)
}

func TestNTTTwistAgreesWithGeneric(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		ps := append(within(1).corners(rng), basis()...)
		for i := range ps {
			n := 1 + i%4
			g := newGuarded(2*n, i%32)
			got, tw := g.polys()[:n], g.polys()[n:]
			inputs := make([]Poly, n)
			for j := range inputs {
				inputs[j] = ps[(i+j)%len(ps)]
			}
			copy(got, inputs)
			NTTTwist(got, tw)
			for j := range inputs {
				want, wantTwist := inputs[j], Poly{}
				nttTwistGeneric(&want, &wantTwist)
				assertCongruent(t, &want, &got[j], within(5))
				assertCongruent(t, &wantTwist, &tw[j], within(5))
				for l, c := range tw[j] {
					if l%2 == 0 {
						require.Equal(t, got[j][l], c)
					} else {
						require.InDelta(t, 0, c, Q)
					}
				}
			}
			g.assertIntact(t)
		}
		NTTTwist(nil, nil)
	})
}

// TestDotAgreesWithGeneric feeds every combination of corners of a and b for each rank,
// with a in a row and in a column of a matrix, to Dot, and with corners of e to MulAdd.
func TestDotAgreesWithGeneric(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		as, bs := canonical.corners(rng), within(5).corners(rng)
		as = append(as[:19:19], as[len(as)-60:]...) // without the single coefficients
		bs = append(bs[:19:19], bs[len(bs)-60:]...)
		es := within(1).corners(rng)
		for rank := 1; rank <= 4; rank++ {
			for _, stride := range []int{1, rank} {
				inputs := newGuarded((rank-1)*stride+1+2*rank, 3)
				a := inputs.polys()[:(rank-1)*stride+1]
				b := inputs.polys()[len(a) : len(a)+rank]
				tw := inputs.polys()[len(a)+rank:]
				for x := range as {
					for y := range bs {
						for i := range rank {
							// The same corner throughout, or one of its neighbours.
							a[i*stride] = as[(x+i*(y%2))%len(as)]
							b[i] = bs[(y+i*(x%2))%len(bs)]
							twistGeneric(&tw[i], &b[i])
						}
						var want Poly
						dotGeneric(&want, a, stride, b, tw)
						g := newGuarded(1, (x+y)%32)
						Dot(&g.polys()[0], a, stride, b, tw)
						assertCongruent(t, &want, &g.polys()[0], within(3))
						g.assertIntact(t)

						g = newGuarded(2, (x+y)%32)
						dst, e := &g.polys()[0], &g.polys()[1]
						*e = es[(x*len(bs)+y)%len(es)]
						mulAddGeneric(&want, e, a, stride, b, tw)
						MulAdd(dst, e, a, stride, b, tw)
						assertCongruent(t, &want, dst, within(2))
						require.Equal(t, es[(x*len(bs)+y)%len(es)], *e)
						g.assertIntact(t)
					}
				}
			}
		}
	})
}

// TestDotMultiplies checks Dot, both transforms and MulAdd together against the
// product of polynomials modulo X^256 + 1, whose factor R⁻¹ the inverse NTT undoes.
func TestDotMultiplies(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 8))
		for range 20 {
			const rank = 3
			a, b, tw := make([]Poly, rank), make([]Poly, rank), make([]Poly, rank)
			var sum [N]int
			for i := range rank {
				for j := range N {
					a[i][j], b[i][j] = canonical.random(rng), within(1).random(rng)
				}
				for j := range N {
					for l := range N {
						product := int(a[i][j]) * int(b[i][l])
						if j+l >= N {
							product = -product
						}
						sum[(j+l)%N] += product
					}
				}
				NTT(&a[i])
				Reduce(&a[i])
			}
			NTTTwist(b, tw)
			var want, got Poly
			for i := range want {
				want[i] = int16(sum[i] % Q)
			}
			Dot(&got, a, 1, b, tw)
			InverseNTT(&got)
			assertCongruent(t, &want, &got, within(1))
			var e Poly
			for i := range e {
				e[i] = within(1).random(rng)
				want[i] = (want[i] + e[i]) % Q
			}
			MulAdd(&got, &e, a, 1, b, tw)
			assertCongruent(t, &want, &got, within(2))
		}
	})
}

// testPairs compares f with its twin on pairs of corners.
func testPairs(t *testing.T, f, generic func(p, a *Poly), first, second, output bounds) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 10))
		ps, as := first.corners(rng), second.corners(rng)
		for i := range ps {
			for _, j := range []int{i, i % 19, rng.IntN(len(as)), rng.IntN(len(as))} {
				want := ps[i]
				generic(&want, &as[j])
				g := newGuarded(2, (i+j)%32)
				p, a := &g.polys()[0], &g.polys()[1]
				*p, *a = ps[i], as[j]
				f(p, a)
				assertCongruent(t, &want, p, output)
				require.Equal(t, as[j], *a)
				g.assertIntact(t)
			}
		}
	})
}

func TestAddMontgomeryAgreesWithGeneric(t *testing.T) {
	testPairs(t, AddMontgomery, addMontgomeryGeneric, within(3), within(5), canonical)
}

func TestAddAgreesWithGeneric(t *testing.T) {
	half := bounds{math.MinInt16 / 2, math.MaxInt16 / 2}
	all := bounds{math.MinInt16, math.MaxInt16}
	testPairs(t, Add, addGeneric, half, half, all)
	testPairs(t, Sub, subGeneric, half, half, all)
}

func TestArithmeticAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			var p, e Poly
			var a [9]Poly
			var b, tw [3]Poly
			NTT(&p)
			NTTTwist(b[:], tw[:])
			Dot(&p, a[1:], 3, b[:], tw[:])
			MulAdd(&p, &e, a[1:], 3, b[:], tw[:])
			AddMontgomery(&p, &e)
			InverseNTT(&p)
			Add(&p, &e)
			Sub(&p, &e)
			Reduce(&p)
		}))
	})
}

// benchmark runs f under every backend.
func benchmark(b *testing.B, f func()) {
	for _, name := range cpu.Available() {
		b.Run(name, func(b *testing.B) {
			defer cpu.Use(name)()
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

func BenchmarkNTT(b *testing.B) {
	var p Poly
	benchmark(b, func() { NTT(&p) })
}

func BenchmarkNTTVector(b *testing.B) {
	p := make([]Poly, 3)
	benchmark(b, func() { NTTVector(p) })
}

func BenchmarkInverseNTT(b *testing.B) {
	var p Poly
	benchmark(b, func() { InverseNTT(&p) })
}

func BenchmarkNTTTwist(b *testing.B) {
	for k := 1; k <= 4; k++ {
		b.Run(fmt.Sprintf("k=%d", k), func(b *testing.B) {
			p, tw := make([]Poly, k), make([]Poly, k)
			benchmark(b, func() { NTTTwist(p, tw) })
		})
	}
}

func BenchmarkDot(b *testing.B) {
	for rank := 1; rank <= 4; rank++ {
		b.Run(fmt.Sprintf("k=%d", rank), func(b *testing.B) {
			var dst Poly
			a, c, tw := make([]Poly, rank*rank), make([]Poly, rank), make([]Poly, rank)
			benchmark(b, func() { Dot(&dst, a, 1, c, tw) })
		})
	}
}

func BenchmarkMulAdd(b *testing.B) {
	for rank := 2; rank <= 4; rank++ {
		b.Run(fmt.Sprintf("k=%d", rank), func(b *testing.B) {
			var dst, e Poly
			a, c, tw := make([]Poly, rank*rank), make([]Poly, rank), make([]Poly, rank)
			benchmark(b, func() { MulAdd(&dst, &e, a, 1, c, tw) })
		})
	}
}

func BenchmarkAddMontgomery(b *testing.B) {
	var p, e Poly
	benchmark(b, func() { AddMontgomery(&p, &e) })
}

func BenchmarkReduce(b *testing.B) {
	var p Poly
	benchmark(b, func() { Reduce(&p) })
}

func BenchmarkAdd(b *testing.B) {
	var p, a Poly
	benchmark(b, func() { Add(&p, &a) })
}

func BenchmarkSub(b *testing.B) {
	var p, a Poly
	benchmark(b, func() { Sub(&p, &a) })
}
