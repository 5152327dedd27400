package kemring

// Compression is computed with a multiplication by a scaled reciprocal of q and a
// shift: a division would take a time that depends on the secret (KyberSlash).

// compressCoefficient returns Compress_d(x) = ⌈(2^d/q)·x⌋ mod 2^d (FIPS 203,
// Section 4.2.1) of x in [0, q], for d ≤ 11.
func compressCoefficient(x int16, d int) uint64 {
	// 20642679 = ⌈2^36/q⌉: the quotient is exact for dividends below 2^23.
	return (uint64(x)<<d + Q/2) * 20642679 >> 36 & (1<<d - 1)
}

// compressGeneric packs Compress_d of each coefficient of p into dst: FIPS 203,
// ByteEncode_d(Compress_d(p)), for d = 1, 4, 5, 10 or 11. dst has 32·d bytes.
//
// Input: |c| ≤ 2q. Constant time.
func compressGeneric(dst []byte, p *Poly, d int) {
	// Eight coefficients make d bytes.
	for i := 0; i < N; i += 8 {
		var lo, hi uint64 // the 8·d bits, 44 of them in each half at most
		for j := range 4 {
			lo |= compressCoefficient(barrettReduce(p[i+j]), d) << (j * d)
			hi |= compressCoefficient(barrettReduce(p[i+4+j]), d) << (j * d)
		}
		lo, hi = lo|hi<<(4*d), hi>>(64-4*d)
		out := dst[i/8*d:][:d]
		for j := range min(d, 8) {
			out[j] = byte(lo >> (8 * j))
		}
		for j := 8; j < d; j++ {
			out[j] = byte(hi >> (8 * (j - 8)))
		}
	}
}

// decompressGeneric is the reverse, Decompress_d(ByteDecode_d(src)):
// ⌈(q/2^d)·y⌋ for each y of d bits in src, which has 32·d bytes.
//
// Output: [0, q). Constant time.
func decompressGeneric(p *Poly, src []byte, d int) {
	for i := 0; i < N; i += 8 {
		var lo, hi uint64
		in := src[i/8*d:][:d]
		for j := range min(d, 8) {
			lo |= uint64(in[j]) << (8 * j)
		}
		for j := 8; j < d; j++ {
			hi |= uint64(in[j]) << (8 * (j - 8))
		}
		hi = lo>>(4*d) | hi<<(64-4*d)
		for j := range 4 {
			p[i+j] = decompressCoefficient(lo>>(j*d), d)
			p[i+4+j] = decompressCoefficient(hi>>(j*d), d)
		}
	}
}

// decompressCoefficient returns ⌈(q/2^d)·y⌋ for the low d bits of y.
func decompressCoefficient(y uint64, d int) int16 {
	return int16(((y&(1<<d-1))*Q + 1<<d/2) >> d)
}

// encode12Generic is FIPS 203, ByteEncode_12. dst has 384 bytes.
//
// Input: [0, q). Constant time.
func encode12Generic(dst []byte, p *Poly) {
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
