package a64

import (
	"fmt"
	"strings"
)

// A Mem is an address: a register with an offset, which may move.
type Mem struct {
	base   X
	offset int
	index  X
	mode   mode
}

type mode int

const (
	fixed mode = iota
	post       // the register moves by offset afterwards
	pre        // and before
	indexed
)

// At is the memory offset bytes from x.
func (x X) At(offset int) Mem { return Mem{base: x, offset: offset} }

// Post is the memory at x, which moves by offset afterwards.
func (x X) Post(offset int) Mem { return Mem{base: x, offset: offset, mode: post} }

// Pre is the memory offset bytes from x, where x moves.
func (x X) Pre(offset int) Mem { return Mem{base: x, offset: offset, mode: pre} }

// Index is the memory i bytes from x.
func (x X) Index(i X) Mem { return Mem{base: x, index: i, mode: indexed} }

// At is the memory offset bytes from m.
func (m Mem) At(offset int) Mem { m.offset += offset; return m }

func (m Mem) String() string {
	switch m.mode {
	case indexed:
		return fmt.Sprintf("(%v)(%v)", m.base, m.index)
	default:
		if m.offset == 0 {
			return fmt.Sprintf("(%v)", m.base)
		}
		return fmt.Sprintf("%d(%v)", m.offset, m.base)
	}
}

// suffix returns what Go's assembler appends to the mnemonic.
func (m Mem) suffix() string { return [...]string{"", ".P", ".W", ""}[m.mode] }

// Addr puts the address of a constant into x.
func (f *Func) Addr(x X, s Symbol) { f.emit("MOVD", x, fmt.Sprintf("$%s<>(SB)", s)) }

// AddrOf puts the address of m, fixed, into x.
func (f *Func) AddrOf(x X, m Mem) { f.emit("ADD", x, m.base, m.offset) }

// LDRX and STRX move 8 bytes, those with W 4, H 2 and B 1; loads extend with zeros.
func (f *Func) LDRX(d X, m Mem) { f.emit("MOVD"+m.suffix(), d, m) }
func (f *Func) LDRW(d X, m Mem) { f.emit("MOVWU"+m.suffix(), d, m) }
func (f *Func) LDRH(d X, m Mem) { f.emit("MOVHU"+m.suffix(), d, m) }
func (f *Func) LDRB(d X, m Mem) { f.emit("MOVBU"+m.suffix(), d, m) }
func (f *Func) STRX(d X, m Mem) { f.emit("MOVD"+m.suffix(), m, d) }
func (f *Func) STRW(d X, m Mem) { f.emit("MOVW"+m.suffix(), m, d) }
func (f *Func) STRH(d X, m Mem) { f.emit("MOVH"+m.suffix(), m, d) }
func (f *Func) STRB(d X, m Mem) { f.emit("MOVB"+m.suffix(), m, d) }

// LDPX and STPX move two registers of 8 bytes.
func (f *Func) LDPX(a, b X, m Mem) { f.emit("LDP"+m.suffix(), fmt.Sprintf("(%v, %v)", a, b), m) }
func (f *Func) STPX(a, b X, m Mem) { f.emit("STP"+m.suffix(), m, fmt.Sprintf("(%v, %v)", a, b)) }

// scalarName is the name of a vector register for the instructions that load and store it.
func (v V) scalarName() string { return fmt.Sprintf("F%d", uint8(v)) }

// LDR and STR move a vector register of 16 bytes; those with D its lower 8 and those with S
// its lower 4, loads clearing the rest.
func (f *Func) LDR(d V, m Mem)  { f.vectorMemory("ldr", 'q', 4, d, m) }
func (f *Func) STR(d V, m Mem)  { f.vectorMemory("str", 'q', 4, d, m) }
func (f *Func) LDRD(d V, m Mem) { f.vectorMemory("ldr", 'd', 3, d, m) }
func (f *Func) STRD(d V, m Mem) { f.vectorMemory("str", 'd', 3, d, m) }
func (f *Func) LDRS(d V, m Mem) { f.vectorMemory("ldr", 's', 2, d, m) }
func (f *Func) STRS(d V, m Mem) { f.vectorMemory("str", 's', 2, d, m) }

