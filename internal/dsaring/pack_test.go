package dsaring

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// A packing is one of the package's, with what FIPS 204 says of it: width bits of
// base − c, or of c if base is 0.
type packing struct {
	name   string
	pack   func(dst []byte, p *Poly)
	unpack func(p *Poly, src []byte) bool // nil if there is none
	width  int
	base   int32
	top    int32 // the largest number that is valid
	factor int32 // of the coefficients that unpack returns
}

func always(f func(p *Poly, src []byte)) func(p *Poly, src []byte) bool {
	return func(p *Poly, src []byte) bool { f(p, src); return true }
}

func packings() []packing {
	ps := []packing{
		{"t1", PackT1, always(UnpackT1), 10, 0, 1023, 1 << 13},
		{"t0", PackT0, always(UnpackT0), 13, 1 << 12, 1<<13 - 1, 1},
		{"w1 of 44", func(dst []byte, p *Poly) { PackW1(dst, p, Gamma2Q88) }, nil, 6, 0, 43, 1},
		{"w1 of 65", func(dst []byte, p *Poly) { PackW1(dst, p, Gamma2Q32) }, nil, 4, 0, 15, 1},
	}
	for _, eta := range []int32{2, 4} {
		ps = append(ps, packing{
			fmt.Sprintf("η=%d", eta),
			func(dst []byte, p *Poly) { PackEta(dst, p, eta) },
			func(p *Poly, src []byte) bool { return UnpackEta(p, src, eta) },
			int(eta)/2 + 2, eta, 2 * eta, 1,
		})
	}
	for i, gamma1 := range []int32{Gamma1Bits17, Gamma1Bits19} {
		ps = append(ps, packing{
			fmt.Sprintf("γ₁=%d", gamma1),
			func(dst []byte, p *Poly) { PackZ(dst, p, gamma1) },
			always(func(p *Poly, src []byte) { UnpackZ(p, src, gamma1) }),
			18 + 2*i, gamma1, 2*gamma1 - 1, 1,
		})
	}
	return ps
}

// coefficient returns what stands for the number x.
func (k packing) coefficient(x int32) int32 {
	if k.base == 0 {
		return x
	}
	return k.base - x
}

// ofStandard is FIPS 204, Algorithm 16 (SimpleBitPack) and 17 (BitPack), of the numbers x.
func (k packing) ofStandard(x *[N]int32) []byte {
	b := make([]byte, 32*k.width)
	for i := range 8 * len(b) {
		b[i/8] |= byte(x[i/k.width]>>(i%k.width)&1) << (i % 8)
	}
	return b
}

// numbers returns vectors of numbers up to top: random ones, and such that each place
// takes each of its ends beside others.
func (k packing) numbers(top int32, rng *rand.Rand) [][N]int32 {
	var all [][N]int32
	for round := range 40 {
		var x [N]int32
		for i := range x {
			x[i] = rng.Int32N(top + 1)
			if round%2 == 1 && rng.IntN(2) == 0 {
				x[i] = [2]int32{0, top}[rng.IntN(2)]
			}
		}
		all = append(all, x)
	}
	for i := range N {
		var x [N]int32
		x[i] = top
		all = append(all, x)
	}
	return all
}

// A guardedBytes is memory with canaries before and after it.
type guardedBytes []byte

func newGuardedBytes(n, shift int) (guardedBytes, []byte) {
	g := guardedBytes(bytes.Repeat([]byte{canary & 0xff}, n+192))
	return g, g[64+shift%64:][:n:n]
}

func (g guardedBytes) assertIntact(t *testing.T, n, shift int) {
	t.Helper()
	first := 64 + shift%64
	for i, b := range g {
		if (i < first || i >= first+n) && b != canary&0xff {
			require.Failf(t, "write out of bounds", "at byte %d of %d", i-first, n)
		}
	}
}

