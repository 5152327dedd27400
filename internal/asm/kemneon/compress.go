package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// compressed is Compress_d of FIPS 203, Section 4.2.1, of any x.
func compressed(x, d int) int {
	return ((x+2*q)<<(d+1) + q) / (2 * q) & (1<<d - 1)
}

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

// constants are c and, where it is exact, the factor that shifts; otherwise c, q and (q−1)/2.
func (k compression) constants() [][]byte {
	if k.shift > 0 {
		return [][]byte{wordVector(all(k.c)), wordVector(all(1 << (15 - k.shift)))}
	}
	return [][]byte{wordVector(all(k.c)), wordVector(all(q)), wordVector(all(q / 2))}
}

// compress replaces the coefficients in vs. The shift that rounds is the rounded upper half of
// the doubled product with a power of 2: Arm's manual does not have SRSHR among the instructions
// whose time DIT makes independent of data.
func (k *kernel) compress(c compression, constants []a64.V, vs []a64.V) {
	if c.shift > 0 {
		for _, v := range vs {
			k.VSQDMULH(v.H8(), v.H8(), constants[0].H8())
		}
		for _, v := range vs {
			k.VSQRDMULH(v.H8(), v.H8(), constants[1].H8())
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
	own := c.constants()
	vs := vectors(file, k, append(own, constants...)...)
	for range 8 {
		y := k.Table(4)
		k.LD4(x[1].Post(64), y[0].H8(), y[1].H8(), y[2].H8(), y[3].H8())
		k.compress(c, vs[:len(own)], y)
		pack(k, x[0], y, vs[len(own):])
		k.Free(y)
	}
	k.finish(file)
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
	constants := vectors(file, k, c.constants()...)
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
	k.finish(file)
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
