package main

import "github.com/pqlane/pqlane/internal/asm/a64"

// A lane's words stand 64 bytes apart in the state of eight lanes.
const stride = 64

// The words of a block.
const (
	wordsXOF = 168 / 8
	wordsH   = 136 / 8
)

// A sampler is a kernel that appends candidates to a polynomial.
type sampler struct {
	*a64.Func
	p, lane a64.X
	end     a64.X // where the next coefficient goes
	buffer  a64.Mem
	limit   a64.X // end, if the polynomial had room for a batch and no more
}

// newSampler begins a function for one lane.
func (file *conversion) newSampler(name string, batch int) *sampler {
	f := file.Func(name, "func(p *[256]int32, n int, lane *uint64) int")
	s := &sampler{Func: f, p: pointer(f, "p"), end: f.X(), limit: f.X()}
	s.lane = pointer(f, "lane")
	s.buffer = f.Frame(4 * batch)
	count := f.X()
	f.Arg(count, "n")
	f.ADD(s.end, s.p, count.LSL(2))
	f.ADD(s.limit, s.p, 4*(n-batch))
	f.Free(count)
	return s
}

// finish returns the number of coefficients.
func (s *sampler) finish() {
	s.SUB(s.end, s.end, s.p)
	s.LSR(s.end, s.end, 2)
	s.Result("ret", s.end)
	s.RET()
}

// sampleNTT takes up to 16 candidates at a time, of six words. Nearly always all are below q
// and have room; if not, they go to the polynomial one by one.
func (file *conversion) sampleNTT() {
	const batch = 16
	s := file.newSampler("sampleNTTNEON", batch)
	f := s.Func
	// Three words, in the lower halves of registers, hold eight candidates.
	ls := file.lookups(f, "triples", fill(2, func(half int) []place {
		return fill(16, func(i int) place {
			if i%4 == 3 {
				return place{register: -1}
			}
			at := 12*half + i/4*3 + i%4
			return place{at / 8, at % 8}
		})
	}))
	modulus, done := f.X(), f.Label("done")
	f.MOV(modulus, q)
	for word := 0; word < wordsXOF; word += 6 {
		triples := min(2, (wordsXOF-word)/3)
		words, candidates := f.Table(3*triples), f.Table(2*triples)
		for i, w := range words {
			f.LDRD(w, s.lane.At(stride*(word+i)))
		}
		for i, c := range candidates {
			ls[i%2].from(f, c, words[i/2*3:i/2*3+3])
			f.VBICI(c.S4(), 0x80, 16)
		}
		largest, most := f.V(), f.X()
		f.VUMAX(largest.S4(), candidates[0].S4(), candidates[1].S4())
		if triples == 2 {
			other := f.V()
			f.VUMAX(other.S4(), candidates[2].S4(), candidates[3].S4())
			f.VUMAX(largest.S4(), largest.S4(), other.S4())
			f.Free(other)
		}
		f.VUMAXV(largest, largest.S4())
		f.UMOV(most, largest.S(0))
		single, next := f.Label("single"), f.Label("next")
		f.CMP(s.end, s.limit)
		f.Branch("HI", single)
		f.CMPW(most, modulus)
		f.Branch("HS", single)
		f.ST1(s.end.Post(16*len(candidates)), vecs(candidates)...)
		f.B(next)

		f.Place(single)
		from, left, full, c := f.X(), f.X(), f.X(), f.X()
		s.storeBuffer(candidates, from)
		f.MOV(left, 4*len(candidates))
		f.ADD(full, s.p, 4*n)
		l := f.Label("each")
		f.Place(l)
		f.CMP(s.end, full)
		f.Branch("HS", done)
		f.LDRW(c, from.Post(4))
		f.STRW(c, s.end.At(0))
		f.CMPW(c, modulus)
		f.CSET(c, "LO")
		f.ADD(s.end, s.end, c.LSL(2))
		f.SUB(left, left, 1)
		f.CBNZ(left, l)
		f.Free(from, left, full, c)

		f.Place(next)
		f.Free(words, candidates, largest, most)
	}
	f.Place(done)
	s.finish()
}

// storeBuffer stores registers to the buffer, and sets x to its address.
func (s *sampler) storeBuffer(vs []a64.V, x a64.X) {
	s.AddrOf(x, s.buffer)
	for i := 0; i < len(vs); i += 2 {
		s.STP(vs[i], vs[i+1], x.At(16*i))
	}
}

// limits are the numbers of values of a half byte that RejBoundedPoly accepts, by η.
var limits = map[int]int64{2: 15, 4: 9}

// bounded returns the coefficient of FIPS 204, Algorithm 15, for half byte b.
func bounded(eta, b int) int8 {
	if eta == 2 {
		return int8(2 - b%5)
	}
	return int8(4 - b)
}

// compressions returns, for each set of eight bytes, the indices of its members.
func compressions() []uint64 {
	return fill(256, func(set int) uint64 {
		var indices uint64
		count := 0
		for i := range 8 {
			if set>>i&1 == 1 {
				indices |= uint64(i) << (8 * count)
				count++
			}
		}
		return indices
	})
}

