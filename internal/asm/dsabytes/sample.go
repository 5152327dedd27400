package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A lane's words stand 64 bytes apart in the interleaved state.
const stride = 64

// The words of a block.
const (
	wordsXOF = 168 / 8
	wordsH   = 136 / 8
)

// limits are the numbers of values of a half byte that RejBoundedPoly accepts, by η.
var limits = map[int]int{2: 15, 4: 9}

// bounded returns the coefficient of FIPS 204, Algorithm 15, for half byte b.
func bounded(eta, b int) int {
	if eta == 2 {
		return 2 - b%5
	}
	return 4 - b
}

// An appender stores accepted candidates to a polynomial.
type appender struct {
	*generator
	p, count reg.Register
	iota     reg.VecVirtual // of lanes, for AVX2
}

// full stores a whole vector, which has room, at an offset of candidates from count.
func (a appender) full(v reg.VecVirtual, offset int) {
	a.move(v, operand.Mem{Base: a.p, Index: a.count, Scale: 4, Disp: 4 * offset})
}

// clamped stores the candidates that have room. A store that reaches past the polynomial and
// is masked would be right, but very slow where a page ends there: the last vector is
// stored in its last place, its candidates moved up.
func (a appender) clamped(v reg.VecVirtual, offset int) {
	at, place, shift := a.GP64(), a.GP64(), a.GP64()
	a.LEAQ(operand.Mem{Base: a.count, Disp: offset}, at)
	a.MOVL(operand.U32(n-a.lanes()), place.As32())
	a.CMPQ(at, place)
	a.CMOVQCS(at, place)
	a.MOVQ(at, shift)
	a.SUBQ(place, shift)
	dst := operand.Mem{Base: a.p, Index: place, Scale: 4}
	if a.lanes() == 16 {
		ones, k := a.GP64(), a.K()
		a.MOVQ(operand.I32(-1), ones)
		// A shift beyond 63 counts modulo 64, so it must not get there.
		limit := a.GP64()
		a.MOVL(operand.U32(32), limit.As32())
		a.CMPQ(shift, limit)
		a.CMOVQHI(limit, shift)
		a.SHLXQ(shift, ones, shift)
		a.KMOVW(shift.As32(), k)
		moved := a.ZMM()
		a.VPEXPANDD_Z(v, k, moved)
		a.VMOVDQU32(moved, k, dst)
		return
	}
	x, by, old, from := a.XMM(), a.YMM(), a.YMM(), a.YMM()
	a.VMOVD(shift.As32(), x)
	a.VPBROADCASTD(x, by)
	a.VMOVDQU(dst, old)
	a.VPSUBD(by, a.iota, from) // negative where old coefficients stay
	moved := a.YMM()
	a.VPERMD(v, from, moved)
	a.VBLENDVPS(from, old, moved, moved)
	a.VMOVDQU(moved, dst)
}

// checked stores number candidates, the first of v, and counts them: as full does where they
// have room, which is nearly always, or as clamped.
func (a appender) checked(v reg.VecVirtual, number reg.GPVirtual, label string) {
	clamp, next := "clamp"+label, "next"+label
	a.CMPQ(a.count, operand.U32(n-a.lanes()))
	a.JA(operand.LabelRef(clamp))
	a.full(v, 0)
	a.ADDQ(number, a.count)
	a.JMP(operand.LabelRef(next))
	a.Label(clamp)
	a.clamped(v, 0)
	a.ADDQ(number, a.count)
	a.CMPQ(a.count, operand.U32(n))
	a.JAE(operand.LabelRef("complete"))
	a.Label(next)
}

// bound brings count, if it exceeds 256, back to it.
func (a appender) bound() {
	limit := a.GP64()
	a.MOVL(operand.U32(n), limit.As32())
	a.CMPQ(a.count, limit)
	a.CMOVQHI(limit, a.count)
}

// A sampler emits a kernel that appends to the polynomials of some lanes, one after the other.
// The body that follows its constants is what is done for each.
type sampler struct {
	appender
	streams, lanes, state reg.Register
	stream, lane          reg.GPVirtual // of the lane at work: its entry of streams, and its first word
}

