package main

import (
	"fmt"
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A packing stores each coefficient, within in, in width bits, as base − c, or as c if base is
// 0.
type packing struct {
	name  string
	width int
	base  int
	in    interval.Interval
	// What unpacking does besides: whether it refuses numbers above top, and by how much it
	// shifts them left. It makes coefficients within out. No unpacking exists if pack is all
	// that there is.
	top, shift int
	out        interval.Interval
	packOnly   bool
}

var packings = []packing{
	{name: "T1", width: 10, in: below(1 << 10), shift: 13, out: least},
	{name: "T0", width: 13, base: 1 << 12, in: upTo(1 << 12), out: upTo(1 << 12)},
	{name: "Eta2", width: 3, base: 2, in: interval.Within(2), top: 4, out: interval.Interval{Min: -5, Max: 2}},
	{name: "Eta4", width: 4, base: 4, in: interval.Within(4), top: 8, out: interval.Interval{Min: -11, Max: 4}},
	{name: "Z17", width: 18, base: 1 << 17, in: upTo(1 << 17), out: upTo(1 << 17)},
	{name: "Z19", width: 20, base: 1 << 19, in: upTo(1 << 19), out: upTo(1 << 19)},
	{name: "W1Of88", width: 6, in: below(44), packOnly: true},
	{name: "W1Of32", width: 4, in: below(16), packOnly: true},
}

// numbers is the interval of what is packed.
func (k packing) numbers() interval.Interval { return below(1 << k.width) }

// A vector of coefficients takes group bytes of the packed polynomial.
func (g *generator) group(k packing) int { return g.lanes() * k.width / 8 }

// Packing joins the two numbers of a quadword and shifts them to where they begin in their
// first byte. A byte of the result is then one byte of a quadword, or one of each of two
// neighbours. bytesOf returns, for each byte of a vector's group, the bytes of the vector that
// it is made of.
func (g *generator) bytesOf(k packing) [][]int {
	sources := make([][]int, g.group(k))
	for i := range g.lanes() / 2 {
		first := 2 * k.width * i
		for b := first / 8; 8*b < first+2*k.width; b++ {
			sources[b] = append(sources[b], 8*i+b-first/8)
		}
	}
	return sources
}

// joined returns the numbers of the coefficients of a vector, joined by twos.
func (g *generator) joined(k packing, src operand.Mem, base, align, place reg.VecVirtual) reg.VecVirtual {
	v := g.vector()
	if k.base != 0 {
		g.VPSUBD(src, base, v)
	} else {
		g.move(src, v)
	}
	g.Expect("what is packed", v, 32, k.numbers())
	g.VPSLLVD(align, v, v)
	g.VPSRLVQ(place, v, v)
	return v
}

// packer loads the constants of joined.
func (g *generator) packer(k packing) (base, align, place reg.VecVirtual) {
	if k.base != 0 {
		base = g.broadcast(fmt.Sprintf("base%d", k.base), k.base)
	}
	align = g.load(fmt.Sprintf("align%d", k.width), dwords(fill(g.lanes(), func(i int) int { return (1 - i%2) * (32 - k.width) })...))
	place = g.load(fmt.Sprintf("place%d", k.width), dwords(fill(g.lanes(), func(i int) int {
		return (1 - i%2) * (32 - k.width - 2*k.width*(i/2)%8)
	})...))
	return base, align, place
}

// packAVX512 gathers bytes from the whole vector.
func (g *generator) packAVX512(k packing) {
	g.kernel(g.name("pack"+k.name), "func(dst *byte, p *[256]int32)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 32, k.in)
		g.Bytes(dst)
		base, align, place := g.packer(k)
		sources := g.bytesOf(k)
		size := len(sources)
		var gather [2]reg.VecVirtual
		second := uint64(0) // the bytes that have a second source
		for s := range gather {
			order := make([]byte, 64)
			for b, from := range sources {
				if s < len(from) {
					order[b] = byte(from[s])
					second |= uint64(s) << b
				}
			}
			if s == 0 || second != 0 {
				gather[s] = g.load(fmt.Sprintf("gather%d_%d", k.width, s), order)
			}
		}
		var seconds reg.OpmaskVirtual
		if second != 0 {
			seconds = g.mask(second)
		}
		whole := g.mask(1<<size - 1)
		for i := range n / 16 {
			v := g.joined(k, at(p, 64*i), base, align, place)
			bytes := g.ZMM()
			g.VPERMB(v, gather[0], bytes)
			if second != 0 {
				more := g.ZMM()
				g.VPERMB_Z(v, gather[1], seconds, more)
				g.VPORD(more, bytes, bytes)
			}
			// Bytes behind the group are overwritten by the next.
			if (i+1)*size+64 <= n/16*size {
				g.VMOVDQU64(bytes, at(dst, i*size))
			} else {
				g.VMOVDQU8(bytes, whole, at(dst, i*size))
			}
		}
	})
}

