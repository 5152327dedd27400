package main

import (
	"fmt"
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// The NTT has seven layers of butterflies, which join coefficients at a distance of
// 128, 64, …, 2 (its length). At lengths of a register and more a butterfly joins the
// lanes of two registers. Below that, shuffles bring the coefficients that belong
// together to the same lane of two registers first; these always come from the same
// pair of registers, which one more shuffle puts back in standard order at the end.
// The smallest length is 2, so no shuffle has to split a dword.

// A transform is an NTT or inverse NTT under construction.
type transform struct {
	*interval.Kernel
	barrett interval.Barrett
	count   reg.Register // of polynomials, in kernels of several
}

// counted loads the number of polynomials of a kernel that has the parameter.
func (t *transform) counted() {
	if t.Width == interval.YMM {
		t.count = t.Load(t.Param("count"), t.GP64())
	}
}

// each emits body for every polynomial behind pointers, whose registers it moves along and
// back again; pass names the loop.
func (t transform) each(pass string, body func(), pointers ...*interval.Memory) {
	left := t.GP64()
	t.MOVQ(t.count, left)
	loop := t.Name + "_" + pass
	t.Label(loop)
	body()
	for _, m := range pointers {
		t.ADDQ(operand.U32(2*n), m.Mem.Base.(reg.Register))
	}
	t.DECQ(left)
	t.JNE(operand.LabelRef(loop))
	t.MOVQ(t.count, left)
	t.SHLQ(operand.U8(9), left)
	for _, m := range pointers {
		t.SUBQ(left, m.Mem.Base.(reg.Register))
	}
}

// butterflies returns, for each lane of a, the number of the butterfly of FIPS 203's
// loop over start. It refuses registers whose lanes are not at a distance of length.
func (t transform) butterflies(length int, a, b interval.Vector) []int {
	var starts []int
	for i, l := range a.Lanes {
		if l.Coeff&length != 0 || b.Lanes[i].Coeff != l.Coeff+length {
			panic(fmt.Sprintf("%s: butterfly of length %d on coefficients %d and %d",
				t.Name, length, l.Coeff, b.Lanes[i].Coeff))
		}
		starts = append(starts, l.Coeff/(2*length))
	}
	return starts
}

// forward is the body of FIPS 203, Algorithm 9: (a, b) becomes (a + ζb, a − ζb).
func (t transform) forward(length int, a, b *interval.Vector) {
	var zetas []int16
	for _, start := range t.butterflies(length, *a, *b) {
		zetas = append(zetas, montgomeryForm(zetaOf(128/length+start)))
	}
	zb := t.MontgomeryMul(*b, t.Factor(zetas))
	*a, *b = t.Add(*a, zb), t.Sub(*a, zb).As(*b)
}

// inverse is the body of FIPS 203, Algorithm 10: (a, b) becomes (a + b, ζ(b − a)), the
// second multiplied by scale too.
func (t transform) inverse(length int, a, b *interval.Vector, scale int) {
	var zetas []int16
	for _, start := range t.butterflies(length, *a, *b) {
		z := zetaOf(2*(128/length) - 1 - start)
		zetas = append(zetas, montgomeryForm(z*scale))
	}
	sum, difference := t.Add(*a, *b), t.Sub(*b, *a)
	*a, *b = sum, t.MontgomeryMul(difference, t.Factor(zetas))
}

// scale multiplies by s.
func (t transform) scale(a *interval.Vector, s int) {
	words := make([]int16, t.Words())
	for i := range words {
		words[i] = montgomeryForm(s)
	}
	*a = t.MontgomeryMul(*a, t.Factor(words))
}

func (t transform) reduce(a *interval.Vector) { *a = t.BarrettReduce(*a, t.barrett) }

// A stage is a layer within pairs of registers and the shuffle that goes before it.
type stage struct {
	length  int
	shuffle func(a, b interval.Vector) (interval.Vector, interval.Vector)
}

// ntt replaces p with its NTT. If tw is not nil, it is set to the twist of that.
func (t transform) ntt(p, tw *interval.Memory) {
	store := func(v interval.Vector, first int) { t.Store(v, p, first) }
	if tw != nil {
		odd := t.OddMask()
		store = func(v interval.Vector, first int) {
			t.Store(v, p, first)
			t.Store(t.twist(v, first, odd), tw, first)
		}
	}
	if t.Width == interval.YMM {
		nttAVX2(t, p, tw, store)
	} else {
		nttAVX512(t, p, store)
	}
	t.Output(p, within(5))
	if tw != nil {
		t.OutputPairs(tw, within(5), within(1))
	}
	t.End()
}

// twist multiplies the odd entries of v, which begins with entry first, by their γ. The even
// ones pass unchanged.
func (t transform) twist(v interval.Vector, first int, odd interval.OddMask) interval.Vector {
	gammas := make([]int16, t.Words())
	for j := 1; j < len(gammas); j += 2 {
		gammas[j] = montgomeryForm(gammaOf((first + j) / 2))
	}
	return t.BlendOdd(v, t.MontgomeryMul(v, t.Factor(gammas)), odd)
}

// undo is what the inverse NTT has to multiply by: 128⁻¹ for the seven layers, each of
// which doubles, and R for the R⁻¹ that Dot leaves.
const undo = 3303 * r % q

// fetch loads all of p.
func (t transform) fetch(p *interval.Memory) []interval.Vector {
	z := make([]interval.Vector, n/t.Words())
	for i := range z {
		z[i] = t.Fetch(p, t.Words()*i)
	}
	return z
}

// halves returns the first halves of a and b, and the second ones.
func (t transform) halves(a, b interval.Vector) (interval.Vector, interval.Vector) {
	if t.Width == interval.ZMM {
		return t.Blocks4(a, b, 0, 1, 0, 1), t.Blocks4(a, b, 2, 3, 2, 3)
	}
	return t.Blocks2(a, b, 0), t.Blocks2(a, b, 1)
}

// quarters returns the even quarters of a and b, and the odd ones.
func (t transform) quarters(a, b interval.Vector) (interval.Vector, interval.Vector) {
	return t.Blocks4(a, b, 0, 2, 0, 2), t.Blocks4(a, b, 1, 3, 1, 3)
}

// nttAVX512 holds the polynomial in registers, and gives them to store.
func nttAVX512(t transform, p *interval.Memory, store func(v interval.Vector, first int)) {
	t.Comment("Layers between registers.")
	z := t.fetch(p)
	for distance := len(z) / 2; distance > 0; distance /= 2 {
		for i := range z {
			if i&distance == 0 {
				t.forward(t.Words()*distance, &z[i], &z[i+distance])
			}
		}
	}
	stages := []stage{{t.Words() / 2, t.halves}, {8, t.quarters}, {4, t.UnpackQuads}, {2, t.SplitDwords}}
	if t.Width == interval.YMMVL {
		stages = slices.Delete(stages, 1, 2)
	}
	for _, s := range stages {
		t.Comment(fmt.Sprintf("Layer of length %d: within pairs of registers.", s.length))
		for i := 0; i < len(z); i += 2 {
			a, b := &z[i], &z[i+1]
			*a, *b = s.shuffle(*a, *b)
			t.forward(s.length, a, b)
		}
	}
	t.Comment("Back to standard order.")
	for i := 0; i < len(z); i += 2 {
		for half := range 2 {
			first := t.Words() * (i + half)
			store(t.Arrange(z[i], z[i+1], func(j int) int { return first + 2*j }), first)
		}
	}
}

// inverseNTTAVX512 runs the same way backwards. Sums double with each layer: they are
// reduced after the first, because the input is up to 3q, and after the third. The
// last layer leaves sums to scale, and so to reduce. z holds the polynomial in standard
// order, before and after.
func inverseNTTAVX512(t transform, z []interval.Vector) {
	t.Comment("Layer of length 2: within pairs of registers.")
	// Blocks of eight coefficients, in the order that the shuffles below turn into the
	// standard one; those of an even number alternate with their successors.
	blocks := []int{0, 4, 2, 6}
	stages := []stage{{4, t.UnpackDwords}, {8, t.UnpackQuads}, {16, t.halves}}
	last := t.quarters
	if t.Width == interval.YMMVL {
		blocks, stages, last = []int{0, 2}, stages[:2], t.halves
	}
	for i := 0; i < len(z); i += 2 {
		a, b := z[i], z[i+1]
		even := func(j int) int { return t.Words()*i + 8*(blocks[j/4]+j%2) + j%4/2*4 }
		z[i] = t.Arrange(a, b, even)
		z[i+1] = t.Arrange(a, b, func(j int) int { return even(j) + 2 })
	}
	for i := 0; i < len(z); i += 2 {
		t.inverse(2, &z[i], &z[i+1], 1)
		t.reduce(&z[i])
	}
	for _, s := range stages {
		t.Comment(fmt.Sprintf("Layer of length %d: within pairs of registers.", s.length))
		for i := 0; i < len(z); i += 2 {
			a, b := &z[i], &z[i+1]
			*a, *b = s.shuffle(*a, *b)
			t.inverse(s.length, a, b, 1)
			if s.length == 8 {
				t.reduce(a)
			}
		}
	}
	t.Comment("Layers between registers, in standard order.")
	for i := 0; i < len(z); i += 2 {
		z[i], z[i+1] = last(z[i], z[i+1])
	}
	for distance := 1; distance < len(z); distance *= 2 {
		s := 1
		if distance == len(z)/2 {
			s = undo
		}
		for i := range z {
			if i&distance == 0 {
				t.inverse(t.Words()*distance, &z[i], &z[i+distance], s)
			}
		}
	}
	for i := range len(z) / 2 {
		t.scale(&z[i], undo)
	}
}

// The AVX2 kernels make three passes over memory, since sixteen registers hold the
// polynomial but leave none for temporaries. Short chains of dependent butterflies, of
// which many are in flight, hide the latency of the multiplications better than more
// layers a pass: loads and stores compete with nothing.

// pass runs butterfly at each of two distances, in registers, over the coefficients first,
// first + step, … of p and those that share their registers.
func (t transform) pass(p *interval.Memory, first, step int, distances [2]int, butterfly func(length int, a, b *interval.Vector)) {
	var y [4]interval.Vector
	for i := range y {
		y[i] = t.Fetch(p, first+step*i)
	}
	for _, distance := range distances {
		for i := range y {
			if i&distance == 0 {
				butterfly(step*distance, &y[i], &y[i+distance])
			}
		}
	}
	for i := range y {
		t.Store(y[i], p, first+step*i)
	}
}

// nttAVX2 works within pairs of registers from length 8 on, and gives them to store, which
// may write to tw. It makes a pass over all polynomials before the next, which waits for the
// end of the pass before in its own polynomial.
func nttAVX2(t transform, p, tw *interval.Memory, store func(v interval.Vector, first int)) {
	t.Comment("Layers of length 128 and 64.")
	t.each("128", func() {
		for first := 0; first < 64; first += 16 {
			t.pass(p, first, 64, [2]int{2, 1}, t.forward)
		}
	}, p)
	t.Comment("Layers of length 32 and 16.")
	t.each("32", func() {
		for first := 0; first < n; first += 64 {
			t.pass(p, first, 16, [2]int{2, 1}, t.forward)
		}
	}, p)
	written := []*interval.Memory{p}
	if tw != nil {
		written = append(written, tw)
	}
	t.each("8", func() { t.lastLayersAVX2(p, store) }, written...)
}

// lastLayersAVX2 does the layers of length 8, 4 and 2.
func (t transform) lastLayersAVX2(p *interval.Memory, store func(v interval.Vector, first int)) {
	// Of the dwords a₀…a₇ and b₀…b₇ of a pair of registers, length 8 joins aᵢ and aᵢ₊₄.
	stages := []stage{
		// a₀b₀a₁b₁ a₂b₂a₃b₃ with a₄b₄a₅b₅ a₆b₆a₇b₇
		{8, func(a, b interval.Vector) (interval.Vector, interval.Vector) {
			return t.UnpackDwords(t.MiddleSwap(a), t.MiddleSwap(b))
		}},
		// a₀b₀a₁b₁ a₄b₄a₅b₅ with a₂b₂a₃b₃ a₆b₆a₇b₇
		{4, func(a, b interval.Vector) (interval.Vector, interval.Vector) {
			return t.Blocks2(a, b, 0), t.Blocks2(a, b, 1)
		}},
		// a₀a₂b₀b₂ a₄a₆b₄b₆ with a₁a₃b₁b₃ a₅a₇b₅b₇
		{2, t.UnpackDwords},
	}
	for first := 0; first < n; first += 128 {
		t.Comment(fmt.Sprintf("Layers of length 8, 4, 2 on coefficients %d to %d.", first, first+127))
		var y [8]interval.Vector
		for i := range y {
			y[i] = t.At(p, first+16*i)
		}
		for _, s := range stages {
			for i := 0; i < 8; i += 2 {
				a, b := &y[i], &y[i+1]
				*a, *b = s.shuffle(*a, *b)
				t.forward(s.length, a, b)
			}
		}
		for i := 0; i < 8; i += 2 {
			a, b := t.UnpackDwords(y[i], y[i+1])
			store(a, first+16*i)
			store(b, first+16*(i+1))
		}
	}
}

// inverseNTTAVX2 runs the same way backwards and reduces where inverseNTTAVX512 does. If e is
// not nil, it is added.
func inverseNTTAVX2(t transform, p, e *interval.Memory) {
	stages := []stage{
		{2, t.SplitDwords},
		{4, t.SplitDwords},
		{8, func(a, b interval.Vector) (interval.Vector, interval.Vector) {
			return t.Blocks2(a, b, 0), t.Blocks2(a, b, 1)
		}},
	}
	for first := 0; first < n; first += 128 {
		t.Comment(fmt.Sprintf("Layers of length 2, 4, 8 on coefficients %d to %d.", first, first+127))
		var y [8]interval.Vector
		for _, s := range stages {
			for i := 0; i < 8; i += 2 {
				a, b := &y[i], &y[i+1]
				if s.length == 2 {
					*a, *b = t.Fetch(p, first+16*i), t.Fetch(p, first+16*(i+1))
				}
				*a, *b = s.shuffle(*a, *b)
				t.inverse(s.length, a, b, 1)
				if s.length != 4 {
					t.reduce(a)
				}
			}
		}
		for i := 0; i < 8; i += 2 {
			a, b := t.SplitDwords(y[i], y[i+1])
			t.Store(t.MiddleSwap(a), p, first+16*i)
			t.Store(t.MiddleSwap(b), p, first+16*(i+1))
		}
	}
	t.Comment("Layers of length 16 and 32.")
	for first := 0; first < n; first += 64 {
		t.pass(p, first, 16, [2]int{1, 2}, func(length int, a, b *interval.Vector) {
			t.inverse(length, a, b, 1)
		})
	}
	t.Comment("Layers of length 64 and 128.")
	for first := 0; first < 64; first += 16 {
		t.pass(p, first, 64, [2]int{1, 2}, func(length int, a, b *interval.Vector) {
			if length == 64 {
				t.inverse(length, a, b, 1)
				return
			}
			t.inverse(length, a, b, undo)
			t.scale(a, undo)
			if e != nil {
				for _, v := range []*interval.Vector{a, b} {
					*v = t.Add(*v, t.At(e, v.Lanes[0].Coeff))
				}
			}
		})
	}
}
