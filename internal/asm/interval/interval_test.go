package interval

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
)

const q = 3329

// start returns a kernel of two operands of two registers each, within in, and a
// function that compiles it.
func start(w Width, in Interval) (k *Kernel, a, b *Memory, finish func() error) {
	ctx := build.NewContext()
	table := NewTable(ctx, "constants", w, 1024)
	k = New(ctx, "f", "func(a, b *[64]int16)", w, table)
	a = k.Memory("a", k.Pointer("a"), 2*k.Words(), in)
	b = k.Memory("b", k.Pointer("b"), 2*k.Words(), in)
	k.Constants()
	k.Modulus(q)
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

// refused fails unless f panics with a message that contains text.
func refused(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.Contains(got, text) {
			t.Errorf("panic %q, want %q", got, text)
		}
	}()
	f()
}

func TestOverflowIsRefused(t *testing.T) {
	for _, w := range []Width{YMM, YMMVL, ZMM} {
		k, a, b, _ := start(w, Within(11070))
		sum := k.Add(k.Fetch(a, 0), k.At(b, 0))
		refused(t, "f: lane 0 of a sum (coefficient 0) may reach [-33210, 33210]", func() { k.Add(sum, k.At(a, 0)) })
		refused(t, "of a difference (coefficient 0) may reach [-33210, 33210]", func() { k.Sub(sum, k.At(a, 0)) })

		// One lane is enough.
		k, a, b, _ = start(w, Interval{0, 100})
		a.lanes[7].Interval = Exactly(32700)
		refused(t, "lane 7 of a sum (coefficient 7) may reach [32700, 32800]",
			func() { k.Add(k.Fetch(a, 0), k.At(b, 0)) })
		k.Sub(k.Fetch(a, 0), k.At(b, 0))
	}
}

func TestThirtyTwoBitOverflowIsRefused(t *testing.T) {
	for _, w := range []Width{YMM, YMMVL, ZMM} {
		k, a, b, _ := start(w, Int16)
		refused(t, "may reach [-2147418112, 2147483648]", func() { k.MulAddPairs(k.Fetch(a, 0), k.At(b, 0)) })

		k, a, b, _ = start(w, Within(1<<14))
		sum := k.MulAddPairs(k.Fetch(a, 0), k.At(b, 0)) // 2^29
		sum = k.AccumulatePairs(sum, k.Fetch(a, 0), k.At(b, 0))
		sum = k.AccumulatePairs(sum, k.Fetch(a, 0), k.At(b, 0))
		refused(t, "may reach [-2147483648, 2147483648]", func() { k.AccumulatePairs(sum, k.Fetch(a, 0), k.At(b, 0)) })
		// m·q takes room too.
		b.Narrow(Within(15000))
		sum = k.AccumulatePairs(sum, k.Fetch(a, 0), k.At(b, 0))
		refused(t, "a Montgomery reduction", func() {
			k.MontgomeryReducePairs(sum, sum, k.At(a, 0), k.PairReducer())
		})
	}
}

func TestNarrowContractIsRefused(t *testing.T) {
	for _, w := range []Width{YMM, YMMVL, ZMM} {
		k, a, b, finish := start(w, Within(q))
		for i := 0; i < 2*k.Words(); i += k.Words() {
			k.Store(k.Add(k.Fetch(a, i), k.At(b, i)), a, i)
		}
		k.Output(a, Within(2*q))
		refused(t, "output a: coefficient 0 may reach [-6658, 6658], outside the contract's [-6657, 6657]",
			func() { k.Output(a, Within(2*q-1)) })
		b.Narrow(Within(1))
		k.OutputPairs(b, Within(q), Within(1))
		refused(t, "coefficient 0 may reach", func() { k.OutputPairs(b, Within(1), Within(q)) })
		if err := finish(); err != nil {
			t.Error(err)
		}
	}
}

func TestStoreOutOfPlaceIsRefused(t *testing.T) {
	k, a, _, _ := start(YMM, Within(q))
	refused(t, "store of coefficient 0 to position 16 of a", func() { k.Store(k.Fetch(a, 0), a, 16) })
	low, _ := k.UnpackDwords(k.Fetch(a, 0), k.Fetch(a, 16))
	refused(t, "store of coefficient 16 to position 2 of a", func() { k.Store(low, a, 0) })
}

