package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// compressed is Compress_d of FIPS 203, Section 4.2.1, of any x.
func compressed(x, d int) int {
	return ((x+2*q)<<(d+1) + q) / (2 * q) & (1<<d - 1)
}

func decompressed(y, d int) int { return (y*q + 1<<d>>1) >> d }

// A compression computes y = ⌈(2^d/q)·x⌋ without a division in one of two ways. Where it is
// exact, as the generator finds by trying every x: shift is not 0, and
//
//	y = ⌈⌊x·c/2^15⌋/2^shift⌋ with c = ⌈2^26/q⌉
//
// Otherwise
//
//	y₁ = ⌊x·c/2^15⌋ with c = 2^(15+d)/q, rounded
//	r  = 2^d·x − y₁·q, which is in (−0.08q, 1.08q) and so is exact modulo 2^16
//
// and y is one more than y₁ if r > (q−1)/2. Upper bits of y are not cut off.
type compression struct {
	d, shift, c int
}

func newCompression(d int) compression {
	exact := compression{d: d, shift: 11 - d, c: (1<<26 + q) / q}
	if exact.shift > 0 && exact.check() == nil {
		return exact
	}
	k := compression{d: d, c: (2<<(15+d) + q) / (2 * q)}
	if err := k.check(); err != nil {
		panic(err)
	}
	return k
}

// check tries every x.
func (k compression) check() error {
	for x := -2 * q; x <= 2*q; x++ {
		y := sqdmulh(x, k.c)
		if k.shift > 0 {
			y = (y + 1<<(k.shift-1)) >> k.shift
		} else {
			r := x<<k.d - y*q
			if r != int(int16(r)) {
				return fmt.Errorf("compression to %d bits: a remainder of %d", k.d, r)
			}
			if r > q/2 {
				y++
			}
		}
		if y&(1<<k.d-1) != compressed(x, k.d) {
			return fmt.Errorf("compression to %d bits: %d becomes %d", k.d, x, y)
		}
	}
	return nil
}

// compress replaces the coefficients in vs. constants has c, q and (q−1)/2.
func (k *kernel) compress(c compression, constants []a64.V, vs []a64.V) {
	if c.shift > 0 {
		for _, v := range vs {
			k.VSQDMULH(v.H8(), v.H8(), constants[0].H8())
		}
		for _, v := range vs {
			k.VSRSHR(v.H8(), v.H8(), c.shift)
		}
		return
	}
	r := k.Vs(len(vs))
	for i, v := range vs {
		k.VSHL(r[i].H8(), v.H8(), c.d)
	}
	for _, v := range vs {
		k.VSQDMULH(v.H8(), v.H8(), constants[0].H8())
	}
	for i, v := range vs {
		k.VMLS(r[i].H8(), v.H8(), constants[1].H8())
	}
	for i := range vs {
		k.VCMGT(r[i].H8(), r[i].H8(), constants[2].H8())
	}
	for i, v := range vs {
		k.VSUB(v.H8(), v.H8(), r[i].H8()) // of −1
	}
	k.Free(r)
}

// compress emits the compression to d bits. LD4 brings coefficients 4i to 4i+3 into lane i
// of four registers; pack joins their fields and stores 4·d bytes.
func compress(file *a64.File, d int, constants [][]byte, pack func(k *kernel, dst a64.X, y, constants []a64.V)) {
	k, x := start(file, fmt.Sprintf("compress%dNEON", d), "func(dst *byte, p *[256]int16)", "dst", "p")
	c := newCompression(d)
	vs := vectors(file, k, append([][]byte{
		wordVector(all(c.c)), wordVector(all(q)), wordVector(all(q / 2)),
	}, constants...)...)
	for range 8 {
		y := k.Table(4)
		k.LD4(x[1].Post(64), y[0].H8(), y[1].H8(), y[2].H8(), y[3].H8())
		k.compress(c, vs[:3], y)
		pack(k, x[0], y, vs[3:])
		k.Free(y)
	}
	k.RET()
}

