package main

import (
	"testing"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// refused reports whether body panics, as a generator does that meets an overflow.
func refused(body func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	body()
	return
}

func scratch() *kernel {
	k := &kernel{Func: a64.NewFile(generator, "kemring").Func("f", "func()"), name: "f", table: new(table)}
	constants := k.LowV()
	k.q, k.ten = constants.H(0), constants.H(1)
	return k
}

// filledVector has coefficients from first on, in the interval i.
func filledVector(k *kernel, first int, i interval) *vector {
	v := &vector{V: k.V()}
	v.load(filled(i), first)
	return v
}

func TestOverflowIsRefused(t *testing.T) {
	zs := func(k *kernel, z int) factor {
		v := k.LowV()
		return element(v.H(0), v.H(1), z)
	}
	layer := func(k *kernel, i interval, z int) []butterfly {
		return []butterfly{{filledVector(k, 0, i), filledVector(k, 128, i), zs(k, z)}}
	}
	// Sums of two numbers fit up to 32767.
	for _, c := range []struct {
		max int
		yes bool
	}{{16383, false}, {16384, true}} {
		k := scratch()
		if got := refused(func() {
			k.inverse(128, 1, layer(k, interval{-c.max, c.max}, zetaOf(1)))
		}); got != c.yes {
			t.Errorf("an inverse layer of |c| ≤ %d: refused %v", c.max, got)
		}
	}
	// ζb is at most q for any b.
	for _, c := range []struct {
		max int
		yes bool
	}{{32767 - q, false}, {32767 - q/2, true}} {
		k := scratch()
		if got := refused(func() {
			k.forward(128, layer(k, interval{-c.max, c.max}, zetaOf(1)))
		}); got != c.yes {
			t.Errorf("a layer of |c| ≤ %d: refused %v", c.max, got)
		}
	}
	k := scratch()
	if !refused(func() { k.forward(128, layer(k, within(1), zetaOf(2))) }) {
		t.Error("a layer with another ζ is not refused")
	}
	if !refused(func() { k.forward(64, layer(k, within(1), zetaOf(2))) }) {
		t.Error("a layer of another length is not refused")
	}
	if !refused(func() { k.promise(filled(within(5)), within(4)) }) {
		t.Error("a broken contract is not refused")
	}
	if refused(func() { k.promise(filled(within(4)), within(4)) }) {
		t.Error("a contract that is kept is refused")
	}
}

// TestProducts compares the interval of products with every product of every ζ.
func TestProducts(t *testing.T) {
	for i := 1; i < 128; i++ {
		z := centered(zetaOf(i))
		for _, of := range []interval{within(1), {-17, 5 * q}, int16s} {
			got := of.multiplied(z)
			if !got.in(within(1)) {
				t.Fatalf("products by %d are in %v", z, got)
			}
			for x := of.min; x <= of.max; x += 7 {
				// What the instructions leave, modulo 2^16.
				r := int(int16(int16(x*z) - int16(q*int(int16(sqrdmulh(x, quotientOf(z)))))))
				if (r-x*z)%q != 0 || r < got.min || r > got.max {
					t.Fatalf("%d·%d becomes %d, outside %v", x, z, r, got)
				}
			}
		}
	}
}

func TestCompressionIsExactOrRefused(t *testing.T) {
	for _, d := range []int{1, 4, 5, 10, 11} {
		c := newCompression(d)
		if err := c.check(); err != nil {
			t.Error(err)
		}
		c.c += 100
		if c.check() == nil {
			t.Errorf("compression to %d bits with %d is not refused", d, c.c)
		}
	}
}
