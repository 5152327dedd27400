package main

import (
	"github.com/pqlane/pqlane/internal/asm/a64"
)

// The NTT has seven layers of butterflies, which join coefficients at a distance of 128, 64,
// …, 2 (its length), and makes two passes over memory. The layers of length 128, 64 and 32
// take sixteen registers at a time, of which each has eight coefficients in a row. Those of
// length 16 to 2 take blocks of 32 coefficients: four registers, rows of a 4×4 matrix of
// pairs of coefficients, of which length 16 and 8 join rows and, once it is transposed,
// length 4 and 2. The structure stores and loads ST4 and LD4 transpose for nothing.
//
// A product by a constant z takes three instructions (H. Becker, V. Hwang, M. Kannwischer,
// B.-Y. Yang, S.-Y. Yang, «Neon NTT», ePrint 2021/986): z·x less q·⌊x·⌊z·2^15/q⌉/2^15⌉,
// both modulo 2^16, is the representative of zx that its interval shows.

// begin starts a kernel on p, whose constants lie in memory in the order of their use.
func begin(file *a64.File, name, signature string) (*kernel, a64.X) {
	k, x := start(file, name, signature, "p")
	k.constant = k.X()
	k.Addr(k.constant, a64.Symbol(name+"Constants"))
	return k, x[0]
}

// outer loads the factors of lengths 128, 64 and 32, numbered as zeta numbers them.
func (k *kernel) outer(zeta func(i int) int) func(i int) factor {
	zs, quotients := k.LowV(), k.LowV()
	words := make([]int, 16)
	for i := 1; i < 8; i++ {
		z := centered(zeta(i))
		words[i], words[8+i] = z, quotientOf(z)
	}
	words[0], words[8] = q, ten
	k.constants(zs, quotients, words...)
	k.q, k.ten = zs.H(0), quotients.H(0)
	return func(i int) factor { return element(zs.H(i), quotients.H(i), zeta(i)) }
}

// strided loads sixteen vectors, two in a row every 32 coefficients.
func (k *kernel) strided(x a64.X, p *polynomial, first int) []*vector {
	var vs []*vector
	for c := first; c < n; c += 32 {
		a, b := &vector{V: k.V()}, &vector{V: k.V()}
		k.LDP(a.V, b.V, x.At(2*c))
		a.load(p, c)
		b.load(p, c+8)
		vs = append(vs, a, b)
	}
	return vs
}

// outerLayer returns the butterflies of length 32·distance among strided vectors.
func outerLayer(vs []*vector, distance int, by func(i int) factor) (layer []butterfly) {
	for i := 0; i < 8; i++ {
		if i&distance == 0 {
			f := by(i / (2 * distance))
			for half := range 2 {
				layer = append(layer, butterfly{vs[2*i+half], vs[2*(i+distance)+half], f})
			}
		}
	}
	return layer
}

// elements loads the factors of lengths 16 and 8 for two blocks.
func (k *kernel) elements(zs [2][3]int) (fs [2][3]factor) {
	es := [2]a64.V{k.LowV(), k.LowV()}
	words := make([]int, 16)
	for i := range zs {
		for j, z := range zs[i] {
			z = centered(z)
			words[8*i+2*j], words[8*i+2*j+1] = z, quotientOf(z)
			fs[i][j] = element(es[i].H(2*j), es[i].H(2*j+1), z)
		}
	}
	k.constants(es[0], es[1], words...)
	return fs
}

// pairFactor loads a factor whose lanes are those of a and have the ζ of their butterfly.
func (k *kernel) pairFactor(length int, a *vector, zeta func(i int) int) factor {
	var zs [8]int
	for i, l := range a.lanes {
		zs[i] = zeta(l.coeff / (2 * length))
	}
	return k.factor(zs)
}

// innerLayers are the butterflies of length 4 or 2 of blocks that are transposed.
func (k *kernel) innerLayer(blocks [][]*vector, length int, zeta func(i int) int) (layer []butterfly) {
	for _, b := range blocks {
		if length == 4 {
			f := k.pairFactor(4, b[0], zeta)
			layer = append(layer, butterfly{b[0], b[2], f}, butterfly{b[1], b[3], f})
		} else {
			layer = append(layer, butterfly{b[0], b[1], k.pairFactor(2, b[0], zeta)},
				butterfly{b[2], b[3], k.pairFactor(2, b[2], zeta)})
		}
	}
	return layer
}

func (k *kernel) freeFactors(layer []butterfly) {
	freed := map[a64.V]bool{}
	for _, f := range layer {
		for _, v := range []a64.V{f.by.z.V, f.by.quotient.V} {
			if !freed[v] {
				freed[v] = true
				k.Free(v)
			}
		}
	}
}

