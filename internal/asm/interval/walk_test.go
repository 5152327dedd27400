package interval

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A follower is a function under construction, of two pointers.
type follower struct {
	*build.Context
	*Walk
	p, out reg.Register
}

func follow() follower {
	ctx := build.NewContext()
	ctx.Function("f")
	ctx.SignatureExpr("func(p, out *byte)")
	f := follower{Context: ctx, Walk: Follow(ctx, "f")}
	f.p, f.out = ctx.Load(ctx.Param("p"), ctx.GP64()), ctx.Load(ctx.Param("out"), ctx.GP64())
	return f
}

func (f follower) fetch(bits int, in Interval) reg.VecVirtual {
	f.Reads(f.p, bits, in)
	y := f.YMM()
	f.VMOVDQU(operand.Mem{Base: f.p}, y)
	return y
}

func (f follower) store(v operand.Op) { f.VMOVDQU(v, operand.Mem{Base: f.out}) }

// refusal returns what f panics with, as a text.
func refusal(f func()) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// emit calls the method of the context that has the instruction's name.
func (f follower) emit(opcode string, ops ...operand.Op) {
	args := make([]reflect.Value, len(ops))
	for i, op := range ops {
		args[i] = reflect.ValueOf(op)
	}
	reflect.ValueOf(f.Context).MethodByName(opcode).Call(args)
}

// TestWalkRefuses lists what a function may not do, beside what it may.
func TestWalkRefuses(t *testing.T) {
	u8 := func(x uint8) operand.Op { return operand.U8(x) }
	label := operand.LabelRef("loop")
	// sixteen begins a function of words within in to words within out.
	sixteen := func(in, out Interval, body func(f follower, y reg.VecVirtual)) func(f follower) {
		return func(f follower) {
			f.Writes(f.out, 16, out)
			y := f.fetch(16, in)
			body(f, y)
			f.store(y)
		}
	}
	double := func(f follower, y reg.VecVirtual) { f.VPADDW(y, y, y) }
	count := func(f follower) reg.GPVirtual {
		n := f.GP64()
		f.MOVQ(operand.I32(3), n)
		f.Label("loop")
		return n
	}
	again := func(f follower, n reg.GPVirtual) {
		f.DECQ(n)
		f.JNZ(label)
	}
	// steep is 5y − 4y, which leaves 16 bits on its way.
	steep := func(f follower, y reg.VecVirtual) {
		x := f.YMM()
		f.VPSLLW(u8(2), y, x)
		f.VPADDW(x, y, y)
		f.VPSUBW(x, y, y)
	}
	cases := func(pieces []Interval, body func(f follower, y reg.VecVirtual), of func(x Interval) Interval) func(f follower, y reg.VecVirtual) {
		return func(f follower, y reg.VecVirtual) {
			f.Cases(y, 16, pieces, func() { body(f, y) }, Fact{y, of})
		}
	}
	same := func(x Interval) Interval { return x }
	hundred := Interval{0, 100}
	for _, c := range []struct {
		why  string
		body func(f follower)
	}{
		{"", sixteen(Within(16383), Within(32766), double)},
		{"f: lane 0 of VPADDW may reach [-32768, 32768], outside [-32768, 32767]", sixteen(Within(16384), Int16, double)},
		{"f: output may reach [-200, 200], outside the contract's [-200, 199]", sixteen(Within(100), Interval{-200, 199}, double)},
		{"store to memory outside the contract", func(f follower) { f.store(f.fetch(16, hundred)) }},
		{"nothing is stored", func(f follower) { f.Writes(f.out, 16, hundred); f.fetch(16, hundred) }},
		{"VPADDSW is not known", sixteen(hundred, Int16, func(f follower, y reg.VecVirtual) { f.VPADDSW(y, y, y) })},
		{"lane 0 of VPADDW may reach [-65536, 65534]", func(f follower) { // nothing is said of p
			f.Writes(f.out, 16, Int16)
			y := f.YMM()
			f.VMOVDQU(operand.Mem{Base: f.p}, y)
			f.VPADDW(y, y, y)
			f.store(y)
		}},
		{"f: lane 0 of the middle may reach [0, 100], outside [0, 99]", sixteen(hundred, hundred, func(f follower, y reg.VecVirtual) {
			f.Expect("the middle", y, 16, Interval{0, 99})
		})},
		{"VPADDW may reach", func(f follower) { // memory that is read again
			f.Writes(f.p, 16, Int16)
			f.Writes(f.out, 16, Int16)
			y := f.fetch(16, hundred)
			f.VPADDW(y, y, y)
			f.store(y)
		}},
		{"memory of lanes of 2 bytes and of 4", func(f follower) {
			f.Reads(f.p, 16, hundred)
			f.Writes(f.p, 32, hundred)
		}},
		{"MOVQ overwrites a pointer", func(f follower) {
			f.Reads(f.p, 16, hundred)
			f.MOVQ(f.out, f.p)
		}},

		// Loops.
		{"loop has no bounds", sixteen(hundred, Int16, func(f follower, y reg.VecVirtual) {
			n, one := count(f), f.YMM()
			f.VPCMPEQW(y, y, one)
			f.VPADDW(one, y, y)
			again(f, n)
		})},
		{"", sixteen(hundred, Interval{0, 100}, func(f follower, y reg.VecVirtual) {
			largest := f.YMM()
			f.VPXOR(largest, largest, largest)
			n := count(f)
			f.VPMAXSW(largest, y, largest)
			again(f, n)
			f.VMOVDQA(largest, y)
		})},
		{"output may reach [0, 100]", sixteen(hundred, Interval{0, 99}, func(f follower, y reg.VecVirtual) {
			largest := f.YMM() // 0 at the head of the first pass only
			f.VPXOR(largest, largest, largest)
			n := count(f)
			f.store(largest)
			f.VPMAXSW(largest, y, largest)
			again(f, n)
			f.VPXOR(y, y, y)
		})},
		{"JMP leads forward", sixteen(hundred, hundred, func(f follower, y reg.VecVirtual) {
			f.JMP(label)
			f.Label("loop")
		})},

		// Rules.
		{"VPSLLW may reach", sixteen(Within(10000), Within(10000), steep)},
		{"output may reach [-32768, 32767]", sixteen(Within(10000), Within(10000), func(f follower, y reg.VecVirtual) {
			f.Discards("a test", func() { f.VPSLLW(u8(2), y, y) })
		})},
		{"what is exact modulo its type (a test) may reach [-90000, 90000]", sixteen(Within(10000), Within(10000), func(f follower, y reg.VecVirtual) {
			f.Modulo("a test", func() { steep(f, y) })
		})},
		{"VPABSW may reach [0, 32768]", sixteen(Int16, Int16, func(f follower, y reg.VecVirtual) {
			f.Modulo("no help", func() { f.VPABSW(y, y) })
		})},
		{"", sixteen(Within(20000), Int16, func(f follower, y reg.VecVirtual) {
			f.Promised("a test", func() { f.VPADDW(y, y, y) })
		})},
		{"VPADDW may reach", sixteen(Within(20000), Int16, func(f follower, y reg.VecVirtual) {
			f.Promised("not for what follows", func() { f.VPADDW(y, y, y) })
			f.VPADDW(y, y, y)
		})},

		// Cases.
		{"", sixteen(hundred, hundred, cases(hundred.Each(), func(f follower, y reg.VecVirtual) {
			f.Modulo("a test", func() { steep(f, y) })
		}, same))},
		{"", sixteen(Interval{0, 10000}, Interval{0, 10000}, cases(Interval{0, 10000}.Each(), func(f follower, y reg.VecVirtual) {
			f.Modulo("beyond 16 bits", func() { steep(f, y) })
		}, same))},
		{"what is due in case [3, 3] may reach [3, 3], outside [4, 4]", sixteen(hundred, hundred,
			cases(hundred.Each(), func(follower, reg.VecVirtual) {}, func(x Interval) Interval {
				return x.Add(Exactly(x.Min / 3))
			}))},
		{"what is split into cases may reach [0, 100], outside [0, 99]", sixteen(hundred, hundred, cases(Interval{0, 99}.Each(), double, nil))},
		{"cases [0, 3] and [5, 100] are not neighbours", sixteen(hundred, hundred, cases([]Interval{{0, 3}, {5, 100}}, double, nil))},
		{"VPMADDWD mixes lanes of different cases", sixteen(hundred, hundred,
			cases(hundred.Each(), func(f follower, y reg.VecVirtual) { f.VPMADDWD(y, y, y) }, nil))},
		{"VINSERTI128 mixes lanes of different cases", sixteen(hundred, hundred,
			cases(hundred.Each(), func(f follower, y reg.VecVirtual) { f.VINSERTI128(u8(1), operand.Mem{Base: f.p}, y, y) }, nil))},
		{"VPERMQ mixes lanes of different cases", sixteen(hundred, hundred,
			cases(hundred.Each(), func(f follower, y reg.VecVirtual) { f.VPERMQ(u8(1), y, y) }, nil))},

		// Masks: y is made to be at most 50, or 0.
		{"output may reach [0, 100]", sixteen(hundred, Interval{0, 50}, func(f follower, y reg.VecVirtual) { clamp(f, y) })},
		{"", sixteen(hundred, Interval{0, 50}, cases(hundred.Every(0, 51), clamp, func(x Interval) Interval {
			if x.Min > 50 {
				return Exactly(50)
			}
			return x
		}))},
	} {
		why := refusal(func() {
			f := follow()
			c.body(f)
			f.RET()
			f.Done()
			if _, err := f.Result(); err != nil {
				t.Error(err)
			}
		})
		if !strings.Contains(why, c.why) || c.why == "" && why != "" {
			t.Errorf("refused with %q, want %q", why, c.why)
		}
	}
}

