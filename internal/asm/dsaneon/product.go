package main

import (
	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A modular is a kernel under construction that computes modulo q.
type modular struct {
	*a64.Func
	q      a64.Vec // a register of q
	by2To8 a64.Vec // of 2^8, for reduce
}

func (file *arithmetic) modular(name, signature string) *modular {
	m := &modular{Func: file.Func(name, signature)}
	m.q = m.broadcast(q)
	return m
}

// broadcast returns a register with x in every lane.
func (m *modular) broadcast(x int64) a64.Vec { return broadcast(m.Func, x) }

func broadcast(f *a64.Func, x int64) a64.Vec {
	g, v := f.X(), f.V()
	f.MOV(g, int64(uint32(x)))
	f.VDUPX(v.S4(), g)
	f.Free(g)
	f.Assume(v.S4(), interval.Exactly(x))
	return v.S4()
}

// RequireAll panics unless all registers lie in i.
func (m *modular) RequireAll(vs []a64.V, i interval.Interval) {
	for _, v := range vs {
		m.Require(v.S4(), i)
	}
}

// reduce brings v near 0 by the rounded quotient by 2^23, which exceeds that by q by a
// thousandth of itself: the rounded upper half of the doubled product with 2^8. (SRSHR would do
// it too, but Arm's manual does not have it among the instructions whose time DIT makes
// independent of data.) x is lost.
func (m *modular) reduce(v, x a64.V) {
	c := m.Bound(v.S4())
	m.VSQRDMULH(x.S4(), v.S4(), m.by2To8.V.S(0))
	m.VMLS(v.S4(), x.S4(), m.q.V.S(0))
	m.Assume(v.S4(), a64.ShiftReduction(q, 23, c))
}

// leastResidue sets d, which may be v or x, to v brought from (−q, q) into [0, q): of v and v + q,
// the less as unsigned numbers. x is lost.
func (m *modular) leastResidue(d, v, x a64.V) {
	m.Require(v.S4(), interval.Within(q-1))
	m.VADD(x.S4(), v.S4(), m.q)
	m.VUMIN(d.S4(), v.S4(), x.S4())
	m.Assume(d.S4(), least)
}

// centre brings v from (−q, q) to centred representatives: q less where it exceeds half, and q
// more where it is below minusHalf. x is lost.
func (m *modular) centre(v, x a64.V, half, minusHalf a64.Vec) {
	m.Require(v.S4(), interval.Within(q-1))
	m.VCMGT(x.S4(), v.S4(), half)
	m.VMLA(v.S4(), x.S4(), m.q.V.S(0))
	m.VCMGT(x.S4(), minusHalf, v.S4())
	m.VMLS(v.S4(), x.S4(), m.q.V.S(0))
	m.Assume(v.S4(), interval.Within(q/2))
}

// window is how many registers a pass of a loop takes.
const window = 4

// eachWindow emits body, which takes a window, in a loop over polynomials.
func eachWindow(f *a64.Func, body func()) {
	f.Loop(n/4/window/2, func() {
		body()
		body()
	})
}

// take loads four registers of p, which moves along; give stores them and gives them back.
func (m *modular) take(p a64.X, i interval.Interval) []a64.V { return take(m.Func, p, i) }

func take(f *a64.Func, p a64.X, i interval.Interval) []a64.V {
	vs := f.Table(window)
	f.LD1(p.Post(64), vecs(vs)...)
	for _, v := range vs {
		f.Assume(v.S4(), i)
	}
	return vs
}

func give(f *a64.Func, p a64.X, vs []a64.V, i interval.Interval) {
	for _, v := range vs {
		f.Require(v.S4(), i)
	}
	f.ST1(p.Post(64), vecs(vs)...)
	f.Free(vs)
}

// dot sums the products of rank pairs of polynomials in 64 bits, and reduces once (P. L.
// Montgomery's reduction in the signed form of G. Seiler, ePrint 2018/039).
func (file *arithmetic) dot(name string, rank int, as, bs, out interval.Interval) {
	m := file.modular(name, "func(dst, a, b *[256]int32)")
	dst, a, b := pointer(m.Func, "dst"), pointer(m.Func, "a"), pointer(m.Func, "b")
	inverse := m.broadcast(qInv)
	m.Forget(inverse.V)
	rowsA, rowsB := []a64.X{a}, []a64.X{b}
	for j := 1; j < rank; j++ {
		rowA, rowB := m.X(), m.X()
		m.ADD(rowA, a, 4*n*j)
		m.ADD(rowB, b, 4*n*j)
		rowsA, rowsB = append(rowsA, rowA), append(rowsB, rowB)
	}
	m.Loop(n/4/window, func() {
		sums := m.Vs(2 * window)
		for j := range rank {
			x, y := m.take(rowsA[j], as), m.take(rowsB[j], bs)
			for i := range window {
				lower, upper := sums[2*i], sums[2*i+1]
				if j == 0 {
					m.VSMULL(lower.D2(), x[i].S2(), y[i].S2())
					m.VSMULL(upper.D2(), x[i].S4(), y[i].S4())
				} else {
					m.VSMLAL(lower.D2(), x[i].S2(), y[i].S2())
					m.VSMLAL(upper.D2(), x[i].S4(), y[i].S4())
				}
			}
			m.Free(x, y)
		}
		sum := interval.Interval{}
		for range rank {
			sum = sum.Add(as.Mul(bs))
		}
		results := m.Table(window)
		for i, c := range results {
			lower, upper := sums[2*i], sums[2*i+1]
			m.VUZP1(c.S4(), lower.S4(), upper.S4())
			m.VMUL(c.S4(), c.S4(), inverse.V.S(0))
		}
		for i, c := range results {
			lower, upper := sums[2*i], sums[2*i+1]
			m.VSMLSL(lower.D2(), c.S2(), m.q.V.S(0))
			m.VSMLSL(upper.D2(), c.S4(), m.q.V.S(0))
		}
		for i, c := range results {
			m.VUZP2(c.S4(), sums[2*i].S4(), sums[2*i+1].S4())
			m.Assume(c.S4(), a64.MontgomeryProduct(32, q, sum))
		}
		give(m.Func, dst, results, out)
		m.Free(sums)
	})
	m.RET()
}

// mul multiplies entries: the difference of the upper halves of two doubled products whose lower
// halves are the same, halved, is Montgomery's reduction of one (Neon NTT, Algorithm 14).
func (file *arithmetic) mul(in, out interval.Interval) {
	m := file.modular("mulNEON", "func(dst, a, b *[256]int32)")
	dst, a, b := pointer(m.Func, "dst"), pointer(m.Func, "a"), pointer(m.Func, "b")
	inverse := m.broadcast(qInv)
	m.Forget(inverse.V)
	eachWindow(m.Func, func() {
		x, y := m.take(a, in), m.take(b, in)
		low := m.Vs(window)
		for i := range x {
			m.VMUL(low[i].S4(), x[i].S4(), y[i].S4())
			m.VSQDMULH(x[i].S4(), x[i].S4(), y[i].S4())
		}
		for i := range x {
			m.VMUL(low[i].S4(), low[i].S4(), inverse.V.S(0))
		}
		for i := range x {
			m.VSQDMULH(low[i].S4(), low[i].S4(), m.q.V.S(0))
		}
		for i := range x {
			m.VSHSUB(x[i].S4(), x[i].S4(), low[i].S4())
			m.Assume(x[i].S4(), a64.MontgomeryProduct(32, q, in.Mul(in)))
		}
		give(m.Func, dst, x, out)
		m.Free(y, low)
	})
	m.RET()
}

// reduceAll brings numbers into [0, q), or centres them.
func (file *arithmetic) reduceAll(name string, centred bool, in, out interval.Interval) {
	m := file.modular(name, "func(p *[256]int32)")
	p, dst := m.X(), m.X()
	m.Arg(p, "p")
	m.MOV(dst, p)
	m.by2To8 = m.broadcast(1 << 8)
	var half, minusHalf a64.Vec
	if centred {
		half, minusHalf = m.broadcast(q/2), m.broadcast(-(q / 2))
	}
	eachWindow(m.Func, func() {
		x, y := m.take(p, in), m.V()
		for _, v := range x {
			m.reduce(v, y)
			if centred {
				m.centre(v, y, half, minusHalf)
			} else {
				m.leastResidue(v, v, y)
			}
		}
		give(m.Func, dst, x, out)
		m.Free(y)
	})
	m.RET()
}

// sum adds or subtracts, without a bound: results fit by contract.
func (file *arithmetic) sum(name string, op func(f *a64.Func, d, n, m a64.Vec)) {
	f := file.Func(name, "func(p, a *[256]int32)")
	p, a, dst := f.X(), f.X(), f.X()
	f.Arg(p, "p")
	f.Arg(a, "a")
	f.MOV(dst, p)
	eachWindow(f, func() {
		x, y := f.Table(window), f.Table(window)
		f.LD1(p.Post(64), vecs(x)...)
		f.LD1(a.Post(64), vecs(y)...)
		for i, v := range x {
			op(f, v.S4(), v.S4(), y[i].S4())
		}
		f.ST1(dst.Post(64), vecs(x)...)
		f.Free(x, y)
	})
	f.RET()
}
