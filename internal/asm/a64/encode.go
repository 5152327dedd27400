package a64

import (
	"fmt"
	"strings"
)

// The encodings are those of the Arm Architecture Reference Manual, «Data Processing –
// Scalar Floating-Point and Advanced SIMD», whose groups the functions below have. U, size,
// opcode, Q and the rest are its fields.

// byElement has the U and opcode of the form by element.
type byElement struct{ u, opcode uint32 }

var noElement = byElement{opcode: 0xff}

func registers(d, n, m V) uint32 { return uint32(m)<<16 | uint32(n)<<5 | uint32(d) }

func syntaxOf(name string, operands ...any) string {
	texts := make([]string, len(operands))
	for i, o := range operands {
		switch o := o.(type) {
		case Vec:
			texts[i] = o.syntax()
		case int:
			texts[i] = fmt.Sprintf("#%d", o)
		case string:
			texts[i] = o
		}
	}
	return strings.ToLower(name) + " " + strings.Join(texts, ", ")
}

// three is «Advanced SIMD three same», or «vector x indexed element».
func (f *Func) three(name string, u, opcode uint32, native bool, e byElement, d, n, m Vec) {
	defer f.bound(name, d, n, m)
	if m.lane >= 0 && e != noElement {
		d.like(n)
		f.indexed(name, e, d, n, m, d.q, d.size)
		return
	}
	d.like(n, m)
	w := 0x0e200400 | d.q<<30 | u<<29 | d.size<<22 | opcode<<11 | registers(d.V, n.V, m.V)
	if native {
		f.native(w, syntaxOf(name, d, n, m), "V"+name, d, n, m)
	} else {
		f.word(w, syntaxOf(name, d, n, m))
	}
}

// indexed is «Advanced SIMD vector x indexed element»: Rm has four bits for halfwords and
// five for words.
func (f *Func) indexed(name string, e byElement, d, n, m Vec, q, size uint32) {
	if m.size != size {
		panic(fmt.Sprintf("a64: %s by element %v", name, m))
	}
	w := 0x0f000000 | q<<30 | e.u<<29 | size<<22 | e.opcode<<12 | registers(d.V, n.V, m.V)
	lane := uint32(m.lane)
	switch {
	case size == 1 && m.V < 16:
		w |= lane>>2<<11 | lane>>1&1<<21 | lane&1<<20
	case size == 2:
		w |= lane>>1<<11 | lane&1<<21
	default:
		panic(fmt.Sprintf("a64: %s by element %v: not among the lower registers", name, m))
	}
	f.word(w, syntaxOf(name, d, n, m))
}

func (f *Func) logic(name string, u, size uint32, native bool, d, n, m Vec) {
	defer f.bound(name, d, n, m)
	d.like(n, m)
	if d.size != 0 {
		panic(fmt.Sprintf("a64: %s of %v: logic is on bytes", name, d))
	}
	w := 0x0e201c00 | d.q<<30 | u<<29 | size<<22 | registers(d.V, n.V, m.V)
	if native {
		f.native(w, syntaxOf(name, d, n, m), "V"+name, d, n, m)
	} else {
		f.word(w, syntaxOf(name, d, n, m))
	}
}

func (f *Func) permute(name string, opcode uint32, d, n, m Vec) {
	d.like(n, m)
	f.reinterpret(d, n, m)
	w := 0x0e000800 | d.q<<30 | d.size<<22 | opcode<<12 | registers(d.V, n.V, m.V)
	f.native(w, syntaxOf(name, d, n, m), "V"+name, d, n, m)
}

// second appends the 2 of the form on the upper half.
func second(name string, q uint32) string {
	if q == 1 {
		return name + "2"
	}
	return name
}

// wider panics unless d is a whole register with elements twice as wide as those of n.
func wider(name string, d, n Vec) {
	if d.lane >= 0 || n.lane >= 0 || d.q != 1 || d.size != n.size+1 {
		panic(fmt.Sprintf("a64: %s of %v and %v", name, d, n))
	}
}

// long, wide and highNarrow are «Advanced SIMD three different».
func (f *Func) long(name string, u, opcode uint32, e byElement, d, n, m Vec) {
	defer f.bound(name, d, n, m)
	wider(name, d, n)
	if m.lane >= 0 && e != noElement {
		f.indexed(second(name, n.q), e, d, n, m, n.q, n.size)
		return
	}
	n.like(m)
	f.word(0x0e200000|n.q<<30|u<<29|n.size<<22|opcode<<12|registers(d.V, n.V, m.V), syntaxOf(second(name, n.q), d, n, m))
}