func (f *Func) vectorMemory(name string, size byte, scale int, d V, m Mem) {
	load := name == "ldr"
	if load {
		f.forget(d)
	}
	if m.mode == indexed {
		// Size and opc of «Load/store register (register offset)», SIMD and FP.
		w := map[byte]uint32{'q': 0x3ca00800, 'd': 0xfc200800, 's': 0xbc200800}[size]
		if load {
			w |= 1 << 22
		}
		w |= uint32(m.index)<<16 | 3<<13 | uint32(m.base)<<5 | uint32(d)
		f.word(w, fmt.Sprintf("%s %c%d, [%s, %s]", name, size, uint8(d), m.base.syntax(true), m.index.syntax(true)))
		return
	}
	if limit := 4096 << scale; m.mode == fixed && (m.offset < -256 || m.offset >= limit || m.offset > 255 && m.offset%(1<<scale) != 0) ||
		m.mode != fixed && (m.offset < -256 || m.offset > 255) {
		panic(fmt.Sprintf("a64: offset of %v", m))
	}
	op := map[byte]string{'q': "FMOVQ", 'd': "FMOVD", 's': "FMOVS"}[size] + m.suffix()
	if load {
		f.emit(op, d.scalarName(), m)
	} else {
		f.emit(op, m, d.scalarName())
	}
}

// LDP and STP move two vector registers of 16 bytes.
func (f *Func) LDP(a, b V, m Mem) {
	f.forget(a, b)
	f.pair(m)
	f.emit("FLDPQ"+m.suffix(), fmt.Sprintf("(%s, %s)", a.scalarName(), b.scalarName()), m)
}
func (f *Func) STP(a, b V, m Mem) {
	f.pair(m)
	f.emit("FSTPQ"+m.suffix(), m, fmt.Sprintf("(%s, %s)", a.scalarName(), b.scalarName()))
}

func (f *Func) pair(m Mem) {
	if m.offset%16 != 0 || m.offset < -1024 || m.offset > 1008 {
		panic(fmt.Sprintf("a64: offset of a pair: %v", m))
	}
}

// LD1 to LD4 and ST1 to ST4 move up to four consecutive registers; those other than LD1 and
// ST1 take elements in turn. m may move by all that is moved.
func (f *Func) LD1(m Mem, vs ...Vec) { f.structures("VLD1", m, vs) }
func (f *Func) LD2(m Mem, vs ...Vec) { f.structures("VLD2", m, vs) }
func (f *Func) LD3(m Mem, vs ...Vec) { f.structures("VLD3", m, vs) }
func (f *Func) LD4(m Mem, vs ...Vec) { f.structures("VLD4", m, vs) }
func (f *Func) ST1(m Mem, vs ...Vec) { f.structures("VST1", m, vs) }
func (f *Func) ST2(m Mem, vs ...Vec) { f.structures("VST2", m, vs) }
func (f *Func) ST3(m Mem, vs ...Vec) { f.structures("VST3", m, vs) }
func (f *Func) ST4(m Mem, vs ...Vec) { f.structures("VST4", m, vs) }

// LD1R loads one element into all of a register.
func (f *Func) LD1R(m Mem, v Vec) { f.structures("VLD1R", m, []Vec{v}) }

// LD1Lane and ST1Lane move one element.
func (f *Func) LD1Lane(m Mem, v Vec) {
	f.forget(v.V)
	f.emit("VLD1"+m.suffix(), v, m)
}
func (f *Func) ST1Lane(m Mem, v Vec) { f.emit("VST1"+m.suffix(), m, v) }

func (f *Func) structures(op string, m Mem, vs []Vec) {
	names := make([]string, len(vs))
	size := 0
	for i, v := range vs {
		v.like(vs[0])
		if v.V != (vs[0].V+V(i))%32 {
			panic(fmt.Sprintf("a64: %v after %v in a list", v, vs[0]))
		}
		names[i] = v.String()
		size += 8 << v.q
	}
	if op == "VLD1R" {
		size = 1 << vs[0].size
	}
	if m.mode == fixed && m.offset != 0 || m.mode == pre || m.mode == indexed || m.mode == post && m.offset != size {
		panic(fmt.Sprintf("a64: %s of %v", op, m))
	}
	list := "[" + strings.Join(names, ", ") + "]"
	if strings.HasPrefix(op, "VLD") {
		for _, v := range vs {
			f.forget(v.V)
		}
		f.emit(op+m.suffix(), list, m)
	} else {
		f.emit(op+m.suffix(), m, list)
	}
}
