package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

const rModQ = (1 << 16) % q

// modulus loads q and up to seven more constants into the elements of a register.
func (k *kernel) modulus(words ...int) a64.V {
	v, x := k.LowV(), k.X()
	k.table.add(append([]int{q}, words...)...)
	k.Addr(x, a64.Symbol(k.name+"Constants"))
	k.LDR(v, x.At(0))
	k.Free(x)
	k.q = v.H(0)
	return v
}

// fourVectors runs body over 32 coefficients at a time of p, and of other where it is not
// nil, in place.
func (k *kernel) fourVectors(p a64.X, other *a64.X, body func(v, w []a64.V)) {
	in := k.X()
	k.MOV(in, p)
	for range 8 {
		v := k.Table(4)
		k.LD1(in.Post(64), v[0].H8(), v[1].H8(), v[2].H8(), v[3].H8())
		var w []a64.V
		if other != nil {
			w = k.Table(4)
			k.LD1(other.Post(64), w[0].H8(), w[1].H8(), w[2].H8(), w[3].H8())
		}
		body(v, w)
		k.ST1(p.Post(64), v[0].H8(), v[1].H8(), v[2].H8(), v[3].H8())
		k.Free(v, w)
	}
}

// canonical brings numbers of the interval in into [0, q): 0.66q remain of them, to which q
// is added where they are negative.
func (k *kernel) canonical(in interval, tenth a64.Vec, v []a64.V) {
	for x := in.min; x <= in.max; x++ {
		r := x - q*sqrdmulh(x, ten)
		if r < 0 {
			r += q
		}
		if r < 0 || r >= q {
			k.refuse("%d becomes %d", x, r)
		}
	}
	t := k.Vs(len(v))
	for i := range v {
		k.VSQRDMULH(t[i].H8(), v[i].H8(), tenth)
	}
	for i := range v {
		k.VMLS(v[i].H8(), t[i].H8(), k.q)
	}
	for i := range v {
		k.VSSHR(t[i].H8(), v[i].H8(), 15)
	}
	for i := range v {
		k.VMLS(v[i].H8(), t[i].H8(), k.q)
	}
	k.Free(t)
}

// reduce emits the reduction of any number.
func reduce(file *a64.File) {
	k, x := start(file, "reduceNEON", "func(p *[256]int16)", "p")
	constants := k.modulus(ten)
	k.fourVectors(x[0], nil, func(v, _ []a64.V) { k.canonical(int16s, constants.H(1), v) })
	k.finish(file)
}

// addMontgomery accumulates the product by R onto e before it reduces both.
func addMontgomery(file *a64.File) {
	k, x := start(file, "addMontgomeryNEON", "func(p, e *[256]int16)", "p", "e")
	r := centered(rModQ)
	constants := k.modulus(ten, r, quotientOf(r))
	sum := within(5).plus(within(3).multiplied(r))
	if !sum.in(int16s) {
		k.refuse("a sum is in %v", sum)
	}
	k.fourVectors(x[0], &x[1], func(p, e []a64.V) {
		t := k.Vs(4)
		for i := range p {
			k.VSQRDMULH(t[i].H8(), p[i].H8(), constants.H(3))
		}
		for i := range p {
			k.VMLA(e[i].H8(), p[i].H8(), constants.H(2))
		}
		for i := range p {
			k.VMLS(e[i].H8(), t[i].H8(), k.q)
		}
		k.Free(t)
		k.canonical(sum, constants.H(1), e)
		// The results stand in e.
		for i := range p {
			p[i], e[i] = e[i], p[i]
		}
	})
	k.finish(file)
}

// sum emits addition or subtraction, which is the caller's promise not to overflow.
func sum(file *a64.File, name string, operation func(k *kernel, d, n, m a64.Vec)) {
	k, x := start(file, name, "func(p, a *[256]int16)", "p", "a")
	k.fourVectors(x[0], &x[1], func(p, a []a64.V) {
		for i := range p {
			operation(k, p[i].H8(), p[i].H8(), a[i].H8())
		}
	})
	k.finish(file)
}