// sampleBounded takes a word, 16 candidates, at a time: it gathers the bits of acceptances, and
// moves what is accepted of eight coefficients to the front by the indices that a table has for
// their set.
func (file *conversion) sampleBounded(eta int, table a64.Symbol) {
	const batch = 16
	s := file.newSampler([]string{2: "sampleBounded2NEON", 4: "sampleBounded4NEON"}[eta], batch)
	f := s.Func
	sets := f.X()
	f.Addr(sets, table)
	fixed := f.Vs(2)
	values, bit := fixed[0], fixed[1]
	bytes := fill(16, func(b int) uint32 { return uint32(uint8(bounded(eta, b))) })
	for i := range 16 {
		bytes = append(bytes, 1<<(i%8))
	}
	loadTable(f, file.constant([]string{2: "bounded2", 4: "bounded4"}[eta], fill(8, func(i int) uint32 {
		return bytes[4*i] | bytes[4*i+1]<<8 | bytes[4*i+2]<<16 | bytes[4*i+3]<<24
	})), fixed)
	limit, low := f.V(), f.V()
	f.VMOVI(limit.B16(), uint64(limits[eta]), 0)
	f.VMOVI(low.B16(), 15, 0)
	words := f.X()
	f.MOV(words, wordsH)
	loop, last, lastLoop, done := f.Label("word"), f.Label("last"), f.Label("lastWord"), f.Label("done")

	// append stores what is accepted of the next word at end, which moves along.
	appendWord := func(end a64.X) {
		v, t := f.V(), f.V()
		f.LDRD(v, s.lane.At(0))
		f.ADD(s.lane, s.lane, stride)
		f.VUSHR(t.B8(), v.B8(), 4)
		f.VAND(v.B8(), v.B8(), low.B8())
		f.VZIP1(v.B16(), v.B16(), t.B16())
		f.VCMHI(t.B16(), limit.B16(), v.B16())
		f.VAND(t.B16(), t.B16(), bit.B16())
		for range 3 {
			f.VADDP(t.B16(), t.B16(), t.B16())
		}
		f.VTBL(v.B16(), []a64.V{values}, v.B16())
		set, count, x := f.X(), f.X(), f.X()
		f.UMOV(set, t.H(0))
		f.VCNT(t.B8(), t.B8())
		f.UMOV(count, t.H(0))
		for half := range 2 {
			indices, lower, upper := f.V(), f.V(), f.V()
			f.UBFX(x, set, 8*half, 8)
			f.LSL(x, x, 3)
			f.LDRD(indices, sets.Index(x))
			if half == 1 {
				f.VEXT(v.B16(), v.B16(), v.B16(), 8)
			}
			f.VTBL(indices.B8(), []a64.V{v}, indices.B8())
			f.VSSHLL(indices.H8(), indices.B8(), 0)
			f.VSSHLL(lower.S4(), indices.H4(), 0)
			f.VSSHLL(upper.S4(), indices.H8(), 0)
			f.STP(lower, upper, end.At(0))
			if half == 0 {
				f.AND(x, count, 15)
				f.ADD(end, end, x.LSL(2))
			} else {
				f.LSR(x, count, 8)
				f.ADD(end, end, x.LSL(2))
			}
			f.Free(indices, lower, upper)
		}
		f.Free(v, t, set, count, x)
	}

	f.Place(loop)
	f.CMP(s.end, s.limit)
	f.Branch("HI", last)
	appendWord(s.end)
	f.SUB(words, words, 1)
	f.CBNZ(words, loop)
	f.B(done)

	f.Place(last)
	full, from, to, c := f.X(), f.X(), f.X(), f.X()
	f.ADD(full, s.p, 4*n)
	wipe := f.Label("wipe")
	f.Place(lastLoop)
	f.AddrOf(to, s.buffer)
	f.MOV(from, to)
	appendWord(to)
	copied, each := f.Label("copied"), f.Label("each")
	f.Place(each)
	f.CMP(s.end, full)
	f.Branch("HS", wipe)
	f.CMP(from, to)
	f.Branch("HS", copied)
	f.LDRW(c, from.Post(4))
	f.STRW(c, s.end.Post(4))
	f.B(each)
	f.Place(copied)
	f.SUB(words, words, 1)
	f.CBNZ(words, lastLoop)

	f.Place(wipe) // what is secret, and beyond the polynomial too
	zero := f.V()
	f.VMOVI(zero.D2(), 0, 0)
	f.AddrOf(to, s.buffer)
	for i := 0; i < 4*batch; i += 32 {
		f.STP(zero, zero, to.At(i))
	}
	f.Free(full, from, to, c, zero)

	f.Place(done)
	s.finish()
}

// readLanes exchanges rows and columns: two words of each lane at a time.
func (file *conversion) readLanes() {
	f := file.Func("readLanesNEON", "func(dst0, dst1, dst2, dst3 *[136]byte, s *[25][4]uint64)")
	dst := [4]a64.X{pointer(f, "dst0"), pointer(f, "dst1"), pointer(f, "dst2"), pointer(f, "dst3")}
	s := pointer(f, "s")
	f.Loop(wordsH/2, func() {
		x := f.Table(4)
		f.LD1(s.Post(64), x[0].D2(), x[1].D2(), x[2].D2(), x[3].D2())
		for half := range 2 {
			first, second := f.V(), f.V()
			f.VZIP1(first.D2(), x[half].D2(), x[half+2].D2())
			f.VZIP2(second.D2(), x[half].D2(), x[half+2].D2())
			f.STR(first, dst[2*half].Post(16))
			f.STR(second, dst[2*half+1].Post(16))
			f.Free(first, second)
		}
		f.Free(x)
	})
	word := f.X()
	for lane, d := range dst {
		f.LDRX(word, s.At(8*lane))
		f.STRX(word, d.At(0))
	}
	f.RET()
}