// packAVX2 gathers bytes within each half of the vector. If the group has at most sixteen, the
// upper half's are put behind the lower half's.
func (g *generator) packAVX2(k packing) {
	g.kernel(g.name("pack"+k.name), "func(dst *byte, p *[256]int32)", func() {
		dst, p := g.pointer("dst"), g.pointer("p")
		g.Reads(p, 32, k.in)
		g.Bytes(dst)
		base, align, place := g.packer(k)
		sources := g.bytesOf(k)
		size := len(sources)
		upper := 0 // where the upper half's bytes begin, if they are stored apart
		if size > 16 {
			upper = size / 2
		}
		var gather [2]reg.VecVirtual
		for s := range gather {
			order := slices.Repeat([]byte{0x80}, 32)
			needed := false
			for b, from := range sources {
				// The sources of one half of the vector.
				for half := range 2 {
					var own []int
					for _, f := range from {
						if f/16 == half {
							own = append(own, f)
						}
					}
					if s < len(own) {
						order[16*half+b-half*upper] = byte(own[s] % 16)
						needed = true
					}
				}
			}
			if needed {
				gather[s] = g.load(fmt.Sprintf("gather%d_%d", k.width, s), order)
			}
		}
		for i := range n / 8 {
			v := g.joined(k, at(p, 32*i), base, align, place)
			bytes, high := g.YMM(), g.XMM()
			g.VPSHUFB(gather[0], v, bytes)
			if gather[1] != nil {
				g.VPSHUFB(gather[1], v, v)
				g.VPOR(v, bytes, bytes)
			}
			g.VEXTRACTI128(operand.U8(1), bytes, high)
			room := (n/8 - i) * size
			if upper != 0 {
				g.storeBytes(bytes.AsX(), dst, i*size, upper, room)
				g.storeBytes(high, dst, i*size+upper, upper, room-upper)
			} else {
				g.VPOR(high, bytes.AsX(), high)
				g.storeBytes(high, dst, i*size, size, room)
			}
		}
	})
}

// storeBytes stores count bytes, or all sixteen where there is room: those behind are
// overwritten later.
func (g *generator) storeBytes(x reg.Register, dst reg.Register, offset, count, room int) {
	if room >= 16 {
		g.VMOVDQU(x, at(dst, offset))
		return
	}
	for b := 0; b < count; {
		switch left := count - b; {
		case left >= 8 && b%8 == 0:
			g.VPEXTRQ(operand.U8(uint8(b/8)), x, at(dst, offset+b))
			b += 8
		case left >= 4 && b%4 == 0:
			g.VPEXTRD(operand.U8(uint8(b/4)), x, at(dst, offset+b))
			b += 4
		case left >= 2 && b%2 == 0:
			g.VPEXTRW(operand.U8(uint8(b/2)), x, at(dst, offset+b))
			b += 2
		default:
			g.VPEXTRB(operand.U8(uint8(b)), x, at(dst, offset+b))
			b++
		}
	}
}

// unpack brings the four bytes from that in which it begins into each lane, and shifts. The
// numbers' largest decides whether they are valid.
func (g *generator) unpack(k packing) {
	signature := "func(p *[256]int32, src *byte)"
	if k.top != 0 {
		signature += " bool"
	}
	g.kernel(g.name("unpack"+k.name), signature, func() {
		p, src := g.pointer("p"), g.pointer("src")
		g.Writes(p, 32, k.out)
		shift := g.load(fmt.Sprintf("shift%d", k.width), dwords(fill(g.lanes(), func(i int) int { return i * k.width % 8 })...))
		low := g.broadcast(fmt.Sprintf("low%d", k.width), 1<<k.width-1)
		var base, largest reg.VecVirtual
		if k.base != 0 {
			base = g.broadcast(fmt.Sprintf("base%d", k.base), k.base)
		}
		if k.top != 0 {
			largest = g.zero()
		}
		var load func(i int) reg.VecVirtual
		if g.width == interval.YMM {
			load = g.unpackerAVX2(k, src)
		} else {
			load = g.unpackerAVX512(k, src)
		}
		for i := range n / g.lanes() {
			v := load(i)
			g.VPSRLVD(shift, v, v)
			g.and(low, v, v)
			if k.top != 0 {
				g.VPMAXUD(v, largest, largest)
			}
			if k.shift != 0 {
				g.VPSLLD(operand.U8(uint8(k.shift)), v, v)
			}
			if k.base != 0 {
				g.VPSUBD(v, base, v)
			}
			g.move(v, at(p, g.width.Bytes()*i))
		}
		if k.top != 0 {
			g.storeWithin(largest, k)
		}
	})
}