// pack4 makes the fields of four coefficients one word.
func pack4(k *kernel, dst a64.X, y, _ []a64.V) {
	k.VSLI(y[0].H8(), y[1].H8(), 4)
	k.VSLI(y[2].H8(), y[3].H8(), 4)
	k.VSLI(y[0].H8(), y[2].H8(), 8)
	k.STR(y[0], dst.Post(16))
}

// pack10 makes three words, of 16, 16 and 8 bits, whose bytes TBL collects.
func pack10(k *kernel, dst a64.X, y, order []a64.V) {
	k.VSLI(y[0].H8(), y[1].H8(), 10)
	k.VSHL(y[1].H8(), y[1].H8(), 6)
	k.VUSHR(y[1].H8(), y[1].H8(), 12)
	k.VSLI(y[1].H8(), y[2].H8(), 4)
	k.VSLI(y[1].H8(), y[3].H8(), 14)
	k.VUSHR(y[2].H8(), y[3].H8(), 2)
	out := k.Vs(3)
	for i, v := range out {
		k.VTBL(v.B16(), y[:3], order[i].B16())
	}
	k.STR(out[0], dst.Post(16))
	k.STR(out[1], dst.Post(16))
	k.STRD(out[2], dst.Post(8))
	k.Free(out)
}

// order10 returns TBL's indices for pack10: byte i of five is in word i/2.
func order10(first int) []byte {
	return byteVector(func(i int) int {
		group, b := (first+i)/5, (first+i)%5
		if group > 7 {
			return 255
		}
		return 16*(b/2) + 2*group + b%2
	})
}

// pack5 makes two words, of 16 and 4 bits, of each four coefficients, and 40 bits of each
// eight.
func pack5(k *kernel, dst a64.X, y, order []a64.V) {
	k.VSLI(y[0].H8(), y[1].H8(), 5)
	k.VSLI(y[0].H8(), y[2].H8(), 10)
	k.VSLI(y[0].H8(), y[3].H8(), 15)
	k.VSHL(y[3].H8(), y[3].H8(), 11)
	k.VUSHR(y[3].H8(), y[3].H8(), 12)
	k.VZIP1(y[1].H8(), y[0].H8(), y[3].H8())
	k.VZIP2(y[2].H8(), y[0].H8(), y[3].H8())
	for i, v := range y[1:3] {
		upper := []a64.V{y[0], y[3]}[i]
		k.VUSHR(upper.D2(), v.D2(), 32)
		k.VSLI(v.D2(), upper.D2(), 20)
	}
	k.VTBL(y[0].B16(), y[1:3], order[0].B16())
	k.VTBL(y[3].B16(), y[1:3], order[1].B16())
	k.STR(y[0], dst.Post(16))
	k.STRS(y[3], dst.Post(4))
}

// order5 returns TBL's indices for pack5: of eight bytes, the first five.
func order5(first int) []byte {
	return byteVector(func(i int) int {
		if first+i >= 20 {
			return 255
		}
		return (first+i)/5*8 + (first+i)%5
	})
}

