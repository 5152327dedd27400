package main

import (
	"math/rand/v2"
	"testing"

	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

// refused reports whether a generator refuses to write a kernel.
func refused(body func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	body()
	return false
}

func TestWhatMayOverflowOrBreaksAContractIsRefused(t *testing.T) {
	ring := func() *arithmetic { return &arithmetic{a64.NewFile("", "")} }
	other := func() *conversion { return newConversion(a64.NewFile("", "")) }
	add := (*a64.Func).VSADDW
	for _, c := range []struct {
		name    string
		refused bool
		body    func()
	}{
		{"NTT", false, func() { ring().ntt(within(1), within(10)) }},
		{"NTT of large numbers", true, func() { ring().ntt(within(253), interval.Int32) }},
		{"NTT with a narrow contract", true, func() { ring().ntt(within(1), within(5)) }},
		{"inverse NTT", false, func() { ring().inverseNTT(within(2), least) }},
		{"inverse NTT with a narrow contract", true, func() { ring().inverseNTT(within(2), below(q-1)) }},
		{"Mul", false, func() { ring().mul(within(10), within(1)) }},
		{"Mul of large numbers", true, func() { ring().mul(within(20), within(1)) }},
		{"Mul of any numbers", true, func() { ring().mul(interval.Int32, interval.Int32) }},
		{"Dot", false, func() { ring().dot("dot", 7, least, within(10), within(1)) }},
		{"Dot of large numbers", true, func() { ring().dot("dot", 7, least, within(40), within(1)) }},
		{"Reduce of any number", false, func() { ring().reduceAll("reduce", false, within(255), least) }},
		{"Reduce with a narrow contract", true, func() { ring().reduceAll("reduce", false, within(255), below(q-1)) }},
		{"Centre", false, func() { ring().reduceAll("centre", true, within(255), interval.Within(q/2)) }},
		{"Centre with a narrow contract", true, func() { ring().reduceAll("centre", true, within(255), interval.Within(q/2-1)) }},
		{"Power2Round", false, func() { other().power2Round(least) }},
		{"Power2Round up to 1024", true, func() { other().power2Round(below(1<<23 - 1<<12 + 2)) }},
		{"Power2Round of negative numbers", true, func() { other().power2Round(interval.Interval{Min: -4096, Max: q}) }},
		{"Decompose", false, func() { other().decompose(roundings[0], least) }},
		{"Decompose of q", true, func() { other().decompose(roundings[0], below(q+1)) }},
		{"UseHint of q", true, func() { other().useHint(roundings[1], below(q+1)) }},
		{"MakeHint of large numbers", true, func() { other().makeHint(interval.Interval{Min: 1, Max: 1 << 30}) }},
		{"Exceeds of any number", true, func() { other().exceeds(interval.Int32) }},
		{"Narrow of 2^15", true, func() { other().narrow(interval.Within(1 << 15)) }},
		{"AddSmall", false, func() { other().addSmall("addSmall", add, interval.Within(small), reciprocal) }},
		{"AddSmall of large numbers", true, func() { other().addSmall("addSmall", add, interval.Within(4*small), reciprocal) }},
		{"AddSmall with a wrong reciprocal", true, func() { other().addSmall("addSmall", add, interval.Within(small), reciprocal+1) }},
		{"unpack of base + 1", true, func() { other().unpack(packing{name: "T0", width: 13, base: 1<<12 - 1, top: 1<<13 - 1}) }},
	} {
		if got := refused(c.body); got != c.refused {
			t.Errorf("%s: refused %v, want %v", c.name, got, c.refused)
		}
	}
}

func TestInexactReciprocalsAreSeen(t *testing.T) {
	for _, original := range roundings {
		for _, by := range []int64{-1000, 1000} {
			r := original
			if r.reciprocal += by; r.exact() {
				t.Errorf("2·%d: the reciprocal %d is taken for exact", r.gamma2, r.reciprocal)
			}
		}
		if r := original; !r.exact() {
			t.Errorf("2·%d: the reciprocal %d is not exact", r.gamma2, r.reciprocal)
		}
	}
}

// TestProducts compares the interval of products by every ζ with what the instructions leave.
func TestProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 256 {
		f := newFactor(zetaOf(i))
		for _, bound := range []int64{q, 10 * q, 1<<31 - 1} {
			in := product(interval.Within(bound))
			for range 100 {
				a := rng.Int64N(2*bound+1) - bound
				if rng.IntN(4) == 0 {
					a = bound
				}
				quotient := (2*a*int64(f.quotient) + 1<<31) >> 32
				r := int64(int32(a*int64(f.z) - quotient*q))
				if (r-a*int64(f.z))%q != 0 || r < in.Min || r > in.Max {
					t.Fatalf("%d·%d becomes %d, outside %v", a, f.z, r, in)
				}
			}
		}
	}
}