// sampler begins a function. The streams are pairs of a polynomial and a count.
func (g *generator) sampler(name string) *sampler {
	g.Function(name)
	g.Attributes(attr.NOSPLIT | attr.NOFRAME)
	g.SignatureExpr("func(streams *[8][2]uintptr, lanes uint64, s *[25][8]uint64)")
	return &sampler{
		appender: appender{generator: g},
		streams:  g.pointer("streams"), lanes: g.pointer("lanes"), state: g.pointer("s"),
	}
}

// each emits the body, which ends with finish wherever it ends.
func (s *sampler) each(body func()) {
	s.Label("lane")
	s.TESTQ(s.lanes, s.lanes)
	s.JZ(operand.LabelRef("done"))
	number := s.GP64()
	s.TZCNTQ(s.lanes, number)
	s.BLSRQ(s.lanes, s.lanes)
	s.lane, s.stream = s.GP64(), s.GP64()
	s.LEAQ(operand.Mem{Base: s.state, Index: number, Scale: 8}, s.lane)
	s.ADDQ(number, number)
	s.LEAQ(operand.Mem{Base: s.streams, Index: number, Scale: 8}, s.stream)
	p, count := s.GP64(), s.GP64()
	s.MOVQ(at(s.stream, 0), p)
	s.MOVQ(at(s.stream, 8), count)
	s.p, s.count = p, count
	body()
	s.Label("done")
	s.VZEROUPPER()
	s.RET()
}

// finish stores count and goes to the next lane.
func (s *sampler) finish() {
	s.MOVQ(s.count, at(s.stream, 8))
	s.JMP(operand.LabelRef("lane"))
}

// A laneSampler emits a kernel for one lane, which loads no address and no count from memory:
// the proof that branches depend on acceptances alone needs that, where a stream is secret.
type laneSampler struct {
	appender
	lane reg.Register // its first word
}

func (g *generator) laneSampler(name string) laneSampler {
	g.Function(name)
	g.Attributes(attr.NOSPLIT | attr.NOFRAME)
	g.SignatureExpr("func(p *[256]int32, n int, lane *uint64) int")
	p, count, lane := g.pointer("p"), g.Load(g.Param("n"), g.GP64()), g.pointer("lane")
	return laneSampler{appender{generator: g, p: p, count: count}, lane}
}

// finish returns count.
func (s laneSampler) finish() {
	s.Store(s.count, s.ReturnIndex(0))
	s.VZEROUPPER()
	s.RET()
}

// sampleNTTAVX512 takes 16 candidates at a time from six words of the lane.
func (g *generator) sampleNTTAVX512() {
	a := g.sampler("sampleNTTAVX512")
	var place [6]reg.OpmaskVirtual
	for i := 1; i < 6; i++ {
		place[i] = g.mask(1 << i)
	}
	// spread brings the bytes of candidate j into dword j, beside a fourth.
	spread := g.load("spreadLane", fill(64, func(i int) byte { return byte(min(i/4*3+i%4, 47)) }))
	low23 := g.broadcast("low23", 1<<23-1)
	qs := g.broadcast("q", q)
	half := g.mask(0xff)

	a.each(func() {
		// words loads six words of the lane from word first on, or three. The state
		// has just been stored in rows, and only a load within a row is served
		// before its store has reached the cache.
		words := func(first int) reg.VecVirtual {
			z := g.ZMM()
			g.VPBROADCASTQ(at(a.lane, stride*first), z)
			for i := 1; i < 6 && first+i < wordsXOF; i++ {
				g.VPBROADCASTQ(at(a.lane, stride*(first+i)), place[i], z)
			}
			return z
		}
		// accepted returns the candidates below q of the words from first on, at the
		// front of a vector, and their number.
		accepted := func(first int) (z reg.VecVirtual, number reg.GPVirtual) {
			z = words(first)
			k := g.K()
			number = g.GP64()
			g.VPERMB(z, spread, z)
			g.VPANDD(low23, z, z)
			if first+3 < wordsXOF {
				g.VPCMPUD(operand.U8(1), qs, z, k)
			} else {
				g.VPCMPUD(operand.U8(1), qs, z, half, k)
			}
			g.VPCOMPRESSD_Z(z, k, z)
			g.KMOVW(k, number.As32())
			g.POPCNTL(number.As32(), number.As32())
			return z, number
		}

		g.CMPQ(a.count, operand.U32(n-64))
		g.JA(operand.LabelRef("bounded"))
		g.Comment("All candidates have room: store whole vectors.")
		for first := 0; first < wordsXOF; first += 6 {
			z, number := accepted(first)
			a.full(z, 0)
			g.ADDQ(number, a.count)
		}
		a.finish()

		g.Label("bounded")
		for first := 0; first < wordsXOF; first += 6 {
			z, number := accepted(first)
			a.checked(z, number, fmt.Sprint(first))
		}
		g.Label("complete")
		a.bound()
		a.finish()
	})
}