// ntt replaces p with its NTT. With twist, tw becomes the twist of that.
func ntt(file *a64.File, twist bool) {
	name, signature := "nttNEON", "func(p *[256]int16)"
	if twist {
		name, signature = "nttTwistNEON", "func(p, tw *[256]int16)"
	}
	k, x := begin(file, name, signature)
	var tw a64.X
	var even a64.V
	if twist {
		even = k.V()
		k.VMOVI(even.D2(), 0x0000ffff0000ffff, 0)
		tw = k.X()
		k.Arg(tw, "tw")
	}
	p := filled(within(1))

	k.Comment("Layers of length 128, 64, 32.")
	by := k.outer(zetaOf)
	for first := 0; first < 32; first += 16 {
		vs := k.strided(x, p, first)
		for _, distance := range []int{4, 2, 1} {
			k.forward(32*distance, outerLayer(vs, distance, func(i int) factor { return by(4/distance + i) }))
		}
		for i := 0; i < len(vs); i += 2 {
			c := first + 16*i
			k.STP(vs[i].V, vs[i+1].V, x.At(2*c))
			vs[i].store(p, c)
			vs[i+1].store(p, c+8)
			k.Free(vs[i].V, vs[i+1].V)
		}
	}
	out := k.X()
	k.MOV(out, x)
	twisted := new(polynomial)
	for block := 0; block < 8; block += 2 {
		k.Comment("Layers of length 16, 8, 4, 2 of coefficients %d to %d.", 32*block, 32*block+63)
		var blocks [][]*vector
		var zs [2][3]int
		for i := range 2 {
			zs[i] = [3]int{zetaOf(8 + block + i), zetaOf(16 + 2*(block+i)), zetaOf(17 + 2*(block+i))}
			b := make([]*vector, 4)
			for j := 0; j < 4; j += 2 {
				c := 32*(block+i) + 8*j
				b[j], b[j+1] = &vector{V: k.V()}, &vector{V: k.V()}
				k.LDP(b[j].V, b[j+1].V, x.At(2*c))
				b[j].load(p, c)
				b[j+1].load(p, c+8)
			}
			blocks = append(blocks, b)
		}
		es := k.elements(zs)
		var layer16, layer8 []butterfly
		for i, b := range blocks {
			layer16 = append(layer16, butterfly{b[0], b[2], es[i][0]}, butterfly{b[1], b[3], es[i][0]})
			layer8 = append(layer8, butterfly{b[0], b[1], es[i][1]}, butterfly{b[2], b[3], es[i][2]})
		}
		k.forward(16, layer16)
		k.forward(8, layer8)
		k.Free(es[0][0].z.V, es[1][0].z.V)
		for _, b := range blocks {
			k.transpose(b, k.Table(4))
		}
		for _, length := range []int{4, 2} {
			layer := k.innerLayer(blocks, length, func(i int) int { return zetaOf(128/length + i) })
			if length == 2 {
				k.keep(within(5), layer)
			}
			k.forward(length, layer)
			k.freeFactors(layer)
		}
		for i, b := range blocks {
			k.ST4(out.Post(64), b[0].S4(), b[1].S4(), b[2].S4(), b[3].S4())
			storeDwords(b, p, 32*(block+i))
			registers := []a64.V{b[0].V, b[1].V, b[2].V, b[3].V}
			if twist {
				to := k.Table(4)
				for j := 0; j < 4; j += 2 {
					k.twist(b[j], b[j+1], to[j], to[j+1], even)
				}
				k.ST4(tw.Post(64), b[0].S4(), b[1].S4(), b[2].S4(), b[3].S4())
				storeDwords(b, twisted, 32*(block+i))
				k.Free(to)
			}
			k.Free(registers)
		}
	}
	k.promise(p, within(5))
	if twist {
		for c, i := range twisted {
			if c%2 == 0 && i != p[c] || c%2 == 1 && !i.in(within(1)) {
				k.refuse("entry %d of the twist is in %v", c, i)
			}
		}
	}
	k.finish(file)
}

// twist multiplies the odd entries of a and b, which one register holds, by their γ, and
// leaves the twists of a and b in the registers toA and toB. even has the bits of even entries.
func (k *kernel) twist(a, b *vector, toA, toB, even a64.V) {
	odd := &vector{V: k.V()}
	var gammas [8]int
	for i := range odd.lanes {
		odd.lanes[i] = [2]*vector{a, b}[i%2].lanes[i|1]
		gammas[i] = gammaOf(odd.lanes[i].coeff / 2)
	}
	k.VTRN2(odd.H8(), a.H8(), b.H8())
	gamma := k.factor(gammas)
	k.multiply([]*vector{odd}, []factor{gamma}, []a64.V{toB})
	k.VTRN1(toA.H8(), a.H8(), toB.H8())
	k.VBIT(toB.B16(), b.B16(), even.B16())
	for i := 1; i < 8; i += 2 {
		a.lanes[i].interval, b.lanes[i].interval = odd.lanes[i-1].interval, odd.lanes[i].interval
	}
	a.V, b.V = toA, toB
	k.Free(gamma.z.V, gamma.quotient.V)
}

