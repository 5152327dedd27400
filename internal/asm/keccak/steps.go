package main

import (
	"slices"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// generalRegisters are those of the scalar kernel; RDI has the state's address.
var generalRegisters = []Op{RAX, RBX, RCX, RDX, RSI, RBP, R8, R9, R10, R11, R12, R13, R14, R15}

// A value is a word that is computed once.
type value struct {
	register Op
	wanted   Op  // the register that would be best, if any
	last     int // the step that uses it last
}

// steps is a computation on values and memory in a straight line.
type steps struct {
	word      func(slot int) Mem
	constants Mem // holds the address of the round constants
	list      []step
}

type step struct {
	kind kind
	to   *value // nil for store
	from []*value
	mem  Mem
	n    int // of rotate, and the round of iota
}

type kind int

const (
	rotate kind = iota // left, by n
	xor
	loadXor // mem ^ from
	xorMem  // from ^ mem, in place
	andNot  // ^from[0] & from[1]
	iotaXor // from ^ the constant of round n, in place
	store
	copyOf
)

func (s *steps) add(k kind, n int, mem Mem, from ...*value) *value {
	to := new(value)
	s.list = append(s.list, step{kind: k, to: to, from: from, mem: mem, n: n})
	return to
}

func (s *steps) rotate(v *value, n int) *value     { return s.add(rotate, n, Mem{}, v) }
func (s *steps) xor(a, b *value) *value            { return s.add(xor, 0, Mem{}, a, b) }
func (s *steps) loadXor(from Mem, v *value) *value { return s.add(loadXor, 0, from, v) }
func (s *steps) xorMem(v *value, from Mem) *value  { return s.add(xorMem, 0, from, v) }
func (s *steps) andNot(not, and *value) *value     { return s.add(andNot, 0, Mem{}, not, and) }
func (s *steps) iota(v *value, round int) *value   { return s.add(iotaXor, round, Mem{}, v) }
func (s *steps) copy(v *value) *value              { return s.add(copyOf, 0, Mem{}, v) }
func (s *steps) store(v *value, to Mem)            { s.add(store, 0, to, v) }

// allocate gives every value a register, and returns the instructions. A step takes the place of
// a value that it uses last, if it can. The values of exit end in the registers in which those
// of entry, their counterparts, begin: what is not there by itself is moved.
func (s *steps) allocate(entry, exit []*value) (code []*ir.Instruction) {
	emit := func(i *ir.Instruction, err error) {
		if err != nil {
			panic(err)
		}
		code = append(code, i)
	}
	maker := map[*value]int{}
	for n, step := range s.list {
		maker[step.to] = n
		for _, v := range step.from {
			v.last = n
		}
	}
	for _, v := range exit {
		v.last = len(s.list)
	}
	free := slices.Clone(generalRegisters)
	for i, v := range entry {
		v.register = free[0]
		free = free[1:]
		s.want(exit[i], v.register, maker)
	}
	take := func(v *value) {
		i := max(slices.Index(free, v.wanted), 0)
		v.register = free[i]
		free = slices.Delete(free, i, i+1)
	}
	for n, step := range s.list {
		to, from := step.to, step.from
		ends := func(v *value) bool { return v.last == n }
		switch step.kind {
		case rotate:
			if ends(from[0]) {
				free = append(free, from[0].register)
				if to.wanted == nil {
					to.wanted = from[0].register
				}
			}
			take(to)
			emit(x86.RORXQ(U8(64-step.n), from[0].register, to.register))
		case xor:
			a, b := from[0], from[1]
			if !ends(a) || ends(b) && to.wanted != nil && b.register == to.wanted {
				a, b = b, a
			}
			if !ends(a) {
				panic("keccak: an exclusive or cannot be in place")
			}
			to.register = a.register
			emit(x86.XORQ(b.register, a.register))
			if ends(b) {
				free = append(free, b.register)
			}
		case loadXor:
			if ends(from[0]) {
				to.register = from[0].register
				emit(x86.XORQ(step.mem, to.register))
				break
			}
			take(to)
			emit(x86.MOVQ(step.mem, to.register))
			emit(x86.XORQ(from[0].register, to.register))
		case xorMem:
			to.register = from[0].register
			emit(x86.XORQ(step.mem, to.register))
		case andNot:
			for _, v := range from {
				if ends(v) {
					free = append(free, v.register)
				}
			}
			take(to)
			emit(x86.ANDNQ(from[1].register, from[0].register, to.register))
		case iotaXor:
			to.register = from[0].register
			emit(x86.MOVQ(s.constants, free[0]))
			emit(x86.XORQ(Mem{Base: free[0].(Register), Disp: 8 * step.n}, to.register))
		case store:
			emit(x86.MOVQ(from[0].register, step.mem))
			if ends(from[0]) {
				free = append(free, from[0].register)
			}
		case copyOf:
			take(to)
			emit(x86.MOVQ(from[0].register, to.register))
		}
	}
	var moves []move
	for i, v := range exit {
		if v.register != entry[i].register {
			moves = append(moves, move{v.register, entry[i].register})
		}
	}
	for len(moves) > 0 {
		i := slices.IndexFunc(moves, func(m move) bool {
			return !slices.ContainsFunc(moves, func(other move) bool { return other.from == m.to })
		})
		if i < 0 {
			// A cycle: its first goes by a register that no value wants.
			spare := slices.IndexFunc(free, func(r Op) bool {
				return !slices.ContainsFunc(entry, func(v *value) bool { return v.register == r })
			})
			emit(x86.MOVQ(moves[0].from, free[spare]))
			moves[0].from = free[spare]
			continue
		}
		emit(x86.MOVQ(moves[i].from, moves[i].to))
		moves = slices.Delete(moves, i, i+1)
	}
	return code
}

type move struct{ from, to Op }

// want says that v would be best in register, and so would the values in whose place it comes.
func (s *steps) want(v *value, register Op, maker map[*value]int) {
	for v != nil && v.wanted == nil {
		v.wanted = register
		n, made := maker[v]
		if !made || s.list[n].kind == andNot || s.list[n].kind == copyOf {
			return
		}
		from := s.list[n].from
		i := slices.IndexFunc(from, func(v *value) bool { return v.last == n })
		if i < 0 {
			return
		}
		v = from[i]
	}
}
