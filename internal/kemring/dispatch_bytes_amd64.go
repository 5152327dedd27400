//go:build amd64 && !purego

package kemring

import (
	"unsafe"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/keccak"
)

// SampleNTT continues FIPS 203, Algorithm 7, over one block of the XOF: it reads the
// first 168 bytes of a lane of s as 112 numbers of 12 bits and appends those below q
// to p, which holds n already. It returns the new n, at most 256; what is left over
// then is ignored. Entries of p from the new n on are unspecified.
//
// 0 ≤ n ≤ 256, lane < 4. Output: [0, q), standard order of the NTT domain. Its time
// depends on the block, which is public: it derives from ρ alone.
func SampleNTT(p *Poly, n int, s *keccak.State4, lane int) int {
	switch {
	case cpu.AVX512:
		sampleNTTAVX512(p, &n, &s[0][lane], 1)
	case cpu.AVX2:
		sampleNTTAVX2(p, &n, &s[0][lane], 1)
	default:
		n = sampleNTTGeneric(p, n, s, lane)
	}
	return n
}

// SampleNTTs is SampleNTT of each polynomial of a, at least one, from lanes of s, the first
// from lane and each next one from that behind. done[i] is n of a[i].
func SampleNTTs(a []Poly, done *[keccak.Lanes]int, s *keccak.State4, lane int) {
	first := &s[0][lane : lane+len(a)][0]
	switch {
	case cpu.AVX512:
		sampleNTTAVX512(&a[0], &done[0], first, len(a))
	case cpu.AVX2:
		sampleNTTAVX2(&a[0], &done[0], first, len(a))
	default:
		for i := range a {
			done[i] = sampleNTTGeneric(&a[i], done[i], s, lane+i)
		}
	}
}

// CBD2 sets p to FIPS 203, Algorithm 8 (SamplePolyCBD) with η = 2, of the first 128
// bytes of a lane of s.
//
// lane < 4. Output: [−2, 2]. Constant time.
func CBD2(p *Poly, s *keccak.State4, lane int) {
	switch {
	case cpu.AVX512:
		cbd2AVX512(p, &s[0][lane], unsafe.Sizeof(s[0]))
	case cpu.AVX2:
		cbd2AVX2(p, &s[0][lane])
	default:
		cbd2Generic(p, s, lane)
	}
}

// CBD2Wide is CBD2 of a lane of a State8.
//
// lane < 8. Output: [−2, 2]. Constant time.
func CBD2Wide(p *Poly, s *keccak.State8, lane int) {
	if cpu.AVX512 {
		cbd2AVX512(p, &s[0][lane], unsafe.Sizeof(s[0]))
	} else {
		cbd2WideGeneric(p, s, lane)
	}
}

// CBD3 sets p to SamplePolyCBD with η = 3 of b.
//
// Output: [−3, 3]. Constant time.
func CBD3(p *Poly, b *[192]byte) {
	switch {
	case cpu.AVX512:
		cbd3AVX512(p, b)
	case cpu.AVX2:
		cbd3AVX2(p, b)
	default:
		cbd3Generic(p, b)
	}
}

// Compress packs Compress_d of each coefficient of p into dst: FIPS 203,
// ByteEncode_d(Compress_d(p)), for d = 1, 4, 5, 10 or 11. dst has 32·d bytes.
//
// Input: |c| ≤ 2q. Constant time.
func Compress(dst []byte, p *Poly, d int) {
	_ = dst[32*d-1]
	switch {
	case cpu.AVX512Wide:
		switch d {
		case 1:
			compress1AVX512(&dst[0], p)
		case 4:
			compress4AVX512(&dst[0], p)
		case 5:
			compress5AVX512(&dst[0], p)
		case 10:
			compress10AVX512(&dst[0], p)
		case 11:
			compress11AVX512(&dst[0], p)
		default:
			compressGeneric(dst, p, d)
		}
	case cpu.AVX2:
		switch d {
		case 1:
			compress1AVX2(&dst[0], p)
		case 4:
			compress4AVX2(&dst[0], p)
		case 5:
			compress5AVX2(&dst[0], p)
		case 10:
			compress10AVX2(&dst[0], p)
		case 11:
			compress11AVX2(&dst[0], p)
		default:
			compressGeneric(dst, p, d)
		}
	default:
		compressGeneric(dst, p, d)
	}
}