// pack11 makes three words, of 16, 16 and 12 bits, of each four coefficients. Of two such, 88
// bits are eleven bytes, of which the sixth belongs to both: the second is shifted by half a
// byte.
func pack11(k *kernel, dst a64.X, y, constants []a64.V) {
	shift, order, shared := constants[0], constants[1:4], constants[4:7]
	middle := k.V()
	k.VSLI(y[0].H8(), y[1].H8(), 11)
	k.VSHL(y[1].H8(), y[1].H8(), 5)
	k.VUSHR(y[1].H8(), y[1].H8(), 10)
	k.VSLI(y[1].H8(), y[2].H8(), 6)
	k.VSHL(y[2].H8(), y[2].H8(), 5)
	k.VUSHR(y[2].H8(), y[2].H8(), 15)
	k.VSLI(y[2].H8(), y[3].H8(), 1)
	k.VBICI(y[2].H8(), 0xf0, 8)
	k.VZIP1(middle.H8(), y[0].H8(), y[1].H8())
	k.VZIP2(y[1].H8(), y[0].H8(), y[1].H8())
	k.VUSHLL(y[0].S4(), y[2].H4(), 0)
	k.VUSHLL(y[2].S4(), y[2].H8(), 0)
	r := k.Table(4)
	k.VZIP1(r[0].S4(), middle.S4(), y[0].S4())
	k.VZIP2(r[1].S4(), middle.S4(), y[0].S4())
	k.VZIP1(r[2].S4(), y[1].S4(), y[2].S4())
	k.VZIP2(r[3].S4(), y[1].S4(), y[2].S4())
	k.Free(middle)
	for _, v := range r {
		k.VUSHL(v.D2(), v.D2(), shift.D2())
	}
	out := k.Vs(3)
	for i, v := range out {
		k.VTBL(v.B16(), r, order[i].B16())
		k.VTBL(y[i].B16(), r, shared[i].B16())
	}
	for i, v := range out {
		k.VORR(v.B16(), v.B16(), y[i].B16())
	}
	k.STR(out[0], dst.Post(16))
	k.STR(out[1], dst.Post(16))
	k.STRD(out[2], dst.Post(8))
	k.VEXT(out[2].B16(), out[2].B16(), out[2].B16(), 8)
	k.STRS(out[2], dst.Post(4))
	k.Free(r, out)
}

// constants11 are those of pack11.
func constants11() [][]byte {
	constants := [][]byte{byteVector(func(i int) int { return []int{0, 4}[i/8] * (1 - min(i%8, 1)) })}
	for _, shared := range []bool{false, true} {
		for first := 0; first < 48; first += 16 {
			constants = append(constants, byteVector(func(i int) int {
				eight, b := (first+i)/11, (first+i)%11
				switch {
				case eight > 3, shared && b != 5:
					return 255
				case shared:
					return 16*eight + 8
				case b > 5:
					return 16*eight + 8 + b - 5
				}
				return 16*eight + b
			}))
		}
	}
	return constants
}

// compress1 makes a byte of each eight coefficients, in dwords that are narrowed together.
func compress1(file *a64.File) {
	k, x := start(file, "compress1NEON", "func(dst *byte, p *[256]int16)", "dst", "p")
	c := newCompression(1)
	if c.shift == 0 {
		k.refuse("compression to a bit is not exact")
	}
	constants := vectors(file, k, wordVector(all(c.c)))
	var bytes []a64.V
	for range 4 {
		var pair [][]a64.V
		for range 2 {
			y := k.Table(4)
			k.LD4(x[1].Post(64), y[0].H8(), y[1].H8(), y[2].H8(), y[3].H8())
			k.compress(c, constants, y)
			k.VSLI(y[0].H8(), y[1].H8(), 1)
			k.VSLI(y[2].H8(), y[3].H8(), 1)
			k.VSLI(y[0].H8(), y[2].H8(), 2)
			k.VUSHR(y[1].S4(), y[0].S4(), 16)
			k.VSLI(y[0].S4(), y[1].S4(), 4)
			pair = append(pair, y)
		}
		b := k.LowV()
		k.VUZP1(b.H8(), pair[0][0].H8(), pair[1][0].H8())
		k.Free(pair[0], pair[1])
		bytes = append(bytes, b)
	}
	k.VUZP1(bytes[0].B16(), bytes[0].B16(), bytes[1].B16())
	k.VUZP1(bytes[2].B16(), bytes[2].B16(), bytes[3].B16())
	k.STP(bytes[0], bytes[2], x[0].At(0))
	k.RET()
}