// TestMontgomeryIntervalHolds compares the interval of Montgomery products with the
// products themselves, for every operand.
func TestMontgomeryIntervalHolds(t *testing.T) {
	k, _, _, _ := start(YMM, Int16)
	inverse := int16(k.inverse())
	if got := inverse * q; got != 1 { // constants would not wrap
		t.Fatalf("q·q⁻¹ = %d", got)
	}
	for _, z := range []int64{1, -1, 17, 1664, -1664, 3328, 32767, -32768} {
		for _, in := range []Interval{Int16, Within(q), {0, q - 1}, {-5, 3}} {
			bounds := k.montgomery(in.Mul(Exactly(z)))
			if bounds.Max-bounds.Min > (in.Max-in.Min)*max(z, -z)>>16+q+1 {
				t.Errorf("%d·%v: %v is too wide", z, in, bounds)
			}
			for x := in.Min; x <= in.Max; x++ {
				m := int16(x*z) * inverse
				r := x*z>>16 - int64(m)*q>>16
				if !Exactly(r).In(bounds) || (r<<16-x*z)%q != 0 {
					t.Fatalf("%d·%d gives %d, not in %v or not congruent", x, z, r, bounds)
				}
			}
		}
	}
}

func TestBarrettIntervalIsExact(t *testing.T) {
	k, a, _, _ := start(YMM, Int16)
	got := k.BarrettReduce(k.Fetch(a, 0), k.Barrett()).Lanes[0].Interval
	want := Exactly(0)
	for x := int64(-1 << 15); x < 1<<15; x++ {
		// VPMULHRSW, and VPMULLW and VPSUBW, which wrap.
		quotient := int16((x*10>>14 + 1) >> 1)
		r := int16(x) - quotient*q
		if (int64(r)-x)%q != 0 {
			t.Fatalf("%d becomes %d", x, r)
		}
		want = want.Union(Exactly(int64(r)))
	}
	if got != want {
		t.Errorf("computed %v, is %v", got, want)
	}
	canonical := k.Canonical(k.BarrettReduce(k.Fetch(a, 0), k.Barrett())).Lanes[0].Interval
	if canonical != (Interval{0, q - 1}) {
		t.Errorf("canonical %v", canonical)
	}
	refused(t, "a number to make canonical", func() { k.Canonical(k.Fetch(a, 0)) })
}

// coefficients lists the positions of the even words, which the odd ones follow.
func coefficients(t *testing.T, v Vector) (dwords []int) {
	for i := 0; i < len(v.Lanes); i += 2 {
		c := v.Lanes[i].Coeff
		if c%2 != 0 || v.Lanes[i+1].Coeff != c+1 {
			t.Errorf("lanes %d: coefficients %d and %d", i, c, v.Lanes[i+1].Coeff)
		}
		dwords = append(dwords, c/2)
	}
	return dwords
}

