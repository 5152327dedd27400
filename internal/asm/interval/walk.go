package interval

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A Walk proves a function that is written in avo's own instructions. It follows them when
// the function is complete, with an interval for every lane of every vector register, and
// panics at an instruction whose exact result might leave its lane, at one that it does not
// know, and at a store that the contract does not allow. Loops are followed until nothing
// changes any more.
//
// Intervals forget how values belong together. Where that matters, [Walk.Cases] follows a part
// of the function once for each part of an interval, down to single numbers.
type Walk struct {
	ctx   *build.Context
	name  string
	fn    *ir.Function
	taken int   // nodes of fn that steps has
	steps []any // instructions and labels, and what the generator says between them
	areas map[reg.ID]*area
	data  map[string][]byte // read-only memory by its symbol

	registers map[reg.ID]content
	last      reg.ID // the vector register or mask that was written last
	rule      rule
	within    int // the size of the lanes of the innermost cases, or 0
	at        map[ir.Label]int
	heads     map[ir.Label]map[reg.ID]content // what is known at the head of each loop
	rounds    map[ir.Label]int
}

// An area is memory behind a pointer: what may be read there, and what may be written, which
// is then read too.
type area struct {
	size             int
	reads, writes    Interval
	mayWrite, stored bool
}

// A rule is what becomes of a result that leaves its lane.
type rule struct {
	leave  leave
	reason string
}

type leave int

const (
	refuses   leave = iota
	modulo          // the lane is congruent to it
	discarded       // nothing is known of the lane
	promised        // the contract says that it does not happen
)

// Follow starts to follow the function that ctx has just begun.
func Follow(ctx *build.Context, name string) *Walk {
	w := &Walk{
		ctx: ctx, name: name, areas: map[reg.ID]*area{}, data: map[string][]byte{},
		registers: map[reg.ID]content{}, at: map[ir.Label]int{},
		heads: map[ir.Label]map[reg.ID]content{}, rounds: map[ir.Label]int{},
	}
	file, _ := ctx.Result()
	functions := file.Functions()
	w.fn = functions[len(functions)-1]
	return w
}

func (w *Walk) refuse(format string, args ...any) {
	panic(w.name + ": " + fmt.Sprintf(format, args...))
}

// Reads states a part of the contract: the memory behind p holds numbers of the given bits
// within in. Memory of which nothing is stated may hold anything.
func (w *Walk) Reads(p reg.Register, bits int, in Interval) {
	w.area(p, bits/8).reads = in
}

// Writes states a part of the contract: the function leaves numbers within out behind p. It
// may not write to memory of which nothing is stated.
func (w *Walk) Writes(p reg.Register, bits int, out Interval) {
	a := w.area(p, bits/8)
	a.writes, a.mayWrite = out, true
}

// Bytes are those of packed numbers, which may have any value.
func (w *Walk) Bytes(p reg.Register) { w.Writes(p, 8, signedRange(1)) }

func (w *Walk) area(p reg.Register, size int) *area {
	if w.areas[p.ID()] == nil {
		w.areas[p.ID()] = &area{size: size, reads: signedRange(size)}
	}
	a := w.areas[p.ID()]
	if a.size != size {
		w.refuse("memory of lanes of %d bytes and of %d", a.size, size)
	}
	return a
}

// say puts what the generator says between the instructions.
func (w *Walk) say(step any) {
	for _, node := range w.fn.Nodes[w.taken:] {
		w.steps = append(w.steps, node)
	}
	w.taken = len(w.fn.Nodes)
	w.steps = append(w.steps, step)
}

// Argument states a part of the contract: v holds an argument within in, in every lane.
func (w *Walk) Argument(v reg.Register, bits int, in Interval) {
	w.say(func() { w.registers[v.ID()] = filled(bits/8, int(v.Size()), in) })
}

// Expect refuses lanes of v that are not within in here.
func (w *Walk) Expect(what string, v reg.Register, bits int, in Interval) {
	w.say(func() { w.expect(what, w.numbers(v, bits/8), in) })
}