func (f *Func) wide(name string, u, opcode uint32, d, n, m Vec) {
	defer f.bound(name, d, n, m)
	wider(name, d, m)
	d.like(n)
	f.word(0x0e200000|m.q<<30|u<<29|m.size<<22|opcode<<12|registers(d.V, n.V, m.V), syntaxOf(second(name, m.q), d, n, m))
}

func (f *Func) highNarrow(name string, u, opcode uint32, d, n, m Vec) {
	defer f.bound(name, d, n, m)
	wider(name, n, d)
	n.like(m)
	f.word(0x0e200000|d.q<<30|u<<29|d.size<<22|opcode<<12|registers(d.V, n.V, m.V), syntaxOf(second(name, d.q), d, n, m))
}

// The shifts are «Advanced SIMD shift by immediate»: immh:immb counts from or to the width.

func (f *Func) shift(name string, u, opcode, q uint32, immediate int, native bool, d, n Vec, shift int) {
	w := 0x0f000400 | q<<30 | u<<29 | uint32(immediate)<<16 | opcode<<11 | registers(d.V, n.V, 0)
	if native {
		f.native(w, syntaxOf(name, d, n, shift), "V"+name, d, n, shift)
	} else {
		f.word(w, syntaxOf(name, d, n, shift))
	}
}

func shiftWithin(name string, shift, low, high int) {
	if shift < low || shift > high {
		panic(fmt.Sprintf("a64: %s by %d", name, shift))
	}
}

func (f *Func) shiftRight(name string, u, opcode uint32, native bool, d, n Vec, shift int) {
	defer f.bound(name, d, n, shift)
	d.like(n)
	width := 8 << d.size
	shiftWithin(name, shift, 1, width)
	f.shift(name, u, opcode, d.q, 2*width-shift, native, d, n, shift)
}

func (f *Func) shiftLeft(name string, u, opcode uint32, native bool, d, n Vec, shift int) {
	defer f.bound(name, d, n, shift)
	d.like(n)
	width := 8 << d.size
	shiftWithin(name, shift, 0, width-1)
	f.shift(name, u, opcode, d.q, width+shift, native, d, n, shift)
}

func (f *Func) shiftNarrow(name string, u, opcode uint32, d, n Vec, shift int) {
	defer f.bound(name, d, n, shift)
	wider(name, n, d)
	width := 8 << d.size
	shiftWithin(name, shift, 1, width)
	f.shift(second(name, d.q), u, opcode, d.q, 2*width-shift, false, d, n, shift)
}

func (f *Func) shiftLong(name string, u uint32, d, n Vec, shift int) {
	defer f.bound(name, d, n, shift)
	wider(name, d, n)
	width := 8 << n.size
	shiftWithin(name, shift, 0, width-1)
	if u == 0 && shift == 0 {
		f.word(0x0f00a400|n.q<<30|uint32(width)<<16|registers(d.V, n.V, 0), syntaxOf(second("sxtl", n.q), d, n))
		return
	}
	f.shift(second(name, n.q), u, 20, n.q, width+shift, u == 1, d, n, shift)
}

// one and its like are «Advanced SIMD two-register miscellaneous».
func (f *Func) one(name string, u, opcode uint32, native bool, d, n Vec) {
	defer f.bound(name, d, n)
	d.like(n)
	w := 0x0e200800 | d.q<<30 | u<<29 | d.size<<22 | opcode<<12 | registers(d.V, n.V, 0)
	if native {
		f.native(w, syntaxOf(name, d, n), "V"+name, d, n)
	} else {
		f.word(w, syntaxOf(name, d, n))
	}
}

// VNOT and VRBIT are on bytes; the size field tells them apart.
func (f *Func) VNOT(d, n Vec) {
	defer f.bound("NOT", d, n)
	d.like(n)
	f.word(0x2e205800|d.q<<30|registers(d.V, n.V, 0), syntaxOf("mvn", d, n))
}

func (f *Func) compareZero(name string, u, opcode uint32, d, n Vec) {
	defer f.bound(name, d, n)
	d.like(n)
	f.word(0x0e200800|d.q<<30|u<<29|d.size<<22|opcode<<12|registers(d.V, n.V, 0), syntaxOf(name, d, n, 0))
}

func (f *Func) narrow(name string, u, opcode uint32, d, n Vec) {
	defer f.bound(name, d, n)
	wider(name, n, d)
	f.word(0x0e200800|d.q<<30|u<<29|d.size<<22|opcode<<12|registers(d.V, n.V, 0), syntaxOf(second(name, d.q), d, n))
}

