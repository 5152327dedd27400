package dsaring

import (
	"fmt"
	"math/bits"
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
type bounds struct{ min, max int32 }

func within(multiple int32) bounds { return bounds{-multiple * Q, multiple * Q} }

var (
	least   = bounds{0, Q - 1}
	centred = bounds{-(Q - 1) / 2, (Q - 1) / 2}
)

func (b bounds) random(rng *rand.Rand) int32 {
	return int32(int64(b.min) + rng.Int64N(int64(b.max)-int64(b.min)+1))
}

func (b bounds) poly(rng *rand.Rand) (p Poly) {
	for i := range p {
		p[i] = b.random(rng)
	}
	return p
}

// corners returns polynomials at the extremes of b: all at one end, alternating with
// every period that the NTT's layers see, one coefficient alone at an end; and some at
// random, half of them made of the ends only.
func (b bounds) corners(rng *rand.Rand) []Poly {
	fill := func(f func(i int) int32) (p Poly) {
		for i := range p {
			p[i] = f(i)
		}
		return p
	}
	ends := [2]int32{b.min, b.max}
	ps := []Poly{{}, fill(func(int) int32 { return b.min }), fill(func(int) int32 { return b.max })}
	for period := 1; period < N; period *= 2 {
		for phase := range 2 {
			ps = append(ps, fill(func(i int) int32 { return ends[(i/period+phase)%2] }))
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
		ps = append(ps, fill(func(int) int32 { return ends[rng.IntN(2)] }), b.poly(rng))
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
// no wider than q, that is equality with want's representatives there.
func assertCongruent(t *testing.T, want, got *Poly, b bounds) {
	t.Helper()
	for i, c := range got {
		if c < b.min || c > b.max || (int(c)-int(want[i]))%Q != 0 {
			require.Failf(t, "wrong coefficient", "%d is %d, want %d mod q in [%d, %d]", i, c, want[i], b.min, b.max)
		}
	}
}

// A guarded is memory for polynomials with canaries before and after it, at any
// alignment to four bytes.
type guarded struct {
	cells  []int32
	before int
	n      int
}

const canary = 0x5a5a5a5a

// newGuarded makes room for n polynomials, shift coefficients off the alignment to 64
// bytes.
func newGuarded(n, shift int) *guarded {
	g := &guarded{cells: make([]int32, n*N+128), n: n}
	for i := range g.cells {
		g.cells[i] = canary
	}
	misaligned := int(uintptr(unsafe.Pointer(&g.cells[0])) / 4 % 16)
	g.before = 32 + (16-misaligned)%16 + shift%16
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
			assertCongruent(t, &want, &want, output)
			g := newGuarded(1, i)
			g.polys()[0] = p
			f(&g.polys()[0])
			assertCongruent(t, &want, &g.polys()[0], output)
			g.assertIntact(t)
		}
	})
}

func TestNTTAgreesWithGeneric(t *testing.T) {
	testInPlace(t, NTT, nttGeneric, within(1), within(10), basis()...)
}

func TestInverseNTTAgreesWithGeneric(t *testing.T) {
	testInPlace(t, InverseNTT, inverseNTTGeneric, within(2), least, basis()...)
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
			assertCongruent(t, &want, &p, least)
		}
	})
}

// TestNTTUndoesInverseNTT takes the corners of the inverse's input, where sums are the
// largest: the twins agree there even if both overflow.
func TestNTTUndoesInverseNTT(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, p := range within(2).corners(rng) {
			want := timesR(p)
			InverseNTT(&p)
			NTT(&p)
			assertCongruent(t, &want, &p, within(10))
		}
	})
}

func timesR(p Poly) Poly {
	for i, c := range p {
		p[i] = int32(int64(c) * rModQ % Q)
	}
	return p
}

// roots returns ζ^e for each e below 512 (FIPS 204, Section 7.5).
func roots() (powers [2 * N]int64) {
	powers[0] = 1
	for e := 1; e < len(powers); e++ {
		powers[e] = powers[e-1] * 1753 % Q
	}
	return powers
}

// exponent returns the e for which entry i of an NTT is the value at ζ^e.
func exponent(i int) int { return 2*int(bits.Reverse8(uint8(i))) + 1 }