// dot emits the sum of the products of rank polynomials. The structure loads part even from
// odd entries, products are summed in 32 bits and reduced once, in Montgomery's way:
// R⁻¹·x is the upper half of x − q·(x·q⁻¹ mod R).
func dot(file *a64.File, rank int) {
	k, x := start(file, fmt.Sprintf("dot%dNEON", rank),
		"func(dst, a *[256]int16, stride uintptr, b, tw *[256]int16)", "dst", "a", "b", "tw")
	constants := k.modulus(qInv)
	dst := x[0]
	as, bs, tws := []a64.X{x[1]}, []a64.X{x[2]}, []a64.X{x[3]}
	if rank > 1 {
		stride := k.X()
		k.Arg(stride, "stride")
		for i := 1; i < rank; i++ {
			a, b, tw := k.X(), k.X(), k.X()
			k.ADD(a, as[i-1], stride)
			k.ADD(b, bs[i-1], 2*n)
			k.ADD(tw, tws[i-1], 2*n)
			as, bs, tws = append(as, a), append(bs, b), append(tws, tw)
		}
		k.Free(stride)
	}

	// The intervals: even sums have a product with b and one with an odd entry of tw.
	a, b, tw := interval{0, q - 1}, within(5), within(1)
	var even, odd interval
	for range rank {
		even = even.plus(a.times(b)).plus(a.times(tw))
		odd = odd.plus(a.times(b)).plus(a.times(b))
	}
	for _, i := range []interval{even, odd} {
		i = i.minus(int16s.times(interval{q, q}))
		if !i.in(int32s) {
			k.refuse("a sum is in %v", i)
		}
		if r := (interval{i.min >> 16, i.max >> 16}); !r.in(within(3)) {
			k.refuse("a result is in %v", r)
		}
	}

	k.Loop(4, func() {
		for range 4 {
			// Of each sum, the entries that belong to the lower and the upper half.
			var even, odd [2]a64.V
			for half := range 2 {
				even[half], odd[half] = k.V(), k.V()
			}
			for i := range rank {
				a, b, tw := k.Table(2), k.Table(2), k.Table(2)
				k.LD2(as[i].Post(32), a[0].H8(), a[1].H8())
				k.LD2(bs[i].Post(32), b[0].H8(), b[1].H8())
				k.LD2(tws[i].Post(32), tw[0].H8(), tw[1].H8())
				multiply := (*a64.Func).VSMLAL
				if i == 0 {
					multiply = (*a64.Func).VSMULL
				}
				for j, by := range [2][2]a64.V{{b[0], b[1]}, {tw[1], b[0]}} {
					if j == 1 {
						multiply = (*a64.Func).VSMLAL
					}
					multiply(k.Func, even[0].S4(), a[j].H4(), by[0].H4())
					multiply(k.Func, even[1].S4(), a[j].H8(), by[0].H8())
					multiply(k.Func, odd[0].S4(), a[j].H4(), by[1].H4())
					multiply(k.Func, odd[1].S4(), a[j].H8(), by[1].H8())
				}
				k.Free(a, b, tw)
			}
			r := k.Table(2)
			sums := [2][2]a64.V{even, odd}
			for j, s := range sums {
				k.VUZP1(r[j].H8(), s[0].H8(), s[1].H8())
			}
			for j := range sums {
				k.VMUL(r[j].H8(), r[j].H8(), constants.H(1))
			}
			for j, s := range sums {
				k.VSMLSL(s[0].S4(), r[j].H4(), k.q)
				k.VSMLSL(s[1].S4(), r[j].H8(), k.q)
			}
			for j, s := range sums {
				k.VUZP2(r[j].H8(), s[0].H8(), s[1].H8())
			}
			k.ST2(dst.Post(32), r[0].H8(), r[1].H8())
			k.Free(r, even[:], odd[:])
		}
	})
	k.finish(file)
}

// products returns the file of the kernels that work on each coefficient, or pair of them,
// by itself.
func products() []byte {
	file := a64.NewFile(generator, "kemring")
	for rank := 1; rank <= 4; rank++ {
		dot(file, rank)
	}
	addMontgomery(file)
	reduce(file)
	sum(file, "addNEON", func(k *kernel, d, n, m a64.Vec) { k.VADD(d, n, m) })
	sum(file, "subNEON", func(k *kernel, d, n, m a64.Vec) { k.VSUB(d, n, m) })
	return file.Bytes()
}