// sampleBoundedAVX512 takes 64 half bytes at a time from four words.
func (g *generator) sampleBoundedAVX512(eta int) {
	a := g.laneSampler(fmt.Sprintf("sampleBounded%dAVX512", eta))
	var place [4]reg.OpmaskVirtual
	for i := 1; i < 4; i++ {
		place[i] = g.mask(3 << (2 * i))
	}
	// Each word fills two quadwords, of which the first takes the lower half bytes.
	window := g.load("window4", fill(64, func(i int) byte { return byte(4 * (i % 16)) }))
	low4 := g.broadcast("low4", 0x0f0f0f0f)
	limit := g.broadcast(fmt.Sprintf("limit%d", eta), limits[eta]*0x01010101)
	table := g.load(fmt.Sprintf("bounded%d", eta), fill(64, func(i int) byte { return byte(bounded(eta, i%16)) }))
	first16 := g.mask(1<<16 - 1)
	for first := 0; first < wordsH; first += 4 {
		words := min(4, wordsH-first)
		z, k, number := g.ZMM(), g.K(), g.GP64()
		g.VPBROADCASTQ(at(a.lane, stride*first), z)
		for i := 1; i < words; i++ {
			g.VPBROADCASTQ(at(a.lane, stride*(first+i)), place[i], z)
		}
		g.VPMULTISHIFTQB(z, window, z)
		g.VPANDD(low4, z, z)
		if words == 4 {
			g.VPCMPUB(operand.U8(1), limit, z, k)
		} else {
			g.VPCMPUB(operand.U8(1), limit, z, first16, k)
		}
		g.VPSHUFB(z, table, z)
		g.VPCOMPRESSB_Z(z, k, z)
		g.KMOVQ(k, number)
		g.POPCNTQ(number, number)
		parts := func(store func(v reg.VecVirtual, offset int)) {
			for i := range words {
				part, wide := g.XMM(), g.ZMM()
				if i == 0 {
					part = z.AsX().(reg.VecVirtual)
				} else {
					g.VEXTRACTI32X4(operand.U8(uint8(i)), z, part)
				}
				g.VPMOVSXBD(part, wide)
				store(wide, 16*i)
			}
		}
		clamp, next := fmt.Sprintf("clamp%d", first), fmt.Sprintf("next%d", first)
		g.CMPQ(a.count, operand.U32(n-16*words))
		g.JA(operand.LabelRef(clamp))
		parts(a.full)
		g.ADDQ(number, a.count)
		g.JMP(operand.LabelRef(next))
		g.Label(clamp)
		parts(a.clamped)
		g.ADDQ(number, a.count)
		g.Label(next)
	}
	a.bound()
	a.finish()
}

// loadLanes loads the constants of an appender for AVX2.
func (a *appender) loadLanes() {
	a.iota = a.load("lanes", dwords(fill(8, func(i int) int { return i })...))
}

// compactionTable returns, for each pattern of eight bits, the places of its ones.
func compactionTable() []byte {
	var table []byte
	for pattern := range 256 {
		entry := make([]byte, 0, 8)
		for i := range 8 {
			if pattern>>i&1 == 1 {
				entry = append(entry, byte(i))
			}
		}
		table = append(table, entry[:cap(entry)]...)
	}
	return table
}