// Decompress is the reverse, Decompress_d(ByteDecode_d(src)): ⌈(q/2^d)·y⌋ for each y
// of d bits in src, which has 32·d bytes.
//
// Output: [0, q). Constant time.
func Decompress(p *Poly, src []byte, d int) {
	_ = src[32*d-1]
	switch {
	case cpu.AVX512Wide:
		switch d {
		case 1:
			decompress1AVX512(p, &src[0])
		case 4:
			decompress4AVX512(p, &src[0])
		case 5:
			decompress5AVX512(p, &src[0])
		case 10:
			decompress10AVX512(p, &src[0])
		case 11:
			decompress11AVX512(p, &src[0])
		default:
			decompressGeneric(p, src, d)
		}
	case cpu.AVX2:
		switch d {
		case 1:
			decompress1AVX2(p, &src[0])
		case 4:
			decompress4AVX2(p, &src[0])
		case 5:
			decompress5AVX2(p, &src[0])
		case 10:
			decompress10AVX2(p, &src[0])
		case 11:
			decompress11AVX2(p, &src[0])
		default:
			decompressGeneric(p, src, d)
		}
	default:
		decompressGeneric(p, src, d)
	}
}

// Encode12 is FIPS 203, ByteEncode_12. dst has 384 bytes.
//
// Input: [0, q). Constant time.
func Encode12(dst []byte, p *Poly) {
	_ = dst[EncodedSize12-1]
	switch {
	case cpu.AVX512Wide:
		encode12AVX512(&dst[0], p)
	case cpu.AVX2:
		encode12AVX2(&dst[0], p)
	default:
		encode12Generic(dst, p)
	}
}

// Decode12 is FIPS 203, ByteDecode_12, without the reduction: it reports whether every
// coefficient is below q (the modulus check of Section 7.2). src has 384 bytes.
//
// Output: [0, q) if it returns true, [0, 2^12) if not. Constant time but for the
// result.
func Decode12(p *Poly, src []byte) bool {
	_ = src[EncodedSize12-1]
	switch {
	case cpu.AVX512Wide:
		return decode12AVX512(p, &src[0])
	case cpu.AVX2:
		return decode12AVX2(p, &src[0])
	default:
		return decode12Generic(p, src)
	}
}

// The kernels. Each has the contract of its generic twin (input and output intervals,
// order of the coefficients, timing), at every alignment of its pointers; input and
// output may not overlap. lane points to word 0 of a lane of a keccak.State4, and word w
// is 32·w bytes further. No kernel writes outside *p or the bytes of dst named at it, or
// reads outside the whole state or the bytes of src named at it.

// sampleNTTAVX512 and sampleNTTAVX2 are sampleNTTGeneric of lanes neighbouring lanes, 1 to 4, to
// as many polynomials from p on; done points to as many n, which they replace. Their branch is on
// n > 144; which memory they touch depends on n and the block, all of which is public.
//
//go:noescape
func sampleNTTAVX512(p *Poly, done *int, lane *uint64, lanes int)

//go:noescape
func sampleNTTAVX2(p *Poly, done *int, lane *uint64, lanes int)

// Difference returns 0 if a and b, of equal length, a multiple of 32 that is not 0, are
// the same, and another number if not. All of both is read. Constant time.
func Difference(a, b []byte) uint64 {
	if !cpu.AVX2 {
		return differenceGeneric(a, b)
	}
	_ = b[len(a)-1]
	n := len(a) &^ 31
	_ = a[n-1]
	return differenceAVX2(&a[0], &b[0], uintptr(n))
}

// differenceAVX2 is differenceGeneric of n bytes. Constant time.
//
//go:noescape
func differenceAVX2(a, b *byte, n uintptr) uint64

