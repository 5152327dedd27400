package interval

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A Width is the size of the vector registers of a kernel, in bytes.
type Width int

// YMM kernels keep to AVX2 and its sixteen registers, ZMM kernels may use everything
// that the level avx512 guarantees.
const (
	YMM Width = 32
	ZMM Width = 64
)

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
	Lanes []Lane // 16-bit lanes, or 32-bit lanes if there are half as many
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
	q         Vector // the modulus in every 16-bit lane
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
func (k *Kernel) Words() int { return int(k.Width) / 2 }

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
	if k.Width == YMM {
		return Vector{k.Context.YMM(), lanes}
	}
	return Vector{k.Context.ZMM(), lanes}
}

// A Memory is a polynomial, or a part of one that a loop moves along, in memory.
type Memory struct {
	Name  string
	Mem   operand.Mem
	lanes []Lane
}

// Memory describes n 16-bit cells at mem that hold coefficients within in.
func (k *Kernel) Memory(name string, mem operand.Mem, n int, in Interval) *Memory {
	m := &Memory{Name: name, Mem: mem}
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
	lanes := append([]Lane(nil), m.lanes[i:i+k.Words()]...)
	return Vector{m.Mem.Offset(2 * i), lanes}
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
	k.sixteen(v)
	for j, l := range v.Lanes {
		if l.Coeff != i+j {
			k.refuse("store of coefficient %d to position %d of %s", l.Coeff, i+j, m.Name)
		}
	}
	copy(m.lanes[i:], v.Lanes)
	k.move(v.Op, m.Mem.Offset(2*i))
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

// A Table is the read-only data of the kernels of one file. The linker aligns it to 32
// bytes, which is not enough for a ZMM register, whose load costs double if it crosses
// a cache line. The table therefore stands there twice, at a distance of an odd
// multiple of 32 bytes, and each kernel takes the copy that is aligned.
type Table struct {
	mem    operand.Mem
	align  int
	copies []int // their offsets
	words  []int16
	pairs  int // where the next single pair goes, in a vector's room kept for them
	seen   map[string]int
}

// NewTable starts a file's table of constants, of at most capacity bytes, for kernels of
// width w.
func NewTable(ctx *build.Context, name string, w Width, capacity int) *Table {
	mem := ctx.StaticGlobal(name)
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	t := &Table{mem: mem, align: int(w), copies: []int{0}, seen: map[string]int{}}
	if w == ZMM {
		t.copies = append(t.copies, (capacity+63)/64*64+32)
	}
	return t
}

// add appends words, unless they are there already, and returns their offset: a
// vector's, or a single pair.
func (t *Table) add(words []int16) int {
	key := fmt.Sprint(words)
	if at, ok := t.seen[key]; ok {
		return at
	}
	at := 2 * len(t.words)
	if len(words) == 2 {
		if t.pairs%t.align == 0 {
			t.pairs = at
			t.words = append(t.words, make([]int16, t.align/2)...)
		}
		at = t.pairs
		t.pairs += 4
		copy(t.words[at/2:], words)
	} else {
		t.words = append(t.words, words...)
	}
	t.seen[key] = at
	return at
}

// Emit writes the table out, after the kernels that use it.
func (t *Table) Emit(ctx *build.Context) {
	if room := t.copies[len(t.copies)-1]; room > 0 && 2*len(t.words) > room-32 {
		panic(fmt.Sprintf("%s: %d bytes do not fit", t.mem.Symbol.Name, 2*len(t.words)))
	}
	for _, offset := range t.copies {
		for i := 0; i < len(t.words); i += 2 {
			pair := uint32(uint16(t.words[i])) | uint32(uint16(t.words[i+1]))<<16
			ctx.AddDatum(offset+2*i, operand.U32(pair))
		}
	}
}

// Constants loads the address of the table: it precedes every use of a constant.
func (k *Kernel) Constants() {
	t := k.constants
	k.table = k.GP64()
	k.LEAQ(t.mem, k.table)
	if len(t.copies) > 1 {
		// Add the second copy's offset if the first is misaligned.
		offset := k.GP64()
		k.MOVQ(k.table, offset)
		k.ANDQ(operand.U32(32), offset)
		k.IMUL3Q(operand.U32(uint32(t.copies[1]/32)), offset, offset)
		k.ADDQ(offset, k.table)
	}
}

// Constant returns the memory operand of a table entry, or, if every pair of words is
// the same, a register filled from a single pair.
func (k *Kernel) Constant(words []int16) Vector {
	if len(words) != k.Words() {
		k.refuse("constant of %d words", len(words))
	}
	lanes := make([]Lane, len(words))
	uniform := true
	for i, w := range words {
		lanes[i] = Lane{Exactly(int64(w)), none}
		uniform = uniform && w == words[i%2]
	}
	if uniform {
		v := k.register(lanes)
		at := k.constants.add(words[:2])
		k.VPBROADCASTD(operand.Mem{Base: k.table, Disp: at}, v.Op)
		return v
	}
	at := k.constants.add(words)
	return Vector{operand.Mem{Base: k.table, Disp: at}, lanes}
}

// Broadcast returns a register with x in every 16-bit lane.
func (k *Kernel) Broadcast(x int64) Vector {
	if !Exactly(x).In(Int16) {
		k.refuse("constant %d", x)
	}
	words := make([]int16, k.Words())
	for i := range words {
		words[i] = int16(x)
	}
	return k.Constant(words)
}

// Modulus sets the modulus q, an odd number, and keeps it in a register.
func (k *Kernel) Modulus(q int64) {
	if q%2 == 0 || q <= 0 || q > math.MaxInt16/2 {
		k.refuse("modulus %d", q)
	}
	k.modulus = q
	k.q = k.Broadcast(q)
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
