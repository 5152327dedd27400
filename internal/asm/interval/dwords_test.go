package interval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
)

const wideQ = 8380417

// startWide is start with 32-bit lanes and their modulus.
func startWide(w Width, in Interval) (k *Kernel, a, b *Memory, finish func() error) {
	ctx := build.NewContext()
	table := NewTable(ctx, "constants", w, 1024)
	k = New(ctx, "f", "func(a, b *[32]int32)", w, table)
	a = k.Memory32("a", k.Pointer("a"), 2*k.Dwords(), in)
	b = k.Memory32("b", k.Pointer("b"), 2*k.Dwords(), in)
	k.Constants()
	k.Modulus32(wideQ)
	return k, a, b, func() error {
		k.End()
		table.Emit(ctx)
		file, err := ctx.Result()
		if err != nil {
			return err
		}
		if err := pass.Compile.Execute(file); err != nil {
			return err
		}
		return w.Check(file)
	}
}

func TestOverflowOf32BitLanesIsRefused(t *testing.T) {
	for _, w := range []Width{YMM, YMMVL, ZMM} {
		k, a, b, finish := startWide(w, Within(128*wideQ))
		k.Add32(k.Fetch(a, 0), k.At(b, 0))
		b.lanes[5].Interval = Within(129 * wideQ)
		refused(t, "f: lane 5 of a 32-bit sum (coefficient 5) may reach", func() { k.Add32(k.Fetch(a, 0), k.At(b, 0)) })
		refused(t, "of a 32-bit difference (coefficient 5) may reach", func() { k.Sub32(k.Fetch(a, 0), k.At(b, 0)) })
		refused(t, "vector of", func() { k.Add(k.Fetch(a, 0), k.At(b, 0)) })
		if err := finish(); err != nil {
			t.Error(err)
		}

		k, a, b, _ = startWide(w, Int32)
		refused(t, "a number to reduce", func() { k.ShiftReduce(k.Fetch(a, 0), k.ShiftReducer()) })
		refused(t, "a number to make canonical", func() { k.LeastResidue(k.Fetch(a, 0)) })
		refused(t, "a number to centre", func() { k.Centred(k.Fetch(a, 0), k.Centre()) })
		square := k.MulEven(k.Fetch(a, 0), k.At(b, 0)) // 2^62
		refused(t, "a 64-bit sum", func() { k.Add64(square, square) })
		refused(t, "a Montgomery reduction", func() { k.MontgomeryReduce64(square, square, k.At(a, 0), k.WideReducer()) })
		refused(t, "store of coefficient 1 to position 0 of a", func() { k.Store(k.DuplicateOdd(k.Fetch(a, 0)), a, 0) })
		factor := make([]int32, k.Dwords())
		factor[1] = wideQ/2 + 1
		refused(t, "factor 4190209", func() { k.ShoupFactor(factor) })
	}
}

// TestShoupIntervalHolds compares the interval of products with the products themselves.
func TestShoupIntervalHolds(t *testing.T) {
	k, _, _, _ := startWide(YMM, Int32)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, z := range []int64{0, 1, -1, 1753, wideQ / 2, -wideQ / 2, 2365951, -3765607} {
		zs := make([]int32, k.Dwords())
		for i := range zs {
			zs[i] = int32(z)
		}
		w := k.ShoupFactor(zs).quotient.Lanes[0].Min
		for _, in := range []Interval{Int32, Within(9 * wideQ), {0, wideQ - 1}, {-5, 3}} {
			bounds := k.shoup(in, z, w)
			if bounds.Max-bounds.Min > wideQ+(in.Max-in.Min)*wideQ>>33+1 {
				t.Errorf("%d·%v: %v is too wide", z, in, bounds)
			}
			for i := range int64(20000) {
				a := in.Min + rng.Int64N(in.Max-in.Min+1)
				if i < 4 {
					a = []int64{in.Min, in.Max, in.Min + 1, in.Max - 1}[i]
				}
				// VPMULDQ, VPMULLD and VPSUBD, which wrap.
				r := int32(a)*int32(z) - int32(a*w>>32)*wideQ
				if !Exactly(int64(r)).In(bounds) || (int64(r)-a%wideQ*z)%wideQ != 0 {
					t.Fatalf("%d·%d gives %d, not in %v or not congruent", a, z, r, bounds)
				}
			}
		}
	}
}

