package keccak

import (
	"crypto/sha3"
	"encoding/binary"
	"math/rand/v2"
	"slices"
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
				s.Permute(1<<8 - 1)
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

// TestState8PermuteAgainstGeneric permutes every set of lanes at every alignment of words, and
// sees a kernel that writes outside of its state.
func TestState8PermuteAgainstGeneric(t *testing.T) {
	fixed := extremes()
	onEveryBackend(t, func(t *testing.T) {
		for active := range uint(1 << 8) {
			for offset := range 8 {
				words := make([]uint64, 8+8+200+1)
				for i := range words {
					words[i] = rand.Uint64()
				}
				begin := 1
				for uintptr(unsafe.Pointer(&words[begin]))%64/8 != uintptr(offset) {
					begin++
				}
				s := (*State8)(unsafe.Pointer(&words[begin]))
				for l := range s[0] {
					if i := int(active) + l; i < len(fixed) {
						s.column(l).store(&fixed[i])
					}
				}
				before, outside := *s, slices.Concat(words[:begin], words[begin+200:])
				s.Permute(active)
				for l := range s[0] {
					if active>>l&1 == 1 {
						var got, want [25]uint64
						before.column(l).load(&want)
						permuteGeneric(&want)
						s.column(l).load(&got)
						require.Equal(t, want, got, "lane %d of %08b", l, active)
					}
				}
				require.Equal(t, outside, slices.Concat(words[:begin], words[begin+200:]))
			}
		}
	})
}

// TestState8StartsAndAbsorbsInLanes compares with the twins, which leave other lanes alone, for
// every set of lanes, with canaries around.
func TestState8StartsAndAbsorbsInLanes(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for lanes := range uint(1 << 8) {
			words := make([]uint64, 1+200+1)
			for i := range words {
				words[i] = rand.Uint64()
			}
			want := slices.Clone(words)
			got8, want8 := (*State8)(unsafe.Pointer(&words[1])), (*State8)(unsafe.Pointer(&want[1]))
			seed := random(8 * rand.IntN(16))
			var tail [8]uint64
			for l := range tail {
				tail[l] = rand.Uint64()
			}
			got8.start(lanes, seed, &tail, 16)
			want8.startGeneric(lanes, seed, &tail, 16)
			require.Equal(t, want, words, "start in %08b", lanes)

			block := random(8 * rand.IntN(26))
			lane := int(lanes) % 8
			got8.absorb(lane, block)
			want8.column(lane).absorb(block)
			require.Equal(t, want, words, "%d bytes in lane %d", len(block), lane)

			blocks := random(RateSHAKE256 * rand.IntN(4))
			var a [25]uint64
			want8.column(lane).load(&a)
			for rest := blocks; len(rest) > 0; rest = rest[RateSHAKE256:] {
				c := column{a[:], 1}
				c.absorb(rest[:RateSHAKE256])
				permuteGeneric(&a)
			}
			got8.absorbBlocks(lane, RateSHAKE256, blocks)
			var b [25]uint64
			got8.column(lane).load(&b)
			require.Equal(t, a, b, "%d bytes in lane %d", len(blocks), lane)
			require.Equal(t, []uint64{want[0], want[201]}, []uint64{words[0], words[201]})
		}
	})
}