// decompress emits decompression from d = 5 or 10 bits. TBL brings the two bytes that hold a
// number into a word, where it is shifted to the upper bits below the sign: y·2^(15−d), of
// which SQRDMULH by q is the decompression, (y·2^(15−d)·q + 2^14)/2^15, rounded down.
func decompress(file *a64.File, d int) {
	k, x := start(file, fmt.Sprintf("decompress%dNEON", d), "func(p *[256]int16, src *byte)", "p", "src")
	p, src := x[0], x[1]
	for y := range 1 << d {
		if sqrdmulh(y<<(15-d), q) != decompressed(y, d) {
			k.refuse("%d becomes %d", y, sqrdmulh(y<<(15-d), q))
		}
	}
	var constants [][]byte
	for v := range 4 {
		constants = append(constants, byteVector(func(i int) int { return d*v + d*(i/2)/8 + i%2 }))
	}
	constants = append(constants,
		wordVector(func(i int) int { return (15 - d - d*i%8) & 0xff }),
		wordVector(all((1<<d-1)<<(15-d))), wordVector(all(q)))
	c := vectors(file, k, constants...)
	for range 8 {
		var in []a64.V
		if d == 10 {
			in = k.Table(3)
			k.LDR(in[0], src.Post(16))
			k.LDR(in[1], src.Post(16))
			k.LDRD(in[2], src.Post(8))
		} else {
			in = k.Table(2)
			k.LDR(in[0], src.Post(16))
			k.LDRS(in[1], src.Post(4))
		}
		y := k.Table(4)
		for i, v := range y {
			// The registers that hold the d bytes, which TBL numbers from the first.
			k.VTBL(v.B16(), in, c[i].B16())
		}
		for _, v := range y {
			k.VUSHL(v.H8(), v.H8(), c[4].H8())
		}
		for _, v := range y {
			k.VAND(v.B16(), v.B16(), c[5].B16())
		}
		for _, v := range y {
			k.VSQRDMULH(v.H8(), v.H8(), c[6].H8())
		}
		k.ST1(p.Post(64), y[0].H8(), y[1].H8(), y[2].H8(), y[3].H8())
		k.Free(in, y)
	}
	k.RET()
}

// decompress11 needs three bytes of some numbers, and so brings each into a dword, of which
// the upper word is then y·2^4.
func decompress11(file *a64.File) {
	k, x := start(file, "decompress11NEON", "func(p *[256]int16, src *byte)", "p", "src")
	p, src := x[0], x[1]
	for y := range 1 << 11 {
		if sqrdmulh(y<<4, q) != decompressed(y, 11) {
			k.refuse("%d becomes %d", y, sqrdmulh(y<<4, q))
		}
	}
	var constants [][]byte
	for half := range 8 {
		constants = append(constants, byteVector(func(i int) int {
			at := 44*half/8 + (44*half%8+11*(i/4))/8 + i%4
			if at >= 32 {
				at += 4 // the third register begins with byte 28
			}
			return at
		}))
	}
	for odd := range 2 {
		constants = append(constants, dwordVector(func(i int) int { return (20 - (44*odd+11*i)%8) & 0xff }))
	}
	constants = append(constants, wordVector(all((1<<11-1)<<4)), wordVector(all(q)))
	c := vectors(file, k, constants...)
	order, align, field, modulus := c[:8], c[8:10], c[10], c[11]
	for range 8 {
		in := k.Table(3)
		k.LDR(in[0], src.At(0))
		k.LDR(in[1], src.At(16))
		k.LDR(in[2], src.At(28))
		k.ADD(src, src, 44)
		y := k.Table(4)
		for i, v := range y {
			upper := k.V()
			k.VTBL(v.B16(), in, order[2*i].B16())
			k.VTBL(upper.B16(), in, order[2*i+1].B16())
			k.VUSHL(v.S4(), v.S4(), align[0].S4())
			k.VUSHL(upper.S4(), upper.S4(), align[1].S4())
			k.VUZP2(v.H8(), v.H8(), upper.H8())
			k.VAND(v.B16(), v.B16(), field.B16())
			k.VSQRDMULH(v.H8(), v.H8(), modulus.H8())
			k.Free(upper)
		}
		k.ST1(p.Post(64), y[0].H8(), y[1].H8(), y[2].H8(), y[3].H8())
		k.Free(in, y)
	}
	k.RET()
}

