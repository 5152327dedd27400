package kemring

import "github.com/pqlane/pqlane/internal/keccak"

// sampleNTTGeneric continues FIPS 203, Algorithm 7 (SampleNTT), over one block of
// the XOF: it reads the first 168 bytes of a lane of s as 112 numbers of 12 bits and
// appends those below q to p, which holds n already. It returns the new n, at most
// 256; bits that are left over when n reaches 256 are ignored. Entries of p from the
// new n on are unspecified.
//
// 0 ≤ n ≤ 256, lane < 4. Output: [0, q), standard order of the NTT domain. Its time
// depends on the block, which is public: it derives from ρ alone.
func sampleNTTGeneric(p *Poly, n int, s *keccak.State4, lane int) int {
	for w := 0; w < RateXOF/8; w += 3 {
		// Three words hold sixteen candidates.
		w0, w1, w2 := s[w][lane], s[w+1][lane], s[w+2][lane]
		candidates := [16]uint16{
			uint16(w0 & 0xfff), uint16(w0 >> 12 & 0xfff), uint16(w0 >> 24 & 0xfff), uint16(w0 >> 36 & 0xfff),
			uint16(w0 >> 48 & 0xfff), uint16(w0>>60 | w1<<4&0xfff), uint16(w1 >> 8 & 0xfff), uint16(w1 >> 20 & 0xfff),
			uint16(w1 >> 32 & 0xfff), uint16(w1 >> 44 & 0xfff), uint16(w1>>56 | w2<<8&0xfff), uint16(w2 >> 4 & 0xfff),
			uint16(w2 >> 16 & 0xfff), uint16(w2 >> 28 & 0xfff), uint16(w2 >> 40 & 0xfff), uint16(w2 >> 52 & 0xfff),
		}
		if n <= N-len(candidates) {
			// Every candidate has room: write each, keep it by advancing n.
			for _, c := range candidates {
				p[n&(N-1)] = int16(c)
				n += int((uint32(c) - Q) >> 31)
			}
			continue
		}
		for _, c := range candidates {
			if n < N && c < Q {
				p[n] = int16(c)
				n++
			}
		}
	}
	return n
}

// cbd2Generic sets p to FIPS 203, Algorithm 8 (SamplePolyCBD) with η = 2, of the
// first 128 bytes of a lane of s.
//
// lane < 4. Output: [−2, 2]. Constant time.
func cbd2Generic(p *Poly, s *keccak.State4, lane int) {
	for w := range 16 {
		cbd2Word((*[16]int16)(p[16*w:]), s[w][lane])
	}
}

// cbd2WideGeneric is cbd2Generic of a lane of a State8.
//
// lane < 8. Output: [−2, 2]. Constant time.
func cbd2WideGeneric(p *Poly, s *keccak.State8, lane int) {
	for w := range 16 {
		cbd2Word((*[16]int16)(p[16*w:]), s[w][lane])
	}
}

func cbd2Word(out *[16]int16, x uint64) {
	// Sum adjacent bits: each nibble then holds two sums of two bits. Their
	// difference plus four is the next.
	x = x&0x5555555555555555 + x>>1&0x5555555555555555
	x = x&0x3333333333333333 + 0x4444444444444444 - x>>2&0x3333333333333333
	for i := range out {
		out[i] = int16(x&15) - 4
		x >>= 4
	}
}

// cbd3Generic sets p to SamplePolyCBD with η = 3 of b.
//
// Output: [−3, 3]. Constant time.
func cbd3Generic(p *Poly, b *[192]byte) {
	for i := range N / 4 {
		x := uint32(b[3*i]) | uint32(b[3*i+1])<<8 | uint32(b[3*i+2])<<16
		// Sum adjacent triples of bits.
		x = x&0x249249 + x>>1&0x249249 + x>>2&0x249249
		out := p[4*i : 4*i+4]
		for j := range out {
			out[j] = int16(x&7) - int16(x>>3&7)
			x >>= 6
		}
	}
}
