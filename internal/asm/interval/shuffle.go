package interval

import (
	"github.com/mmcloughlin/avo/operand"
)

// pick returns the lanes of a vector whose dwords come from the places given by dword,
// which numbers the dwords of a first and then those of b.
func (k *Kernel) pick(a, b Vector, dword func(i int) int) []Lane {
	per := k.perDword(a, b)
	n := k.Words() / 2
	var lanes []Lane
	for i := range n {
		from, j := a, dword(i)
		if j >= n {
			from, j = b, j-n
		}
		lanes = append(lanes, from.Lanes[per*j:per*(j+1)]...)
	}
	return lanes
}

// perDword returns the number of lanes in a dword of a and of b: both have 16-bit lanes,
// or both have 32-bit lanes.
func (k *Kernel) perDword(a, b Vector) int {
	if len(a.Lanes) == k.Words() {
		k.sixteen(b)
		return 2
	}
	k.thirtyTwo(a, b)
	return 1
}

// inBlocks numbers the dwords for an instruction that does the same in every 128-bit
// block; place maps the four dwords of a block to the eight of the two source blocks.
func (k *Kernel) inBlocks(place [4]int) func(i int) int {
	n := k.Words() / 2
	return func(i int) int {
		j := place[i%4]
		return i/4*4 + j%4 + j/4*n
	}
}

// ofBlocks numbers the dwords for an instruction that moves whole 128-bit blocks; block
// lists them, those of a first.
func ofBlocks(block []int) func(i int) int {
	return func(i int) int { return block[i/4]*4 + i%4 }
}

// Blocks4 returns blocks x and y of a followed by blocks z and w of b (VSHUFI64X2).
func (k *Kernel) Blocks4(a, b Vector, x, y, z, w int) Vector {
	r := k.register(k.pick(a, b, ofBlocks([]int{x, y, 4 + z, 4 + w})))
	k.VSHUFI64X2(operand.U8(uint8(x|y<<2|z<<4|w<<6)), b.Op, a.Op, r.Op)
	return r
}

// Blocks2 returns block x of a followed by block x of b (VPERM2I128, or
// VSHUFI64X2, which takes all registers).
func (k *Kernel) Blocks2(a, b Vector, x int) Vector {
	r := k.register(k.pick(a, b, ofBlocks([]int{x, 2 + x})))
	if k.Width == YMMVL {
		k.VSHUFI64X2(operand.U8(uint8(x|x<<1)), b.Op, a.Op, r.Op)
		return r
	}
	k.VPERM2I128(operand.U8(uint8(x|(2+x)<<4)), b.Op, a.Op, r.Op)
	return r
}

// UnpackQuads returns, of each block, the low (or high) quadwords of a and b.
func (k *Kernel) UnpackQuads(a, b Vector) (low, high Vector) {
	low = k.register(k.pick(a, b, k.inBlocks([4]int{0, 1, 4, 5})))
	high = k.register(k.pick(a, b, k.inBlocks([4]int{2, 3, 6, 7})))
	k.VPUNPCKLQDQ(b.Op, a.Op, low.Op)
	k.VPUNPCKHQDQ(b.Op, a.Op, high.Op)
	return low, high
}

// UnpackDwords returns the interleaved dwords of the low (or high) halves of each
// block of a and b.
func (k *Kernel) UnpackDwords(a, b Vector) (low, high Vector) {
	low = k.register(k.pick(a, b, k.inBlocks([4]int{0, 4, 1, 5})))
	high = k.register(k.pick(a, b, k.inBlocks([4]int{2, 6, 3, 7})))
	k.VPUNPCKLDQ(b.Op, a.Op, low.Op)
	k.VPUNPCKHDQ(b.Op, a.Op, high.Op)
	return low, high
}

// SplitDwords returns the even dwords of a and b, and the odd ones; within each block
// first those of a (VSHUFPS).
func (k *Kernel) SplitDwords(a, b Vector) (even, odd Vector) {
	even = k.register(k.pick(a, b, k.inBlocks([4]int{0, 2, 4, 6})))
	odd = k.register(k.pick(a, b, k.inBlocks([4]int{1, 3, 5, 7})))
	k.VSHUFPS(operand.U8(0b10_00_10_00), b.Op, a.Op, even.Op)
	k.VSHUFPS(operand.U8(0b11_01_11_01), b.Op, a.Op, odd.Op)
	return even, odd
}