// decompress4 looks the sixteen numbers up.
func decompress4(file *a64.File) {
	k, x := start(file, "decompress4NEON", "func(p *[256]int16, src *byte)", "p", "src")
	c := vectors(file, k, byteVector(all(15)),
		byteVector(func(i int) int { return decompressed(i, 4) & 0xff }),
		byteVector(func(i int) int { return decompressed(i, 4) >> 8 }))
	for range 8 {
		v := k.V()
		k.LDR(v, x[1].Post(16))
		k.nibbles(x[0], v, c[0], c[1], c[2])
		k.Free(v)
	}
	k.RET()
}

// decompress1 tests each bit of a word in a lane of its own.
func decompress1(file *a64.File) {
	k, x := start(file, "decompress1NEON", "func(p *[256]int16, src *byte)", "p", "src")
	c := vectors(file, k, wordVector(func(i int) int { return 1 << i }), wordVector(func(i int) int { return 256 << i }),
		wordVector(all(decompressed(1, 1))))
	in := k.Vs(2)
	k.LDP(in[0], in[1], x[1].At(0))
	for i := 0; i < 16; i += 2 {
		y := k.Table(4)
		for j := range 2 {
			word := in[i/8].H((i + j) % 8)
			k.VDUP(y[2*j].H8(), word)
			k.VCMTST(y[2*j+1].H8(), y[2*j].H8(), c[1].H8())
			k.VCMTST(y[2*j].H8(), y[2*j].H8(), c[0].H8())
		}
		for _, v := range y {
			k.VAND(v.B16(), v.B16(), c[2].B16())
		}
		k.ST1(x[0].Post(64), y[0].H8(), y[1].H8(), y[2].H8(), y[3].H8())
		k.Free(y)
	}
	k.RET()
}

// encode12 joins an even and an odd number in three bytes, which ST3 stores in turn.
func encode12(file *a64.File) {
	k, x := start(file, "encode12NEON", "func(dst *byte, p *[256]int16)", "dst", "p")
	for range 8 {
		a, b, out := k.Table(2), k.Table(2), k.Table(3)
		k.LD2(x[1].Post(32), a[0].H8(), a[1].H8())
		k.LD2(x[1].Post(32), b[0].H8(), b[1].H8())
		for _, v := range [][]a64.V{a, b} {
			k.VSLI(v[0].H8(), v[1].H8(), 12)
			k.VUSHR(v[1].H8(), v[1].H8(), 4)
		}
		k.VUZP1(out[0].B16(), a[0].B16(), b[0].B16())
		k.VUZP2(out[1].B16(), a[0].B16(), b[0].B16())
		k.VUZP1(out[2].B16(), a[1].B16(), b[1].B16())
		k.ST3(x[0].Post(48), out[0].B16(), out[1].B16(), out[2].B16())
		k.Free(a, b, out)
	}
	k.RET()
}