func TestPackingIsTheStandards(t *testing.T) {
	for _, k := range packings() {
		t.Run(k.name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 0))
				for round, x := range k.numbers(k.top, rng) {
					var p Poly
					for i := range p {
						p[i] = k.coefficient(x[i])
					}
					before := p
					want := k.ofStandard(&x)
					g, dst := newGuardedBytes(len(want), round)
					k.pack(dst, &p)
					require.Equal(t, want, dst)
					require.True(t, before == p)
					g.assertIntact(t, len(want), round)

					if k.unpack == nil {
						continue
					}
					h := newGuarded(1, round)
					require.True(t, k.unpack(&h.polys()[0], dst))
					for i, c := range h.polys()[0] {
						if c != k.factor*p[i] {
							require.Failf(t, "wrong coefficient", "%d is %d, packed of %d", i, c, p[i])
						}
					}
					h.assertIntact(t)
				}
			})
		})
	}
}

// TestUnpackEtaRefusesEveryLargeNumber puts each number above 2η at each place.
func TestUnpackEtaRefusesEveryLargeNumber(t *testing.T) {
	for _, k := range packings() {
		if k.top == 1<<k.width-1 || k.unpack == nil {
			continue
		}
		eachBackend(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(2, 0))
			var x [N]int32
			for place := range N {
				x[place] = rng.Int32N(k.top + 1)
			}
			for place, valid := range x {
				for x[place] = 0; x[place] < 1<<k.width; x[place]++ {
					var p Poly
					require.Equal(t, x[place] <= k.top, k.unpack(&p, k.ofStandard(&x)))
					for i, c := range p {
						if c != k.base-x[i] {
							require.Failf(t, "wrong coefficient", "%d is %d, of %d", i, c, x[i])
						}
					}
				}
				x[place] = valid
			}
		})
	}
}

func TestPackingSizes(t *testing.T) {
	assert.Equal(t, []int{320, 416}, []int{SizeT1, SizeT0})
	assert.Equal(t, []int{96, 128}, []int{SizeEta(2), SizeEta(4)})
	assert.Equal(t, []int{576, 640}, []int{SizeZ(Gamma1Bits17), SizeZ(Gamma1Bits19)})
	assert.Equal(t, []int{192, 128}, []int{SizeW1(Gamma2Q88), SizeW1(Gamma2Q32)})
}

// Any bytes unpack to the same coefficients under every backend, which pack to the bytes
// if they are valid.
func FuzzUnpack(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0xff}, 640))
	f.Fuzz(func(t *testing.T, src []byte) {
		src = append(src, make([]byte, 640)...)[:640]
		for _, k := range packings() {
			if k.unpack == nil {
				continue
			}
			var want Poly
			for i, backend := range cpu.Available() {
				restore := cpu.Use(backend)
				var p Poly
				in := src[:32*k.width]
				if k.unpack(&p, in) && k.factor == 1 {
					dst := make([]byte, len(in))
					k.pack(dst, &p)
					require.Equal(t, in, dst)
				}
				if i == 0 {
					want = p
				}
				require.Equal(t, want, p)
				restore()
			}
		}
	})
}

func TestPackingAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		var dst [640]byte
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			var p Poly
			PackT1(dst[:], &p)
			UnpackT1(&p, dst[:])
			PackT0(dst[:], &p)
			UnpackT0(&p, dst[:])
			PackEta(dst[:], &p, 2)
			UnpackEta(&p, dst[:], 4)
			PackZ(dst[:], &p, Gamma1Bits17)
			UnpackZ(&p, dst[:], Gamma1Bits19)
			PackW1(dst[:], &p, Gamma2Q32)
		}))
	})
}

func BenchmarkPack(b *testing.B) {
	for _, k := range packings() {
		b.Run(k.name, func(b *testing.B) {
			p, dst := Poly{}, make([]byte, 32*k.width)
			benchmark(b, func() { k.pack(dst, &p) })
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	for _, k := range packings() {
		if k.unpack != nil {
			b.Run(k.name, func(b *testing.B) {
				p, src := Poly{}, make([]byte, 32*k.width)
				benchmark(b, func() { k.unpack(&p, src) })
			})
		}
	}
}
