//go:build arm64 && !purego

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
	if cpu.NEON {
		return sampleNTTNEON(p, n, &s[0][lane])
	}
	return sampleNTTGeneric(p, n, s, lane)
}

// SampleNTTs is SampleNTT of each polynomial of a, at least one, from lanes of s, the first
// from lane and each next one from that behind. done[i] is n of a[i].
func SampleNTTs(a []Poly, done *[keccak.Lanes]int, s *keccak.State4, lane int) {
	for i := range a {
		done[i] = SampleNTT(&a[i], done[i], s, lane+i)
	}
}

// CBD2 sets p to FIPS 203, Algorithm 8 (SamplePolyCBD) with η = 2, of the first 128
// bytes of a lane of s.
//
// lane < 4. Output: [−2, 2]. Constant time.
func CBD2(p *Poly, s *keccak.State4, lane int) {
	if cpu.NEON {
		cbd2NEON(p, &s[0][lane], unsafe.Sizeof(s[0]))
	} else {
		cbd2Generic(p, s, lane)
	}
}

// CBD2Wide is CBD2 of a lane of a State8.
//
// lane < 8. Output: [−2, 2]. Constant time.
func CBD2Wide(p *Poly, s *keccak.State8, lane int) {
	if cpu.NEON {
		cbd2NEON(p, &s[0][lane], unsafe.Sizeof(s[0]))
	} else {
		cbd2WideGeneric(p, s, lane)
	}
}

// CBD3 sets p to SamplePolyCBD with η = 3 of b.
//
// Output: [−3, 3]. Constant time.
func CBD3(p *Poly, b *[192]byte) {
	if cpu.NEON {
		cbd3NEON(p, b)
	} else {
		cbd3Generic(p, b)
	}
}

// Compress packs Compress_d of each coefficient of p into dst: FIPS 203,
// ByteEncode_d(Compress_d(p)), for d = 1, 4, 5, 10 or 11. dst has 32·d bytes.
//
// Input: |c| ≤ 2q. Constant time.
func Compress(dst []byte, p *Poly, d int) {
	_ = dst[32*d-1]
	if !cpu.NEON {
		compressGeneric(dst, p, d)
		return
	}
	switch d {
	case 1:
		compress1NEON(&dst[0], p)
	case 4:
		compress4NEON(&dst[0], p)
	case 5:
		compress5NEON(&dst[0], p)
	case 10:
		compress10NEON(&dst[0], p)
	case 11:
		compress11NEON(&dst[0], p)
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
	if !cpu.NEON {
		decompressGeneric(p, src, d)
		return
	}
	switch d {
	case 1:
		decompress1NEON(p, &src[0])
	case 4:
		decompress4NEON(p, &src[0])
	case 5:
		decompress5NEON(p, &src[0])
	case 10:
		decompress10NEON(p, &src[0])
	case 11:
		decompress11NEON(p, &src[0])
	default:
		decompressGeneric(p, src, d)
	}
}

// Encode12 is FIPS 203, ByteEncode_12. dst has 384 bytes.
//
// Input: [0, q). Constant time.
func Encode12(dst []byte, p *Poly) {
	_ = dst[EncodedSize12-1]
	if cpu.NEON {
		encode12NEON(&dst[0], p)
	} else {
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
	if cpu.NEON {
		return decode12NEON(p, &src[0])
	}
	return decode12Generic(p, src)
}

// Difference returns 0 if a and b, of equal length, a multiple of 32 that is not 0, are
// the same, and another number if not. All of both is read. Constant time.
func Difference(a, b []byte) uint64 {
	if !cpu.NEON {
		return differenceGeneric(a, b)
	}
	_ = b[len(a)-1]
	n := len(a) &^ 31
	_ = a[n-1]
	return differenceNEON(&a[0], &b[0], uintptr(n))
}

// The kernels. Each has the contract of its generic twin (input and output intervals,
// order of the coefficients, timing), at every alignment of its pointers; input and
// output may not overlap. lane points to word 0 of a lane of a keccak.State4, and word w
// is 32·w bytes further. No kernel writes outside *p or the bytes of dst named at it, or
// reads outside the whole state or the bytes of src named at it.

// sampleNTTNEON is sampleNTTGeneric. Its branches and which memory it touches depend on n
// and the block, all of which is public.
//
//go:noescape
func sampleNTTNEON(p *Poly, n int, lane *uint64) int

// cbd2NEON is cbd2Generic: 128 bytes of the lane, whose words stand stride bytes apart, to
// [−2, 2]. Constant time.
//
//go:noescape
func cbd2NEON(p *Poly, lane *uint64, stride uintptr)

// cbd3NEON is cbd3Generic: 192 bytes to [−3, 3]. Constant time.
//
//go:noescape
func cbd3NEON(p *Poly, b *[192]byte)

// compress1NEON to compress11NEON are compressGeneric for that d: |c| ≤ 2q to 32·d bytes.
// Constant time.

//go:noescape
func compress1NEON(dst *byte, p *Poly)

//go:noescape
func compress4NEON(dst *byte, p *Poly)

//go:noescape
func compress5NEON(dst *byte, p *Poly)

//go:noescape
func compress10NEON(dst *byte, p *Poly)

//go:noescape
func compress11NEON(dst *byte, p *Poly)

// decompress1NEON to decompress11NEON are decompressGeneric for that d: 32·d bytes to
// [0, q). Constant time.

//go:noescape
func decompress1NEON(p *Poly, src *byte)

//go:noescape
func decompress4NEON(p *Poly, src *byte)

//go:noescape
func decompress5NEON(p *Poly, src *byte)

//go:noescape
func decompress10NEON(p *Poly, src *byte)

//go:noescape
func decompress11NEON(p *Poly, src *byte)

// encode12NEON is encode12Generic: [0, q) to 384 bytes. Constant time.
//
//go:noescape
func encode12NEON(dst *byte, p *Poly)

// decode12NEON is decode12Generic: 384 bytes to [0, 2^12), and whether that is within
// [0, q). Constant time.
//
//go:noescape
func decode12NEON(p *Poly, src *byte) bool

// differenceNEON is differenceGeneric of n bytes. Constant time.
//
//go:noescape
func differenceNEON(a, b *byte, n uintptr) uint64
