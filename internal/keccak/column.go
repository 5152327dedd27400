package keccak

import (
	"encoding/binary"
	"unsafe"
)

// A column is one lane of interleaved states: word w of its state is words[w*stride].
type column struct {
	words  []uint64
	stride int
}

func (s *State4) column(lane int) column {
	return column{unsafe.Slice(&s[0][0], len(s)*len(s[0]))[lane&(len(s[0])-1):], len(s[0])}
}

func (s *State8) column(lane int) column {
	return column{unsafe.Slice(&s[0][0], len(s)*len(s[0]))[lane&(len(s[0])-1):], len(s[0])}
}

// load copies the state to a, and store sets it to a.
func (c column) load(a *[25]uint64) {
	i := 0
	for w := range a {
		a[w] = c.words[i]
		i += c.stride
	}
}

func (c column) store(a *[25]uint64) {
	i := 0
	for w := range a {
		c.words[i] = a[w]
		i += c.stride
	}
}

// start sets the state to one block: the words of seed, tail, zeros, and the padding's last
// bit in word last. len(seed) is a multiple of 8 and less than 8·last.
func (c column) start(seed []byte, tail uint64, last int) {
	for w := range 25 {
		c.words[w*c.stride] = 0
	}
	c.absorb(seed)
	c.words[len(seed)/8*c.stride] = tail
	c.words[last*c.stride] ^= 1 << 63
}

// absorb adds the words of block, at most 25; bytes beyond whole words are left out.
func (c column) absorb(block []byte) {
	for w := range len(block) / 8 {
		c.words[w*c.stride] ^= binary.LittleEndian.Uint64(block[8*w:])
	}
}

// pad adds the bytes of rest, less than a word, which is word number w of a message's last
// block, and the padding for a rate and domain.
func (c column) pad(w int, rest []byte, rate int, domain byte) {
	last := uint64(domain) << (8 * len(rest))
	for i, b := range rest {
		last ^= uint64(b) << (8 * i)
	}
	c.words[w*c.stride] ^= last
	c.words[(rate/8-1)*c.stride] ^= 1 << 63
}

// read copies the first len(dst) bytes of the state to dst, whose length is a multiple of 8.
func (c column) read(dst []byte) {
	for w := range len(dst) / 8 {
		binary.LittleEndian.PutUint64(dst[8*w:], c.words[w*c.stride])
	}
}

// permute applies Keccak-f[1600].
func (c column) permute() {
	var a [25]uint64
	c.load(&a)
	permuteGeneric(&a)
	c.store(&a)
	clear(a[:])
}
