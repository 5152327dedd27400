package dsaring

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/keccak"
)

// stateOf returns an interleaved state, aligned to eight bytes only, with the given
// bytes in a lane and noise in the others and behind the bytes.
func stateOf(lane int, content []byte, rng *rand.Rand) *keccak.State8 {
	memory := make([]uint64, 200+8)
	for i := range memory {
		memory[i] = rng.Uint64()
	}
	first := 0
	for uintptr(unsafe.Pointer(&memory[first]))%64 != 8 {
		first++
	}
	s := (*keccak.State8)(unsafe.Pointer(&memory[first]))
	for i, b := range content {
		s[i/8][lane] = s[i/8][lane]&^(0xff<<(i%8*8)) | uint64(b)<<(i%8*8)
	}
	return s
}

func randomBytes(n int, rng *rand.Rand) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// A sampler is SampleNTT or SampleBounded for one η, beside the loop of the standard over the
// bytes of the XOF from where p holds its coefficients.
type sampler struct {
	name     string
	sample   func(p *Poly, n int, s *keccak.State8, lane int) int
	standard func(p []int32, xof []byte) []int32
	output   bounds
	// block makes a block of candidates, of which there are count.
	block       func(candidate func(i int) int) []byte
	count       int
	limit, ends int // candidates below limit are accepted; all are below ends
}

// sampleLane runs f for one lane, with streams in the others that it must not touch.
func sampleLane(p *Poly, n int, lane int, f func(streams *[8]Stream, lanes uint)) int {
	var streams [8]Stream
	streams[lane] = Stream{p, n}
	f(&streams, 1<<lane)
	var want [8]Stream
	want[lane] = Stream{p, streams[lane].N}
	if streams != want {
		panic("a stream of another lane, or a pointer, has changed")
	}
	return streams[lane].N
}

func sampleNTTOfLane(p *Poly, n int, s *keccak.State8, lane int) int {
	return sampleLane(p, n, lane, func(streams *[8]Stream, lanes uint) { SampleNTT(streams, lanes, s) })
}

func sampleBoundedOfLane(p *Poly, n int, s *keccak.State8, lane int, eta int32) int {
	return sampleLane(p, n, lane, func(streams *[8]Stream, lanes uint) { SampleBounded(streams, lanes, s, eta) })
}

var samplers = []sampler{
	{
		"NTT", sampleNTTOfLane,
		sampleNTTOfStandard, least, blockOfTriples, 56, Q, 1 << 23,
	},
	{
		"η=2", func(p *Poly, n int, s *keccak.State8, lane int) int { return sampleBoundedOfLane(p, n, s, lane, 2) },
		func(p []int32, xof []byte) []int32 { return sampleBoundedOfStandard(p, xof, 2) },
		bounds{-2, 2}, blockOfHalves, 272, 15, 16,
	},
	{
		"η=4", func(p *Poly, n int, s *keccak.State8, lane int) int { return sampleBoundedOfLane(p, n, s, lane, 4) },
		func(p []int32, xof []byte) []int32 { return sampleBoundedOfStandard(p, xof, 4) },
		bounds{-4, 4}, blockOfHalves, 272, 9, 16,
	},
}

// sampleNTTOfStandard is FIPS 204, Algorithms 14 and 30.
func sampleNTTOfStandard(p []int32, xof []byte) []int32 {
	for i := 0; i < len(xof) && len(p) < 256; i += 3 {
		b2 := int32(xof[i+2])
		if b2 > 127 {
			b2 -= 128
		}
		if z := 1<<16*b2 + 1<<8*int32(xof[i+1]) + int32(xof[i]); z < 8380417 {
			p = append(p, z)
		}
	}
	return p
}

// sampleBoundedOfStandard is FIPS 204, Algorithms 15 and 31.
func sampleBoundedOfStandard(p []int32, xof []byte, eta int32) []int32 {
	for _, z := range xof {
		for _, b := range [2]int32{int32(z % 16), int32(z / 16)} {
			if len(p) == 256 {
				return p
			}
			switch {
			case eta == 2 && b < 15:
				p = append(p, 2-b%5)
			case eta == 4 && b < 9:
				p = append(p, 4-b)
			}
		}
	}
	return p
}

// blockOfTriples packs 56 numbers of 24 bits, of which candidate gives 23; the highest bits
// are ones in every other.
func blockOfTriples(candidate func(i int) int) []byte {
	var b []byte
	for i := range 56 {
		x := candidate(i) | i%2<<23
		b = append(b, byte(x), byte(x>>8), byte(x>>16))
	}
	return b
}

// blockOfHalves packs 272 numbers of four bits.
func blockOfHalves(candidate func(i int) int) []byte {
	var b []byte
	for i := 0; i < 272; i += 2 {
		b = append(b, byte(candidate(i)|candidate(i+1)<<4))
	}
	return b
}

