package keccak

import "encoding/binary"

// Rates in bytes of the functions of FIPS 202, and the domain separation bits, with
// the first bit of the padding, that follow their messages.
const (
	RateSHA3_224 = 144
	RateSHA3_256 = 136
	RateSHA3_384 = 104
	RateSHA3_512 = 72
	RateSHAKE128 = 168
	RateSHAKE256 = 136

	DomainSHA3  = 0x06
	DomainSHAKE = 0x1f
)

// A Sponge is one SHA-3 hash or SHAKE in progress (FIPS 202, Section 4): write the
// message, then read the output. It must be initialised by Init. It is not safe for
// concurrent use.
type Sponge struct {
	a         [25]uint64
	rate, pos int // 0 ≤ pos ≤ rate bytes of the block are absorbed or squeezed
	domain    byte
	squeezing bool
}

// Init makes s empty, for a rate in bytes and a domain as listed above.
func (s *Sponge) Init(rate int, domain byte) {
	*s = Sponge{rate: rate, domain: domain}
}

// Write absorbs p. It never fails. It panics after Read.
func (s *Sponge) Write(p []byte) (int, error) {
	if s.squeezing {
		panic("keccak: Write after Read")
	}
	n := len(p)
	for len(p) > 0 {
		if s.pos == s.rate {
			Permute(&s.a)
			s.pos = 0
		}
		if s.pos%8 == 0 && len(p) >= 8 {
			words := min(s.rate-s.pos, len(p)) / 8
			a := s.a[s.pos/8:][:words]
			for i := range a {
				a[i] ^= binary.LittleEndian.Uint64(p[8*i:])
			}
			s.pos += 8 * words
			p = p[8*words:]
			continue
		}
		s.a[s.pos/8] ^= uint64(p[0]) << (8 * (s.pos % 8))
		s.pos++
		p = p[1:]
	}
	return n, nil
}

// pad ends the message: the next permutation makes the first block of output.
func (s *Sponge) pad() {
	if s.pos == s.rate {
		Permute(&s.a)
		s.pos = 0
	}
	s.a[s.pos/8] ^= uint64(s.domain) << (8 * (s.pos % 8))
	s.a[s.rate/8-1] ^= 1 << 63
	s.squeezing = true
	s.pos = s.rate
}

// Read squeezes len(p) bytes of output. It never fails. A SHA-3 hash has as many as its
// digest is long; it is for the caller to read no more.
func (s *Sponge) Read(p []byte) (int, error) {
	if !s.squeezing {
		s.pad()
	}
	n := len(p)
	for len(p) > 0 {
		if s.pos == s.rate {
			Permute(&s.a)
			s.pos = 0
		}
		if s.pos%8 == 0 && len(p) >= 8 {
			words := min(s.rate-s.pos, len(p)) / 8
			for i, w := range s.a[s.pos/8:][:words] {
				binary.LittleEndian.PutUint64(p[8*i:], w)
			}
			s.pos += 8 * words
			p = p[8*words:]
			continue
		}
		p[0] = byte(s.a[s.pos/8] >> (8 * (s.pos % 8)))
		s.pos++
		p = p[1:]
	}
	return n, nil
}