// decode12 is the reverse, and compares the largest with q.
func decode12(file *a64.File) {
	k, x := start(file, "decode12NEON", "func(p *[256]int16, src *byte) bool", "p", "src")
	largest := k.Vs(4)
	for block := range 8 {
		in, a, b := k.Table(3), k.Table(2), k.Table(2)
		k.LD3(x[1].Post(48), in[0].B16(), in[1].B16(), in[2].B16())
		k.VZIP1(a[0].B16(), in[0].B16(), in[1].B16())
		k.VZIP2(b[0].B16(), in[0].B16(), in[1].B16())
		k.VZIP1(a[1].B16(), in[1].B16(), in[2].B16())
		k.VZIP2(b[1].B16(), in[1].B16(), in[2].B16())
		for _, v := range [][]a64.V{a, b} {
			k.VBICI(v[0].H8(), 0xf0, 8)
			k.VUSHR(v[1].H8(), v[1].H8(), 4)
		}
		k.ST2(x[0].Post(32), a[0].H8(), a[1].H8())
		k.ST2(x[0].Post(32), b[0].H8(), b[1].H8())
		for i, v := range []a64.V{a[0], a[1], b[0], b[1]} {
			if block == 0 {
				k.VMOV(largest[i], v)
			} else {
				k.VUMAX(largest[i].H8(), largest[i].H8(), v.H8())
			}
		}
		k.Free(in, a, b)
	}
	k.VUMAX(largest[0].H8(), largest[0].H8(), largest[1].H8())
	k.VUMAX(largest[2].H8(), largest[2].H8(), largest[3].H8())
	k.VUMAX(largest[0].H8(), largest[0].H8(), largest[2].H8())
	k.VUMAXV(largest[0], largest[0].H8())
	most := k.X()
	k.UMOV(most, largest[0].H(0))
	k.CMP(most, q)
	k.CSET(most, "LO")
	k.Result("ret", most)
	k.RET()
}

// compare emits the difference of two strings, 64 bytes at a time, and 32 where they remain.
func compare(file *a64.File) {
	k, x := start(file, "differenceNEON", "func(a, b *byte, n uintptr) uint64", "a", "b", "n")
	sum := k.Vs(4)
	for _, v := range sum {
		k.VMOVI(v.D2(), 0, 0)
	}
	join := func(a, b, sum []a64.V) {
		for i := range a {
			k.VEOR(a[i].B16(), a[i].B16(), b[i].B16())
		}
		for i := range a {
			k.VORR(sum[i].B16(), sum[i].B16(), a[i].B16())
		}
	}
	a, b := k.Table(4), k.Table(4)
	loop, last, end := k.Label("loop"), k.Label("last"), k.Label("end")
	k.Place(loop)
	k.SUBS(x[2], x[2], 64)
	k.Branch("LT", last)
	k.LD1(x[0].Post(64), a[0].B16(), a[1].B16(), a[2].B16(), a[3].B16())
	k.LD1(x[1].Post(64), b[0].B16(), b[1].B16(), b[2].B16(), b[3].B16())
	join(a, b, sum)
	k.B(loop)
	k.Place(last)
	k.TBZ(x[2], 5, end)
	k.LD1(x[0].Post(32), a[0].B16(), a[1].B16())
	k.LD1(x[1].Post(32), b[0].B16(), b[1].B16())
	join(a[:2], b[:2], sum)
	k.Place(end)
	k.VORR(sum[0].B16(), sum[0].B16(), sum[1].B16())
	k.VORR(sum[2].B16(), sum[2].B16(), sum[3].B16())
	k.VORR(sum[0].B16(), sum[0].B16(), sum[2].B16())
	lower, upper := k.X(), k.X()
	k.UMOV(lower, sum[0].D(0))
	k.UMOV(upper, sum[0].D(1))
	k.ORR(lower, lower, upper)
	k.Result("ret", lower)
	k.RET()
}

// conversions returns the file of compression and packing.
func conversions() []byte {
	file := a64.NewFile(generator, "kemring")
	compress1(file)
	compress(file, 4, nil, pack4)
	compress(file, 5, [][]byte{order5(0), order5(16)}, pack5)
	compress(file, 10, [][]byte{order10(0), order10(16), order10(32)}, pack10)
	compress(file, 11, constants11(), pack11)
	decompress1(file)
	decompress4(file)
	decompress(file, 5)
	decompress(file, 10)
	decompress11(file)
	encode12(file)
	decode12(file)
	compare(file)
	return file.Bytes()
}
