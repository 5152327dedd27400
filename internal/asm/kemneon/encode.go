package main

import "github.com/pqlane/pqlane/internal/asm/a64"

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
	k.finish(file)
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
	k.finish(file)
}
