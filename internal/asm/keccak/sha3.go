package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// sha3 emits a kernel with the instructions of FEAT_SHA3, for two states in a vector register
// each: θ takes EOR3 and RAX1, the rest of it and ρ one XAR, χ one BCAX a lane.
//
// 25 registers hold the lanes and five D. The lanes of column 4 are done with D at once, so
// that three registers are free for the rows. The kernel permutes pairs pairs of neighbouring
// states, one after another; with a stride of one word, a single state.
func sha3(file *a64.File, name, signature string, pairs, stride int, rc a64.Symbol) {
	f := file.Func(name, signature)
	state, end, constants, again := f.X(), f.X(), f.X(), f.X()
	var slots [25]a64.V
	for i := range slots {
		slots[i] = a64.V(i)
	}
	t := [7]a64.V{25, 26, 27, 28, 29, 30, 31}
	load, store := f.LDR, f.STR
	if stride == 8 {
		load, store = f.LDRD, f.STRD
	}

	f.ArgAt(state, 0)
	f.Addr(end, rc)
	f.ADD(end, end, constantSize*rounds)
	next := f.Label("pairs")
	if pairs > 1 {
		f.MOV(again, pairs)
		f.Place(next)
	}
	f.SUB(constants, end, constantSize*rounds)
	for i, v := range slots {
		load(v, state.At(stride*i))
	}
	loop := f.Label("rounds")
	f.Place(loop)
	for number := range period {
		sha3Round(f, number, slots, t, constants)
	}
	f.CMP(constants, end)
	f.Branch("NE", loop)
	for i, v := range slots {
		store(v, state.At(stride*i))
	}
	if pairs > 1 {
		f.ADD(state, state, 16)
		f.SUB(again, again, 1)
		f.CBNZ(again, next)
	}
	f.RET()
}

func sha3Round(f *a64.Func, number int, slots [25]a64.V, t [7]a64.V, constants a64.X) {
	p := placements()[number]
	next := p.next()
	rho := rhoOffsets()
	at := func(x, y int) a64.V { return slots[p.of(lane{x, y})] }

	f.Comment("Round %d of %d. θ: column parities.", number+1, period)
	c := t[:5]
	for x := range 5 {
		f.VEOR3(c[x], at(x, 0), at(x, 1), at(x, 2))
	}
	for x := range 5 {
		f.VEOR3(c[x], c[x], at(x, 3), at(x, 4))
	}
	f.Comment("θ: D[x] = C[x-1] ^ rol(C[x+1], 1).")
	d := [5]a64.V{t[5], t[6], c[1], c[2], c[3]}
	for x := range 5 {
		f.VRAX1(d[x], c[(x+4)%5], c[(x+1)%5])
	}
	rotate := func(to a64.V, source lane) {
		from := at(source.x, source.y)
		if n := rho[source.word()]; n != 0 {
			f.VXAR(to, from, d[source.x], 64-n)
		} else {
			f.VEOR(to.B16(), from.B16(), d[source.x].B16())
		}
	}
	for y := range 5 {
		rotate(at(early, y), lane{early, y})
	}
	for y := range 5 {
		f.Comment("Row %d: θ, ρ, π and χ.", y)
		var places [8]a64.V
		for x := range 5 {
			places[x] = slots[next.of(lane{x, y})]
		}
		places[5], places[6], places[7] = c[0], c[4], d[early]
		for _, s := range threeOperandSteps(y, 3) {
			if s.rotate {
				if source := piSource(lane{s.x, y}); source.x != early {
					rotate(places[s.to], source)
				}
			} else {
				f.VBCAX(places[s.to], places[s.from[0]], places[s.from[2]], places[s.from[1]])
			}
		}
		if y == 0 {
			first := at(0, 0).B16()
			f.LDR(c[0], constants.Post(constantSize))
			f.VEOR(first, first, c[0].B16())
		}
	}
}

// early is the column whose lanes θ and ρ change where they stand.
const early = 4

// A threeOperandStep rotates lane x of a row, or computes lane x of χ from three.
type threeOperandStep struct {
	rotate bool
	x      int
	from   [3]place
	to     place
}

// threeOperandSteps orders the steps of row y as chiSteps does, where ρ may put lanes into
// temporary registers.
func threeOperandSteps(y, temporaries int) []threeOperandStep {
	for moved := range 1 << 5 {
		if s := threeOperandOrder(y, temporaries, moved); s != nil {
			return s
		}
	}
	panic(fmt.Sprintf("keccak: no order of χ for row %d", y))
}

// threeOperandOrder is threeOperandSteps where ρ puts the lanes that are in moved into
// temporary registers; nil if that leads nowhere.
func threeOperandOrder(y, temporaries, moved int) []threeOperandStep {
	at := rowPlaces(y)
	holds := make([]int, 5+temporaries) // which lane a place holds, and −1 if none
	for i := range holds {
		holds[i] = -1
	}
	var steps []threeOperandStep
	temporary := 5
	for x := range 5 {
		if moved>>x&1 == 1 {
			if temporary == len(holds) || piSource(lane{x, y}).x == early {
				return nil
			}
			at[x] = place(temporary)
			temporary++
		}
		holds[at[x]] = x
		steps = append(steps, threeOperandStep{rotate: true, x: x, to: at[x]})
	}
	uses := [5]int{3, 3, 3, 3, 3}
	var done [5]bool
	var search func() bool
	search = func() bool {
		if len(steps) == 10 {
			return true
		}
		for x := range 5 {
			if done[x] {
				continue
			}
			from := [3]int{x, (x + 1) % 5, (x + 2) % 5}
			for _, b := range from {
				uses[b]--
			}
			if h := holds[x]; h < 0 || uses[h] == 0 && h < 5 {
				holds[x] = 5 // a lane that is done
				done[x] = true
				steps = append(steps, threeOperandStep{false, x, [3]place{at[from[0]], at[from[1]], at[from[2]]}, place(x)})
				if search() {
					return true
				}
				steps = steps[:len(steps)-1]
				done[x] = false
				holds[x] = h
			}
			for _, b := range from {
				uses[b]++
			}
		}
		return false
	}
	if !search() {
		return nil
	}
	return steps
}
