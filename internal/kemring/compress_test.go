package kemring

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// widths are the d of ML-KEM's parameter sets.
var widths = []int{1, 4, 5, 10, 11}

// compressOfStandard is Compress_d of FIPS 203, Section 4.2.1, of any representative:
// ⌈(2^d/q)·x⌋ mod 2^d, where halves are rounded up.
func compressOfStandard(x int64, d int) int64 {
	x = (x%3329 + 3329) % 3329
	return (2*x<<d + 3329) / (2 * 3329) % (1 << d)
}

// decompressOfStandard is Decompress_d, ⌈(q/2^d)·y⌋.
func decompressOfStandard(y int64, d int) int64 { return (2*3329*y + 1<<d) / (2 << d) }

// byteEncodeOfStandard is FIPS 203, Algorithm 5.
func byteEncodeOfStandard(f []int64, d int) []byte {
	b := make([]byte, 32*d)
	for i, x := range f {
		for j := range d {
			bit := i*d + j
			b[bit/8] |= byte(x>>j&1) << (bit % 8)
		}
	}
	return b
}

// guardedBytes returns n bytes at an odd address between bytes that nothing may write, and
// the check that nothing has.
func guardedBytes(n int) (b []byte, assertIntact func(t *testing.T)) {
	memory := slices.Repeat([]byte{0x5a}, 65+n+64)
	return memory[65 : 65+n : 65+n], func(t *testing.T) {
		t.Helper()
		for i, x := range memory {
			if (i < 65 || i >= 65+n) && x != 0x5a {
				require.Failf(t, "write outside the bytes", "at %d of %d", i-65, n)
			}
		}
	}
}

// eachWidth runs f as a subtest for each d under each backend.
func eachWidth(t *testing.T, f func(t *testing.T, d int)) {
	eachBackend(t, func(t *testing.T) {
		for _, d := range widths {
			t.Run(fmt.Sprintf("d=%d", d), func(t *testing.T) { f(t, d) })
		}
	})
}

func checkCompress(t *testing.T, p *Poly, d int) {
	t.Helper()
	y := make([]int64, N)
	for i, x := range p {
		y[i] = compressOfStandard(int64(x), d)
	}
	g := newGuarded(1, 31)
	in := &g.polys()[0]
	*in = *p
	dst, assertIntact := guardedBytes(32 * d)
	Compress(dst, in, d)
	if want := byteEncodeOfStandard(y, d); !slices.Equal(want, dst) {
		require.Equal(t, want, dst, "first coefficient %d", p[0])
	}
	require.Equal(t, *p, *in, "the input has changed")
	g.assertIntact(t)
	assertIntact(t)
}

// The kernels treat each coefficient for itself, so every x of the input interval at
// every position decides them. Different neighbours show bits that spill.
func TestCompressOfEveryCoefficientAtEveryPosition(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 17
	}
	eachWidth(t, func(t *testing.T, d int) {
		for x := -2 * Q; x <= 2*Q; x += step {
			var same, mixed Poly
			for i := range N {
				same[i] = int16(x)
				mixed[i] = int16((x+2*Q+i*1181)%(4*Q+1) - 2*Q)
			}
			checkCompress(t, &same, d)
			checkCompress(t, &mixed, d)
		}
	})
}

// Decryption's message bits: a coefficient beyond a quarter of q from 0 is a one.
func TestCompressAtTheBoundariesOfAMessageBit(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		for x, bit := range map[int16]byte{0: 0, 832: 0, 833: 1, 1664: 1, 1665: 1, 2496: 1, 2497: 0, 3328: 0} {
			for _, x := range []int16{x - 2*Q, x - Q, x, x + Q} {
				for i := range N {
					var p Poly
					p[i] = x
					want := make([]byte, 32)
					want[i/8] = bit << (i % 8)
					got := make([]byte, 32)
					Compress(got, &p, 1)
					require.Equal(t, want, got, "x = %d at %d", x, i)
				}
			}
		}
	})
}

func checkDecompress(t *testing.T, src []byte, d int) {
	t.Helper()
	in, assertIntact := guardedBytes(32 * d)
	copy(in, src)
	g := newGuarded(1, 31)
	p := &g.polys()[0]
	Decompress(p, in, d)
	for i, c := range p {
		y := int64(0)
		for j := range d {
			y |= int64(src[(i*d+j)/8]>>((i*d+j)%8)&1) << j
		}
		if want := decompressOfStandard(y, d); int64(c) != want {
			require.Equal(t, want, int64(c), "y = %d at %d", y, i)
		}
	}
	require.Equal(t, src, in, "the input has changed")
	g.assertIntact(t)
	assertIntact(t)
}

func TestDecompressOfEveryNumberAtEveryPosition(t *testing.T) {
	eachWidth(t, func(t *testing.T, d int) {
		for y := range int64(1) << d {
			same, mixed := make([]int64, N), make([]int64, N)
			for i := range N {
				same[i] = y
				mixed[i] = (y + int64(i)*1181) % (1 << d)
			}
			checkDecompress(t, byteEncodeOfStandard(same, d), d)
			checkDecompress(t, byteEncodeOfStandard(mixed, d), d)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 100 {
			checkDecompress(t, randomBytes(32*d, rng), d)
		}
	})
}

func TestCompressAndDecompressRefuseShortBytes(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		var p Poly
		for _, d := range widths {
			short := make([]byte, 32*d-1, 64*d)
			assert.Panics(t, func() { Compress(short, &p, d) })
			assert.Panics(t, func() { Decompress(&p, short, d) })
		}
		short := make([]byte, EncodedSize12-1, 2*EncodedSize12)
		assert.Panics(t, func() { Encode12(short, &p) })
		assert.Panics(t, func() { Decode12(&p, short) })
	})
}

