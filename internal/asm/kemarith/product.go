package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A product is a kernel under construction that treats every pair of coefficients
// alike: an element modulo X² − γ in the NTT domain.
type product struct{ *interval.Kernel }

// each calls f with the first position of each register.
func (k product) each(f func(i int)) {
	for i := 0; i < n; i += k.Words() {
		f(i)
	}
}

// dot sums the products of rank pairs of polynomials (FIPS 203, Algorithm 12): with
// b = b₀ + b₁X and its twist b₀ + γb₁X, the product with a₀ + a₁X is
//
//	(a₀, a₁)·(b₀, γb₁) + (a₀, a₁)·(b₁, b₀)X,
//
// two inner products of adjacent words. The sums of all polynomials share one
// reduction, which leaves them in order.
func (k product) dot(rank int) {
	const (
		window = 64    // coefficients a pass
		size   = 2 * n // bytes of a polynomial
	)
	dst := k.Memory("dst", k.Pointer("dst"), window, interval.Int16)
	pointers := []operand.Mem{dst.Mem}
	var a, b, tw []*interval.Memory
	row, bs, tws := k.Pointer("a"), k.Pointer("b"), k.Pointer("tw")
	pointers = append(pointers, row, bs, tws)
	stride := k.Load(k.Param("stride"), k.GP64())
	for i := range rank {
		at := row
		switch i {
		case 1, 2:
			at = row.Idx(stride, uint8(i))
		case 3:
			triple := k.GP64()
			k.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, triple)
			at = row.Idx(triple, 1)
		}
		a = append(a, k.Memory(fmt.Sprintf("a%d", i), at, window, canonical))
		b = append(b, k.Memory(fmt.Sprintf("b%d", i), bs.Offset(i*size), window, within(5)))
		twist := k.Memory(fmt.Sprintf("tw%d", i), tws.Offset(i*size), window, within(5))
		twist.Narrow(within(1))
		tw = append(tw, twist)
	}
	k.Constants()
	k.Modulus(q)
	swapper, reducer := k.PairSwapper(), k.PairReducer()
	end := k.GP64()
	k.LEAQ(row.Offset(size), end)
	loop := k.Name + "_loop"
	k.Label(loop)
	for i := 0; i < window; i += k.Words() {
		var even, odd interval.Vector
		for j := range rank {
			x := k.Fetch(a[j], i)
			y := k.SwapPairs(k.Fetch(b[j], i), swapper)
			if j == 0 {
				even, odd = k.MulAddPairs(x, k.At(tw[j], i)), k.MulAddPairs(x, y)
			} else {
				even, odd = k.AccumulatePairs(even, x, k.At(tw[j], i)), k.AccumulatePairs(odd, x, y)
			}
		}
		k.Store(k.MontgomeryReducePairs(even, odd, k.At(a[0], i), reducer), dst, i)
	}
	k.Output(dst, within(3))
	for _, p := range pointers {
		k.ADDQ(operand.U32(2*window), p.Base.(reg.Register))
	}
	k.CMPQ(row.Base.(reg.Register), end)
	k.JNE(operand.LabelRef(loop))
	k.End()
}

// addMontgomery multiplies p by R and adds e.
func (k product) addMontgomery() {
	p := k.Memory("p", k.Pointer("p"), n, within(3))
	e := k.Memory("e", k.Pointer("e"), n, within(5))
	k.Constants()
	k.Modulus(q)
	barrett := k.Barrett()
	words := make([]int16, k.Words())
	for i := range words {
		words[i] = montgomeryForm(r)
	}
	factor := k.Factor(words)
	k.each(func(i int) {
		sum := k.Add(k.MontgomeryMul(k.Fetch(p, i), factor), k.At(e, i))
		k.Store(k.Canonical(k.BarrettReduce(sum, barrett)), p, i)
	})
	k.Output(p, canonical)
	k.End()
}

// reduce brings any numbers into [0, q).
func (k product) reduce() {
	p := k.Memory("p", k.Pointer("p"), n, interval.Int16)
	k.Constants()
	k.Modulus(q)
	barrett := k.Barrett()
	k.each(func(i int) { k.Store(k.Canonical(k.BarrettReduce(k.Fetch(p, i), barrett)), p, i) })
	k.Output(p, canonical)
	k.End()
}

// sum adds or subtracts.
func (k product) sum(op func(k *interval.Kernel, a, b interval.Vector) interval.Vector) {
	p := k.Memory("p", k.Pointer("p"), n, interval.Int16)
	a := k.Memory("a", k.Pointer("a"), n, interval.Int16)
	k.each(func(i int) { k.Store(op(k.Kernel, k.Fetch(p, i), k.At(a, i)), p, i) })
	k.End()
}