// TestShufflesFollowTheInstructionSet states where each instruction takes each dword from,
// those of the second operand counted after those of the first.
func TestShufflesFollowTheInstructionSet(t *testing.T) {
	check := func(name string, v Vector, want ...int) {
		t.Helper()
		if got := coefficients(t, v); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	k, m, _, finish := start(YMM, Within(q))
	a, b := k.Fetch(m, 0), k.Fetch(m, 16)
	low, high := k.UnpackDwords(a, b)
	check("VPUNPCKLDQ", low, 0, 8, 1, 9, 4, 12, 5, 13)
	check("VPUNPCKHDQ", high, 2, 10, 3, 11, 6, 14, 7, 15)
	low, high = k.UnpackQuads(a, b)
	check("VPUNPCKLQDQ", low, 0, 1, 8, 9, 4, 5, 12, 13)
	check("VPUNPCKHQDQ", high, 2, 3, 10, 11, 6, 7, 14, 15)
	even, odd := k.SplitDwords(a, b)
	check("VSHUFPS", even, 0, 2, 8, 10, 4, 6, 12, 14)
	check("VSHUFPS", odd, 1, 3, 9, 11, 5, 7, 13, 15)
	check("VPERM2I128", k.Blocks2(a, b, 0), 0, 1, 2, 3, 8, 9, 10, 11)
	check("VPERM2I128", k.Blocks2(a, b, 1), 4, 5, 6, 7, 12, 13, 14, 15)
	check("VPERMQ", k.MiddleSwap(a), 0, 1, 4, 5, 2, 3, 6, 7)
	if err := finish(); err != nil {
		t.Error(err)
	}

	k, m, _, finish = start(YMMVL, Within(q))
	a, b = k.Fetch(m, 0), k.Fetch(m, 16)
	check("VSHUFI64X2", k.Blocks2(a, b, 0), 0, 1, 2, 3, 8, 9, 10, 11)
	check("VSHUFI64X2", k.Blocks2(a, b, 1), 4, 5, 6, 7, 12, 13, 14, 15)
	check("VPERMI2D", k.Arrange(a, b, func(i int) int { return 2 * (15 - 2*i) }), 15, 13, 11, 9, 7, 5, 3, 1)
	if err := finish(); err != nil {
		t.Error(err)
	}

	k, m, _, finish = start(ZMM, Within(q))
	a, b = k.Fetch(m, 0), k.Fetch(m, 32)
	check("VSHUFI64X2", k.Blocks4(a, b, 0, 2, 1, 3),
		0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23, 28, 29, 30, 31)
	want := []int{31, 0, 16, 15, 1, 30, 14, 17, 2, 29, 13, 18, 3, 28, 12, 19}
	check("VPERMI2D", k.Arrange(a, b, func(i int) int { return 2 * want[i] }), want...)
	refused(t, "coefficient 64 is not at hand", func() {
		k.Arrange(a, b, func(int) int { return 64 })
	})
	if err := finish(); err != nil {
		t.Error(err)
	}
}

func TestLevelIsChecked(t *testing.T) {
	k, a, _, finish := start(YMM, Within(q))
	k.VPROLD(operand.U8(16), k.Fetch(a, 0).Op, k.Context.YMM())
	if err := finish(); err == nil || !strings.Contains(err.Error(), "AVX512") {
		t.Errorf("AVX-512 instruction: %v", err)
	}

	k, _, _, finish = start(YMMVL, Within(q))
	k.VPMULLW(k.Context.ZMM(), k.Context.ZMM(), k.Context.ZMM())
	if err := finish(); err == nil || !strings.Contains(err.Error(), "uses Z") {
		t.Errorf("register of 512 bits: %v", err)
	}

	// Seventeen registers that are live at once.
	k, a, _, finish = start(YMM, Within(1))
	var live []Vector
	for range 17 {
		live = append(live, k.Fetch(a, 0))
	}
	sum := live[0]
	for _, v := range live[1:] {
		sum = k.Add(sum, v)
	}
	k.Store(sum, a, 0)
	if err := finish(); err == nil {
		t.Error("seventeen registers pass for AVX2")
	}
}

func TestTableMustFit(t *testing.T) {
	ctx := build.NewContext()
	table := NewTable(ctx, "constants", ZMM, 64)
	for i := range int16(2) {
		words := make([]int16, 32)
		words[0] = i + 1
		table.add(words)
	}
	refused(t, "constants: 128 bytes do not fit", func() { table.Emit(ctx) })
}

// A build links a table at one address only, so tests of the kernels see one copy.
func TestTableCopiesAreEqualAndOneIsAligned(t *testing.T) {
	ctx := build.NewContext()
	table := NewTable(ctx, "constants", ZMM, 100)
	words := make([]int16, 32)
	for i := range words {
		words[i] = int16(1000 * i)
	}
	if at := []int{table.add(words[:2]), table.add(words), table.add(words[2:4])}; !reflect.DeepEqual(at, []int{0, 64, 4}) {
		t.Errorf("entries at %v", at)
	}
	table.Emit(ctx)
	file, err := ctx.Result()
	if err != nil {
		t.Fatal(err)
	}
	data := map[int]operand.Op{}
	for _, d := range file.Sections[0].(*ir.Global).Data {
		data[d.Offset] = d.Value
	}
	second := table.copies[1]
	if second%64 != 32 || len(data) != 2*64/4*2 {
		t.Errorf("second copy at %d, %d entries", second, len(data))
	}
	for i := 0; i < 128; i += 4 {
		if data[i] != data[second+i] {
			t.Errorf("at %d: %v, %v", i, data[i], data[second+i])
		}
	}
}