// storeWithin returns whether every lane of v, one of k's numbers, is at most k's top.
func (g *generator) storeWithin(v reg.VecVirtual, k packing) {
	bits, result := g.GP32(), g.GP8()
	limit := g.broadcast(fmt.Sprintf("top%d", k.top), k.top)
	// invalid is one, −1 in a vector, for numbers that no coefficient is packed as.
	invalid := func(r reg.Register, one int64) interval.Fact {
		return interval.Fact{Register: r, Of: func(x interval.Interval) interval.Interval {
			if interval.Exactly(int64(k.base)).Sub(x).In(k.in) {
				return interval.Exactly(0)
			}
			return interval.Exactly(one)
		}}
	}
	if g.width == interval.YMM {
		g.Cases(v, 32, k.numbers().Each(), func() { g.VPCMPGTD(limit, v, v) }, invalid(v, -1))
		g.VMOVMSKPS(v, bits)
	} else {
		const greater = 6
		mask := g.K()
		g.Cases(v, 32, k.numbers().Each(), func() { g.VPCMPUD(operand.U8(greater), limit, v, mask) }, invalid(mask, 1))
		g.KMOVW(mask, bits)
	}
	g.TESTL(bits, bits)
	g.SETEQ(result)
	g.Store(result, g.ReturnIndex(0))
}

// unpackerAVX512 loads the bytes of a group and no others.
func (g *generator) unpackerAVX512(k packing, src reg.Register) func(i int) reg.VecVirtual {
	spread := g.load(fmt.Sprintf("spread%d", k.width), fill(64, func(b int) byte { return byte(b/4*k.width/8 + b%4) }))
	size := g.group(k)
	mask := g.mask(1<<size - 1)
	return func(i int) reg.VecVirtual {
		v := g.ZMM()
		if i*size+64 <= n/16*size {
			g.VMOVDQU64(at(src, i*size), v)
		} else {
			g.VMOVDQU8_Z(at(src, i*size), mask, v)
		}
		g.VPERMB(v, spread, v)
		return v
	}
}

// unpackerAVX2 loads sixteen bytes into either half. Where they would reach past the end
// they are those that end with the group.
func (g *generator) unpackerAVX2(k packing, src reg.Register) func(i int) reg.VecVirtual {
	size := g.group(k)
	// spread returns the shuffle for halves that begin at the given bytes of the group.
	spread := func(name string, lower, upper int) reg.VecVirtual {
		return g.load(fmt.Sprintf("spread%d%s", k.width, name), fill(32, func(b int) byte {
			from := b/4*k.width/8 + b%4 - [2]int{lower, upper}[b/16]
			if from > 15 {
				return 0x80 // beyond the number
			}
			return byte(from)
		}))
	}
	if size > 16 {
		order := spread("", 0, size-16)
		return func(i int) reg.VecVirtual {
			v := g.YMM()
			g.VBROADCASTI128(at(src, i*size), v)
			g.VINSERTI128(operand.U8(1), at(src, i*size+size-16), v, v)
			g.VPSHUFB(order, v, v)
			return v
		}
	}
	order, late := spread("", 0, 0), spread("Late", size-16, size-16)
	return func(i int) reg.VecVirtual {
		v := g.YMM()
		if i*size+16 <= n/8*size {
			g.VBROADCASTI128(at(src, i*size), v)
			g.VPSHUFB(order, v, v)
		} else {
			g.VBROADCASTI128(at(src, i*size+size-16), v)
			g.VPSHUFB(late, v, v)
		}
		return v
	}
}
