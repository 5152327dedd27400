package main

import (
	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

// narrow keeps the lower halves of the lanes, which hold the numbers whole.
func (file *conversion) narrow(in interval.Interval) {
	if !in.In(interval.Int16) {
		panic("narrow: numbers of more than 16 bits")
	}
	f := file.Func("narrowNEON", "func(dst *[256]int16, p *[256]int32)")
	dst, p := pointer(f, "dst"), pointer(f, "p")
	f.Loop(n/32, func() {
		x, y := f.Table(4), f.Table(4)
		f.LD1(p.Post(64), vecs(x)...)
		f.LD1(p.Post(64), vecs(y)...)
		f.VUZP1(x[0].H8(), x[0].H8(), x[1].H8())
		f.VUZP1(x[1].H8(), x[2].H8(), x[3].H8())
		f.VUZP1(x[2].H8(), y[0].H8(), y[1].H8())
		f.VUZP1(x[3].H8(), y[2].H8(), y[3].H8())
		f.ST1(dst.Post(64), vecs(x)...)
		f.Free(x, y)
	})
	f.RET()
}

const (
	// small is the modulus of ML-KEM.
	small = 3329
	// bound is the absolute value up to which a number is told from its neighbours modulo
	// 3329: from others of at most neighbour.
	bound     = 1600
	neighbour = small - bound - 1
	// reciprocal is 2^15/3329, rounded.
	reciprocal = (1<<15 + small/2) / small
)

// halfwords returns a register of x in every halfword.
func halfwords(f *a64.Func, x int64) a64.Vec {
	g, v := f.X(), f.V()
	f.MOV(g, x)
	f.VDUPX(v.H8(), g)
	f.Free(g)
	f.Assume(v.H8(), interval.Exactly(x))
	return v.H8()
}

// addSmall centres numbers modulo 3329, by a rounded quotient, and adds them where op widens.
func (file *conversion) addSmall(name string, op func(f *a64.Func, d, n, m a64.Vec), in interval.Interval, reciprocal int64) {
	f := file.Func(name, "func(p *[256]int32, c *[256]int16)")
	p, c, dst := pointer(f, "p"), pointer(f, "c"), f.X()
	f.MOV(dst, p)
	reciprocals, modulus := halfwords(f, reciprocal), halfwords(f, small)
	f.Loop(n/32, func() {
		cs := f.Table(4)
		f.LD1(c.Post(64), cs[0].H8(), cs[1].H8(), cs[2].H8(), cs[3].H8())
		for _, x := range cs {
			t := f.V()
			f.Assume(x.H8(), in)
			f.VSQRDMULH(t.H8(), x.H8(), reciprocals)
			f.VMLS(x.H8(), t.H8(), modulus)
			f.Assume(x.H8(), a64.BarrettReduction(small, reciprocal, 0, in))
			f.Require(x.H8(), interval.Within(neighbour))
			f.Free(t)
		}
		for i := 0; i < 4; i += 2 {
			x := f.Table(4)
			f.LD1(p.Post(64), vecs(x)...)
			for j, y := range cs[i : i+2] {
				op(f, x[2*j].S4(), x[2*j].S4(), y.H4())
				op(f, x[2*j+1].S4(), x[2*j+1].S4(), y.H8())
			}
			f.ST1(dst.Post(64), vecs(x)...)
			f.Free(x)
		}
		f.Free(cs)
	})
	f.RET()
}
