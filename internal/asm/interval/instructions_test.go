package interval

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elements are the instructions as Intel's manual has them: of the lanes of the first source
// and of the second, with their signs.
var elements = map[string]func(a, b int64) int64{
	"VPADDW":  func(a, b int64) int64 { return a + b },
	"VPADDD":  func(a, b int64) int64 { return a + b },
	"VPSUBW":  func(a, b int64) int64 { return a - b },
	"VPSUBD":  func(a, b int64) int64 { return a - b },
	"VPMULLW": func(a, b int64) int64 { return a * b },
	"VPMULLD": func(a, b int64) int64 { return a * b },
	"VPSIGND": func(a, b int64) int64 {
		switch {
		case b < 0:
			return -a
		case b == 0:
			return 0
		}
		return a
	},
	"VPMADDWD": func(a, b int64) int64 {
		return int64(int16(a))*int64(int16(b)) + (a>>16)*(b>>16)
	},
	"VPMADDUBSW": func(a, b int64) int64 {
		sum := int64(uint8(a))*int64(int8(b)) + int64(uint8(a>>8))*(b>>8)
		return sum // the manual saturates it; the walk refuses it
	},
	"VPMULHW":   func(a, b int64) int64 { return a * b >> 16 },
	"VPMULHUW":  func(a, b int64) int64 { return int64(uint16(a)) * int64(uint16(b)) >> 16 },
	"VPMULHRSW": func(a, b int64) int64 { return (a*b>>14 + 1) >> 1 },
	"VPMAXSW":   func(a, b int64) int64 { return max(a, b) },
	"VPMAXUD":   func(a, b int64) int64 { return int64(max(uint32(a), uint32(b))) },
	"VPMINUD":   func(a, b int64) int64 { return int64(min(uint32(a), uint32(b))) },
	"VPCMPGTW":  func(a, b int64) int64 { return -one(a > b) },
	"VPCMPGTD":  func(a, b int64) int64 { return -one(a > b) },
	"VPCMPEQW":  func(a, b int64) int64 { return -one(a == b) },
	"VPCMPEQD":  func(a, b int64) int64 { return -one(a == b) },
	"VPAND":     func(a, b int64) int64 { return a & b },
	"VPANDN":    func(a, b int64) int64 { return ^a & b },
	"VPOR":      func(a, b int64) int64 { return a | b },
	"VPXOR":     func(a, b int64) int64 { return a ^ b },
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// shifts are those by a constant, conditions those that set a mask, and unaries the others of
// one source.
var (
	shifts = map[string]func(a int64, n int) int64{
		"VPSLLW": func(a int64, n int) int64 { return a << n },
		"VPSLLD": func(a int64, n int) int64 { return a << n },
		"VPSRLW": func(a int64, n int) int64 { return int64(uint16(a)) >> n },
		"VPSRLD": func(a int64, n int) int64 { return int64(uint32(a)) >> n },
		"VPSRAW": func(a int64, n int) int64 { return a >> n },
		"VPSRAD": func(a int64, n int) int64 { return a >> n },
	}
	conditions = map[int]func(a, b int64) bool{
		0: func(a, b int64) bool { return a == b },
		1: func(a, b int64) bool { return a < b },
		2: func(a, b int64) bool { return a <= b },
		4: func(a, b int64) bool { return a != b },
		5: func(a, b int64) bool { return a >= b },
		6: func(a, b int64) bool { return a > b },
	}
	unaries = map[string]func(a int64) int64{
		"VPABSW": func(a int64) int64 { return max(a, -a) },
		"VPABSD": func(a int64) int64 { return max(a, -a) },
	}
)

// sample returns a number of the given bytes and an interval that has it, often an extreme,
// and often the number alone.
func sample(rng *rand.Rand, size int) (int64, Interval) {
	pick := func() int64 {
		all := signedRange(size)
		switch rng.IntN(4) {
		case 0:
			return []int64{all.Min, all.Max, 0, -1, 1, all.Max - 1}[rng.IntN(6)]
		case 1:
			return rng.Int64N(256) - 128
		}
		return all.Min + rng.Int64N(all.Max-all.Min+1)
	}
	x, in := pick(), Interval{}
	switch in = Exactly(x); rng.IntN(3) {
	case 0:
		in = in.Union(Exactly(pick()))
	case 1:
		in = in.Union(Exactly(min(x+rng.Int64N(40), signedRange(size).Max)))
	}
	return x, in
}

// has reports whether i has a number that is congruent to x.
func (i Interval) has(x int64, size int) bool {
	first := i.Min + (x-i.Min)&(1<<(8*size)-1)
	return first <= i.Max
}

// TestInstructionsAreThoseOfTheManual checks that the interval of a result has the result of
// any numbers of the intervals of the sources, and has no other if these are exact.
func TestInstructionsAreThoseOfTheManual(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	check := func(name string, size int, emit func(f follower, a, b reg.VecVirtual) reg.Register, result func(a, b int64) int64) {
		f := follow()
		a, b := f.YMM(), f.YMM()
		var r reg.Register
		f.Modulo("no result is refused", func() { r = emit(f, a, b) })
		refused := 0
		defer func() {
			if refused == 500 {
				t.Errorf("%s is refused always", name)
			}
		}()
		for range 500 {
			f.registers = map[reg.ID]content{}
			f.taken, f.steps = len(f.fn.Nodes), f.steps[:0]
			x, y := make([]int64, 32/size), make([]int64, 32/size)
			ca, cb := content{size: size}, content{size: size}
			for i := range x {
				var in Interval
				x[i], in = sample(rng, size)
				ca.lanes = append(ca.lanes, in)
				y[i], in = sample(rng, size)
				cb.lanes = append(cb.lanes, in)
			}
			f.registers[a.ID()], f.registers[b.ID()] = ca, cb
			f.rule.leave = modulo
			if refusal(func() { f.execute(f.fn.Instructions()[2]) }) != "" {
				refused++
				continue
			}
			got := f.registers[r.ID()]
			lanes := got.lanes
			if r.Kind() == reg.KindVector {
				lanes = got.in(size)
			}
			for i, l := range lanes {
				want := result(x[i], y[i])
				if !l.has(want, size) || ca.lanes[i].Min == ca.lanes[i].Max && cb.lanes[i].Min == cb.lanes[i].Max && l.Min != l.Max {
					t.Fatalf("%s of %d in %v and %d in %v: %v, want %d", name, x[i], ca.lanes[i], y[i], cb.lanes[i], l, want)
				}
			}
		}
	}
	sizeOf := func(opcode string) int {
		if size := elementwises[opcode].size; size != 0 {
			return size
		}
		return 4
	}
	tested := map[string]bool{}
	for opcode, result := range elements {
		tested[opcode] = true
		check(opcode, sizeOf(opcode), func(f follower, a, b reg.VecVirtual) reg.Register {
			r := f.YMM()
			f.emit(opcode, b, a, r)
			return r
		}, result)
	}
	for opcode, result := range shifts {
		tested[opcode] = true
		for n := range 8 * sizeOf(opcode) {
			check(opcode, sizeOf(opcode), func(f follower, a, _ reg.VecVirtual) reg.Register {
				r := f.YMM()
				f.emit(opcode, operand.U8(uint8(n)), a, r)
				return r
			}, func(a, _ int64) int64 { return result(a, n) })
		}
	}
	for opcode, result := range unaries {
		tested[opcode] = true
		check(opcode, sizeOf(opcode), func(f follower, a, _ reg.VecVirtual) reg.Register {
			r := f.YMM()
			f.emit(opcode, a, r)
			return r
		}, func(a, _ int64) int64 { return result(a) })
	}
	for opcode, reads := range map[string]func(x int64) int64{
		"VPCMPW":  func(x int64) int64 { return x },
		"VPCMPUD": func(x int64) int64 { return int64(uint32(x)) },
	} {
		tested[opcode] = true
		for predicate, result := range conditions {
			check(opcode, sizeOf(opcode), func(f follower, a, b reg.VecVirtual) reg.Register {
				r := f.K()
				f.emit(opcode, operand.U8(uint8(predicate)), b, a, r)
				return r
			}, func(a, b int64) int64 { return one(result(reads(a), reads(b))) })
		}
	}
	tested["VPMOVD2M"] = true
	check("VPMOVD2M", 4, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.K()
		f.VPMOVD2M(a, r)
		return r
	}, func(a, _ int64) int64 { return one(a < 0) })

	for opcode := range elementwises {
		// The others are these with another mnemonic, or with a vector of shifts.
		like := strings.NewReplacer("ANDND", "ANDN", "ANDD", "AND", "ORD", "OR", "LLV", "LL", "RLV", "RL").Replace(opcode)
		if !tested[like] {
			t.Errorf("%s is not tested", opcode)
		}
	}
}

