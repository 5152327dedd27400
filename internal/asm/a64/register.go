package a64

import (
	"fmt"
	"strings"
)

// An X is a general register; instructions whose names end in W use its lower half.
type X uint8

// ZR reads as zero.
const ZR X = 31

const sp X = 32

// Reserved registers: R16 and R17 are for the linker between functions, and Go's assembler
// builds constants and addresses that do not fit in R27. R30 holds the return address,
// which a function with a frame has saved.
const (
	R16 X = 16
	R17 X = 17
	R27 X = 27
	R30 X = 30
)

// allocatable lists the registers that X hands out, in this order.
var allocatable = []X{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26}

func (x X) String() string {
	switch x {
	case ZR:
		return "ZR"
	case sp:
		return "RSP"
	}
	return fmt.Sprintf("R%d", uint8(x))
}

func (x X) syntax(wide bool) string {
	c := "w"
	if wide {
		c = "x"
	}
	if x == ZR {
		return c + "zr"
	}
	return fmt.Sprintf("%s%d", c, uint8(x))
}

// X takes a general register.
func (f *Func) X() X {
	for _, x := range allocatable {
		if f.freeX[x] {
			delete(f.freeX, x)
			return x
		}
	}
	panic("a64: " + f.name + " is out of general registers")
}

// V takes a vector register, the highest that is free: [V.H] can select only of the lower.
func (f *Func) V() V {
	for i := range V(32) {
		if v := 31 - i; f.freeV[v] {
			delete(f.freeV, v)
			return v
		}
	}
	panic("a64: " + f.name + " is out of vector registers")
}

// LowV takes a vector register among V0 to V15, whose halfwords can be selected as an
// operand of a multiplication.
func (f *Func) LowV() V {
	for v := range V(16) {
		if f.freeV[v] {
			delete(f.freeV, v)
			return v
		}
	}
	panic("a64: " + f.name + " is out of lower vector registers")
}

// Vs takes n vector registers.
func (f *Func) Vs(n int) []V {
	vs := make([]V, n)
	for i := range vs {
		vs[i] = f.V()
	}
	return vs
}

// Table takes n vector registers with consecutive numbers, ascending, as TBL and the
// structure loads need.
func (f *Func) Table(n int) []V {
next:
	for first := 32 - n; first >= 0; first-- {
		vs := make([]V, n)
		for i := range vs {
			if vs[i] = V(first + i); !f.freeV[vs[i]] {
				continue next
			}
		}
		for _, v := range vs {
			delete(f.freeV, v)
		}
		return vs
	}
	panic(fmt.Sprintf("a64: %s is out of %d consecutive vector registers", f.name, n))
}

// Take takes the registers named.
func (f *Func) Take(registers ...any) {
	for _, r := range registers {
		switch r := r.(type) {
		case X:
			if !f.freeX[r] {
				panic(fmt.Sprintf("a64: %s: %v is taken", f.name, r))
			}
			delete(f.freeX, r)
		case V:
			if !f.freeV[r] {
				panic(fmt.Sprintf("a64: %s: %v is taken", f.name, r))
			}
			delete(f.freeV, r)
		default:
			panic(fmt.Sprintf("a64: Take of a %T", r))
		}
	}
}

// Free gives registers back: of type X, V or []V.
func (f *Func) Free(registers ...any) {
	for _, r := range registers {
		switch r := r.(type) {
		case X:
			if f.freeX[r] {
				panic(fmt.Sprintf("a64: %s: %v is free already", f.name, r))
			}
			f.freeX[r] = true
		case V:
			if f.freeV[r] {
				panic(fmt.Sprintf("a64: %s: %v is free already", f.name, r))
			}
			f.freeV[r] = true
			f.forget(r)
		case []V:
			for _, v := range r {
				f.Free(v)
			}
		default:
			panic(fmt.Sprintf("a64: Free of a %T", r))
		}
	}
}

// A V is a vector register.
type V uint8

func (v V) String() string { return fmt.Sprintf("V%d", uint8(v)) }

// An arrangement divides a register, or its lower half, into elements of 8 << size bits.
type arrangement struct {
	size uint32
	q    uint32
}

func (a arrangement) elements() int { return 8 << a.q >> a.size }

func (a arrangement) letter() string { return "BHSD"[a.size : a.size+1] }

// A Vec is a vector register divided into elements, or one element of it.
type Vec struct {
	V
	arrangement
	lane int // −1 for all
}

func (v V) vec(size, q uint32) Vec { return Vec{v, arrangement{size, q}, -1} }

// B16, B8, H8 and so on name a register by its elements; B8, H4, S2 and D1 are the lower
// half of one.
func (v V) B16() Vec { return v.vec(0, 1) }
func (v V) B8() Vec  { return v.vec(0, 0) }
func (v V) H8() Vec  { return v.vec(1, 1) }
func (v V) H4() Vec  { return v.vec(1, 0) }
func (v V) S4() Vec  { return v.vec(2, 1) }
func (v V) S2() Vec  { return v.vec(2, 0) }
func (v V) D2() Vec  { return v.vec(3, 1) }
func (v V) D1() Vec  { return v.vec(3, 0) }

// B, H, S and D name one element.
func (v V) B(i int) Vec { return v.element(0, i) }
func (v V) H(i int) Vec { return v.element(1, i) }
func (v V) S(i int) Vec { return v.element(2, i) }
func (v V) D(i int) Vec { return v.element(3, i) }

func (v V) element(size uint32, i int) Vec {
	if i < 0 || i >= 16>>size {
		panic(fmt.Sprintf("a64: element %d of %v", i, v))
	}
	return Vec{v, arrangement{size, 1}, i}
}

func (v Vec) String() string {
	if v.lane >= 0 {
		return fmt.Sprintf("%v.%s[%d]", v.V, v.letter(), v.lane)
	}
	return fmt.Sprintf("%v.%s%d", v.V, v.letter(), v.elements())
}

func (v Vec) syntax() string {
	letter := strings.ToLower(v.letter())
	if v.lane >= 0 {
		return fmt.Sprintf("v%d.%s[%d]", uint8(v.V), letter, v.lane)
	}
	return fmt.Sprintf("v%d.%d%s", uint8(v.V), v.elements(), letter)
}

// like panics unless the operands are whole registers, divided as v is.
func (v Vec) like(others ...Vec) {
	for _, o := range append(others, v) {
		if o.lane >= 0 || o.arrangement != v.arrangement {
			panic(fmt.Sprintf("a64: %v beside %v", o, v))
		}
	}
}