// check runs the sampler over a block from n on and compares with the standard.
func (s sampler) check(t *testing.T, n, lane int, block []byte, rng *rand.Rand) {
	t.Helper()
	g := newGuarded(1, 15)
	p := &g.polys()[0]
	for i := range n {
		p[i] = s.output.random(rng)
	}
	want := s.standard(slices.Clone(p[:n]), block)
	state := stateOf(lane, block, rng)
	before := *state
	got := s.sample(p, n, state, lane)
	require.Equal(t, len(want), got, "n")
	require.True(t, slices.Equal(want, p[:got]))
	require.True(t, before == *state, "the state has changed")
	g.assertIntact(t)
}

// eachSampler runs f for every sampler under every backend.
func eachSampler(t *testing.T, f func(t *testing.T, s sampler)) {
	for _, s := range samplers {
		t.Run(s.name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T) { f(t, s) })
		})
	}
}

func TestSamplersAreTheStandards(t *testing.T) {
	eachSampler(t, func(t *testing.T, s sampler) {
		rng := rand.New(rand.NewPCG(1, 0))
		below := func(int) int { return rng.IntN(s.limit) }
		above := func(int) int { return s.limit + rng.IntN(s.ends-s.limit) }
		for n := 0; n <= N; n++ {
			for lane := range 8 {
				s.check(t, n, lane, s.block(func(int) int { return rng.IntN(s.ends) }), rng)
				// Every candidate accepted, none, and half of them.
				s.check(t, n, lane, s.block(below), rng)
				s.check(t, n, lane, s.block(above), rng)
				s.check(t, n, lane, s.block(func(i int) int {
					if rng.IntN(2) == 0 {
						return below(i)
					}
					return above(i)
				}), rng)
			}
		}
	})
}

func TestSamplersAcceptExactlyBelowTheLimitAtEveryPosition(t *testing.T) {
	eachSampler(t, func(t *testing.T, s sampler) {
		rng := rand.New(rand.NewPCG(2, 0))
		for _, n := range []int{0, 7, 200, 201, 254, 255, 256} {
			for position := range s.count {
				for _, value := range []int{0, s.limit - 1, s.limit, s.ends - 1} {
					for _, others := range []int{s.limit - 1, s.limit} {
						s.check(t, n, (position+value)%8, s.block(func(i int) int {
							if i == position {
								return value
							}
							return others
						}), rng)
					}
				}
			}
		}
	})
}

// Every value of a half byte at every position, which for the bounded samplers is everything.
func TestSampleBoundedOfEveryHalfByte(t *testing.T) {
	for _, s := range samplers[1:] {
		eachBackend(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 0))
			for offset := range 16 {
				s.check(t, 0, offset%8, s.block(func(i int) int { return (i + offset) % 16 }), rng)
			}
		})
	}
}

// Real seeds need five blocks of RejNTTPoly, hardly ever a sixth, and one or two of
// RejBoundedPoly: streams that reject more reach the sixth, the third, and far more.
func TestSamplersContinueBeyondTheUsualBlocks(t *testing.T) {
	eachSampler(t, func(t *testing.T, s sampler) {
		rng := rand.New(rand.NewPCG(3, 0))
		most := 0
		seen := map[int]bool{} // numbers of blocks
		for percent := 5; percent <= 100; percent++ {
			for lane := range 8 {
				g := newGuarded(1, 15)
				p := &g.polys()[0]
				var xof []byte
				n, blocks := 0, 0
				for ; n < N; blocks++ {
					block := s.block(func(i int) int {
						if rng.IntN(100) < percent {
							return rng.IntN(s.limit)
						}
						return s.limit + rng.IntN(s.ends-s.limit)
					})
					xof = append(xof, block...)
					n = s.sample(p, n, stateOf(lane, block, rng), lane)
				}
				most = max(most, blocks)
				seen[blocks] = true
				require.Equal(t, s.standard(nil, xof), p[:])
				g.assertIntact(t)
			}
		}
		require.True(t, seen[3] || s.count == 56)
		require.True(t, seen[6])
		require.Greater(t, most, 9)
	})
}

// sampleInBallOfStandard is FIPS 204, Algorithm 29, over the bytes of its XOF.
func sampleInBallOfStandard(xof []byte, tau int) (c Poly, read int) {
	bit := func(i int) int32 { return int32(xof[i/8] >> (i % 8) & 1) }
	at := 8
	for i := 256 - tau; i <= 255; i++ {
		j := xof[at]
		at++
		for int(j) > i {
			j = xof[at]
			at++
		}
		c[i] = c[j]
		c[j] = 1 - 2*bit(i+tau-256)
	}
	return c, at
}