// inverseNTT replaces p with R times its inverse NTT; with add, e is added to that. Sums
// double with each layer: they are reduced after the first, because the input is up to 3q,
// and after the fourth, and one in the last pass.
func inverseNTT(file *a64.File, add bool) {
	name, signature := "inverseNTTNEON", "func(p *[256]int16)"
	if add {
		name, signature = "inverseNTTAddNEON", "func(p, e *[256]int16)"
	}
	k, x := begin(file, name, signature)
	p := filled(within(3))
	var e a64.X
	if add {
		e = k.X()
		k.Arg(e, "e")
	}
	inverseZeta := func(length int) func(start int) int {
		return func(start int) int { return zetaOf(2*(128/length) - 1 - start) }
	}

	// The factor of length 128 is number 1, those of length 64 2 and 3, and of 32 4 to 7.
	by := k.outer(func(i int) int {
		switch {
		case i >= 4:
			return inverseZeta(32)(i - 4)
		case i >= 2:
			return inverseZeta(64)(i - 2)
		}
		return inverseZeta(128)(0) * undo
	})
	in := k.X()
	k.MOV(in, x)
	for block := 0; block < 8; block += 2 {
		k.Comment("Layers of length 2, 4, 8, 16 of coefficients %d to %d.", 32*block, 32*block+63)
		var blocks [][]*vector
		for i := range 2 {
			vs := k.Table(4)
			k.LD4(in.Post(64), vs[0].S4(), vs[1].S4(), vs[2].S4(), vs[3].S4())
			b := []*vector{{V: vs[0]}, {V: vs[1]}, {V: vs[2]}, {V: vs[3]}}
			loadDwords(b, p, 32*(block+i))
			blocks = append(blocks, b)
		}
		for _, length := range []int{2, 4} {
			layer := k.innerLayer(blocks, length, inverseZeta(length))
			k.inverse(length, 1, layer)
			k.freeFactors(layer)
			if length == 2 {
				k.reduce(blocks[0][0], blocks[0][2], blocks[1][0], blocks[1][2])
			}
		}
		var zs [2][3]int
		for i, b := range blocks {
			k.transpose(b, k.Vs(4))
			zs[i] = [3]int{inverseZeta(16)(block + i), inverseZeta(8)(2 * (block + i)), inverseZeta(8)(2*(block+i) + 1)}
		}
		es := k.elements(zs)
		var layer16, layer8 []butterfly
		for i, b := range blocks {
			layer8 = append(layer8, butterfly{b[0], b[1], es[i][1]}, butterfly{b[2], b[3], es[i][2]})
			layer16 = append(layer16, butterfly{b[0], b[2], es[i][0]}, butterfly{b[1], b[3], es[i][0]})
		}
		k.inverse(8, 1, layer8)
		k.inverse(16, 1, layer16)
		k.reduce(blocks[0][0], blocks[1][0])
		k.Free(es[0][0].z.V, es[1][0].z.V)
		for i, b := range blocks {
			for j := 0; j < 4; j += 2 {
				c := 32*(block+i) + 8*j
				k.STP(b[j].V, b[j+1].V, x.At(2*c))
				b[j].store(p, c)
				b[j+1].store(p, c+8)
				k.Free(b[j].V, b[j+1].V)
			}
		}
	}

	k.Comment("Layers of length 32, 64, 128.")
	scales := k.LowV()
	spare := k.V()
	k.constants(scales, spare, centered(undo), quotientOf(centered(undo)))
	k.Free(spare)
	scale := element(scales.H(0), scales.H(1), undo)
	for first := 0; first < 32; first += 16 {
		vs := k.strided(x, p, first)
		for _, distance := range []int{1, 2, 4} {
			layer := outerLayer(vs, distance, func(i int) factor { return by(4/distance + i) })
			k.fit(layer)
			s := 1
			if distance == 4 {
				s = undo
			}
			k.inverse(32*distance, s, layer)
		}
		for i := 0; i < 8; i += 4 {
			k.multiply(vs[i:i+4], []factor{scale, scale, scale, scale}, nil)
		}
		for i := 0; i < len(vs); i += 2 {
			c := first + 16*i
			vs[i].store(p, c)
			vs[i+1].store(p, c+8)
			if add {
				es := k.Vs(2)
				k.LDP(es[0], es[1], e.At(2*c))
				k.VADD(vs[i].H8(), vs[i].H8(), es[0].H8())
				k.VADD(vs[i+1].H8(), vs[i+1].H8(), es[1].H8())
				k.Free(es)
			}
			k.STP(vs[i].V, vs[i+1].V, x.At(2*c))
			k.Free(vs[i].V, vs[i+1].V)
		}
	}
	// The sum with e is then within 2q.
	k.promise(p, within(1))
	k.finish(file)
}

// keep reduces the sums that would leave the interval after the layer to come.
func (k *kernel) keep(out interval, layer []butterfly) {
	for _, f := range layer {
		for i, l := range f.a.lanes {
			zb := f.b.lanes[i].multiplied(f.by.zs[i])
			if !l.plus(zb).in(out) || !l.minus(zb).in(out) {
				k.reduce(f.a)
				break
			}
		}
	}
}

// ntts returns the file of the transforms.
func ntts() []byte {
	file := a64.NewFile(generator, "kemring")
	ntt(file, false)
	ntt(file, true)
	inverseNTT(file, false)
	inverseNTT(file, true)
	return file.Bytes()
}
