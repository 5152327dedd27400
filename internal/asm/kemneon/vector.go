package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// A lane is a coefficient and the interval of what it may hold.
type lane struct {
	coeff int
	interval
}

// A vector is a register of eight lanes.
type vector struct {
	a64.V
	lanes [8]lane
}

// A polynomial is what memory holds.
type polynomial [n]interval

func filled(i interval) *polynomial {
	p := new(polynomial)
	for c := range p {
		p[c] = i
	}
	return p
}

// A factor multiplies a vector: z and the quotient of z are two registers, or an element of
// two. zs is z of each lane.
type factor struct {
	z, quotient a64.Vec
	zs          [8]int
}

// A kernel is a function under construction. It computes the interval of every lane and
// refuses sums that do not fit.
type kernel struct {
	*a64.Func
	name     string
	q, ten   a64.Vec // elements
	constant a64.X   // address of the table
	table    *table
	next     int // bytes of the table that have been loaded
	base     int // where in the table constant points
}

// start begins a function and loads the arguments named, of 64 bits each.
func start(file *a64.File, name, signature string, arguments ...string) (*kernel, []a64.X) {
	k := &kernel{Func: file.Func(name, signature), name: name, table: new(table)}
	var xs []a64.X
	for _, a := range arguments {
		x := k.X()
		k.Arg(x, a)
		xs = append(xs, x)
	}
	return k, xs
}

// finish ends it and defines the constants that it has collected.
func (k *kernel) finish(file *a64.File) {
	k.RET()
	if len(k.table.words) > 0 {
		a64.Constants(file, k.name+"Constants", k.table.words)
	}
}

// A table is a constant that grows while a kernel is written.
type table struct {
	words []int16
}

// add appends words, a multiple of eight of them.
func (t *table) add(words ...int) {
	for _, w := range words {
		if w != int(int16(w)) {
			panic(fmt.Sprintf("constant %d", w))
		}
		t.words = append(t.words, int16(w))
	}
	for len(t.words)%8 != 0 {
		t.words = append(t.words, 0)
	}
}

func (k *kernel) refuse(format string, args ...any) {
	panic(fmt.Sprintf("%s: %s", k.name, fmt.Sprintf(format, args...)))
}

// constants loads two vectors of constants.
func (k *kernel) constants(a, b a64.V, words ...int) {
	if len(k.table.words)*2 != k.next || len(words) > 16 {
		k.refuse("%d constants", len(words))
	}
	k.table.add(words...)
	for len(k.table.words)*2 < k.next+32 {
		k.table.add(make([]int, 8)...)
	}
	if k.next-k.base > 1008 {
		k.ADD(k.constant, k.constant, k.next-k.base)
		k.base = k.next
	}
	k.LDP(a, b, k.constant.At(k.next-k.base))
	k.next += 32
}

// factor loads a factor of its own for each lane of v.
func (k *kernel) factor(zs [8]int) factor {
	z, quotient := k.V(), k.V()
	words := make([]int, 16)
	for i, x := range zs {
		zs[i] = centered(x)
		words[i], words[8+i] = zs[i], quotientOf(zs[i])
	}
	k.constants(z, quotient, words...)
	return factor{z.H8(), quotient.H8(), zs}
}

// element is a factor that is the same in every lane.
func element(z, quotient a64.Vec, x int) factor {
	f := factor{z: z, quotient: quotient}
	for i := range f.zs {
		f.zs[i] = centered(x)
	}
	return f
}

// load sets v to the coefficients from first on.
func (v *vector) load(p *polynomial, first int) {
	for i := range v.lanes {
		v.lanes[i] = lane{first + i, p[first+i]}
	}
}

// store is the reverse.
func (v *vector) store(p *polynomial, first int) {
	for i, l := range v.lanes {
		if l.coeff != first+i {
			panic(fmt.Sprintf("coefficient %d in place of %d", l.coeff, first+i))
		}
		p[first+i] = l.interval
	}
}

