package kemring

import "encoding/binary"

// compressGeneric packs Compress_d of each coefficient of p into dst: FIPS 203,
// ByteEncode_d(Compress_d(p)), for d = 1, 4, 5, 10 or 11. dst has 32·d bytes.
//
// Input: |c| ≤ 2q. Constant time.
func compressGeneric(dst []byte, p *Poly, d int) {
	_ = dst[32*d-1]
	shift := uint(d) & 15
	// Eight coefficients make d bytes.
	for i := 0; i < N; i += 8 {
		var lo, hi uint64 // the 8·d bits, 44 of them in each half at most
		c := (*[8]int16)(p[i:])
		for j := 3; j >= 0; j-- {
			lo = lo<<shift | compressCoefficient(c[j], shift)
			hi = hi<<shift | compressCoefficient(c[4+j], shift)
		}
		lo, hi = lo|hi<<(4*shift), hi>>(64-4*shift)
		out := dst[i/8*d:][:d]
		if len(out) >= 8 {
			binary.LittleEndian.PutUint64(out, lo)
			lo, out = hi, out[8:]
		}
		for j := range out {
			out[j] = byte(lo)
			lo >>= 8
		}
	}
}

// compressCoefficient returns Compress_d(x) = ⌈(2^d/q)·x⌋ mod 2^d (FIPS 203,
// Section 4.2.1) of |x| ≤ 2q, for d ≤ 11, with a multiplication by a scaled reciprocal
// of q: a division would take a time that depends on the secret (KyberSlash).
func compressCoefficient(x int16, d uint) uint64 {
	// 330282857 = ⌈2^40/q⌉: the quotient is exact for dividends below 2^28. Twice q
	// more in x is a multiple of 2^d more in it.
	dividend := uint64(x+2*Q)<<d + Q/2
	return dividend * 330282857 >> 40 & (1<<d - 1)
}

// decompressGeneric is the reverse, Decompress_d(ByteDecode_d(src)):
// ⌈(q/2^d)·y⌋ for each y of d bits in src, which has 32·d bytes.
//
// Output: [0, q). Constant time.
func decompressGeneric(p *Poly, src []byte, d int) {
	_ = src[32*d-1]
	shift := uint(d) & 15
	for i := 0; i < N; i += 8 {
		var lo, hi uint64
		in := src[i/8*d:][:d]
		for j := len(in) - 1; j >= 0; j-- {
			hi = hi<<8 | lo>>56
			lo = lo<<8 | uint64(in[j])
		}
		hi = lo>>(4*shift) | hi<<(64-4*shift)
		c := (*[8]int16)(p[i:])
		for j := range 4 {
			c[j] = decompressCoefficient(lo, shift)
			c[4+j] = decompressCoefficient(hi, shift)
			lo, hi = lo>>shift, hi>>shift
		}
	}
}

// decompressCoefficient returns ⌈(q/2^d)·y⌋ for the low d bits of y.
func decompressCoefficient(y uint64, d uint) int16 {
	return int16((y&(1<<d-1)*Q + 1<<d>>1) >> d)
}

// encode12Generic is FIPS 203, ByteEncode_12. dst has 384 bytes.
//
// Input: [0, q). Constant time.
func encode12Generic(dst []byte, p *Poly) {
	_ = dst[EncodedSize12-1]
	for i := 0; i < N; i += 2 {
		x := uint32(uint16(p[i])) | uint32(uint16(p[i+1]))<<12
		out := dst[i/2*3:][:3]
		out[0], out[1], out[2] = byte(x), byte(x>>8), byte(x>>16)
	}
}

// decode12Generic is FIPS 203, ByteDecode_12, without the reduction: it reports
// whether every coefficient is below q (the modulus check of Section 7.2). src has 384
// bytes.
//
// Output: [0, q) if it returns true, [0, 2^12) if not. Constant time but for the
// result.
func decode12Generic(p *Poly, src []byte) bool {
	_ = src[EncodedSize12-1]
	var tooLarge uint32 // the sign bit of q−1−c of any coefficient
	for i := 0; i < N; i += 2 {
		in := src[i/2*3:][:3]
		x := uint32(in[0]) | uint32(in[1])<<8 | uint32(in[2])<<16
		a, b := x&0xfff, x>>12
		p[i], p[i+1] = int16(a), int16(b)
		tooLarge |= (Q - 1 - a) | (Q - 1 - b)
	}
	return tooLarge>>31 == 0
}
