package dsaring

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/kemring"
)

func TestNarrowKeepsEveryNumber(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		for base := -1 << 15; base < 1<<15; base += N {
			var p Poly
			for i := range p {
				p[i] = int32(base + i)
			}
			var cells [N + 64]int16
			shift := base / N & 31
			dst := (*[N]int16)(cells[shift:])
			Narrow(dst, &p)
			for i, c := range cells {
				if i < shift || i >= shift+N {
					require.Zero(t, c, "write out of bounds")
				} else {
					require.EqualValues(t, p[i-shift], c)
				}
			}
		}
	})
}

// Each small number stands for itself in all of its representatives.
func TestSmallNumbersAreExact(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(31, 32))
		for _, shift := range []int{-SmallModulus, 0, SmallModulus} {
			for base := -SmallBound; base <= SmallBound; base += 200 {
				var c [N]int16
				var v [N]int32
				g := newGuarded(1, base)
				p := &g.polys()[0]
				*p = bounds{-1 << 30, 1 << 30}.poly(rng)
				before := *p
				for i := range c {
					v[i] = int32(min(base+i, SmallBound))
					r := int(v[i]) + shift
					if r < -SmallModulus || r > SmallModulus {
						r = int(v[i])
					}
					c[i] = int16(r)
				}
				AddSmall(p, &c)
				for i := range p {
					require.Equal(t, before[i]+v[i], p[i])
				}
				SubSmall(p, &c)
				require.True(t, before == *p)
				SubSmall(p, &c)
				for i := range p {
					require.Equal(t, before[i]-v[i], p[i])
				}
				g.assertIntact(t)
			}
		}
	})
}

// TestSmallProductsThroughKemring multiplies as signing does: challenges of every weight with
// secrets, at their extremes too.
func TestSmallProductsThroughKemring(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(33, 34))
		for round := range 60 {
			tau, eta := []int{39, 49, 60}[round%3], int32([]int{2, 4, 2}[round%3])
			var c Poly
			for range tau {
				c[rng.IntN(N)] = 1 - 2*rng.Int32N(2)
			}
			s := bounds{-eta, eta}.poly(rng)
			if round%2 == 1 {
				for i := range s { // the largest coefficient that c admits
					s[i] = eta
					if c[(N-i)%N] < 0 != (i > 0) {
						s[i] = -eta
					}
				}
			}
			want := schoolbook(&c, &s)

			var cHat, sHat [1]kemring.Poly
			var twist, product [1]kemring.Poly
			Narrow((*[N]int16)(&cHat[0]), &c)
			Narrow((*[N]int16)(&sHat[0]), &s)
			kemring.NTT(&sHat[0])
			kemring.Reduce(&sHat[0])
			kemring.NTTTwist(cHat[:], twist[:])
			kemring.Dot(&product[0], sHat[:], 1, cHat[:], twist[:])
			kemring.InverseNTT(&product[0])
			var got Poly
			AddSmall(&got, (*[N]int16)(&product[0]))
			require.Equal(t, want, got)
		}
	})
}

func TestSmallAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			var p Poly
			var c [N]int16
			Narrow(&c, &p)
			AddSmall(&p, &c)
			SubSmall(&p, &c)
		}))
	})
}

func BenchmarkNarrow(b *testing.B) {
	var p Poly
	var c [N]int16
	benchmark(b, func() { Narrow(&c, &p) })
}

func BenchmarkAddSmall(b *testing.B) {
	var p Poly
	var c [N]int16
	benchmark(b, func() { AddSmall(&p, &c) })
}
