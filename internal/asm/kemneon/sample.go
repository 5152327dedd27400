package main

import (
	"fmt"
	"math/bits"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// rateXOF is the rate in bytes of SHAKE128.
const rateXOF = 168

// strided is the memory at x, which moves by a register's number of bytes: in Go's syntax,
// for the instructions of one element or of whole registers.
func strided(x, by a64.X) string { return fmt.Sprintf("(%v)(%v)", x, by) }

// sampleNTT emits the rejection sampling of a block. Three words of the lane, which the state
// has 32 bytes apart, are sixteen candidates: TBL brings each into two bytes. The accepted of
// eight become an index of eight bits into a table of TBL's indices, which moves them
// together, and its bits are their number; the next eight overwrite what follows. A block
// that may reach past the polynomial goes to the stack, and what fits is copied.
func sampleNTT(file *a64.File) {
	compact := make([]byte, 256*16)
	for set := range 256 {
		at := compact[16*set:]
		for i := range 8 {
			if set>>i&1 == 1 {
				at[0], at[1] = byte(2*i), byte(2*i+1)
				at = at[2:]
			}
		}
	}
	table := a64.Constants(file, "compact", compact)

	k, x := start(file, "sampleNTTNEON", "func(p *[256]int16, n int, lane *uint64) int", "p", "n", "lane")
	p, count, lane := x[0], x[1], x[2]
	window := func(first int) func(i int) int {
		return func(i int) int {
			at := (12*(first+i/2))/8 + i%2 // of 24 bytes
			return 16*(at/8) + at%8
		}
	}
	constants := vectors(file, k, byteVector(window(0)), byteVector(window(8)),
		wordVector(func(i int) int { return -4 * (i % 2) & 0xff }), wordVector(all(q)),
		wordVector(func(i int) int { return 0x0101 << i }))
	windows, align, modulus, weights := constants[:2], constants[2], constants[3], constants[4]
	tables := k.X()
	k.Addr(tables, table)

	// The stack has room for a block.
	const candidates = rateXOF * 8 / 12
	k.Frame(2 * candidates) // from RSP + 8 on
	buffer, begin, out := k.X(), k.X(), k.X()
	k.Scalar("ADD", buffer, "RSP", 8)
	k.ADD(begin, p, count.LSL(1))
	k.CMP(count, n-candidates)
	k.CSEL(begin, begin, buffer, "LE")
	k.MOV(out, begin)

	for first := 0; first < rateXOF/24; first += 4 {
		groups := min(4, rateXOF/24-first)
		var vs []a64.V
		for g := range groups {
			words := k.Table(3)
			for w := range words {
				k.LDR(words[w], lane.At(32*(3*(first+g)+w)))
			}
			for half := range 2 {
				v := k.V()
				k.VTBL(v.B16(), words, windows[half].B16())
				vs = append(vs, v)
			}
			k.Free(words)
		}
		for _, v := range vs {
			k.VUSHL(v.H8(), v.H8(), align.H8())
		}
		for _, v := range vs {
			k.VBICI(v.H8(), 0xf0, 8)
		}
		sets := k.Vs(len(vs))
		for i, v := range vs {
			k.VCMHI(sets[i].H8(), modulus.H8(), v.H8())
		}
		// Two sets are the bytes of one vector. Sums of pairs, until each set is one byte.
		var sum []a64.V
		for i := 0; i < len(sets); i += 2 {
			k.VSLI(sets[i].H8(), sets[i+1].H8(), 8)
			sum = append(sum, sets[i])
		}
		for _, s := range sum {
			k.VAND(s.B16(), s.B16(), weights.B16())
		}
		for range 3 {
			var next []a64.V
			for i := 0; i < len(sum); i += 2 {
				k.VADDP(sum[i].H8(), sum[i].H8(), sum[min(i+1, len(sum)-1)].H8())
				next = append(next, sum[i])
			}
			sum = next
		}
		index, number := sum[0], k.V()
		k.VCNT(number.B8(), index.B8())
		k.VUSHLL(index.H8(), index.B8(), 4) // bytes of the table
		k.VUSHLL(number.H8(), number.B8(), 1)
		for i, v := range vs {
			at, bytes, order := k.X(), k.X(), k.V()
			k.UMOV(at, index.H(i))
			k.UMOV(bytes, number.H(i))
			k.LDR(order, tables.Index(at))
			k.VTBL(v.B16(), []a64.V{v}, order.B16())
			k.Scalar("VST1.P", strided(out, bytes), fmt.Sprintf("[%v]", v.B16()))
			k.Free(at, bytes, order)
		}
		k.Free(sets, number, vs)
	}

	k.SUB(out, out, begin)
	k.LSR(out, out, 1)
	done := k.Label("done")
	k.CMP(begin, buffer)
	k.Branch("NE", done)

	k.Comment("Copy what fits behind n: eight at a time, and what is left by its bits.")
	room, to, v, w := k.X(), k.X(), k.V(), k.X()
	k.MOV(room, n)
	k.SUB(room, room, count)
	k.CMP(out, room)
	k.CSEL(out, out, room, "LE")
	k.ADD(to, p, count.LSL(1))
	k.MOV(room, out)
	eights, rest := k.Label("eights"), k.Label("rest")
	k.Place(eights)
	k.SUBS(room, room, 8)
	k.Branch("LT", rest)
	k.LDR(v, buffer.Post(16))
	k.STR(v, to.Post(16))
	k.B(eights)
	k.Place(rest)
	for _, bit := range []int{2, 1, 0} {
		none := k.Label("none")
		k.TBZ(room, bit, none)
		switch bit {
		case 2:
			k.LDRX(w, buffer.Post(8))
			k.STRX(w, to.Post(8))
		case 1:
			k.LDRW(w, buffer.Post(4))
			k.STRW(w, to.Post(4))
		case 0:
			k.LDRH(w, buffer.At(0))
			k.STRH(w, to.At(0))
		}
		k.Place(none)
	}
	k.Place(done)
	k.ADD(out, out, count)
	k.Result("ret", out)
	k.finish(file)
}

// difference returns the coefficient of FIPS 203, Algorithm 8, for its 2·η bits.
func difference(b, eta int) int {
	return bits.OnesCount(uint(b&(1<<eta-1))) - bits.OnesCount(uint(b>>eta&(1<<eta-1)))
}

// nibbles looks both halves of each byte up in tables of the lower and the upper bytes of
// sixteen results, which ST4 stores in turn.
func (k *kernel) nibbles(out a64.X, bytes, fifteen, lower, upper a64.V) {
	r := k.Table(4)
	low, high := k.V(), k.V()
	k.VAND(low.B16(), bytes.B16(), fifteen.B16())
	k.VUSHR(high.B16(), bytes.B16(), 4)
	for i, v := range []a64.V{low, high} {
		k.VTBL(r[2*i].B16(), []a64.V{lower}, v.B16())
		k.VTBL(r[2*i+1].B16(), []a64.V{upper}, v.B16())
	}
	k.ST4(out.Post(64), r[0].B16(), r[1].B16(), r[2].B16(), r[3].B16())
	k.Free(r, low, high)
}

// cbd2 takes 32 coefficients at a time from two words, which stand stride bytes apart.
func cbd2(file *a64.File) {
	k, x := start(file, "cbd2NEON", "func(p *[256]int16, lane *uint64, stride uintptr)", "p", "lane", "stride")
	p, lane, stride := x[0], x[1], x[2]
	c := vectors(file, k, byteVector(all(15)),
		byteVector(func(i int) int { return difference(i, 2) & 0xff }),
		byteVector(func(i int) int { return difference(i, 2) >> 8 & 0xff }))
	for range 8 {
		v := k.V()
		// LD1R, not LD1, of the first word: it does not wait for what the register held.
		k.Scalar("VLD1R.P", fmt.Sprintf("[%v]", v.D2()), strided(lane, stride))
		k.Scalar("VLD1.P", v.D(1), strided(lane, stride))
		k.nibbles(p, v, c[0], c[1], c[2])
		k.Free(v)
	}
	k.finish(file)
}

// cbd3 takes 64 coefficients at a time from 48 bytes, of which LD3 brings every third into
// one register: three bytes are four fields of six bits, each an index into 64 results.
func cbd3(file *a64.File) {
	k, x := start(file, "cbd3NEON", "func(p *[256]int16, b *[192]byte)", "p", "b")
	p, b := x[0], x[1]
	var results [][]byte
	for first := 0; first < 64; first += 16 {
		results = append(results, byteVector(func(i int) int { return difference(first+i, 3) & 0xff }))
	}
	c := vectors(file, k, append(results, byteVector(all(63)))...)
	table, field := c[:4], c[4]
	for range 4 {
		in, f := k.Table(3), k.Vs(4)
		k.LD3(b.Post(48), in[0].B16(), in[1].B16(), in[2].B16())
		k.VUSHR(f[1].B16(), in[0].B16(), 6)
		k.VSLI(f[1].B16(), in[1].B16(), 2)
		k.VUSHR(f[2].B16(), in[1].B16(), 4)
		k.VSLI(f[2].B16(), in[2].B16(), 4)
		k.VUSHR(f[3].B16(), in[2].B16(), 2)
		k.VAND(f[0].B16(), in[0].B16(), field.B16())
		k.VAND(f[1].B16(), f[1].B16(), field.B16())
		k.VAND(f[2].B16(), f[2].B16(), field.B16())
		k.Free(in)
		for _, v := range f {
			k.VTBL(v.B16(), table, v.B16())
		}
		for half := range 2 {
			r := k.Table(4)
			for i, v := range f {
				if half == 0 {
					k.VSSHLL(r[i].H8(), v.B8(), 0)
				} else {
					k.VSSHLL(r[i].H8(), v.B16(), 0)
				}
			}
			k.ST4(p.Post(64), r[0].H8(), r[1].H8(), r[2].H8(), r[3].H8())
			k.Free(r)
		}
		k.Free(f)
	}
	k.finish(file)
}

// samples returns the file of the samplers.
func samples() []byte {
	file := a64.NewFile(generator, "kemring")
	sampleNTT(file)
	cbd2(file)
	cbd3(file)
	return file.Bytes()
}
