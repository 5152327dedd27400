package keccak

import (
	"crypto/sha3"
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestState8(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for seedLen := 0; seedLen <= 128; seedLen += 8 {
			for n := range 8 {
				// A whole State8 beyond a word, for misaligned rows, and canaries.
				words := make([]uint64, 1+200+1)
				for i := range words {
					words[i] = binary.LittleEndian.Uint64(random(8))
				}
				first, last := words[0], words[201]
				s := (*State8)(unsafe.Pointer(&words[1]))

				seed := random(seedLen)
				var messages, tail [8]uint64
				for l := range tail {
					messages[l] = binary.LittleEndian.Uint64(random(8)) & (1<<(8*n) - 1)
					tail[l] = messages[l] | DomainSHAKE<<(8*n)
				}
				s.Start(RateSHAKE256, seed, &tail)
				s.Permute()
				for l, message := range messages {
					h := sha3.NewSHAKE256()
					h.Write(seed)
					h.Write(binary.LittleEndian.AppendUint64(nil, message)[:n])
					for w := range RateSHAKE256 / 8 {
						var b [8]byte
						h.Read(b[:])
						require.Equal(t, binary.LittleEndian.Uint64(b[:]), s[w][l], "lane %d word %d", l, w)
					}
				}
				require.Equal(t, first, words[0])
				require.Equal(t, last, words[201])
			}
		}
	})
}
