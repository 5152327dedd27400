package main

import (
	"github.com/pqlane/pqlane/internal/asm/a64"
)

// A neonState is two states in the halves of vector registers. NEON has no rotation: it is a
// shift and an insertion, to another register. So the lanes follow the cycle of π through
// one register that is free, and each round ends with all of them where they were.
type neonState struct {
	f      *a64.Func
	stride int // from one word of a state to the next, in bytes
	slots  [25]a64.V
	t      [7]a64.V
}

func newNEONState(f *a64.Func, stride int) *neonState {
	n := &neonState{f: f, stride: stride, t: [7]a64.V{25, 26, 27, 28, 29, 30, 31}}
	for i := range n.slots {
		n.slots[i] = a64.V(i)
	}
	return n
}

func (n *neonState) load(state a64.X) {
	for i, v := range n.slots {
		n.f.LDR(v, state.At(n.stride*i))
	}
}

func (n *neonState) store(state a64.X) {
	for i, v := range n.slots {
		n.f.STR(v, state.At(n.stride*i))
	}
}

func (n *neonState) eor(d, a, b a64.V) { n.f.VEOR(d.B16(), a.B16(), b.B16()) }

// rotate emits d = rol(a, r).
func (n *neonState) rotate(d, a a64.V, r int) {
	if r == 1 {
		n.f.VADD(d.D2(), a.D2(), a.D2()) // more pipes add than shift
	} else {
		n.f.VSHL(d.D2(), a.D2(), r)
	}
	n.f.VSRI(d.D2(), a.D2(), 64-r)
}

// round emits a round. The caller loads the round constant by constant(register) when it
// is asked to.
func (n *neonState) round(constant func(v a64.V)) {
	f := n.f
	rho := rhoOffsets()
	at := func(x, y int) a64.V { return n.slots[lane{x, y}.word()] }
	c, d, away := n.t[:5], n.t[5], n.t[6]
	// first leaves its slot for the register away; lane (0, 0) stays where it is.
	first := lane{1, 0}

	f.Comment("θ: column parities.")
	for y := 1; y < 5; y++ {
		for x := range 5 {
			if y == 1 {
				n.eor(c[x], at(x, 0), at(x, 1))
			} else {
				n.eor(c[x], c[x], at(x, y))
			}
		}
	}
	f.Comment("θ: D[x] = C[x-1] ^ rol(C[x+1], 1).")
	for x := range 5 {
		n.rotate(d, c[(x+1)%5], 1)
		n.eor(d, d, c[(x+4)%5])
		for y := range 5 {
			to := at(x, y)
			if (lane{x, y}) == first {
				to = away
			}
			n.eor(to, at(x, y), d)
		}
	}
	f.Comment("ρ and π.")
	for l := first; ; {
		source := piSource(l)
		from := at(source.x, source.y)
		if source == first {
			from = away
		}
		n.rotate(at(l.x, l.y), from, rho[source.word()])
		if l = source; l == first {
			break
		}
	}
	f.Comment("χ.")
	for y := range 5 {
		t := n.t
		for x := range 5 {
			b, b1, b2 := at(x, y), at((x+1)%5, y), at((x+2)%5, y)
			f.VBIC(t[x].B16(), b2.B16(), b1.B16())
			if x >= 2 {
				n.eor(b, b, t[x])
			}
		}
		n.eor(at(0, y), at(0, y), t[0])
		n.eor(at(1, y), at(1, y), t[1])
		if y == 0 {
			constant(t[5])
			n.eor(at(0, 0), at(0, 0), t[5])
		}
	}
}

// neon2 emits the kernel name for two neighbouring interleaved states.
func neon2(file *a64.File, name, signature string, stride int, rc a64.Symbol) {
	f := file.Func(name, signature)
	n := newNEONState(f, stride)
	state, constants, count := f.X(), f.X(), f.X()
	f.ArgAt(state, 0)
	f.Addr(constants, rc)
	n.load(state)
	const together = 2
	f.MOV(count, rounds/together)
	f.LoopOn(count, func() {
		for range together {
			n.round(func(v a64.V) { f.LDR(v, constants.Post(constantSize)) })
		}
	})
	n.store(state)
	f.RET()
}

// beside emits the kernel name for a pair of neighbouring states in vector registers and one
// at a time in general ones, singles of them, whose rounds are dealt out over those of the pair.
// The parameters are the first words of the pair and of the (first) single state.
//
// No general register is left for an address in between, so that the constants for the
// vector registers come by the stack.
func beside(file *a64.File, name, signature string, singles, stride int, rc a64.Symbol) {
	f := file.Func(name, signature)
	stack := f.Frame(8 + 16*period + stackSize + 16)
	buffer := stack.At(8) // 16-byte aligned: the constants of a period
	rest := buffer.At(16 * period)
	g, n := newGeneralState(f, rest), newNEONState(f, stride)
	constants, lane := rest.At(stackSize), rest.At(stackSize+8)

	f.ArgAt(g.address(), 0)
	n.load(g.address())
	f.ArgAt(g.address(), 1)
	f.STRX(g.address(), lane)
	f.Addr(g.t[0], rc)
	f.STRX(g.t[0], constants)
	next, loop := f.Label("next"), f.Label("rounds")
	f.Place(next)
	f.Comment("General registers take the next state.")
	f.Addr(g.t[0], rc)
	f.STRX(g.t[0], g.rc)
	f.LDRX(g.address(), lane)
	g.load(stride)
	f.Place(loop)
	f.LDRX(g.t[0], constants)
	for i := 0; i < period; i += 2 {
		f.LDP(n.t[i], n.t[i+1], g.t[0].At(constantSize*i))
	}
	for i := 0; i < period; i += 2 {
		f.STP(n.t[i], n.t[i+1], buffer.At(16*i))
	}
	f.ADD(g.t[0], g.t[0], constantSize*period)
	f.STRX(g.t[0], constants)
	f.Together(
		func() {
			for i := range singles * period {
				g.round(i)
			}
		},
		func() {
			for i := range period {
				n.round(func(v a64.V) { f.LDR(v, buffer.At(16*i)) })
			}
		},
	)
	f.CBNZ(g.advance(singles*period), loop)
	f.LDRX(g.address(), lane)
	g.store(stride)
	if singles > 1 {
		f.ADD(g.address(), g.address(), 8)
		f.STRX(g.address(), lane)
		f.ArgAt(g.t[0], 1)
		f.SUB(g.t[1], g.address(), g.t[0])
		f.CMP(g.t[1], 8*singles)
		f.Branch("NE", next)
	}
	f.ArgAt(g.t[0], 0)
	n.store(g.t[0])
	g.wipe()
	f.RET()
}
