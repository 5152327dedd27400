package interval

import (
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// execute follows one instruction.
func (w *Walk) execute(i *ir.Instruction) {
	if !strings.HasPrefix(i.Opcode, "V") || i.Opcode == "VZEROUPPER" {
		w.scalar(i)
		return
	}
	sources := slices.Clone(i.Operands[:len(i.Operands)-1])
	slices.Reverse(sources) // Intel's order
	dst := i.Operands[len(i.Operands)-1]
	var mask reg.Register
	sources = slices.DeleteFunc(sources, func(op operand.Op) bool {
		r, ok := op.(reg.Register)
		if ok = ok && r.Kind() == reg.KindOpmask; ok {
			mask = r
		}
		return ok
	})

	var result content
	switch e, known := elementwises[i.Opcode]; {
	case known && strings.HasPrefix(i.Opcode, "VPXOR") && sources[0] == sources[1]:
		result = filled(1, sizeOf(dst, sources), Exactly(0))
	case known:
		result = w.elementwise(i.Opcode, e, sources, dst)
	case strings.HasPrefix(i.Opcode, "VMOVDQ"):
		result = w.read(sources[0], sizeOf(dst, sources))
	default:
		move, known := moves[i.Opcode]
		if !known {
			w.refuse("%s is not known", i.Opcode)
		}
		if w.within != 0 && slices.ContainsFunc(sources, isRegister) {
			w.refuse("%s mixes lanes of different cases", i.Opcode)
		}
		result = unknown(sizeOf(dst, sources))
		if move != nil {
			result = move(w, sources, sizeOf(dst, sources))
		}
	}

	switch dst := dst.(type) {
	case operand.Mem:
		w.store(dst, result) // all of it, whatever the mask is
	case reg.Register:
		if dst.Kind() == reg.KindGP {
			return
		}
		if mask != nil {
			old := w.read(dst, int(dst.Size()))
			if slices.Contains(i.Suffixes, "Z") {
				old = filled(1, int(dst.Size()), Exactly(0))
			}
			result = merge(w.registers[mask.ID()], result, old)
		}
		w.registers[dst.ID()], w.last = result, dst.ID()
	}
}

// scalar follows an instruction of general registers and masks, which are not known.
func (w *Walk) scalar(i *ir.Instruction) {
	for _, op := range i.Outputs {
		switch op := op.(type) {
		case operand.Mem:
			w.store(op, unknown(8))
		case reg.Register:
			if op.Kind() == reg.KindOpmask {
				delete(w.registers, op.ID())
			}
			if w.areas[op.ID()] != nil && !advances(i) {
				w.refuse("%s overwrites a pointer", i.Opcode)
			}
		}
	}
}

// advances reports whether a pointer that i writes stays one into the same memory: i moves it, or
// fetches the argument.
func advances(i *ir.Instruction) bool {
	m, argument := i.Operands[0].(operand.Mem)
	return i.Opcode == "ADDQ" || i.Opcode == "LEAQ" && i.Operands[1] == m.Base || argument && m.Base == reg.FramePointer
}

// sizeOf returns how many bytes an instruction works on.
func sizeOf(dst operand.Op, sources []operand.Op) int {
	for _, op := range append([]operand.Op{dst}, sources...) {
		if r, ok := op.(reg.Register); ok && r.Kind() == reg.KindVector {
			return int(r.Size())
		}
	}
	return 8 // between general registers and memory
}

// merge returns new where the mask is set and old elsewhere.
func merge(mask, new, old content) content {
	if len(mask.lanes) == 0 {
		return new.union(old)
	}
	a, b := new.in(mask.size), old.in(mask.size)
	lanes := make([]Interval, len(a))
	for i, m := range mask.lanes {
		switch m {
		case Exactly(1):
			lanes[i] = a[i]
		case Exactly(0):
			lanes[i] = b[i]
		default:
			lanes[i] = a[i].Union(b[i])
		}
	}
	return content{mask.size, lanes}
}

// elementwise returns the result of e.
func (w *Walk) elementwise(opcode string, e elementwise, sources []operand.Op, dst operand.Op) content {
	bytes := sizeOf(dst, sources)
	var contents []content
	for _, op := range sources {
		if !operand.IsMem(op) && !isRegister(op) {
			continue
		}
		contents = append(contents, w.read(op, bytes))
	}
	size := e.size
	if size == 0 {
		size = 8
		for _, c := range contents {
			if !c.exact() {
				size = min(size, c.size)
			}
		}
		if size == 8 {
			size = 1
		}
	}
	if w.within != 0 && size > w.within {
		w.refuse("%s mixes lanes of different cases", opcode)
	}
	parts := max(e.parts, 1)
	reads := e.reads
	if w.rule.leave == modulo && e.fits >= sum {
		reads = raw
	}
	var lanes [][]Interval
	for _, c := range contents {
		lanes = append(lanes, c.in(size/parts))
	}
	result := content{size, make([]Interval, bytes/size)}
	x := make([]Interval, 0, 4)
	for i := range result.lanes {
		x = x[:0]
		for _, l := range lanes {
			for j := range parts {
				x = append(x, reads(l[parts*i+j], size/parts))
			}
		}
		for _, op := range sources {
			if c, ok := op.(operand.U8); ok {
				x = append(x, Exactly(int64(c)))
			}
		}
		result.lanes[i] = w.fitting(opcode, i, e.fits, size, e.f(size, x))
	}
	if r, ok := dst.(reg.Register); ok && e.fits == condition && r.Kind() == reg.KindVector {
		for i, l := range result.lanes {
			result.lanes[i] = Exactly(0).Sub(l)
		}
	}
	return result
}

func isRegister(op operand.Op) bool {
	_, ok := op.(reg.Register)
	return ok
}

// fitting returns the interval of a lane whose exact result is x.
func (w *Walk) fitting(opcode string, lane int, f fit, size int, x Interval) Interval {
	within := signedRange(size)
	if f <= condition || x.In(within) || f == shifted && x.In(unsignedRange(size)) {
		return x
	}
	leave := w.rule.leave
	if f == asSigned {
		leave = refuses
	}
	switch leave {
	case modulo:
		return x
	case discarded:
		return within
	case promised:
		return Interval{max(x.Min, within.Min), min(x.Max, within.Max)}
	}
	w.refuse("lane %d of %s may reach %v, outside %v", lane, opcode, x, within)
	return x
}

// moves are the instructions that take lanes elsewhere, or parts of them; those that are nil
// make something of which nothing is known. The last argument is the size of the result.
var moves = map[string]func(w *Walk, sources []operand.Op, size int) content{
	"VPBROADCASTB": broadcast(1), "VPBROADCASTW": broadcast(2), "VPBROADCASTD": broadcast(4),
	"VPBROADCASTQ": broadcast(8), "VBROADCASTI128": broadcast(16),

	"VEXTRACTI128": func(w *Walk, s []operand.Op, _ int) content {
		return w.read(s[0], 32).at(16, 16, func(i int) int { return int(s[1].(operand.U8)) })
	},
	"VEXTRACTI64X4": func(w *Walk, s []operand.Op, _ int) content {
		return w.read(s[0], 64).at(32, 32, func(i int) int { return int(s[1].(operand.U8)) })
	},
	"VINSERTI128": func(w *Walk, s []operand.Op, _ int) content {
		both := w.read(s[0], 32).then(w.read(s[1], 16))
		return both.at(16, 32, func(i int) int {
			if i == int(s[2].(operand.U8)) {
				return 2
			}
			return i
		})
	},
	"VPBLENDD": blend(4), "VPBLENDW": blend(2),
	"VPERMQ": func(w *Walk, s []operand.Op, _ int) content {
		return w.read(s[0], 32).at(8, 32, func(i int) int { return int(s[1].(operand.U8)) >> (2 * i) & 3 })
	},
	"VPERMD": func(w *Walk, s []operand.Op, size int) content {
		return w.read(s[1], size).lookup(w.read(s[0], size), 4, 0)
	},
	"VPERMB": func(w *Walk, s []operand.Op, size int) content {
		return w.read(s[1], size).lookup(w.read(s[0], size), 1, 0)
	},
	"VPSHUFB": func(w *Walk, s []operand.Op, size int) content {
		data, order := w.read(s[0], size), w.read(s[1], size)
		var r content
		for i := 0; i < size; i += 16 {
			block := func(c content) content { return c.at(16, 16, func(int) int { return i / 16 }) }
			r = r.then(block(data).lookup(block(order), 1, 0x80))
		}
		return r
	},

	"VPACKSSWB": pack(2, signedRange(1)), "VPACKUSWB": pack(2, unsignedRange(1)), "VPACKSSDW": pack(4, signedRange(2)),
	"VPMOVDW": func(w *Walk, s []operand.Op, _ int) content {
		return content{2, w.narrowed("VPMOVDW", w.read(s[0], 64), 4, signedRange(2))}
	},
	"VPMOVSXWD": func(w *Walk, s []operand.Op, size int) content {
		r := content{4, w.read(s[0], size/2).in(2)}
		for i, l := range r.lanes {
			r.lanes[i] = signed(l, 2)
		}
		return r
	},

	"VPROLVD": nil, "VPMULTISHIFTQB": nil, "VPTERNLOGQ": nil, "VPSRLVQ": nil, "VPSRLDQ": nil, "VPSHUFD": nil,
	"VMOVD": nil, "VMOVQ": nil, "VPMOVMSKB": nil, "VMOVMSKPS": nil,
	"VPEXTRB": nil, "VPEXTRW": nil, "VPEXTRD": nil, "VPEXTRQ": nil,
}

func broadcast(size int) func(w *Walk, s []operand.Op, count int) content {
	return func(w *Walk, s []operand.Op, count int) content {
		return w.read(s[0], size).at(size, count, func(int) int { return 0 })
	}
}

// blend takes the lanes of the second source where bits of the third are set, which repeats
// after eight.
func blend(size int) func(w *Walk, s []operand.Op, count int) content {
	return func(w *Walk, s []operand.Op, count int) content {
		both := w.read(s[0], count).then(w.read(s[1], count))
		return both.at(size, count, func(i int) int { return i + count/size*(int(s[2].(operand.U8))>>(i%8)&1) })
	}
}

// pack halves the lanes of both sources, by blocks. None may saturate.
func pack(size int, to Interval) func(w *Walk, s []operand.Op, count int) content {
	return func(w *Walk, s []operand.Op, count int) content {
		both := content{size / 2, nil}
		for _, op := range s {
			both.lanes = append(both.lanes, w.narrowed("a packed vector", w.read(op, count), size, to)...)
		}
		return both.at(8, count, func(i int) int { return i/2 + i%2*count/16 })
	}
}

// narrowed returns the lanes of c, of size bytes, which must fit in half of that.
func (w *Walk) narrowed(what string, c content, size int, to Interval) []Interval {
	lanes := c.in(size)
	for i, l := range lanes {
		lanes[i] = signed(l, size)
	}
	w.expect(what, lanes, to)
	return lanes
}
