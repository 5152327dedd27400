package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// mulAdd adds the inverse NTT of a sum of products to a polynomial. It is [product.dot] and
// [inverseNTTAVX512] in one: sixteen accumulators are the polynomial, or each half of it in
// turn, and their reduction leaves it in the registers where the inverse begins.
func (t transform) mulAdd() {
	const (
		maxRank = 4
		size    = 2 * n // bytes of a polynomial
		part    = 8     // registers that the accumulators leave
	)
	dst := t.Memory("dst", t.Pointer("dst"), n, interval.Int16)
	e := t.Memory("e", t.Pointer("e"), n, within(1))
	bs, tws := t.Pointer("b"), t.Pointer("tw")
	stride, rank := t.Load(t.Param("stride"), t.GP64()), t.Load(t.Param("rank"), t.GP64())
	t.Constants()
	t.Modulus(q)
	t.barrett = t.Barrett()
	swapper, reducer := t.PairSwapper(), t.PairReducer()

	var z []interval.Vector
	for first := 0; first < n; first += part * t.Words() {
		row := t.Pointer("a")
		sums := fmt.Sprintf("sums%d", first)
		var even, odd [part]interval.Vector
		for i := range maxRank {
			if i >= 2 {
				// The intervals of all products hold for fewer, since each may be zero.
				t.CMPQ(rank, operand.U8(uint8(i)))
				t.JEQ(operand.LabelRef(sums))
			}
			if i > 0 {
				t.ADDQ(stride, row.Base.(reg.Register))
			}
			a := t.Memory("a", row, n, canonical)
			b := t.Memory("b", bs.Offset(i*size), n, within(5))
			tw := t.Memory("tw", tws.Offset(i*size), n, within(5))
			tw.Narrow(within(1))
			for j := range even {
				at := first + t.Words()*j
				x := t.Fetch(a, at)
				y := t.SwapPairs(t.Fetch(b, at), swapper)
				if i == 0 {
					even[j], odd[j] = t.MulAddPairs(x, t.At(tw, at)), t.MulAddPairs(x, y)
				} else {
					even[j], odd[j] = t.AccumulatePairs(even[j], x, t.At(tw, at)), t.AccumulatePairs(odd[j], x, y)
				}
			}
		}
		t.Label(sums)
		for j := range even {
			z = append(z, t.MontgomeryReducePairs(even[j], odd[j], t.At(dst, first+t.Words()*j), reducer))
		}
	}
	inverseNTTAVX512(t, z)
	for j := range z {
		t.Store(t.Add(z[j], t.At(e, t.Words()*j)), dst, t.Words()*j)
	}
	t.Output(dst, within(2))
	t.End()
}