func checkEncode12(t *testing.T, p *Poly) {
	t.Helper()
	f := make([]int64, N)
	for i, x := range p {
		f[i] = int64(x)
	}
	g := newGuarded(1, 31)
	in := &g.polys()[0]
	*in = *p
	dst, assertIntact := guardedBytes(EncodedSize12)
	Encode12(dst, in)
	require.Equal(t, byteEncodeOfStandard(f, 12), dst)
	require.Equal(t, *p, *in, "the input has changed")
	assertIntact(t)
}

func TestEncode12IsTheStandards(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(2, 1))
		for _, p := range canonical.corners(rng) {
			checkEncode12(t, &p)
		}
	})
}

func checkDecode12(t *testing.T, src []byte) {
	t.Helper()
	var want Poly
	valid := true
	for i := range want {
		x := int16(src[i/2*3+i%2]) | int16(src[i/2*3+i%2+1])<<8
		want[i] = x >> (i % 2 * 4) & 0xfff
		valid = valid && want[i] < 3329
	}
	in, assertIntact := guardedBytes(EncodedSize12)
	copy(in, src)
	g := newGuarded(1, 31)
	p := &g.polys()[0]
	require.Equal(t, valid, Decode12(p, in))
	require.Equal(t, want, *p)
	require.Equal(t, src, in, "the input has changed")
	g.assertIntact(t)
	assertIntact(t)
}

func TestDecode12ChecksTheModulusAtEveryPosition(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 1))
		for i := range N {
			for _, x := range []int64{0, Q - 1, Q, Q + 1, 1<<12 - 1} {
				for _, others := range []int64{0, Q - 1} {
					f := slices.Repeat([]int64{others}, N)
					f[i] = x
					checkDecode12(t, byteEncodeOfStandard(f, 12))
				}
			}
		}
		for range 1000 {
			checkDecode12(t, randomBytes(EncodedSize12, rng))
		}
	})
}

func TestPackingAllocatesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			var p Poly
			var b [EncodedSize12]byte
			for _, d := range widths {
				Compress(b[:], &p, d)
				Decompress(&p, b[:], d)
			}
			Encode12(b[:], &p)
			Decode12(&p, b[:])
		}))
	})
}

// polyOfBytes returns coefficients within |c| ≤ 2q.
func polyOfBytes(b []byte) (p Poly) {
	for i := range min(N, len(b)/2) {
		p[i] = int16((int(b[2*i])|int(b[2*i+1])<<8)%(4*Q+1) - 2*Q)
	}
	return p
}

func FuzzCompress(f *testing.F) {
	f.Add(make([]byte, 2*N), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, width uint8) {
		p, d := polyOfBytes(b), widths[int(width)%len(widths)]
		for _, backend := range cpu.Available() {
			restore := cpu.Use(backend)
			checkCompress(t, &p, d)
			restore()
		}
	})
}

func FuzzDecompress(f *testing.F) {
	f.Add(make([]byte, 32*11), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, width uint8) {
		d := widths[int(width)%len(widths)]
		src := append(b, make([]byte, 32*d)...)[:32*d]
		for _, backend := range cpu.Available() {
			restore := cpu.Use(backend)
			checkDecompress(t, src, d)
			restore()
		}
	})
}

func FuzzDecode12(f *testing.F) {
	f.Add(make([]byte, EncodedSize12))
	f.Fuzz(func(t *testing.T, b []byte) {
		src := append(b, make([]byte, EncodedSize12)...)[:EncodedSize12]
		for _, backend := range cpu.Available() {
			restore := cpu.Use(backend)
			checkDecode12(t, src)
			restore()
		}
	})
}

func benchmarkEachWidth(b *testing.B, f func(p *Poly, bytes []byte, d int)) {
	var p Poly
	for _, d := range widths {
		bytes := make([]byte, 32*d)
		b.Run(fmt.Sprintf("d=%d", d), func(b *testing.B) {
			benchmark(b, func() { f(&p, bytes, d) })
		})
	}
}

func BenchmarkCompress(b *testing.B) {
	benchmarkEachWidth(b, func(p *Poly, bytes []byte, d int) { Compress(bytes, p, d) })
}

func BenchmarkDecompress(b *testing.B) {
	benchmarkEachWidth(b, func(p *Poly, bytes []byte, d int) { Decompress(p, bytes, d) })
}

func BenchmarkEncode12(b *testing.B) {
	var p Poly
	var bytes [EncodedSize12]byte
	benchmark(b, func() { Encode12(bytes[:], &p) })
}

func BenchmarkDecode12(b *testing.B) {
	var p Poly
	var bytes [EncodedSize12]byte
	benchmark(b, func() { Decode12(&p, bytes[:]) })
}