func TestSampleInBallIsTheStandards(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 0))
	for _, tau := range []int{39, 49, 60} {
		seen := map[int]bool{} // numbers of blocks
		for round := range 3000 {
			xof := randomBytes(64*RateH, rng)
			switch round % 4 {
			case 1: // rejects much more
				for i := range xof[8:] {
					if rng.IntN(8) > 0 {
						xof[8+i] |= 0xf0
					}
				}
			case 2: // rejects nothing, so that the last position may end the block
				for i := range xof[8:] {
					xof[8+i] &= 0x7f
				}
			case 3: // its last position is the last byte of a block, or the next one's first
				last := RateH - round/4%2
				for i := range xof[8:] {
					xof[8+i] = 255
				}
				for i := last - tau + 1; i <= last; i++ {
					xof[i] = byte(rng.IntN(N - tau))
				}
			}
			want, read := sampleInBallOfStandard(xof, tau)
			p := Poly{1, 2, 3}
			var b Ball
			b.Begin(&p, tau)
			blocks := 0
			for done := false; !done; blocks++ {
				done = b.Continue(&p, (*[RateH]byte)(xof[blocks*RateH:]))
			}
			require.Equal(t, (read+RateH-1)/RateH, blocks)
			require.Equal(t, want, p)
			seen[blocks] = true
		}
		require.True(t, seen[1] && seen[2] && seen[3])
	}
}

func FuzzSamplers(f *testing.F) {
	f.Add(make([]byte, RateXOF), uint8(255), uint8(3))
	f.Fuzz(func(t *testing.T, block []byte, n, lane uint8) {
		block = append(block, make([]byte, RateXOF)...)[:RateXOF]
		rng := rand.New(rand.NewPCG(6, uint64(n)))
		for _, backend := range cpu.Available() {
			restore := cpu.Use(backend)
			samplers[0].check(t, int(n), int(lane%8), block, rng)
			samplers[1].check(t, int(n), int(lane%8), block[:RateH], rng)
			samplers[2].check(t, int(n), int(lane%8), block[:RateH], rng)
			restore()
		}
	})
}

func TestSamplingAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			var p Poly
			var s keccak.State8
			var block [RateH]byte
			var b Ball
			streams := [8]Stream{1: {P: &p}}
			SampleNTT(&streams, 1<<1, &s)
			SampleBounded(&streams, 1<<1, &s, 4)
			b.Begin(&p, 39)
			b.Continue(&p, &block)
		}))
	})
}

// TestSamplersOfSeveralLanes samples all sets of lanes at once, with streams of different
// lengths, as the lanes one by one are.
func TestSamplersOfSeveralLanes(t *testing.T) {
	all := []func(streams *[8]Stream, lanes uint, s *keccak.State8){
		SampleNTT,
		func(streams *[8]Stream, lanes uint, s *keccak.State8) { SampleBounded(streams, lanes, s, 2) },
		func(streams *[8]Stream, lanes uint, s *keccak.State8) { SampleBounded(streams, lanes, s, 4) },
	}
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(8, 0))
		for lanes := range uint(1 << 8) {
			s := stateOf(0, nil, rng)
			for i, sample := range all {
				var got, want [8]Stream
				var p, q [8]Poly
				for l := range got {
					n := rng.IntN(N + 1)
					got[l], want[l] = Stream{&p[l], n}, Stream{&q[l], n}
					if lanes>>l&1 == 1 {
						want[l].N = samplers[i].sample(&q[l], n, s, l)
					}
				}
				sample(&got, lanes, s)
				for l := range got {
					require.Equal(t, want[l].N, got[l].N)
					require.Same(t, &p[l], got[l].P)
					require.Equal(t, q[l][:want[l].N], p[l][:want[l].N], "lane %d of %08b", l, lanes)
				}
			}
		}
	})
}

// benchmarkSampler samples eight polynomials at once from blocks of a real XOF's density.
// Several streams keep branch prediction from learning one; all are at hand in the nearest
// cache, as states that have just been permuted are.
func benchmarkSampler(b *testing.B, sample func(streams *[8]Stream, lanes uint, s *keccak.State8)) {
	rng := rand.New(rand.NewPCG(7, 0))
	blocks := make([]keccak.State8, 10)
	for i := range blocks {
		blocks[i] = *stateOf(0, nil, rng)
	}
	var p [8]Poly
	i := 0
	benchmark(b, func() {
		var streams [8]Stream
		for l := range streams {
			streams[l].P = &p[l]
		}
		for lanes := uint(1<<8 - 1); lanes != 0; i++ {
			sample(&streams, lanes, &blocks[i%len(blocks)])
			for l := range streams {
				if streams[l].N == N {
					lanes &^= 1 << l
				}
			}
		}
	})
}

func BenchmarkSampleNTT(b *testing.B) { benchmarkSampler(b, SampleNTT) }

func BenchmarkSampleBounded(b *testing.B) {
	for _, eta := range []int32{2, 4} {
		b.Run(fmt.Sprintf("eta=%d", eta), func(b *testing.B) {
			benchmarkSampler(b, func(streams *[8]Stream, lanes uint, s *keccak.State8) {
				SampleBounded(streams, lanes, s, eta)
			})
		})
	}
}