func TestWideMontgomeryIntervalHolds(t *testing.T) {
	k, _, _, _ := startWide(YMM, Int32)
	inverse := int32(k.inverse32())
	if got := inverse * wideQ; got != 1 { // constants would not wrap
		t.Fatalf("q·q⁻¹ = %d", got)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, in := range []Interval{Within(1 << 61), Within(70 * wideQ * wideQ), Exactly(0)} {
		bounds := k.montgomery32(in)
		for i := range int64(20000) {
			x := in.Min + rng.Int64N(in.Max-in.Min+1)
			if i < 2 {
				x = []int64{in.Min, in.Max}[i]
			}
			r := (x - int64(int32(x)*inverse)*wideQ) >> 32
			if !Exactly(r).In(bounds) || (r%wideQ*(1<<32%wideQ)-x)%wideQ != 0 {
				t.Fatalf("%d gives %d, not in %v or not congruent", x, r, bounds)
			}
		}
	}
}

// The interval's ends are where the quotient steps: every step is compared.
func TestShiftIntervalIsExact(t *testing.T) {
	for _, in := range []Interval{Within(255 * wideQ), Within(2 * wideQ), {0, wideQ}, {math.MinInt32, -2000000000}} {
		k, a, _, _ := startWide(YMM, in)
		reducer := k.ShiftReducer()
		if reducer.shift != 23 {
			t.Fatalf("shift by %d", reducer.shift)
		}
		got := k.ShiftReduce(k.Fetch(a, 0), reducer).Lanes[0].Interval
		value := func(x int64) Interval { return Exactly(x - (x+1<<22)>>23*wideQ) }
		want := value(in.Min).Union(value(in.Max))
		for step := int64(-256); step <= 256; step++ {
			for _, x := range []int64{step<<23 + 1<<22 - 1, step<<23 + 1<<22} {
				if Exactly(x).In(in) {
					want = want.Union(value(x))
				}
			}
		}
		if got != want {
			t.Errorf("%v: computed %v, is %v", in, got, want)
		}
	}
}

func TestResiduesOf32BitLanes(t *testing.T) {
	for _, w := range []Width{YMM, YMMVL, ZMM} {
		k, a, _, finish := startWide(w, Interval{-wideQ, 2*wideQ - 1})
		least := k.LeastResidue(k.Fetch(a, 0))
		if got := least.Lanes[1].Interval; got != (Interval{0, wideQ - 1}) {
			t.Errorf("least residues %v", got)
		}
		if got := k.Centred(least, k.Centre()).Lanes[1].Interval; got != Within(wideQ/2) {
			t.Errorf("centred %v", got)
		}
		if err := finish(); err != nil {
			t.Error(err)
		}
	}
}

// TestShufflesOf32BitLanes checks that the shuffles follow dwords when they are lanes.
func TestShufflesOf32BitLanes(t *testing.T) {
	k, m, _, finish := startWide(YMM, Within(1))
	low, _ := k.UnpackDwords(k.Fetch(m, 0), k.Fetch(m, 8))
	for i, want := range []int{0, 8, 1, 9, 4, 12, 5, 13} {
		if got := low.Lanes[i].Coeff; got != want {
			t.Errorf("VPUNPCKLDQ: lane %d has %d", i, got)
		}
	}
	if err := finish(); err != nil {
		t.Error(err)
	}
	k, m, _, finish = startWide(ZMM, Within(1))
	got := k.Arrange(k.Fetch(m, 0), k.Fetch(m, 16), func(i int) int { return 31 - i })
	for i, l := range got.Lanes {
		if l.Coeff != 31-i {
			t.Errorf("VPERMI2D: lane %d has %d", i, l.Coeff)
		}
	}
	if err := finish(); err != nil {
		t.Error(err)
	}
}
