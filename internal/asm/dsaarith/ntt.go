package main

import (
	"fmt"
	"slices"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// The NTT has eight layers of butterflies, which join coefficients at a distance of
// 128, 64, …, 1 (its length). At lengths of a register and more a butterfly joins the
// lanes of two registers. Below that, shuffles bring the coefficients that belong
// together to the same lane of two registers first; these always come from the same
// pair of registers, which one more shuffle or two put back in standard order.

// A transform is an NTT or inverse NTT under construction.
type transform struct {
	*interval.Kernel
	reducer interval.ShiftReducer
	last    *shared
}

// shared is the factor of the last butterfly, which the next one often has too.
type shared struct {
	zs     []int32
	factor interval.ShoupFactor
}

// factor prepares the factors of a butterfly.
func (t transform) factor(zs []int32) interval.ShoupFactor {
	if !slices.Equal(zs, t.last.zs) {
		*t.last = shared{zs, t.ShoupFactor(zs)}
	}
	return t.last.factor
}

// butterflies returns, for each lane of a, the number of the butterfly of FIPS 204's
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

// forward is the body of FIPS 204, Algorithm 41: (a, b) becomes (a + ζb, a − ζb).
func (t transform) forward(length int, a, b *interval.Vector) {
	var zetas []int32
	for _, start := range t.butterflies(length, *a, *b) {
		zetas = append(zetas, centred(zetaOf(128/length+start)))
	}
	zb := t.ShoupMul(*b, t.factor(zetas))
	*a, *b = t.Add32(*a, zb), t.Sub32(*a, zb).As(*b)
}

// inverse is the body of FIPS 204, Algorithm 42: (a, b) becomes (a + b, −ζ(a − b)), the
// second multiplied by scale too.
func (t transform) inverse(length int, a, b *interval.Vector, scale int) {
	var zetas []int32
	for _, start := range t.butterflies(length, *a, *b) {
		z := zetaOf(2*(128/length) - 1 - start)
		zetas = append(zetas, centred(-z*scale))
	}
	sum, difference := t.Add32(*a, *b), t.Sub32(*a, *b).As(*b)
	*a, *b = sum, t.ShoupMul(difference, t.factor(zetas))
	if length == 32 {
		// A sum of sums doubles with each layer, and 256q is the limit of 32 bits. Only
		// the first lane of each block has left no multiplication behind.
		for _, l := range a.Lanes {
			if !l.In(within(64)) {
				*a = t.ShiftReduce(*a, t.reducer)
				return
			}
		}
	}
}

// lastInverse is the layer of length 128, which leaves least residues.
func (t transform) lastInverse(a, b *interval.Vector) {
	t.inverse(128, a, b, undo)
	zs := make([]int32, t.Dwords())
	for i := range zs {
		zs[i] = centred(undo)
	}
	*a = t.LeastResidue(t.ShoupMul(*a, t.ShoupFactor(zs)))
	*b = t.LeastResidue(*b)
}

// A stage is a layer within pairs of registers and the shuffle that goes before it.
type stage struct {
	length  int
	shuffle func(a, b interval.Vector) (interval.Vector, interval.Vector)
}

// undo is what the inverse NTT has to multiply by: 256⁻¹ for the eight layers, each of
// which doubles, and R for the R⁻¹ that a product leaves.
const undo = 8347681 * r % q

// regs is how many registers nttAVX512 and inverseNTTAVX512 hold at a time, beside sixteen for
// temporaries: the polynomial, or a half of it. The layer of length 128 then joins a register
// and memory.
const regs = 16

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

// nttAVX512 works within pairs of registers from the length of half a register on.
func nttAVX512(t transform, p *interval.Memory) {
	stages := []stage{{t.Dwords() / 2, t.halves}, {4, t.quarters}, {2, t.UnpackQuads}, {1, t.SplitDwords}}
	if t.Width == interval.YMMVL {
		stages = slices.Delete(stages, 1, 2)
	}
	span := regs * t.Dwords()
	for start := 0; start < n; start += span {
		t.Comment(fmt.Sprintf("Layers between registers, from coefficient %d on.", start))
		var z [regs]interval.Vector
		for i := range z {
			at := t.Dwords() * i
			z[i] = t.Fetch(p, start+at)
			if span < n && start == 0 {
				b := t.Fetch(p, span+at)
				t.forward(span, &z[i], &b)
				t.Store(b, p, span+at)
			}
		}
		for distance := regs / 2; distance > 0; distance /= 2 {
			for i := range z {
				if i&distance == 0 {
					t.forward(t.Dwords()*distance, &z[i], &z[i+distance])
				}
			}
		}
		for _, s := range stages {
			t.Comment(fmt.Sprintf("Layer of length %d: within pairs of registers.", s.length))
			for i := 0; i < regs; i += 2 {
				a, b := &z[i], &z[i+1]
				*a, *b = s.shuffle(*a, *b)
				t.forward(s.length, a, b)
			}
		}
		t.Comment("Back to standard order.")
		for i := 0; i < regs; i += 2 {
			for half := range 2 {
				first := start + t.Dwords()*(i+half)
				t.Store(t.Arrange(z[i], z[i+1], func(j int) int { return first + j }), p, first)
			}
		}
	}
}

// inverseNTTAVX512 runs the same way backwards.
func inverseNTTAVX512(t transform, p *interval.Memory) {
	// Blocks of four coefficients, in the order that the shuffles below turn into the
	// standard one; those of an even number alternate with their successors.
	blocks := []int{0, 4, 2, 6}
	stages := []stage{{2, t.UnpackDwords}, {4, t.UnpackQuads}, {8, t.halves}}
	last := t.quarters
	if t.Width == interval.YMMVL {
		blocks, stages, last = []int{0, 2}, stages[:2], t.halves
	}
	span := regs * t.Dwords()
	for start := n - span; start >= 0; start -= span {
		t.Comment(fmt.Sprintf("Layer of length 1: within pairs of registers, from coefficient %d on.", start))
		var z [regs]interval.Vector
		for i := 0; i < regs; i += 2 {
			first := start + t.Dwords()*i
			a, b := t.Fetch(p, first), t.Fetch(p, first+t.Dwords())
			even := func(j int) int { return first + 4*(blocks[j/4]+j%2) + j%4/2*2 }
			z[i] = t.Arrange(a, b, even)
			z[i+1] = t.Arrange(a, b, func(j int) int { return even(j) + 1 })
		}
		for i := 0; i < regs; i += 2 {
			t.inverse(1, &z[i], &z[i+1], 1)
		}
		for _, s := range stages {
			t.Comment(fmt.Sprintf("Layer of length %d: within pairs of registers.", s.length))
			for i := 0; i < regs; i += 2 {
				a, b := &z[i], &z[i+1]
				*a, *b = s.shuffle(*a, *b)
				t.inverse(s.length, a, b, 1)
			}
		}
		t.Comment("Layers between registers, in standard order.")
		for i := 0; i < regs; i += 2 {
			z[i], z[i+1] = last(z[i], z[i+1])
		}
		for distance := 1; t.Dwords()*distance < min(span, 128); distance *= 2 {
			for i := range z {
				if i&distance == 0 {
					t.inverse(t.Dwords()*distance, &z[i], &z[i+distance], 1)
				}
			}
		}
		switch {
		case span == n:
			for i := range regs / 2 {
				a, b := &z[i], &z[i+regs/2]
				t.lastInverse(a, b)
				t.Store(*a, p, t.Dwords()*i)
				t.Store(*b, p, 128+t.Dwords()*i)
			}
		case start > 0:
			for i := range z {
				t.Store(z[i], p, start+t.Dwords()*i)
			}
		default:
			for i := range z {
				b := t.Fetch(p, 128+t.Dwords()*i)
				t.lastInverse(&z[i], &b)
				t.Store(z[i], p, t.Dwords()*i)
				t.Store(b, p, 128+t.Dwords()*i)
			}
		}
	}
}

// The AVX2 kernels pass over memory once for each layer between registers, and once for the
// three others. Sixteen registers hold half of the polynomial, and a chain of butterflies in
// registers waits for its multiplications: many short chains hide their latency, and loads
// and stores compete with nothing.

// between is a layer between registers.
func (t transform) between(p *interval.Memory, length int, butterfly func(a, b *interval.Vector)) {
	t.Comment(fmt.Sprintf("Layer of length %d.", length))
	for i := 0; i < n; i += 8 {
		if i&length == 0 {
			a, b := t.Fetch(p, i), t.Fetch(p, i+length)
			butterfly(&a, &b)
			t.Store(a, p, i)
			t.Store(b, p, i+length)
		}
	}
}

// pairs is how many pairs of registers the layers within them take at a time.
const pairs = 4

// nttAVX2 works within pairs of registers from length 4 on.
func nttAVX2(t transform, p *interval.Memory) {
	for length := 128; length >= 8; length /= 2 {
		t.between(p, length, func(a, b *interval.Vector) { t.forward(length, a, b) })
	}
	// Of the dwords a₀…a₇ and b₀…b₇ of a pair of registers, length 4 joins aᵢ and aᵢ₊₄.
	stages := []stage{
		// a₀b₀a₁b₁ a₂b₂a₃b₃ with a₄b₄a₅b₅ a₆b₆a₇b₇
		{4, func(a, b interval.Vector) (interval.Vector, interval.Vector) {
			return t.UnpackDwords(t.MiddleSwap(a), t.MiddleSwap(b))
		}},
		// a₀b₀a₁b₁ a₄b₄a₅b₅ with a₂b₂a₃b₃ a₆b₆a₇b₇
		{2, func(a, b interval.Vector) (interval.Vector, interval.Vector) {
			return t.Blocks2(a, b, 0), t.Blocks2(a, b, 1)
		}},
		// a₀a₂b₀b₂ a₄a₆b₄b₆ with a₁a₃b₁b₃ a₅a₇b₅b₇
		{1, t.UnpackDwords},
	}
	for first := 0; first < n; first += 16 * pairs {
		t.Comment(fmt.Sprintf("Layers of length 4, 2, 1 from coefficient %d on.", first))
		var y [2 * pairs]interval.Vector
		for i := range y {
			y[i] = t.At(p, first+8*i)
		}
		for _, s := range stages {
			for i := 0; i < len(y); i += 2 {
				a, b := &y[i], &y[i+1]
				*a, *b = s.shuffle(*a, *b)
				t.forward(s.length, a, b)
			}
		}
		for i := 0; i < len(y); i += 2 {
			a, b := t.UnpackDwords(y[i], y[i+1])
			t.Store(a, p, first+8*i)
			t.Store(b, p, first+8*(i+1))
		}
	}
}

// inverseNTTAVX2 runs the same way backwards.
func inverseNTTAVX2(t transform, p *interval.Memory) {
	stages := []stage{
		{1, t.SplitDwords},
		{2, t.SplitDwords},
		{4, func(a, b interval.Vector) (interval.Vector, interval.Vector) {
			return t.Blocks2(a, b, 0), t.Blocks2(a, b, 1)
		}},
	}
	for first := 0; first < n; first += 16 * pairs {
		t.Comment(fmt.Sprintf("Layers of length 1, 2, 4 from coefficient %d on.", first))
		var y [2 * pairs]interval.Vector
		for _, s := range stages {
			for i := 0; i < len(y); i += 2 {
				a, b := &y[i], &y[i+1]
				if s.length == 1 {
					*a, *b = t.Fetch(p, first+8*i), t.Fetch(p, first+8*(i+1))
				}
				*a, *b = s.shuffle(*a, *b)
				t.inverse(s.length, a, b, 1)
			}
		}
		for i := 0; i < len(y); i += 2 {
			a, b := t.SplitDwords(y[i], y[i+1])
			t.Store(t.MiddleSwap(a), p, first+8*i)
			t.Store(t.MiddleSwap(b), p, first+8*(i+1))
		}
	}
	for length := 8; length <= 64; length *= 2 {
		t.between(p, length, func(a, b *interval.Vector) { t.inverse(length, a, b, 1) })
	}
	t.between(p, 128, t.lastInverse)
}
