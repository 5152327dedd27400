package main

import (
	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

// The transforms pass over memory twice. One pass has the layers of length 16 and more: it
// takes rows, sixteen registers 16 coefficients apart. The other has those of length 8 and
// less: it takes blocks of four registers, 16 consecutive coefficients, and transposes them
// between length 4 and 2, so that layers join registers and never lanes of one.
//
// A multiplication by a factor takes three instructions: with the quotient t = ⌊a·z/q⌉,
// estimated by the upper half of a product, it is a·z − t·q (Neon NTT, Section 2.4). A row's
// factors are elements of registers, and those of short layers fill registers.

// A transform is an NTT under construction.
type transform struct{ *modular }

// A multiplier is where a factor stands: its number and its quotient, elements of registers or
// whole ones.
type multiplier struct{ z, quotient a64.Vec }

// pairs returns the multipliers of which registers hold two each.
func pairs(vs []a64.V) []multiplier {
	var ms []multiplier
	for _, v := range vs {
		ms = append(ms, multiplier{v.S(0), v.S(1)}, multiplier{v.S(2), v.S(3)})
	}
	return ms
}

// A butterfly joins two registers.
type butterfly struct {
	a, b a64.V
	m    multiplier
}

// product is the interval of a·z − ⌊a·z'/2^31⌉·q, for a number z and its quotient z' that is
// wrong by at most 1/2: so within q/2 + |a|·q/2^32.
func product(a interval.Interval) interval.Interval {
	return interval.Within(q/2 + magnitude(a)*q>>32 + 1)
}

// multiply sets products to those of factors, which are lost, and ms. Neither half of a
// product can saturate, as quotients are at most 2^30.
func (t *transform) multiply(products, factors []a64.V, ms []multiplier) {
	var holds []interval.Interval
	for _, f := range factors {
		holds = append(holds, product(t.Bound(f.S4())))
	}
	for i, f := range factors {
		t.VMUL(products[i].S4(), f.S4(), ms[i].z)
	}
	for i, f := range factors {
		t.VSQRDMULH(f.S4(), f.S4(), ms[i].quotient)
	}
	for i, f := range factors {
		t.VMLS(products[i].S4(), f.S4(), t.q.V.S(0))
		t.Assume(products[i].S4(), holds[i])
	}
}

// together is how many butterflies are woven into each other: it hides the latency of
// multiplications where instructions run in order.
const together = 4

// inGroups calls f for every few of bs and as many registers.
func (t *transform) inGroups(bs []butterfly, f func(bs []butterfly, xs []a64.V)) {
	for len(bs) > 0 {
		count := min(together, len(bs))
		xs := t.Vs(count)
		f(bs[:count], xs)
		t.Free(xs)
		bs = bs[count:]
	}
}

func unzip(bs []butterfly) (as, others []a64.V, ms []multiplier) {
	for _, b := range bs {
		as, others, ms = append(as, b.a), append(others, b.b), append(ms, b.m)
	}
	return as, others, ms
}

// forward sets (a, b) to (a + ζb, a − ζb) (FIPS 204, Algorithm 41).
func (t *transform) forward(bs []butterfly) {
	t.inGroups(bs, func(bs []butterfly, xs []a64.V) {
		_, others, ms := unzip(bs)
		t.multiply(xs, others, ms)
		for i, b := range bs {
			t.VSUB(b.b.S4(), b.a.S4(), xs[i].S4())
		}
		for i, b := range bs {
			t.VADD(b.a.S4(), b.a.S4(), xs[i].S4())
		}
	})
}

// makeRoom reduces the operands whose sum would not fit. x is lost.
func (t *transform) makeRoom(b butterfly, x a64.V) {
	for _, v := range []a64.V{b.a, b.b} {
		if !t.Bound(b.a.S4()).Add(t.Bound(b.b.S4())).In(interval.Int32) {
			t.reduce(v, x)
		}
	}
}

// inverse sets (a, b) to (a + b, ζ(a − b)) for the negative roots ζ (FIPS 204, Algorithm 42).
func (t *transform) inverse(bs []butterfly) {
	t.inGroups(bs, func(bs []butterfly, xs []a64.V) {
		_, others, ms := unzip(bs)
		for i, b := range bs {
			t.makeRoom(b, xs[i])
			t.VSUB(xs[i].S4(), b.a.S4(), b.b.S4())
		}
		for _, b := range bs {
			t.VADD(b.a.S4(), b.a.S4(), b.b.S4())
		}
		t.multiply(others, xs, ms)
	})
}

// rows returns butterflies of sixteen registers, length apart. ms are in order.
func rows(x []a64.V, length int, ms []multiplier) (bs []butterfly) {
	for i := range x {
		if i&length == 0 {
			bs = append(bs, butterfly{x[i], x[i+length], ms[i/(2*length)]})
		}
	}
	return bs
}

// transpose exchanges rows and columns of four registers.
func (t *transform) transpose(x []a64.V) {
	y := t.Vs(4)
	t.VTRN1(y[0].S4(), x[0].S4(), x[1].S4())
	t.VTRN2(y[1].S4(), x[0].S4(), x[1].S4())
	t.VTRN1(y[2].S4(), x[2].S4(), x[3].S4())
	t.VTRN2(y[3].S4(), x[2].S4(), x[3].S4())
	t.VTRN1(x[0].D2(), y[0].D2(), y[2].D2())
	t.VTRN1(x[1].D2(), y[1].D2(), y[3].D2())
	t.VTRN2(x[2].D2(), y[0].D2(), y[2].D2())
	t.VTRN2(x[3].D2(), y[1].D2(), y[3].D2())
	t.Free(y)
}

// union is the interval of any of x.
func (t *transform) union(x []a64.V) interval.Interval {
	all := t.Bound(x[0].S4())
	for _, v := range x {
		all = all.Union(t.Bound(v.S4()))
	}
	return all
}

// blocks is how many blocks the pass of short layers takes at a time.
const blocks = 2

// blockFactors lays the factors of a block out in eight registers: those of length 8 and 4 in
// two, as pairs, and those of length 2 and of the two halves of length 1, four numbers and
// four quotients each. factorOf has a layer's factors in order.
func blockFactors(block int, factorOf func(length, i int) factor) (words []int32) {
	eight, four, five := factorOf(8, block), factorOf(4, 2*block), factorOf(4, 2*block+1)
	for _, f := range []factor{eight, four, five, {}} {
		words = append(words, f.z, f.quotient)
	}
	full := func(length, first, step int) {
		var quotients []int32
		for i := range 4 {
			f := factorOf(length, first+step*i)
			words, quotients = append(words, f.z), append(quotients, f.quotient)
		}
		words = append(words, quotients...)
	}
	full(2, 4*block, 1)
	full(1, 8*block, 2)
	full(1, 8*block+1, 2)
	return words
}

// A blockOf is one block's registers.
type blockOf struct {
	x, factors []a64.V
}

func (b blockOf) eight() (bs []butterfly) {
	m := pairs(b.factors[:2])
	return []butterfly{{b.x[0], b.x[2], m[0]}, {b.x[1], b.x[3], m[0]}}
}

func (b blockOf) four() []butterfly {
	m := pairs(b.factors[:2])
	return []butterfly{{b.x[0], b.x[1], m[1]}, {b.x[2], b.x[3], m[2]}}
}

// full returns the multiplier of registers i and i+1.
func (b blockOf) full(i int) multiplier {
	return multiplier{b.factors[i].S4(), b.factors[i+1].S4()}
}

// two and one are of the transposed block: register i holds every fourth coefficient.
func (b blockOf) two() []butterfly {
	return []butterfly{{b.x[0], b.x[2], b.full(2)}, {b.x[1], b.x[3], b.full(2)}}
}

func (b blockOf) one() []butterfly {
	return []butterfly{{b.x[0], b.x[1], b.full(4)}, {b.x[2], b.x[3], b.full(6)}}
}

// loadFactors begins the blocks' factors.
func (t *transform) loadFactors(bs []blockOf, table a64.X) {
	for _, b := range bs {
		for i := 0; i < 8; i += 2 {
			t.LDP(b.factors[i], b.factors[i+1], table.Post(32))
		}
	}
}

func (t *transform) takeBlocks() (bs []blockOf) {
	for range blocks {
		bs = append(bs, blockOf{x: t.Table(4)})
	}
	for i := range bs {
		bs[i].factors = t.Vs(8)
	}
	return bs
}

func joined(bs []blockOf, layer func(b blockOf) []butterfly) (all []butterfly) {
	for _, b := range bs {
		all = append(all, layer(b)...)
	}
	return all
}

func vecs(vs []a64.V) []a64.Vec {
	var s []a64.Vec
	for _, v := range vs {
		s = append(s, v.S4())
	}
	return s
}

// ntt emits the NTT.
func (file *arithmetic) ntt(in, out interval.Interval) {
	factorOf := func(length, i int) factor { return newFactor(zetaOf(n/2/length + i)) }
	var long, short []int32
	for length := 128; length >= 16; length /= 2 {
		for i := range n / 2 / length {
			f := factorOf(length, i)
			long = append(long, f.z, f.quotient)
		}
	}
	long = append(long, 0, 0)
	for block := range n / 16 {
		short = append(short, blockFactors(block, factorOf)...)
	}
	longTable, shortTable := a64.Constants(file.File, "roots", long), a64.Constants(file.File, "blockRoots", short)

	t := transform{file.modular("nttNEON", "func(p *[256]int32)")}
	p, row := t.X(), t.X()
	t.Arg(p, "p")
	factors := t.Vs(8)
	loadTable(t.Func, longTable, factors)
	t.MOV(row, p)
	x := t.Vs(16)
	var between interval.Interval
	t.Comment("Layers of length 128 to 16.")
	t.Loop(4, func() {
		for i, v := range x {
			t.LDR(v, row.At(64*i))
			t.Assume(v.S4(), in)
		}
		ms := pairs(factors)
		for length := 8; length >= 1; length /= 2 {
			t.forward(rows(x, length, ms))
			ms = ms[8/length:]
		}
		between = t.union(x)
		for i, v := range x[1:] {
			t.STR(v, row.At(64*(i+1)))
		}
		t.STR(x[0], row.Post(16))
	})
	t.Free(x, factors, row)

	table := t.X()
	t.Addr(table, shortTable)
	bs := t.takeBlocks()
	t.Comment("Layers of length 8 to 1.")
	t.Loop(n/16/blocks, func() {
		t.loadFactors(bs, table)
		for i, b := range bs {
			t.LDP(b.x[0], b.x[1], p.At(64*i))
			t.LDP(b.x[2], b.x[3], p.At(64*i+32))
			for _, v := range b.x {
				t.Assume(v.S4(), between)
			}
		}
		t.forward(joined(bs, blockOf.eight))
		t.forward(joined(bs, blockOf.four))
		for _, b := range bs {
			t.transpose(b.x)
		}
		t.forward(joined(bs, blockOf.two))
		t.forward(joined(bs, blockOf.one))
		for _, b := range bs {
			t.RequireAll(b.x, out)
			t.ST4(p.Post(64), vecs(b.x)...)
		}
	})
	t.RET()
}

// inverseNTT emits the inverse NTT times R/256: the factors of the last layer have it in them.
func (file *arithmetic) inverseNTT(in, out interval.Interval) {
	root := func(length, i int) int { return q - zetaOf(n/length-1-i) }
	factorOf := func(length, i int) factor { return newFactor(root(length, i)) }
	const undo = r * 8347681 % q // 8347681 = 256⁻¹ mod q
	var long, short []int32
	for length := 16; length <= 64; length *= 2 {
		for i := range n / 2 / length {
			f := factorOf(length, i)
			long = append(long, f.z, f.quotient)
		}
	}
	for _, f := range []factor{newFactor(undo), newFactor(undo * root(128, 0) % q)} {
		long = append(long, f.z, f.quotient)
	}
	for block := range n / 16 {
		short = append(short, blockFactors(block, factorOf)...)
	}
	longTable := a64.Constants(file.File, "inverseRoots", long)
	shortTable := a64.Constants(file.File, "inverseBlockRoots", short)

	t := transform{file.modular("inverseNTTNEON", "func(p *[256]int32)")}
	t.by2To8 = t.broadcast(1 << 8)
	p, block, table := t.X(), t.X(), t.X()
	t.Arg(p, "p")
	t.Addr(table, shortTable)
	t.MOV(block, p)
	bs := t.takeBlocks()
	var between interval.Interval
	t.Comment("Layers of length 1 to 8.")
	t.Loop(n/16/blocks, func() {
		t.loadFactors(bs, table)
		from := t.X()
		t.MOV(from, block)
		for _, b := range bs {
			t.LD4(from.Post(64), vecs(b.x)...)
			for _, v := range b.x {
				t.Assume(v.S4(), in)
			}
		}
		t.Free(from)
		t.inverse(joined(bs, blockOf.one))
		t.inverse(joined(bs, blockOf.two))
		for _, b := range bs {
			t.transpose(b.x)
		}
		t.inverse(joined(bs, blockOf.four))
		t.inverse(joined(bs, blockOf.eight))
		for _, b := range bs {
			between = between.Union(t.union(b.x))
			t.STP(b.x[0], b.x[1], block.At(0))
			t.STP(b.x[2], b.x[3], block.At(32))
			t.ADD(block, block, 64)
		}
	})
	for _, b := range bs {
		t.Free(b.x, b.factors)
	}
	t.Free(block, table)

	factors := t.Vs(8)
	loadTable(t.Func, longTable, factors)
	x := t.Vs(16)
	t.Comment("Layers of length 16 to 128.")
	t.Loop(4, func() {
		for i, v := range x {
			t.LDR(v, p.At(64*i))
			t.Assume(v.S4(), between)
		}
		ms := pairs(factors)
		for length := 1; length <= 4; length *= 2 {
			t.inverse(rows(x, length, ms))
			ms = ms[8/length:]
		}
		t.last(rows(x, 8, ms[:1]), ms)
		t.RequireAll(x, out)
		for i, v := range x[1:] {
			t.STR(v, p.At(64*(i+1)))
		}
		t.STR(x[0], p.Post(16))
	})
	t.RET()
}

// last is the last layer, which multiplies sums too, and returns least residues.
func (t *transform) last(bs []butterfly, ms []multiplier) {
	t.inGroups(bs, func(bs []butterfly, xs []a64.V) {
		as, others, _ := unzip(bs)
		for i, b := range bs {
			t.makeRoom(b, xs[i])
			t.VSUB(xs[i].S4(), b.a.S4(), b.b.S4())
			t.VADD(b.a.S4(), b.a.S4(), b.b.S4())
		}
		same := func(m multiplier) []multiplier { return []multiplier{m, m, m, m}[:len(bs)] }
		t.multiply(others, xs, same(ms[1]))
		for i, v := range others {
			t.leastResidue(v, v, xs[i])
		}
		t.multiply(xs, as, same(ms[0]))
		for i, v := range as {
			t.leastResidue(v, xs[i], v)
		}
	})
}