// cbd2AVX512 and cbd2AVX2 are cbd2Generic: 128 bytes of the lane to [−2, 2]. Constant time.
// The lane's words stand stride bytes apart; in AVX2, 32.
//
//go:noescape
func cbd2AVX512(p *Poly, lane *uint64, stride uintptr)

//go:noescape
func cbd2AVX2(p *Poly, lane *uint64)

// cbd3AVX512 and cbd3AVX2 are cbd3Generic: 192 bytes to [−3, 3]. Constant time.
//
//go:noescape
func cbd3AVX512(p *Poly, b *[192]byte)

//go:noescape
func cbd3AVX2(p *Poly, b *[192]byte)

// compress1AVX512 and compress1AVX2 are compressGeneric for d = 1: |c| ≤ 2q to 32 bytes.
// Constant time.
//
//go:noescape
func compress1AVX512(dst *byte, p *Poly)

//go:noescape
func compress1AVX2(dst *byte, p *Poly)

// compress4AVX512 and compress4AVX2 are compressGeneric for d = 4: |c| ≤ 2q to 128 bytes.
// Constant time.
//
//go:noescape
func compress4AVX512(dst *byte, p *Poly)

//go:noescape
func compress4AVX2(dst *byte, p *Poly)

// compress5AVX512 and compress5AVX2 are compressGeneric for d = 5: |c| ≤ 2q to 160 bytes.
// Constant time.
//
//go:noescape
func compress5AVX512(dst *byte, p *Poly)

//go:noescape
func compress5AVX2(dst *byte, p *Poly)

// compress10AVX512 and compress10AVX2 are compressGeneric for d = 10: |c| ≤ 2q to 320 bytes.
// Constant time.
//
//go:noescape
func compress10AVX512(dst *byte, p *Poly)

//go:noescape
func compress10AVX2(dst *byte, p *Poly)

// compress11AVX512 and compress11AVX2 are compressGeneric for d = 11: |c| ≤ 2q to 352 bytes.
// Constant time.
//
//go:noescape
func compress11AVX512(dst *byte, p *Poly)

//go:noescape
func compress11AVX2(dst *byte, p *Poly)

// decompress1AVX512 and decompress1AVX2 are decompressGeneric for d = 1: 32 bytes to
// [0, q). Constant time.
//
//go:noescape
func decompress1AVX512(p *Poly, src *byte)

//go:noescape
func decompress1AVX2(p *Poly, src *byte)

// decompress4AVX512 and decompress4AVX2 are decompressGeneric for d = 4: 128 bytes to
// [0, q). Constant time.
//
//go:noescape
func decompress4AVX512(p *Poly, src *byte)

//go:noescape
func decompress4AVX2(p *Poly, src *byte)

// decompress5AVX512 and decompress5AVX2 are decompressGeneric for d = 5: 160 bytes to
// [0, q). Constant time.
//
//go:noescape
func decompress5AVX512(p *Poly, src *byte)

//go:noescape
func decompress5AVX2(p *Poly, src *byte)

// decompress10AVX512 and decompress10AVX2 are decompressGeneric for d = 10: 320 bytes to
// [0, q). Constant time.
//
//go:noescape
func decompress10AVX512(p *Poly, src *byte)

//go:noescape
func decompress10AVX2(p *Poly, src *byte)

// decompress11AVX512 and decompress11AVX2 are decompressGeneric for d = 11: 352 bytes to
// [0, q). Constant time.
//
//go:noescape
func decompress11AVX512(p *Poly, src *byte)

//go:noescape
func decompress11AVX2(p *Poly, src *byte)

// encode12AVX512 and encode12AVX2 are encode12Generic: [0, q) to 384 bytes. Constant time.
//
//go:noescape
func encode12AVX512(dst *byte, p *Poly)

//go:noescape
func encode12AVX2(dst *byte, p *Poly)

// decode12AVX512 and decode12AVX2 are decode12Generic: 384 bytes to [0, 2^12), and whether
// that is within [0, q). Constant time.
//
//go:noescape
func decode12AVX512(p *Poly, src *byte) bool

//go:noescape
func decode12AVX2(p *Poly, src *byte) bool