func (f *Func) pairs(name string, u, opcode uint32, d, n Vec) {
	defer f.bound(name, d, n)
	if d.q != n.q || d.size != n.size+1 {
		panic(fmt.Sprintf("a64: %s of %v and %v", name, d, n))
	}
	f.word(0x0e200800|n.q<<30|u<<29|n.size<<22|opcode<<12|registers(d.V, n.V, 0), syntaxOf(name, d, n))
}

func (f *Func) across(name string, u, opcode uint32, long, native bool, d V, n Vec) {
	f.forget(d)
	w := 0x0e300800 | n.q<<30 | u<<29 | n.size<<22 | opcode<<12 | registers(d, n.V, 0)
	size := n.size
	if long {
		size++
	}
	syntax := fmt.Sprintf("%s %c%d, %s", strings.ToLower(name), "bhsd"[size], uint8(d), n.syntax())
	if native {
		f.native(w, syntax, "V"+name, d, n)
	} else {
		f.word(w, syntax)
	}
}

// VMOV copies a register.
func (f *Func) VMOV(d, n V) {
	f.moveBound(d, n)
	f.native(0x4ea01c00|registers(d, n, n), syntaxOf("mov", d.B16(), n.B16()), "VMOV", d.B16(), n.B16())
}

// VSHLL shifts by the width of n's elements, which becomes the upper half of d's.
func (f *Func) VSHLL(d, n Vec) {
	defer f.bound("SHLL", d, n)
	wider("SHLL", d, n)
	f.word(0x2e213800|n.q<<30|n.size<<22|registers(d.V, n.V, 0), syntaxOf(second("shll", n.q), d, n, 8<<n.size))
}

// VEXT takes the bytes of n from the i-th on, followed by those of m.
func (f *Func) VEXT(d, n, m Vec, i int) {
	d.like(n, m)
	f.forget(d.V)
	f.native(0x2e000000|d.q<<30|uint32(i)<<11|registers(d.V, n.V, m.V), syntaxOf("ext", d, n, m, i), "VEXT", d, n, m, i)
}

// VTBL looks the bytes of m up in the registers of table, which are consecutive; VTBX leaves
// the bytes of d whose index is beyond it.
func (f *Func) VTBL(d Vec, table []V, m Vec) { f.lookUp("TBL", 0, d, table, m) }
func (f *Func) VTBX(d Vec, table []V, m Vec) { f.lookUp("TBX", 1, d, table, m) }

func (f *Func) lookUp(name string, op uint32, d Vec, table []V, m Vec) {
	d.like(m)
	f.forget(d.V)
	names, syntaxes := make([]string, len(table)), make([]string, len(table))
	for i, v := range table {
		if v != (table[0]+V(i))%32 {
			panic(fmt.Sprintf("a64: table of %v", table))
		}
		names[i], syntaxes[i] = v.B16().String(), v.B16().syntax()
	}
	f.native(0x0e000000|d.q<<30|uint32(len(table)-1)<<13|op<<12|registers(d.V, table[0], m.V),
		syntaxOf(name, d, "{"+strings.Join(syntaxes, ", ")+"}", m),
		"V"+name, d, "["+strings.Join(names, ", ")+"]", m)
}

// imm5 has an element's size and index, as «Advanced SIMD copy» wants them.
func (v Vec) imm5() uint32 { return (2*uint32(v.lane) + 1) << v.size << 16 }

// VDUP copies one element to all of d, VDUPX the lower bits of a general register.
func (f *Func) VDUP(d, n Vec) {
	defer f.bound("DUP", d, n)
	if n.lane < 0 || n.size != d.size {
		panic(fmt.Sprintf("a64: DUP of %v", n))
	}
	f.native(0x0e000400|d.q<<30|n.imm5()|registers(d.V, n.V, 0), syntaxOf("dup", d, n), "VDUP", d, n)
}

func (f *Func) VDUPX(d Vec, n X) {
	f.forget(d.V)
	w := 0x0e000c00 | d.q<<30 | uint32(1)<<d.size<<16 | uint32(n)<<5 | uint32(d.V)
	f.native(w, syntaxOf("dup", d, n.syntax(d.size == 3)), "VDUP", d, n)
}

// VINS copies one element to another, VINSX one from a general register. Both leave the rest
// of d.
func (f *Func) VINS(d, n Vec) {
	f.forget(d.V)
	if n.lane < 0 || d.lane < 0 || n.size != d.size {
		panic(fmt.Sprintf("a64: INS of %v and %v", d, n))
	}
	f.native(0x6e000400|d.imm5()|uint32(n.lane)<<n.size<<11|registers(d.V, n.V, 0), syntaxOf("mov", d, n), "VMOV", d, n)
}