// TestMovesAreThoseOfTheManual states for each instruction that moves lanes which bytes of its
// sources make the result: those of the second counted from 32 or 64 on, and −1 for zero.
func TestMovesAreThoseOfTheManual(t *testing.T) {
	bytes := func(first int, count int) content {
		c := content{size: 1}
		for i := range count {
			c.lanes = append(c.lanes, Exactly(int64(first+i)))
		}
		return c
	}
	check := func(name string, want func(i int) int, emit func(f follower, a, b reg.VecVirtual) reg.Register) {
		f := follow()
		a, b := f.ZMM(), f.ZMM()
		r := emit(f, a, b)
		f.registers[a.ID()], f.registers[b.ID()] = bytes(0, 64), bytes(64, 64)
		instructions := f.fn.Instructions()
		f.execute(instructions[len(instructions)-1])
		for i, l := range f.read(r, int(r.Size())).in(1) {
			if from := want(i); from < 0 && l != Exactly(0) || from >= 0 && l != Exactly(int64(from)) {
				t.Errorf("%s: byte %d is %v, want %d", name, i, l, from)
			}
		}
	}
	u8 := func(x uint8) operand.Op { return operand.U8(x) }

	check("VPBROADCASTB", func(int) int { return 0 }, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPBROADCASTB(a.AsX(), r)
		return r
	})
	check("VPBROADCASTQ", func(i int) int { return i % 8 }, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.ZMM()
		f.VPBROADCASTQ(a.AsX(), r)
		return r
	})
	check("VEXTRACTI128", func(i int) int { return 16 + i }, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.XMM()
		f.VEXTRACTI128(u8(1), a.AsY(), r)
		return r
	})
	check("VEXTRACTI64X4", func(i int) int { return 32 + i }, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VEXTRACTI64X4(u8(1), a, r)
		return r
	})
	for half := range 2 {
		check("VINSERTI128", func(i int) int {
			if i/16 == half {
				return 64 + i%16
			}
			return i
		}, func(f follower, a, b reg.VecVirtual) reg.Register {
			r := f.YMM()
			f.VINSERTI128(u8(uint8(half)), b.AsX(), a.AsY(), r)
			return r
		})
	}
	check("VPBLENDD", func(i int) int { return i + 64*(0b10011010>>(i/4)&1) }, func(f follower, a, b reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPBLENDD(u8(0b10011010), b.AsY(), a.AsY(), r)
		return r
	})
	check("VPBLENDW", func(i int) int { return i + 64*(0b10011010>>(i/2%8)&1) }, func(f follower, a, b reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPBLENDW(u8(0b10011010), b.AsY(), a.AsY(), r)
		return r
	})
	check("VPERMQ", func(i int) int { return []int{2, 3, 1, 0}[i/8]*8 + i%8 }, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPERMQ(u8(0b00_01_11_10), a.AsY(), r)
		return r
	})
	// Of bytes 64, 65, …, the order; VPSHUFB and VPERMB take what they need of them.
	check("VPERMB", func(i int) int { return i }, func(f follower, a, b reg.VecVirtual) reg.Register {
		r := f.ZMM()
		f.VPERMB(a, b, r)
		return r
	})
	check("VPERMD", func(i int) int { return i/4%2*16 + i%4 }, func(f follower, a, b reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPERMD(a.AsY(), b.AsY(), r)
		return r
	})
	check("VPSHUFB", func(i int) int { return 64 + i }, func(f follower, a, b reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPSHUFB(a.AsY(), b.AsY(), r)
		return r
	})
	check("VPSHUFB", func(i int) int { return i }, func(f follower, a, b reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPSHUFB(b.AsY(), a.AsY(), r)
		return r
	})
	check("VPMOVSXWD", func(i int) int {
		if i%4 < 2 {
			return i/4*2 + i%4
		}
		return -1
	}, func(f follower, a, _ reg.VecVirtual) reg.Register {
		r := f.YMM()
		f.VPMOVSXWD(a.AsX(), r)
		return r
	})
}

