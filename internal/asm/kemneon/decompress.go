package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// decompressed is Decompress_d of FIPS 203, Section 4.2.1.
func decompressed(y, d int) int { return (y*q + 1<<d>>1) >> d }

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
	k.finish(file)
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
	k.finish(file)
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
	k.finish(file)
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
	k.finish(file)
}
