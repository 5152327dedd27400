package interval

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

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
	t := &Table{mem: mem, align: w.Bytes(), copies: []int{0}, seen: map[string]int{}}
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
