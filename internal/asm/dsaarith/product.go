package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A pointwise is a kernel under construction that treats every coefficient alike.
type pointwise struct{ *interval.Kernel }

// window is how many coefficients a pass of a loop takes.
const window = 64

// overPolynomials emits body in a loop that moves the memories along by a window.
func (k pointwise) overPolynomials(body func(i int), pointers ...operand.Mem) {
	end := k.GP64()
	k.LEAQ(pointers[0].Offset(4*n), end)
	loop := k.Name + "_loop"
	k.Label(loop)
	for i := 0; i < window; i += k.Dwords() {
		body(i)
	}
	for _, p := range pointers {
		k.ADDQ(operand.U32(4*window), p.Base.(reg.Register))
	}
	k.CMPQ(pointers[0].Base.(reg.Register), end)
	k.JNE(operand.LabelRef(loop))
}

// dot sums the products of rank pairs of polynomials in 64 bits, and reduces once. The odd
// coefficients are read in place of the even ones by loads that duplicate them.
func (k pointwise) dot(rank int) {
	dst := k.Memory32("dst", k.Pointer("dst"), window, interval.Int32)
	row, bs := k.Pointer("a"), k.Pointer("b")
	var a, b []*interval.Memory
	for i := range rank {
		a = append(a, k.Memory32(fmt.Sprintf("a%d", i), row.Offset(4*n*i), window, least))
		b = append(b, k.Memory32(fmt.Sprintf("b%d", i), bs.Offset(4*n*i), window, within(10)))
	}
	k.Constants()
	k.Modulus32(q)
	reducer := k.WideReducer()
	k.overPolynomials(func(i int) {
		var even, odd interval.Vector
		for j := range rank {
			e := k.MulEven(k.Fetch(a[j], i), k.At(b[j], i))
			o := k.MulEven(k.DuplicateOdd(k.At(a[j], i)), k.DuplicateOdd(k.At(b[j], i)))
			if j == 0 {
				even, odd = e, o
			} else {
				even, odd = k.Add64(even, e), k.Add64(odd, o)
			}
		}
		k.Store(k.MontgomeryReduce64(even, odd, k.At(dst, i), reducer), dst, i)
	}, dst.Mem, row, bs)
	k.Output(dst, within(1))
	k.End()
}

// mul multiplies entries.
func (k pointwise) mul() {
	dst := k.Memory32("dst", k.Pointer("dst"), window, interval.Int32)
	a := k.Memory32("a", k.Pointer("a"), window, within(10))
	b := k.Memory32("b", k.Pointer("b"), window, within(10))
	k.Constants()
	k.Modulus32(q)
	reducer := k.WideReducer()
	k.overPolynomials(func(i int) {
		x, y := k.Fetch(a, i), k.Fetch(b, i)
		even, odd := k.MulEven(x, y), k.MulEven(k.DuplicateOdd(x), k.DuplicateOdd(y))
		k.Store(k.MontgomeryReduce64(even, odd, k.At(dst, i), reducer), dst, i)
	}, dst.Mem, a.Mem, b.Mem)
	k.Output(dst, within(1))
	k.End()
}

// reduce brings numbers into [0, q), and centres them if centre is set.
func (k pointwise) reduce(centre bool) {
	p := k.Memory32("p", k.Pointer("p"), window, within(255))
	k.Constants()
	k.Modulus32(q)
	reducer := k.ShiftReducer()
	contract := least
	var half interval.Centre
	if centre {
		contract = halves
		half = k.Centre()
	}
	k.overPolynomials(func(i int) {
		c := k.LeastResidue(k.ShiftReduce(k.Fetch(p, i), reducer))
		if centre {
			c = k.Centred(c, half)
		}
		k.Store(c, p, i)
	}, p.Mem)
	k.Output(p, contract)
	k.End()
}

// sum adds or subtracts.
func (k pointwise) sum(op func(k *interval.Kernel, a, b interval.Vector) interval.Vector) {
	p := k.Memory32("p", k.Pointer("p"), window, interval.Int32)
	a := k.Memory32("a", k.Pointer("a"), window, interval.Int32)
	k.overPolynomials(func(i int) {
		k.Store(op(k.Kernel, k.Fetch(p, i), k.At(a, i)), p, i)
	}, p.Mem, a.Mem)
	k.End()
}