// loadDwords sets the four vectors as LD4 of pairs of coefficients does.
func loadDwords(vs []*vector, p *polynomial, first int) {
	for r, v := range vs {
		for i := range v.lanes {
			c := first + 2*r + 8*(i/2) + i%2
			v.lanes[i] = lane{c, p[c]}
		}
	}
}

// storeDwords is the reverse, ST4.
func storeDwords(vs []*vector, p *polynomial, first int) {
	for r, v := range vs {
		for i, l := range v.lanes {
			if c := first + 2*r + 8*(i/2) + i%2; l.coeff != c {
				panic(fmt.Sprintf("coefficient %d in place of %d", l.coeff, c))
			}
			p[l.coeff] = l.interval
		}
	}
}

// transpose is the transposition of a 4×4 matrix of pairs of coefficients, whose rows are vs.
// The results are in the registers to.
func (k *kernel) transpose(vs []*vector, to []a64.V) {
	t := k.Vs(4)
	a, b, c, d := vs[0], vs[1], vs[2], vs[3]
	k.VTRN1(t[0].S4(), a.S4(), b.S4())
	k.VTRN2(t[1].S4(), a.S4(), b.S4())
	k.VTRN1(t[2].S4(), c.S4(), d.S4())
	k.VTRN2(t[3].S4(), c.S4(), d.S4())
	var lanes [4][8]lane
	for row := range 4 {
		for i := range 8 {
			lanes[row][i] = vs[i/2].lanes[2*row+i%2]
		}
	}
	for i, v := range vs {
		k.Free(v.V)
		v.V, v.lanes = to[i], lanes[i]
	}
	k.VTRN1(a.D2(), t[0].D2(), t[2].D2())
	k.VTRN1(b.D2(), t[1].D2(), t[3].D2())
	k.VTRN2(c.D2(), t[0].D2(), t[2].D2())
	k.VTRN2(d.D2(), t[1].D2(), t[3].D2())
	k.Free(t)
}

// sum and difference are checked.
func (k *kernel) sum(a, b [8]lane) [8]lane {
	for i := range a {
		if a[i].interval = a[i].plus(b[i].interval); !a[i].in(int16s) {
			k.refuse("a sum is in %v", a[i].interval)
		}
	}
	return a
}

func (k *kernel) difference(a, b [8]lane) [8]lane {
	for i := range a {
		if a[i].interval = a[i].minus(b[i].interval); !a[i].in(int16s) {
			k.refuse("a difference is in %v", a[i].interval)
		}
	}
	return a
}

func (k *kernel) product(a [8]lane, f factor) [8]lane {
	for i := range a {
		if a[i].interval = a[i].multiplied(f.zs[i]); !a[i].in(int16s) {
			k.refuse("a product is in %v", a[i].interval)
		}
	}
	return a
}

// reduce brings every lane below 0.66q.
func (k *kernel) reduce(vs ...*vector) {
	t := k.Vs(len(vs))
	for i, v := range vs {
		k.VSQRDMULH(t[i].H8(), v.H8(), k.ten)
	}
	for i, v := range vs {
		k.VMLS(v.H8(), t[i].H8(), k.q)
		for j, l := range v.lanes {
			v.lanes[j].interval = l.reduced()
		}
	}
	k.Free(t)
}

// multiply multiplies each vector by its factor, from its register into another if to is given.
func (k *kernel) multiply(vs []*vector, fs []factor, to []a64.V) {
	t := k.Vs(len(vs))
	for i, v := range vs {
		k.VSQRDMULH(t[i].H8(), v.H8(), fs[i].quotient)
	}
	for i, v := range vs {
		d := v.V
		if to != nil {
			d = to[i]
			k.Free(v.V)
		}
		k.VMUL(d.H8(), v.H8(), fs[i].z)
		v.V, v.lanes = d, k.product(v.lanes, fs[i])
	}
	for i, v := range vs {
		k.VMLS(v.H8(), t[i].H8(), k.q)
	}
	k.Free(t)
}