func (w *Walk) expect(what string, lanes []Interval, in Interval) {
	for i, l := range lanes {
		if !l.In(in) {
			w.refuse("lane %d of %s may reach %v, outside %v", i, what, l, in)
		}
	}
}

// numbers returns the lanes of a vector register with their signs, or those of a mask.
func (w *Walk) numbers(v reg.Register, size int) []Interval {
	if v.Kind() == reg.KindOpmask {
		return w.registers[v.ID()].lanes
	}
	lanes := w.read(v, int(v.Size())).in(size)
	for i := range lanes {
		lanes[i] = signed(lanes[i], size)
	}
	return lanes
}

// Modulo allows sums, differences, low products and left shifts in body that wrap. They are
// then known modulo the number of values of a lane, as integers. The last number that body
// computes must fit in its lane, which makes it exact.
func (w *Walk) Modulo(reason string, body func()) {
	w.under(rule{modulo, reason}, body)
	w.say(func() {
		c := w.registers[w.last]
		w.expect("what is exact modulo its type ("+reason+")", c.lanes, signedRange(c.size))
	})
}

// Discards allows left shifts and low products in body to lose bits at the top. Nothing is known of
// lanes that may have lost any.
func (w *Walk) Discards(reason string, body func()) { w.under(rule{discarded, reason}, body) }

// Promised takes it from the contract that the results of body fit.
func (w *Walk) Promised(reason string, body func()) { w.under(rule{promised, reason}, body) }

func (w *Walk) under(r rule, body func()) {
	var outer rule
	w.say(func() { outer, w.rule = w.rule, r })
	body()
	w.say(func() { w.rule = outer })
}

// A Fact is what holds of a register, vector or mask, in every case: lanes within Of the
// case.
type Fact struct {
	Register reg.Register
	Of       func(x Interval) Interval
}

// cases is a step: those that follow, up to end, are taken once for each piece.
type cases struct {
	x      reg.Register
	size   int
	pieces []Interval
	facts  []Fact
	end    int
}

// Cases follows the instructions of body once for each of the pieces, which are neighbours in
// order and cover the lanes of x: x is within the piece there. This is sound because
// instructions that mix lanes are refused. In every case the facts must hold.
func (w *Walk) Cases(x reg.Register, bits int, pieces []Interval, body func(), facts ...Fact) {
	c := &cases{x: x, size: bits / 8, pieces: pieces, facts: facts}
	w.say(c)
	body()
	w.say(nil)
	c.end = len(w.steps) - 1
}

// Each returns the numbers of i, each by itself.
func (i Interval) Each() []Interval { return i.Every(i.Min, 1) }

// Every returns the pieces of i that begin at first and each step after it.
func (i Interval) Every(first, step int64) []Interval {
	var pieces []Interval
	for from := i.Min; from <= i.Max; {
		to := first - 1
		if from >= first {
			to = first + ((from-first)/step+1)*step - 1
		}
		pieces = append(pieces, Interval{from, min(to, i.Max)})
		from = to + 1
	}
	return pieces
}

// Done follows the function, which is complete.
func (w *Walk) Done() {
	w.say(nil)
	file, _ := w.ctx.Result()
	for _, s := range file.Sections {
		if g, ok := s.(*ir.Global); ok {
			w.data[g.Symbol.Name] = dataOf(g)
		}
	}
	w.run(0, len(w.steps))
	for p, a := range w.areas {
		if a.mayWrite && !a.stored {
			w.refuse("nothing is stored behind pointer %v", p)
		}
	}
}

func dataOf(g *ir.Global) []byte {
	b := make([]byte, g.Size)
	for _, d := range g.Data {
		switch v := d.Value.(type) {
		case operand.U64:
			binary.LittleEndian.PutUint64(b[d.Offset:], uint64(v))
		case operand.U32:
			binary.LittleEndian.PutUint32(b[d.Offset:], uint32(v))
		default:
			panic(fmt.Sprintf("%s: datum %T", g.Symbol.Name, v))
		}
	}
	return b
}