// sampleNTTAVX2 takes 8 candidates at a time from three words of the lane, and moves the
// accepted ones to the front by a permutation that a table holds for each of the 256
// patterns.
func (g *generator) sampleNTTAVX2() {
	compaction := g.constant("compaction", compactionTable())
	a := g.sampler("sampleNTTAVX2")
	a.loadLanes()
	table := g.GP64()
	g.LEAQ(compaction, table)
	// spread brings the bytes of candidate j into dword j. The low half of the
	// vector has words 0 and 1 of three, the high half words 1 and 2.
	spread := g.load("spreadThree", fill(32, func(i int) byte {
		if i%4 == 3 {
			return 0x80
		}
		return byte(i%16/4*3 + i%4 + i/16*4)
	}))
	low23 := g.broadcast("low23", 1<<23-1)
	qs := g.broadcast("q", q)
	a.each(func() {
		accepted := func(first int) (y reg.VecVirtual, number reg.GPVirtual) {
			y = g.YMM()
			below, order := g.YMM(), g.YMM()
			number = g.GP64()
			g.VPBROADCASTQ(at(a.lane, stride*(first+1)), y)
			g.VPBLENDD(operand.U8(0x03), at(a.lane, stride*first), y, y)
			g.VPBLENDD(operand.U8(0xc0), at(a.lane, stride*(first+2)-24), y, y)
			g.VPSHUFB(spread, y, y)
			g.VPAND(low23, y, y)
			g.VPCMPGTD(y, qs, below)
			g.VMOVMSKPS(below, number.As32())
			g.VPMOVZXBD(operand.Mem{Base: table, Index: number, Scale: 8}, order)
			g.VPERMD(y, order, y)
			g.POPCNTL(number.As32(), number.As32())
			return y, number
		}
		g.CMPQ(a.count, operand.U32(n-56))
		g.JA(operand.LabelRef("bounded"))
		g.Comment("All candidates have room: store whole vectors.")
		for first := 0; first < wordsXOF; first += 3 {
			y, number := accepted(first)
			a.full(y, 0)
			g.ADDQ(number, a.count)
		}
		a.finish()

		g.Label("bounded")
		for first := 0; first < wordsXOF; first += 3 {
			y, number := accepted(first)
			a.checked(y, number, fmt.Sprint(first))
		}
		g.Label("complete")
		a.bound()
		a.finish()
	})
}

// sampleBoundedAVX2 takes 16 half bytes at a time from a word.
func (g *generator) sampleBoundedAVX2(eta int) {
	compaction := g.constant("compaction", compactionTable())
	a := g.laneSampler(fmt.Sprintf("sampleBounded%dAVX2", eta))
	a.loadLanes()
	table := g.GP64()
	g.LEAQ(compaction, table)
	low4, limit := g.XMM(), g.XMM()
	g.VPBROADCASTD(g.constant("low4", dwords(0x0f0f0f0f)), low4)
	g.VPBROADCASTD(g.constant(fmt.Sprintf("limit%d", eta), dwords(limits[eta]*0x01010101)), limit)
	values := g.XMM()
	g.VMOVDQU(g.constant(fmt.Sprintf("bounded%d", eta), fill(16, func(i int) byte { return byte(bounded(eta, i)) })), values)
	counter := g.GP64()
	g.MOVL(operand.U32(wordsH), counter.As32())
	g.Label("word")
	x, high, below := g.XMM(), g.XMM(), g.XMM()
	bits := g.GP64()
	g.VMOVQ(at(a.lane, 0), x)
	g.VPSRLW(operand.U8(4), x, high)
	g.VPUNPCKLBW(high, x, x)
	g.VPAND(low4, x, x)
	g.VPCMPGTB(x, limit, below)
	g.VPSHUFB(x, values, x)
	g.VPMOVMSKB(below, bits.As32())
	for half := range 2 {
		pattern, order, y := g.GP64(), g.XMM(), g.YMM()
		if half == 0 {
			g.MOVBLZX(bits.As8(), pattern.As32())
		} else {
			g.MOVQ(bits, pattern)
			g.SHRL(operand.U8(8), pattern.As32())
			g.VPSRLDQ(operand.U8(8), x, x)
		}
		g.VMOVQ(operand.Mem{Base: table, Index: pattern, Scale: 8}, order)
		g.VPSHUFB(order, x, order)
		g.VPMOVSXBD(order, y)
		g.POPCNTL(pattern.As32(), pattern.As32())
		a.checked(y, pattern, fmt.Sprint(half))
	}
	g.ADDQ(operand.U32(stride), a.lane)
	g.DECL(counter.As32())
	g.JNZ(operand.LabelRef("word"))
	g.Label("complete")
	a.bound()
	a.finish()
}
