package kemring

import (
	"encoding/binary"
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
func stateOf(lane int, content []byte, rng *rand.Rand) *keccak.State4 {
	memory := make([]uint64, 100+4)
	for i := range memory {
		memory[i] = rng.Uint64()
	}
	first := 0
	for uintptr(unsafe.Pointer(&memory[first]))%32 != 8 {
		first++
	}
	s := (*keccak.State4)(unsafe.Pointer(&memory[first]))
	for i, b := range content {
		s[i/8][lane] = s[i/8][lane]&^(0xff<<(i%8*8)) | uint64(b)<<(i%8*8)
	}
	return s
}

// sampleNTTOfStandard is the loop of FIPS 203, Algorithm 7, over the bytes of the XOF
// from where p holds n coefficients.
func sampleNTTOfStandard(p []int16, xof []byte) []int16 {
	for i := 0; i < len(xof) && len(p) < 256; i += 3 {
		d1 := int16(xof[i]) + 256*int16(xof[i+1]%16)
		d2 := int16(xof[i+1]/16) + 16*int16(xof[i+2])
		if d1 < 3329 {
			p = append(p, d1)
		}
		if d2 < 3329 && len(p) < 256 {
			p = append(p, d2)
		}
	}
	return p
}

// blockOf packs 112 numbers of twelve bits.
func blockOf(candidate func(i int) int) []byte {
	var b []byte
	for i := 0; i < 112; i += 2 {
		x := candidate(i) | candidate(i+1)<<12
		b = append(b, byte(x), byte(x>>8), byte(x>>16))
	}
	return b
}

func randomBytes(n int, rng *rand.Rand) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// checkSampleNTT runs SampleNTT over a block from n on and compares with the standard.
func checkSampleNTT(t *testing.T, n, lane int, block []byte, rng *rand.Rand) {
	t.Helper()
	g := newGuarded(1, 31)
	p := &g.polys()[0]
	for i := range n {
		p[i] = int16(rng.IntN(Q))
	}
	want := sampleNTTOfStandard(slices.Clone(p[:n]), block)
	s := stateOf(lane, block, rng)
	before := *s
	got := SampleNTT(p, n, s, lane)
	require.Equal(t, len(want), got, "n")
	require.Equal(t, want, p[:got])
	require.Equal(t, before, *s, "the state has changed")
	g.assertIntact(t)
}

func TestSampleNTTIsTheStandards(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 0))
		for n := 0; n <= N; n++ {
			for lane := range 4 {
				checkSampleNTT(t, n, lane, randomBytes(RateXOF, rng), rng)
				// Every candidate accepted, none, and about one of 14.
				checkSampleNTT(t, n, lane, blockOf(func(int) int { return rng.IntN(Q) }), rng)
				checkSampleNTT(t, n, lane, blockOf(func(int) int { return Q + rng.IntN(1<<12-Q) }), rng)
				checkSampleNTT(t, n, lane, blockOf(func(int) int { return Q - 59 + rng.IntN(1<<12-Q+59) }), rng)
			}
		}
	})
}

func TestSampleNTTAcceptsExactlyBelowQAtEveryPosition(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(2, 0))
		for _, n := range []int{0, 7, 144, 145, 254, 255, 256} {
			for lane := range 4 {
				for position := range 112 {
					for _, value := range []int{0, Q - 1, Q, 1<<12 - 1} {
						checkSampleNTT(t, n, lane, blockOf(func(i int) int {
							if i == position {
								return value
							}
							return Q
						}), rng)
						checkSampleNTT(t, n, lane, blockOf(func(i int) int {
							if i == position {
								return value
							}
							return Q - 1
						}), rng)
					}
				}
			}
		}
	})
}

// TestSampleNTTsIsSampleNTTOfEach runs over lanes whose polynomials hold different numbers of
// coefficients, on either side of what a block can overrun, beside a guard.
func TestSampleNTTsIsSampleNTTOfEach(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(8, 0))
		limits := []int{Q, Q + 1, 1 << 12} // all are accepted, nearly all, and most
		for range 2000 {
			lane := rng.IntN(keccak.Lanes)
			count := 1 + rng.IntN(keccak.Lanes-lane)
			g := newGuarded(count, 31)
			a := g.polys()
			s := stateOf(0, nil, rng)
			var done, wantDone [keccak.Lanes]int
			var want [keccak.Lanes][]int16
			for i := range a {
				limit := limits[rng.IntN(len(limits))]
				block := blockOf(func(int) int { return rng.IntN(limit) })
				for w := range RateXOF / 8 {
					s[w][lane+i] = binary.LittleEndian.Uint64(block[8*w:])
				}
				done[i] = []int{0, 144, 145, 255, 256, rng.IntN(N + 1)}[rng.IntN(6)]
				for j := range done[i] {
					a[i][j] = int16(rng.IntN(Q))
				}
				want[i] = sampleNTTOfStandard(slices.Clone(a[i][:done[i]]), block)
				wantDone[i] = len(want[i])
			}
			before := *s
			SampleNTTs(a, &done, s, lane)
			require.Equal(t, wantDone, done)
			for i := range a {
				require.Equal(t, want[i], a[i][:done[i]])
			}
			require.Equal(t, before, *s, "the state has changed")
			g.assertIntact(t)
		}
	})
}