func (f *Func) VINSX(d Vec, n X) {
	f.forget(d.V)
	f.native(0x4e001c00|d.imm5()|uint32(n)<<5|uint32(d.V), syntaxOf("mov", d, n.syntax(d.size == 3)), "VMOV", d, n)
}

// UMOV moves an element to a general register, extended with zeros; SMOV extends its sign to
// 64 bits.
func (f *Func) UMOV(d X, n Vec) {
	name := "umov"
	if n.size >= 2 {
		name = "mov"
	}
	w := 0x0e003c00 | n.imm5() | uint32(n.V)<<5 | uint32(d)
	if n.size == 3 {
		w |= 1 << 30
	}
	f.native(w, syntaxOf(name, d.syntax(n.size == 3), n), "VMOV", d, n)
}

func (f *Func) SMOV(d X, n Vec) {
	f.word(0x4e002c00|n.imm5()|uint32(n.V)<<5|uint32(d), syntaxOf("smov", d.syntax(true), n))
}

// VMOVI sets every element of d to a byte, shifted left by shift, a multiple of 8; VMVNI to
// its complement. For D2 each byte of value is 0 or 0xff.
func (f *Func) VMOVI(d Vec, value uint64, shift int) { f.immediate("movi", 0, d, value, shift) }
func (f *Func) VMVNI(d Vec, value uint64, shift int) { f.immediate("mvni", 1, d, value, shift) }

// VORRI sets, and VBICI clears, bits of every element of d, given as for VMOVI.
func (f *Func) VORRI(d Vec, value uint64, shift int) { f.immediate("orr", 0, d, value, shift) }
func (f *Func) VBICI(d Vec, value uint64, shift int) { f.immediate("bic", 1, d, value, shift) }

// immediate is «Advanced SIMD modified immediate».
func (f *Func) immediate(name string, op uint32, d Vec, value uint64, shift int) {
	defer f.boundImmediate(name, d, value, shift)
	modify := name == "orr" || name == "bic"
	imm8, cmode := uint32(value), uint32(0)
	text := fmt.Sprintf("#0x%x", value)
	switch {
	case d.size == 0 && op == 0 && shift == 0 && !modify:
		cmode = 14
	case d.size == 1 && (shift == 0 || shift == 8):
		cmode = 8 | uint32(shift)/8<<1
	case d.size == 2 && shift >= 0 && shift <= 24 && shift%8 == 0:
		cmode = uint32(shift) / 8 << 1
	case d.size == 3 && op == 0 && !modify && shift == 0:
		op, cmode, imm8 = 1, 14, 0
		for i := range 8 {
			switch b := value >> (8 * i) & 0xff; b {
			case 0xff:
				imm8 |= 1 << i
			case 0:
			default:
				panic(fmt.Sprintf("a64: %s of %#x", name, value))
			}
		}
	default:
		panic(fmt.Sprintf("a64: %s of %v", name, d))
	}
	if imm8 > 0xff || value > 0xff && d.size != 3 {
		panic(fmt.Sprintf("a64: %s of %#x", name, value))
	}
	if modify {
		cmode |= 1
	}
	if shift != 0 {
		text += fmt.Sprintf(", lsl #%d", shift)
	}
	f.word(0x0f000400|d.q<<30|op<<29|imm8>>5<<16|cmode<<12|imm8&31<<5|uint32(d.V), syntaxOf(name, d, text))
}

// The instructions of FEAT_SHA3. VEOR3 is n ^ m ^ a; VBCAX n ^ (m &^ a); VRAX1 n ^ (m <<< 1);
// VXAR (n ^ m) >>> rotation.

func (f *Func) VEOR3(d, n, m, a V) { f.four("EOR3", 0xce000000, d, n, m, a) }
func (f *Func) VBCAX(d, n, m, a V) { f.four("BCAX", 0xce200000, d, n, m, a) }

func (f *Func) four(name string, w uint32, d, n, m, a V) {
	f.forget(d)
	f.native(w|uint32(a)<<10|registers(d, n, m), syntaxOf(name, d.B16(), n.B16(), m.B16(), a.B16()),
		"V"+name, d.B16(), n.B16(), m.B16(), a.B16())
}

func (f *Func) VRAX1(d, n, m V) {
	f.forget(d)
	f.native(0xce608c00|registers(d, n, m), syntaxOf("rax1", d.D2(), n.D2(), m.D2()), "VRAX1", d.D2(), n.D2(), m.D2())
}

func (f *Func) VXAR(d, n, m V, rotation int) {
	f.forget(d)
	f.native(0xce800000|uint32(rotation)<<10|registers(d, n, m), syntaxOf("xar", d.D2(), n.D2(), m.D2(), rotation),
		"VXAR", d.D2(), n.D2(), m.D2(), rotation)
}
