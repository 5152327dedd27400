package interval

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A Width is the vector registers of a kernel: their size, and which there are.
type Width int

// YMM kernels keep to AVX2 and its sixteen registers. YMMVL and ZMM kernels may use
// everything that the level avx512 guarantees, on registers of 256 and of 512 bits.
const (
	YMM Width = iota
	YMMVL
	ZMM
)

// Bytes is the size of a register.
func (w Width) Bytes() int {
	if w == ZMM {
		return 64
	}
	return 32
}

// A Lane is what is known of one lane of a register or one cell of memory.
type Lane struct {
	Interval
	// Coeff is the position of the lane's coefficient in the polynomial, or
	// none.
	Coeff int
}

// none is the Coeff of a lane that holds no coefficient of its own.
const none = -1

// A Vector is a value of the kernel: a vector register, or a memory operand that
// stands for one. Vectors are never overwritten; each operation makes a new one.
type Vector struct {
	Op    operand.Op
	Lanes []Lane // 16-bit lanes, 32-bit lanes if there are half as many, or 64-bit lanes
}

// As returns v with the positions of w: what was computed from v's coefficients is
// from here on those of w.
func (v Vector) As(w Vector) Vector {
	lanes := make([]Lane, len(v.Lanes))
	for i, l := range v.Lanes {
		lanes[i] = Lane{l.Interval, w.Lanes[i].Coeff}
	}
	return Vector{v.Op, lanes}
}

// A Kernel is one function under construction.
type Kernel struct {
	*build.Context
	Name  string
	Width Width

	modulus   int64
	q         Vector       // the modulus in every 16-bit lane, or in every 32-bit one
	even      reg.Register // a mask of the even 32-bit lanes, in AVX-512 kernels of 32-bit lanes
	table     reg.Register
	constants *Table
}

// New starts the function name with the given Go signature.
func New(ctx *build.Context, name, signature string, w Width, t *Table, doc ...string) *Kernel {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT | attr.NOFRAME)
	ctx.SignatureExpr(signature)
	ctx.Doc(doc...)
	return &Kernel{Context: ctx, Name: name, Width: w, constants: t}
}

// Pointer loads the pointer parameter name.
func (k *Kernel) Pointer(name string) operand.Mem {
	return operand.Mem{Base: k.Load(k.Param(name), k.GP64())}
}

// End emits the return.
func (k *Kernel) End() {
	k.VZEROUPPER()
	k.RET()
}

// Words is the number of 16-bit lanes of a register.
func (k *Kernel) Words() int { return k.Width.Bytes() / 2 }

// refuse panics in the name of the kernel.
func (k *Kernel) refuse(format string, args ...any) {
	panic(k.Name + ": " + fmt.Sprintf(format, args...))
}

// check refuses lanes that leave the type.
func (k *Kernel) check(what string, lanes []Lane, within Interval) {
	for i, l := range lanes {
		if !l.In(within) {
			k.refuse("lane %d of %s (coefficient %d) may reach %v, outside %v",
				i, what, l.Coeff, l.Interval, within)
		}
	}
}

// register returns a fresh vector register with the given lanes.
func (k *Kernel) register(lanes []Lane) Vector {
	if k.Width == ZMM {
		return Vector{k.Context.ZMM(), lanes}
	}
	return Vector{k.Context.YMM(), lanes}
}

// A Memory is a polynomial, or a part of one that a loop moves along, in memory.
type Memory struct {
	Name  string
	Mem   operand.Mem
	size  int // of a cell, in bytes
	lanes []Lane
}

// Memory describes n 16-bit cells at mem that hold coefficients within in.
func (k *Kernel) Memory(name string, mem operand.Mem, n int, in Interval) *Memory {
	return memory(name, mem, 2, n, in)
}

// Memory32 describes n 32-bit cells.
func (k *Kernel) Memory32(name string, mem operand.Mem, n int, in Interval) *Memory {
	return memory(name, mem, 4, n, in)
}

func memory(name string, mem operand.Mem, size, n int, in Interval) *Memory {
	m := &Memory{Name: name, Mem: mem, size: size}
	for i := range n {
		m.lanes = append(m.lanes, Lane{in, i})
	}
	return m
}

// Narrow gives the odd cells an interval of their own.
func (m *Memory) Narrow(odd Interval) {
	for i := 1; i < len(m.lanes); i += 2 {
		m.lanes[i].Interval = odd
	}
}

// At returns the memory operand of the register's worth of cells from position i on.
func (k *Kernel) At(m *Memory, i int) Vector {
	lanes := append([]Lane(nil), m.lanes[i:i+k.Width.Bytes()/m.size]...)
	return Vector{m.Mem.Offset(m.size * i), lanes}
}

// Fetch loads At(m, i) into a register.
func (k *Kernel) Fetch(m *Memory, i int) Vector {
	src := k.At(m, i)
	v := k.register(src.Lanes)
	k.move(src.Op, v.Op)
	return v
}

// Store writes v to the cells from position i on, which must be the positions of v's
// coefficients.
func (k *Kernel) Store(v Vector, m *Memory, i int) {
	if m.size == 2 {
		k.sixteen(v)
	} else {
		k.thirtyTwo(v)
	}
	for j, l := range v.Lanes {
		if l.Coeff != i+j {
			k.refuse("store of coefficient %d to position %d of %s", l.Coeff, i+j, m.Name)
		}
	}
	copy(m.lanes[i:], v.Lanes)
	k.move(v.Op, m.Mem.Offset(m.size*i))
}

func (k *Kernel) move(src, dst operand.Op) {
	if k.Width == YMM {
		k.VMOVDQU(src, dst)
	} else {
		k.VMOVDQU64(src, dst)
	}
}

// Output checks that every cell of m lies within the contract, and leaves the computed
// interval in the listing.
func (k *Kernel) Output(m *Memory, contract Interval) { k.output(m, "", contract, 0, 1) }

// OutputPairs is Output with a contract for the even cells and one for the odd.
func (k *Kernel) OutputPairs(m *Memory, even, odd Interval) {
	k.output(m, "even entries of ", even, 0, 2)
	k.output(m, "odd entries of ", odd, 1, 2)
}

func (k *Kernel) output(m *Memory, what string, contract Interval, first, step int) {
	all := m.lanes[first].Interval
	for i := first; i < len(m.lanes); i += step {
		in := m.lanes[i].Interval
		if !in.In(contract) {
			k.refuse("output %s: coefficient %d may reach %v, outside the contract's %v",
				m.Name, i, in, contract)
		}
		all = all.Union(in)
	}
	k.Comment(fmt.Sprintf("Computed interval of %s%s: %v; contract: %v.", what, m.Name, all, contract))
}

// sixteen refuses vectors that are not of 16-bit lanes, and thirtyTwo those that are.
func (k *Kernel) sixteen(vs ...Vector) {
	for _, v := range vs {
		if len(v.Lanes) != k.Words() {
			k.refuse("vector of %d lanes where %d are due", len(v.Lanes), k.Words())
		}
	}
}

func (k *Kernel) thirtyTwo(vs ...Vector) {
	for _, v := range vs {
		if len(v.Lanes) != k.Words()/2 {
			k.refuse("vector of %d lanes where %d are due", len(v.Lanes), k.Words()/2)
		}
	}
}
