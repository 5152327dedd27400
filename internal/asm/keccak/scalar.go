package main

import (
	"slices"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// scalar emits the kernel name for one state in general registers, words of which stand
// 8*stride bytes apart. If absorbs is set it first adds a block of the rate of SHA3-256 and
// SHAKE256 to the state, and repeats both for a number of blocks.
//
// The state stays in memory, but for five lanes and the column parities, which pass in registers
// from a round to the next. The parities are gathered while χ writes the rows; some columns
// begin with a late row, when there are registers, and add earlier ones from memory, which
// costs no more. The last row takes the lanes to which D is added last: in place. See [steps]
// for the registers and [mix] for the order of the instructions.
func scalar(ctx *build.Context, name, signature string, stride int, absorbs bool, roundConstants Mem) {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	stack := ctx.AllocLocal(32)

	state := ctx.Load(ctx.ParamIndex(0), RDI)
	word := func(slot int) Mem { return Mem{Base: state, Disp: 8 * stride * slot} }
	rc, rcEnd := stack, stack.Offset(8) // addresses of the next round constants
	message, blocks := stack.Offset(16), stack.Offset(24)

	s := &steps{word: word, constants: rc}
	entry := newRoundEntry()
	last := entry
	for round, p := range placements() {
		last = s.round(round, p, last)
	}
	code := mix(s.allocate(entry.values(), last.values()))
	spare := entry.spareRegisters()
	t, block := spare[0], Op(nil)

	ctx.LEAQ(roundConstants.Offset(8*rounds), t)
	ctx.MOVQ(t, rcEnd)
	if absorbs {
		block = spare[1]
		ctx.Load(ctx.Param("message"), t.(Register))
		ctx.MOVQ(t, message)
		ctx.Load(ctx.Param("blocks"), t.(Register))
		ctx.MOVQ(t, blocks)
		ctx.Label("absorb")
		ctx.MOVQ(message, block)
		ctx.LEAQ(Mem{Base: block.(Register), Disp: rate136}, t)
		ctx.MOVQ(t, message)
	}
	ctx.LEAQ(roundConstants, t)
	ctx.MOVQ(t, rc)
	entry.load(ctx, word, block, t)

	ctx.Label("rounds")
	for _, instruction := range code {
		ctx.Instruction(instruction)
	}
	ctx.MOVQ(rc, t)
	ctx.ADDQ(U8(8*period), t)
	ctx.MOVQ(t, rc)
	ctx.CMPQ(t, rcEnd)
	ctx.JNE(LabelRef("rounds"))
	for w, lane := range entry.lanes {
		if lane != nil {
			ctx.MOVQ(lane.register, word(w))
		}
	}
	if absorbs {
		ctx.MOVQ(blocks, t)
		ctx.SUBQ(U8(1), t)
		ctx.MOVQ(t, blocks)
		ctx.JNE(LabelRef("absorb"))
	}
	ctx.RET()
}

// rowOrder is the order in which the scalar kernel works on rows. It and what follows were found by
// trial on an out-of-order core of six instructions a cycle, five of them arithmetic.
var rowOrder = [5]int{1, 3, 2, 0, 4}

// By place in rowOrder: the lane with which ρ begins, and that with which χ begins and the step
// from one to the next.
var (
	firstLane   = [5]int{3, 0, 0, 3, 4}
	firstResult = [5]int{1, 1, 0, 0, 0}
	resultStep  = [5]int{2, 1, 4, 2, 3}
)

// By column: the order of D, and the place in rowOrder of the row with which a parity begins.
var (
	dOrder      = [5]int{4, 3, 0, 1, 2}
	parityBegin = [5]int{1, 3, 3, 1, 3}
)

// A roundEntry is what passes from one round to the next in registers.
type roundEntry struct {
	parities [5]*value
	lanes    [25]*value // by word, nil for those in memory
}

// keepsLane reports whether a lane passes in a register: those of the last row that go to other
// rows, and the one that goes from the last row but one to the first.
func keepsLane(l lane) bool {
	first, late, last := rowOrder[0], rowOrder[3], rowOrder[4]
	return l.y == last && l != piSource(lane{last, last}) || l == piSource(lane{late, first})
}

func newRoundEntry() (e roundEntry) {
	for x := range e.parities {
		e.parities[x] = new(value)
	}
	for y := range 5 {
		for x := range 5 {
			if l := (lane{x, y}); keepsLane(l) {
				e.lanes[l.word()] = new(value)
			}
		}
	}
	return e
}

func (e *roundEntry) values() []*value {
	all := slices.Clone(e.parities[:])
	for _, lane := range e.lanes {
		if lane != nil {
			all = append(all, lane)
		}
	}
	return all
}

// spareRegisters returns those in which nothing enters a round.
func (e *roundEntry) spareRegisters() []Op {
	return slices.DeleteFunc(slices.Clone(generalRegisters), func(r Op) bool {
		return slices.ContainsFunc(e.values(), func(v *value) bool { return v.register == r })
	})
}

// load emits what makes the first entry from the state in memory, to which it first adds a block of
// message, unless that is nil. t is a spare register.
func (e *roundEntry) load(ctx *build.Context, word func(int) Mem, block, t Op) {
	ctx.Comment("Column parities, and the lanes that are kept.")
	for w := range 25 {
		var from Op = word(w)
		if block != nil && w < rate136/8 {
			ctx.MOVQ(from, t)
			ctx.XORQ(Mem{Base: block.(Register), Disp: 8 * w}, t)
			ctx.MOVQ(t, from)
			from = t
		}
		if parity := e.parities[w%5].register; w < 5 {
			ctx.MOVQ(from, parity)
		} else {
			ctx.XORQ(from, parity)
		}
	}
	for w, lane := range e.lanes {
		if lane != nil {
			ctx.MOVQ(word(w), lane.register)
		}
	}
}

// round adds the steps of round number round, which enters with e, and returns that of the next.
func (s *steps) round(round int, p placement, e roundEntry) (next roundEntry) {
	after := p.next()
	rho := rhoOffsets()
	var d [5]*value
	for _, x := range dOrder {
		d[x] = s.xor(s.rotate(e.parities[(x+1)%5], 1), e.parities[(x+4)%5])
	}
	for i, y := range rowOrder {
		var b [5]*value // after θ, ρ and π
		for n := range 5 {
			x := (firstLane[i] + n) % 5
			from := piSource(lane{x, y})
			if kept := e.lanes[from.word()]; kept != nil {
				b[x] = s.xor(kept, d[from.x])
			} else {
				b[x] = s.loadXor(s.word(p.of(from)), d[from.x])
			}
			if n := rho[from.word()]; n != 0 {
				b[x] = s.rotate(b[x], n)
			}
		}
		for n := range 5 {
			x := (firstResult[i] + n*resultStep[i]) % 5
			to := lane{x, y}
			out := s.xor(s.andNot(b[(x+1)%5], b[(x+2)%5]), b[x])
			if to == (lane{0, 0}) {
				out = s.iota(out, round)
			}
			keeps := keepsLane(to)
			if keeps {
				next.lanes[to.word()] = out
			} else {
				s.store(out, s.word(after.of(to)))
			}
			switch parity := &next.parities[x]; {
			case i == parityBegin[x] && keeps:
				*parity = s.copy(out)
			case i == parityBegin[x]:
				*parity = out
			case i > parityBegin[x]:
				*parity = s.xor(*parity, out)
			}
		}
		if i == slices.Max(parityBegin[:]) {
			for j := range i {
				for x := range 5 {
					if j < parityBegin[x] {
						next.parities[x] = s.xorMem(next.parities[x], s.word(after.of(lane{x, rowOrder[j]})))
					}
				}
			}
		}
	}
	return next
}