// gather returns dword(i), of the dwords of a followed by those of b, at each i.
func (k *Kernel) gather(a, b Vector, dword func(i int) int) Vector {
	r := k.register(k.pick(a, b, dword))
	index := make([]int16, k.Words())
	for i := 0; i < len(index); i += 2 {
		index[i] = int16(dword(i / 2))
	}
	k.move(k.Constant(index).Op, r.Op)
	k.VPERMI2D(b.Op, a.Op, r.Op)
	return r
}

// MiddleSwap exchanges the middle quadwords (VPERMQ).
func (k *Kernel) MiddleSwap(a Vector) Vector {
	r := k.register(k.pick(a, a, func(i int) int { return []int{0, 1, 4, 5, 2, 3, 6, 7}[i] }))
	k.VPERMQ(operand.U8(0b11_01_10_00), a.Op, r.Op)
	return r
}

// Arrange returns the coefficients in the given order, which names one per dword, from
// wherever they stand in a and b (VPERMI2D).
func (k *Kernel) Arrange(a, b Vector, coeff func(i int) int) Vector {
	per := k.perDword(a, b)
	place := map[int]int{}
	for i, v := range []Vector{a, b} {
		for j, l := range v.Lanes {
			place[l.Coeff] = i*len(v.Lanes) + j
		}
	}
	return k.gather(a, b, func(i int) int {
		p, ok := place[coeff(i)]
		if !ok || p%per != 0 {
			k.refuse("coefficient %d is not at hand", coeff(i))
		}
		return p / per
	})
}

// SwapPairs exchanges the two words of every dword (VPROLD, or VPSHUFB, which needs a
// in a register).
func (k *Kernel) SwapPairs(a Vector, c PairSwapper) Vector {
	k.sixteen(a)
	lanes := make([]Lane, len(a.Lanes))
	for i := range lanes {
		lanes[i] = a.Lanes[i^1]
	}
	r := k.register(lanes)
	if k.Width == ZMM {
		k.VPROLD(operand.U8(16), a.Op, r.Op)
	} else {
		k.VPSHUFB(c.order.Op, a.Op, r.Op)
	}
	return r
}

// A PairSwapper holds the constant of [Kernel.SwapPairs].
type PairSwapper struct{ order Vector }

// PairSwapper prepares it.
func (k *Kernel) PairSwapper() PairSwapper {
	if k.Width == ZMM {
		return PairSwapper{}
	}
	words := make([]int16, k.Words())
	for i := range words {
		at := 2 * (i ^ 1) % 16
		words[i] = int16(at | (at+1)<<8)
	}
	r := k.register(nil)
	k.move(k.Constant(words).Op, r.Op)
	return PairSwapper{r}
}

// An OddMask is the constant of [Kernel.BlendOdd].
type OddMask struct{ mask operand.Op }

// OddMask prepares it.
func (k *Kernel) OddMask() OddMask {
	if k.Width == YMM {
		return OddMask{operand.U8(0xaa)}
	}
	bits, mask := k.GP32(), k.K()
	k.MOVL(operand.U32(0x55555555), bits)
	k.KMOVD(bits, mask)
	return OddMask{mask}
}

// BlendOdd returns even with its odd words replaced by those of odd, which is used up.
func (k *Kernel) BlendOdd(even, odd Vector, m OddMask) Vector {
	lanes := make([]Lane, k.Words())
	for i := range lanes {
		lanes[i] = [2]Vector{even, odd}[i%2].Lanes[i]
	}
	if k.Width != YMM {
		k.VMOVDQU16(even.Op, m.mask, odd.Op)
		return Vector{odd.Op, lanes}
	}
	r := k.register(lanes)
	k.VPBLENDW(m.mask, odd.Op, even.Op, r.Op)
	return r
}