// clamp replaces what is above 50 by 50.
func clamp(f follower, y reg.VecVirtual) {
	fifty, above := f.YMM(), f.K()
	f.VPBROADCASTW(f.fifty(), fifty)
	f.VPCMPGTW(fifty, y, above)
	f.VMOVDQU16(fifty, above, y)
}

// fifty is a constant.
func (f follower) fifty() operand.Mem {
	m := f.StaticGlobal("fifty")
	f.AddDatum(0, operand.U32(50))
	return m
}

// TestPiecesCoverTheInterval compares pieces with their numbers, one by one.
func TestPiecesCoverTheInterval(t *testing.T) {
	for _, i := range []Interval{{0, 0}, {0, 20}, {-20, 20}, {-20, -3}, {5, 9}} {
		for first := int64(-25); first <= 25; first++ {
			for step := int64(1); step <= 12; step++ {
				next := i.Min
				for _, p := range i.Every(first, step) {
					if p.Min != next || p.Max < p.Min {
						t.Fatalf("%v every %d from %d: %v begins wrongly", i, step, first, p)
					}
					for next++; next <= i.Max && !(next >= first && (next-first)%step == 0); next++ {
					}
					if p.Max != next-1 {
						t.Fatalf("%v every %d from %d: %v ends wrongly", i, step, first, p)
					}
				}
				if next != i.Max+1 {
					t.Fatalf("%v every %d from %d: ends before %d", i, step, first, next)
				}
			}
		}
	}
}