// TestPacksAreThoseOfTheManual gives the packs lanes that fit, and others.
func TestPacksAreThoseOfTheManual(t *testing.T) {
	for opcode, c := range map[string]struct {
		size int
		to   Interval
	}{"VPACKSSWB": {2, signedRange(1)}, "VPACKUSWB": {2, unsignedRange(1)}, "VPACKSSDW": {4, signedRange(2)}, "VPMOVDW": {4, signedRange(2)}} {
		f := follow()
		a, b, r := f.YMM(), f.YMM(), f.YMM()
		if opcode == "VPMOVDW" {
			a = f.ZMM()
			f.VPMOVDW(a, r)
		} else {
			f.emit(opcode, b, a, r)
		}
		i := f.fn.Instructions()[2]
		numbers := func(first, count int) content {
			n := content{size: c.size}
			for i := range count {
				n.lanes = append(n.lanes, Exactly(c.to.Min+int64(first+i)))
			}
			return n
		}
		per := int(a.Size()) / c.size
		f.registers[a.ID()], f.registers[b.ID()] = numbers(0, per), numbers(per, per)
		f.execute(i)
		for j, l := range f.registers[r.ID()].in(c.size / 2) {
			from := j
			if block := 16 / (c.size / 2); opcode != "VPMOVDW" {
				from = j/block*(block/2) + j%(block/2) + j%block/(block/2)*per
			}
			if want := Exactly(c.to.Min + int64(from)); l != want {
				t.Errorf("%s: lane %d is %v, want %v", opcode, j, l, want)
			}
		}
		for _, x := range []int64{c.to.Min - 1, c.to.Max + 1} {
			f.registers[a.ID()].lanes[1] = Exactly(x)
			if why := refusal(func() { f.execute(i) }); !strings.Contains(why, "may reach") {
				t.Errorf("%s of %d: refused with %q", opcode, x, why)
			}
		}
	}
}