// testSums compares f with factor times the sums of p[j]·ζ^e(i, j), each by itself, for a basis
// and the corners of input.
func testSums(t *testing.T, f func(p *Poly), e func(i, j int) int, factor int64, input, output bounds) {
	powers := roots()
	ps := append(basis(), input.corners(rand.New(rand.NewPCG(11, 12)))...)
	wants := make([]Poly, len(ps))
	for k, p := range ps {
		for i := range wants[k] {
			sum := int64(0) // below 2^55
			for j, c := range p {
				sum += int64(c) * powers[e(i, j)%len(powers)]
			}
			wants[k][i] = int32(sum % Q * factor % Q)
		}
	}
	eachBackend(t, func(t *testing.T) {
		for k, p := range ps {
			f(&p)
			assertCongruent(t, &wants[k], &p, output)
		}
	})
}

// TestNTTEvaluates checks the NTT against the definition: entry i is the value at
// ζ^(2·BitRev8(i)+1).
func TestNTTEvaluates(t *testing.T) {
	testSums(t, NTT, func(i, j int) int { return exponent(i) * j }, 1, within(1), within(10))
}

// TestInverseNTTInterpolates checks the inverse against the definition: coefficient i is the
// sum of entries j times ζ^(−i·(2·BitRev8(j)+1)), divided by 256, and here times R. At the
// corners of its input sums are the largest, and if they overflow, they do so in twins alike.
func TestInverseNTTInterpolates(t *testing.T) {
	const (
		r          = 1 << 32 % Q
		inverse256 = Q - (Q-1)/256
	)
	testSums(t, InverseNTT, func(i, j int) int { return (2*N - exponent(j)) * i }, r*inverse256%Q, within(2), least)
}

// schoolbook returns a·b in R_q.
func schoolbook(a, b *Poly) (c Poly) {
	var sum [N]int64
	for i := range a {
		for j := range b {
			product := int64(a[i]) * int64(b[j]) % Q
			if i+j >= N {
				product = -product
			}
			sum[(i+j)%N] += product
		}
	}
	for i := range c {
		c[i] = int32(sum[i] % Q)
	}
	return c
}

// TestProductsAreThoseOfTheRing checks Dot, Mul and both transforms together against the
// product of polynomials modulo X^256 + 1, whose factor R⁻¹ the inverse NTT undoes.
func TestProductsAreThoseOfTheRing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, rank := range []int{1, 4, 5, 6, 7, 8} {
			a, b := make([]Poly, rank), make([]Poly, rank)
			var want, got Poly
			for i := range rank {
				a[i], b[i] = least.poly(rng), within(1).poly(rng)
				product := schoolbook(&a[i], &b[i])
				NTT(&a[i])
				NTT(&b[i])
				single := product
				var mul Poly
				Mul(&mul, &a[i], &b[i])
				InverseNTT(&mul)
				assertCongruent(t, &single, &mul, least)
				Reduce(&a[i])
				Add(&want, &product)
			}
			Dot(&got, a, b)
			InverseNTT(&got)
			assertCongruent(t, &want, &got, least)
		}
	})
}

// TestDotAgreesWithGeneric feeds combinations of corners of a and b for each rank of a
// parameter set and others.
func TestDotAgreesWithGeneric(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		as, bs := least.corners(rng), within(10).corners(rng)
		as = append(as[:19:19], as[len(as)-20:]...) // without the single coefficients
		bs = append(bs[:19:19], bs[len(bs)-20:]...)
		for _, rank := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8} {
			inputs := newGuarded(max(2*rank, 1), 3)
			a, b := inputs.polys()[:rank], inputs.polys()[rank:2*rank]
			for x := range as {
				for y := range bs {
					for i := range rank {
						// The same corner throughout, or one of its neighbours.
						a[i] = as[(x+i*(y%2))%len(as)]
						b[i] = bs[(y+i*(x%2))%len(bs)]
					}
					var want Poly
					dotGeneric(&want, a, b)
					assertCongruent(t, &want, &want, within(1))
					g := newGuarded(1, x+y)
					Dot(&g.polys()[0], a, b)
					assertCongruent(t, &want, &g.polys()[0], within(1))
					g.assertIntact(t)
				}
			}
			inputs.assertIntact(t)
		}
	})
}