// A butterfly joins the lanes of two vectors, which are length apart.
type butterfly struct {
	a, b *vector
	by   factor
}

// check refuses a layer in which lanes do not belong together, or with another's ζ: zeta
// returns that of FIPS 203's loop over start.
func (k *kernel) check(length int, layer []butterfly, zeta func(start int) int) {
	for _, f := range layer {
		for i := range f.a.lanes {
			a, b := f.a.lanes[i].coeff, f.b.lanes[i].coeff
			if a&length != 0 || b != a+length || f.by.zs[i] != centered(zeta(a/(2*length))) {
				k.refuse("butterfly of length %d on coefficients %d and %d", length, a, b)
			}
		}
	}
}

// atOnce is how many butterflies are interleaved, so that each waits for none.
const atOnce = 4

// forward is a layer of FIPS 203, Algorithm 9: (a, b) becomes (a + ζb, a − ζb).
func (k *kernel) forward(length int, layer []butterfly) {
	k.check(length, layer, func(start int) int { return zetaOf(128/length + start) })
	for len(layer) > 0 {
		now := layer[:min(atOnce, len(layer))]
		layer = layer[len(now):]
		products, quotients := k.Vs(len(now)), k.Vs(len(now))
		for i, f := range now {
			k.VMUL(products[i].H8(), f.b.H8(), f.by.z)
		}
		for i, f := range now {
			k.VSQRDMULH(quotients[i].H8(), f.b.H8(), f.by.quotient)
		}
		for i := range now {
			k.VMLS(products[i].H8(), quotients[i].H8(), k.q)
		}
		for i, f := range now {
			k.VSUB(f.b.H8(), f.a.H8(), products[i].H8())
			k.VADD(f.a.H8(), f.a.H8(), products[i].H8())
			zb := k.product(f.b.lanes, f.by)
			difference := k.difference(f.a.lanes, zb)
			f.a.lanes = k.sum(f.a.lanes, zb)
			for j := range difference {
				difference[j].coeff = f.b.lanes[j].coeff
			}
			f.b.lanes = difference
		}
		k.Free(products, quotients)
	}
}

// inverse is a layer of FIPS 203, Algorithm 10: (a, b) becomes (a + b, ζ(b − a)), the second
// multiplied by scale too.
func (k *kernel) inverse(length, scale int, layer []butterfly) {
	k.check(length, layer, func(start int) int { return zetaOf(2*(128/length)-1-start) * scale })
	for len(layer) > 0 {
		now := layer[:min(atOnce, len(layer))]
		layer = layer[len(now):]
		differences := k.Vs(len(now))
		for i, f := range now {
			k.VSUB(differences[i].H8(), f.b.H8(), f.a.H8())
			k.VADD(f.a.H8(), f.a.H8(), f.b.H8())
			difference := k.difference(f.b.lanes, f.a.lanes)
			f.a.lanes = k.sum(f.a.lanes, f.b.lanes)
			f.b.lanes = k.product(difference, f.by)
		}
		for i, f := range now {
			k.VMUL(f.b.H8(), differences[i].H8(), f.by.z)
		}
		for i, f := range now {
			k.VSQRDMULH(differences[i].H8(), differences[i].H8(), f.by.quotient)
		}
		for i, f := range now {
			k.VMLS(f.b.H8(), differences[i].H8(), k.q)
		}
		k.Free(differences)
	}
}

// fit reduces what would overflow in the layer to come: one operand is enough.
func (k *kernel) fit(layer []butterfly) {
	for _, f := range layer {
		for i := range f.a.lanes {
			if !f.a.lanes[i].plus(f.b.lanes[i].interval).in(int16s) || !f.a.lanes[i].minus(f.b.lanes[i].interval).in(int16s) {
				k.reduce(f.a)
				break
			}
		}
	}
}

// promise refuses a result that is not within the contract.
func (k *kernel) promise(p *polynomial, out interval) {
	for c, i := range p {
		if !i.in(out) {
			k.refuse("coefficient %d is in %v, not %v", c, i, out)
		}
	}
}