// Real seeds need three blocks, rarely four: streams that reject nearly everything
// reach the fifth and far more, as Algorithm 7 does not bound them.
func TestSampleNTTContinuesBeyondTheFourthBlock(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 0))
		for accepted := 1; accepted < 64; accepted++ { // of 112 candidates, on average
			for lane := range 4 {
				g := newGuarded(1, 31)
				p := &g.polys()[0]
				var xof []byte
				n, blocks := 0, 0
				for ; n < N; blocks++ {
					block := blockOf(func(i int) int {
						if rng.IntN(112) < accepted {
							return rng.IntN(Q)
						}
						return Q + rng.IntN(1<<12-Q)
					})
					xof = append(xof, block...)
					n = SampleNTT(p, n, stateOf(lane, block, rng), lane)
				}
				if accepted <= 50 {
					require.GreaterOrEqual(t, blocks, 5)
				}
				require.Equal(t, sampleNTTOfStandard(nil, xof), p[:])
				g.assertIntact(t)
			}
		}
	})
}

// cbdOfStandard is FIPS 203, Algorithm 8.
func cbdOfStandard(b []byte, eta int) (f Poly) {
	bit := func(i int) int16 { return int16(b[i/8] >> (i % 8) & 1) }
	for i := range f {
		for j := range eta {
			f[i] += bit(2*i*eta+j) - bit(2*i*eta+eta+j)
		}
	}
	return f
}

// noise returns inputs of a binomial sampler: random ones, and such that each
// coefficient takes each of its bit patterns.
func noise(bytes int, rng *rand.Rand) [][]byte {
	var all [][]byte
	for range 500 {
		all = append(all, randomBytes(bytes, rng))
	}
	for value := range 256 {
		b := make([]byte, bytes)
		for i := range b {
			b[i] = byte(value)
		}
		all = append(all, b)
	}
	for bit := range 8 * bytes {
		b := make([]byte, bytes)
		b[bit/8] = 1 << (bit % 8)
		all = append(all, b)
	}
	return all
}

func TestCBD2IsTheStandards(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(4, 0))
		for _, b := range noise(128, rng) {
			for lane := range 4 {
				g := newGuarded(1, 31)
				s := stateOf(lane, b, rng)
				before := *s
				p := &g.polys()[0]
				CBD2(p, s, lane)
				require.Equal(t, cbdOfStandard(b, 2), *p)
				require.Equal(t, before, *s, "the state has changed")
				g.assertIntact(t)
			}
		}
	})
}

func TestCBD3IsTheStandards(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 0))
		for _, b := range noise(192, rng) {
			g := newGuarded(1, 31)
			input := slices.Concat([]byte{0}, b)
			p := &g.polys()[0]
			CBD3(p, (*[192]byte)(input[1:]))
			require.Equal(t, cbdOfStandard(b, 3), *p)
			g.assertIntact(t)
		}
	})
}

func FuzzSampleNTT(f *testing.F) {
	f.Add(make([]byte, RateXOF), uint8(255), uint8(3))
	f.Fuzz(func(t *testing.T, block []byte, n, lane uint8) {
		block = append(block, make([]byte, RateXOF)...)[:RateXOF]
		rng := rand.New(rand.NewPCG(6, uint64(n)))
		for _, backend := range cpu.Available() {
			restore := cpu.Use(backend)
			checkSampleNTT(t, int(n), int(lane%4), block, rng)
			restore()
		}
	})
}

func TestSamplingAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			var p Poly
			var s keccak.State4
			var b [192]byte
			var done [keccak.Lanes]int
			SampleNTT(&p, 0, &s, 1)
			SampleNTTs([]Poly{p}, &done, &s, 1)
			CBD2(&p, &s, 2)
			CBD3(&p, &b)
		}))
	})
}

// BenchmarkSampleNTTs samples three polynomials from three blocks of a real XOF's density.
// A hundred streams keep branch prediction from learning them.
func BenchmarkSampleNTTs(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 0))
	streams := make([][3]keccak.State4, 100)
	for i := range streams {
		for j := range streams[i] {
			s := stateOf(0, nil, rng)
			streams[i][j] = *s
		}
	}
	var a [3]Poly
	i := 0
	benchmark(b, func() {
		var done [keccak.Lanes]int
		for block := range streams[i%len(streams)] {
			SampleNTTs(a[:], &done, &streams[i%len(streams)][block], 1)
		}
		i++
	})
}

func BenchmarkCBD2(b *testing.B) {
	var p Poly
	var s keccak.State4
	benchmark(b, func() { CBD2(&p, &s, 1) })
}

func BenchmarkCBD3(b *testing.B) {
	var p Poly
	var in [192]byte
	benchmark(b, func() { CBD3(&p, &in) })
}