func TestMulAgreesWithGeneric(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 10))
		ps := within(10).corners(rng)
		for i := range ps {
			for _, j := range []int{i, i % 19, rng.IntN(len(ps))} {
				var want Poly
				mulGeneric(&want, &ps[i], &ps[j])
				for alias := range 3 {
					g := newGuarded(3, i+j)
					p := g.polys()
					p[0], p[1] = ps[i], ps[j]
					dst := &p[(alias+2)%3]
					Mul(dst, &p[0], &p[1])
					assertCongruent(t, &want, dst, within(1))
					g.assertIntact(t)
				}
			}
		}
	})
}

// testPairs compares f with its twin on pairs of corners.
func testPairs(t *testing.T, f, generic func(p, a *Poly), input bounds) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 10))
		ps := input.corners(rng)
		for i := range ps {
			for _, j := range []int{i, i % 19, rng.IntN(len(ps))} {
				want := ps[i]
				generic(&want, &ps[j])
				g := newGuarded(2, i+j)
				p, a := &g.polys()[0], &g.polys()[1]
				*p, *a = ps[i], ps[j]
				f(p, a)
				require.True(t, want == *p)
				require.True(t, ps[j] == *a)
				g.assertIntact(t)

				want = ps[i]
				generic(&want, &want)
				*p = ps[i]
				f(p, p)
				require.True(t, want == *p)
			}
		}
	})
}

func TestAddAgreesWithGeneric(t *testing.T) {
	half := bounds{-1 << 30, 1<<30 - 1}
	testPairs(t, Add, addGeneric, half)
	testPairs(t, Sub, subGeneric, half)
}

func TestReduceAgreesWithGeneric(t *testing.T) {
	testInPlace(t, Reduce, reduceGeneric, within(255), least)
	testInPlace(t, Centre, centreGeneric, within(255), centred)
}

// Around every multiple of q and of the quotient's step lie the numbers that a wrong
// reduction gets wrong.
func TestReductionsAroundMultiplesOfTheModulus(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		for multiple := int32(-255); multiple <= 255; multiple++ {
			for _, base := range []int32{multiple * Q, max(min(multiple, 254), -254)*Q + Q/2, multiple<<23 + 1<<22} {
				var p Poly
				for i := range p {
					c := int64(base) + int64(i) - N/2
					p[i] = int32(max(min(c, 255*Q), -255*Q))
				}
				want, r := p, p
				Reduce(&r)
				assertCongruent(t, &want, &r, least)
				r = p
				Centre(&r)
				assertCongruent(t, &want, &r, centred)
			}
		}
	})
}

func TestArithmeticAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			var p Poly
			var a, b [7]Poly
			NTT(&b[0])
			Dot(&p, a[:], b[:])
			Mul(&p, &a[0], &b[0])
			InverseNTT(&p)
			Add(&p, &a[0])
			Sub(&p, &a[0])
			Reduce(&p)
			Centre(&p)
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

func BenchmarkInverseNTT(b *testing.B) {
	var p Poly
	benchmark(b, func() { InverseNTT(&p) })
}

func BenchmarkDot(b *testing.B) {
	for _, rank := range []int{4, 5, 6, 7, 8} {
		b.Run(fmt.Sprintf("l=%d", rank), func(b *testing.B) {
			var dst Poly
			x, y := make([]Poly, rank), make([]Poly, rank)
			benchmark(b, func() { Dot(&dst, x, y) })
		})
	}
}

func BenchmarkMul(b *testing.B) {
	var dst, x, y Poly
	benchmark(b, func() { Mul(&dst, &x, &y) })
}

func BenchmarkAdd(b *testing.B) {
	var p, a Poly
	benchmark(b, func() { Add(&p, &a) })
}

func BenchmarkReduce(b *testing.B) {
	var p Poly
	benchmark(b, func() { Reduce(&p) })
}

func BenchmarkCentre(b *testing.B) {
	var p Poly
	benchmark(b, func() { Centre(&p) })
}