// run takes the steps.
func (w *Walk) run(from, to int) {
	for at := from; at < to; at++ {
		switch s := w.steps[at].(type) {
		case ir.Label:
			w.at[s], w.rounds[s] = at, 0
			w.heads[s] = maps.Clone(w.registers)
		case *ir.Instruction:
			if s.IsBranch {
				at = w.branch(s, at)
			} else {
				w.execute(s)
			}
		case func():
			s()
		case *cases:
			w.split(s, at+1)
			at = s.end
		}
	}
}

// branch returns the step to go on behind: the head of the loop again, if more may hold there
// than was assumed.
func (w *Walk) branch(i *ir.Instruction, at int) int {
	label := i.TargetLabel()
	if label == nil || w.heads[*label] == nil {
		w.refuse("%s leads forward", i.Opcode)
	}
	known := map[reg.ID]content{}
	settled := true
	for id, before := range w.heads[*label] {
		now, ok := w.registers[id]
		if !ok {
			settled = false
			continue
		}
		known[id] = before
		if !now.same(before) {
			known[id] = before.union(now)
			settled = settled && known[id].size == before.size && slices.Equal(known[id].lanes, before.lanes)
		}
	}
	if settled {
		return at
	}
	const enough = 8
	if w.rounds[*label]++; w.rounds[*label] == enough {
		w.refuse("loop %s has no bounds", *label)
	}
	w.heads[*label] = known
	w.registers = maps.Clone(known)
	return w.at[*label]
}

// split takes the steps of c, which begin at from, for each piece.
func (w *Walk) split(c *cases, from int) {
	all := w.numbers(c.x, c.size)
	for i, p := range c.pieces {
		if i > 0 && c.pieces[i-1].Max+1 != p.Min {
			w.refuse("cases %v and %v are not neighbours", c.pieces[i-1], p)
		}
	}
	w.expect("what is split into cases", all, Interval{c.pieces[0].Min, c.pieces[len(c.pieces)-1].Max})

	before, outer := w.registers, w.within
	w.within = c.size
	var after map[reg.ID]content
	for _, piece := range c.pieces {
		w.registers = maps.Clone(before)
		w.registers[c.x.ID()] = filled(c.size, int(c.x.Size()), piece)
		w.run(from, c.end)
		for _, f := range c.facts {
			w.expect(fmt.Sprintf("what is due in case %v", piece), w.numbers(f.Register, c.size), f.Of(piece))
		}
		if after == nil {
			after = w.registers
			continue
		}
		for id, now := range w.registers {
			if earlier := after[id]; !now.same(earlier) {
				after[id] = earlier.union(now)
			}
		}
	}
	w.registers, w.within = after, outer
}

// read returns the first count bytes of an operand.
func (w *Walk) read(op operand.Op, count int) content {
	switch op := op.(type) {
	case reg.Register:
		if c, ok := w.registers[op.ID()]; ok {
			return c.first(count)
		}
	case operand.Mem:
		if op.Base == reg.StaticBase {
			c := content{size: 1}
			for _, b := range w.data[op.Symbol.Name][op.Disp:][:count] {
				c.lanes = append(c.lanes, Exactly(int64(int8(b))))
			}
			return c
		}
		if a := w.areas[op.Base.ID()]; a != nil && count >= a.size {
			in := a.reads
			if a.mayWrite {
				in = in.Union(a.writes)
			}
			return filled(a.size, count, in)
		}
	}
	return unknown(count)
}

// store checks what an instruction writes to memory.
func (w *Walk) store(op operand.Mem, c content) {
	if op.Base == reg.FramePointer { // a result
		return
	}
	a := w.areas[op.Base.ID()]
	if a == nil || !a.mayWrite {
		w.refuse("store to memory outside the contract")
	}
	a.stored = true
	for _, l := range c.in(a.size) {
		if l = signed(l, a.size); !l.In(a.writes) {
			w.refuse("output may reach %v, outside the contract's %v", l, a.writes)
		}
	}
}
