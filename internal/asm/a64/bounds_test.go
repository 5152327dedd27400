package a64

import (
	"math/rand/v2"
	"testing"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return
}

func TestOverflowIsRefused(t *testing.T) {
	kernel := func(bound int64) func() {
		return func() {
			f := NewFile("", "").Func("f", "func()")
			a, b, c := f.V(), f.V(), f.V()
			f.Assume(a.H8(), interval.Within(bound))
			f.Assume(b.H8(), interval.Within(bound))
			f.VADD(c.H8(), a.H8(), b.H8())
			f.VSUB(c.H8(), c.H8(), a.H8())
			f.Require(c.H8(), interval.Within(3*bound))
		}
	}
	if panics(kernel(10922)) {
		t.Error("3·10922 fits into 16 bits")
	}
	if !panics(kernel(10923)) {
		t.Error("3·10923 does not fit into 16 bits")
	}
}

func TestUnknownsAreNotStored(t *testing.T) {
	f := NewFile("", "").Func("f", "func()")
	a, b := f.V(), f.V()
	f.Assume(a.H8(), interval.Within(1000))
	f.VMUL(b.H8(), a.H8(), a.H8())
	if !panics(func() { f.Require(b.H8(), interval.Int16) }) {
		t.Error("the low half of a product is known")
	}
	f.VMOVI(b.H8(), 17, 0)
	f.Require(b.H8(), interval.Exactly(17))
	f.LDR(b, X(0).At(0))
	if !panics(func() { f.Require(b.H8(), interval.Int16) }) {
		t.Error("what is loaded is known")
	}
}

func TestLoopsKeepTheirBounds(t *testing.T) {
	loop := func(grow bool) func() {
		return func() {
			f := NewFile("", "").Func("f", "func()")
			a := f.V()
			f.Assume(a.S4(), interval.Within(5))
			f.Loop(3, func() {
				if grow {
					f.VADD(a.S4(), a.S4(), a.S4())
				} else {
					f.VSSHR(a.S4(), a.S4(), 1)
				}
			})
			f.Require(a.S4(), interval.Within(5))
		}
	}
	if panics(loop(false)) {
		t.Error("a loop that keeps its bounds is refused")
	}
	if !panics(loop(true)) {
		t.Error("a loop that grows its bounds is not refused")
	}
}

func TestBoundsOfProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		bits int
		q    int64
	}{{16, 3329}, {32, 8380417}} {
		half := int64(1) << (c.bits - 1)
		for range 200 {
			z := rng.Int64N(c.q) - c.q/2
			limit := rng.Int64N(half)
			in := interval.Interval{Min: -limit - 1, Max: limit}
			bound := BarrettProduct(c.bits, c.q, in, z)
			factor := BarrettFactor(c.bits, c.q, z)
			for k := range 2000 {
				a := rng.Int64N(2*limit+2) - limit - 1
				switch k {
				case 0:
					a = in.Min
				case 1:
					a = in.Max
				}
				r := a*z - c.q*((a*factor+half/2)>>(c.bits-1))
				if !interval.Exactly(r).In(bound) || (r-a*z)%c.q != 0 {
					t.Fatalf("%d bits: %d·%d gives %d, beyond %v", c.bits, a, z, r, bound)
				}
			}
		}
	}
	if got := ShiftReduction(8380417, 23, interval.Int32); got.Max > 6283009 || got.Min < -6283009 {
		t.Error(got)
	}
}
