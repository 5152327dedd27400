package keccak

import (
	"crypto/sha3"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// shake128 is SHAKE128 on nothing but permute.
func shake128(message []byte, length int, permute func(*[25]uint64)) []byte {
	const rate = 168
	var a [25]uint64
	padded := append(append([]byte{}, message...), 0x1F)
	for len(padded)%rate != 0 {
		padded = append(padded, 0)
	}
	padded[len(padded)-1] |= 0x80
	for ; len(padded) > 0; padded = padded[rate:] {
		for w := range rate / 8 {
			a[w] ^= binary.LittleEndian.Uint64(padded[8*w:])
		}
		permute(&a)
	}
	var out []byte
	for len(out) < length {
		for w := range rate / 8 {
			out = binary.LittleEndian.AppendUint64(out, a[w])
		}
		permute(&a)
	}
	return out[:length]
}

func TestPermutationsMakeSHAKE128(t *testing.T) {
	lanes := []func(*[25]uint64){permuteGeneric, Permute}
	for l := range Lanes {
		lanes = append(lanes, func(a *[25]uint64) {
			var s State4
			for w := range a {
				s[w][l] = a[w]
			}
			s.Permute(1 << l)
			*a = lane(&s, l)
		})
	}
	onEveryBackend(t, func(t *testing.T) {
		for _, length := range []int{0, 3, 167, 168, 1000} {
			message := make([]byte, length)
			for i := range message {
				message[i] = byte(i*i + length)
			}
			want := sha3.SumSHAKE128(message, 700)
			for i, permute := range lanes {
				assert.Equal(t, want, shake128(message, 700, permute), "permutation %d, %d bytes", i, length)
			}
		}
	})
}

// extremes are states that random ones will not come near.
func extremes() [][25]uint64 {
	var zero, ones [25]uint64
	for w := range ones {
		ones[w] = ^uint64(0)
	}
	states := [][25]uint64{zero, ones}
	for w := range 25 {
		one, hole := zero, ones
		one[w] = 1 << 63
		hole[w] = ^uint64(1)
		states = append(states, one, hole)
	}
	return states
}

func randomState() (a [25]uint64) {
	for w := range a {
		a[w] = rand.Uint64()
	}
	return a
}

func lane(s *State4, l int) (a [25]uint64) {
	for w := range a {
		a[w] = s[w][l]
	}
	return a
}

func TestPermuteAgainstGeneric(t *testing.T) {
	states := extremes()
	for range 1000 {
		states = append(states, randomState())
	}
	onEveryBackend(t, func(t *testing.T) {
		for _, a := range states {
			want, got := a, a
			permuteGeneric(&want)
			Permute(&got)
			require.Equal(t, want, got, "%x", a)
		}
	})
}

func TestState4PermuteAgainstGeneric(t *testing.T) {
	fixed := extremes()
	onEveryBackend(t, func(t *testing.T) {
		for trial := range 64 {
			for active := range uint(1 << Lanes) {
				var s State4
				for l := range Lanes {
					a := randomState()
					if i := trial*Lanes + l; i < len(fixed) {
						a = fixed[i]
					}
					for w := range a {
						s[w][l] = a[w]
					}
				}
				before := s
				s.Permute(active)
				for l := range Lanes {
					if active>>l&1 == 0 {
						continue
					}
					want := lane(&before, l)
					permuteGeneric(&want)
					require.Equal(t, want, lane(&s, l), "lane %d of %04b", l, active)
				}
			}
		}
	})
}

// TestPermuteAtAnyAlignment also sees a kernel that writes outside of its state.
func TestPermuteAtAnyAlignment(t *testing.T) {
	const guard = 0xA5A5A5A5A5A5A5A5
	onEveryBackend(t, func(t *testing.T) {
		for offset := range 8 {
			for active := range uint(1 << Lanes) {
				buf := make([]uint64, 8+8+25*Lanes+8)
				for i := range buf {
					buf[i] = guard
				}
				start := 8
				for uintptr(unsafe.Pointer(&buf[start]))%64/8 != 0 {
					start++
				}
				start += offset
				end := start + 25*Lanes
				if end > len(buf) {
					t.Fatal("buffer too small")
				}
				s := (*State4)(unsafe.Pointer(&buf[start]))
				for w := range s {
					s[w] = [Lanes]uint64{uint64(w), 1, 2, 3}
				}
				before := *s
				s.Permute(active)
				for l := range Lanes {
					if active>>l&1 == 1 {
						want := lane(&before, l)
						permuteGeneric(&want)
						require.Equal(t, want, lane(s, l), "offset %d, lane %d of %04b", offset, l, active)
					}
				}
				for i, v := range buf {
					if i < start || i >= end {
						require.EqualValues(t, uint64(guard), v, "offset %d, word %d", offset, i-start)
					}
				}

				a := (*[25]uint64)(unsafe.Pointer(&buf[start]))
				copy(a[:], before[0][:])
				want := *a
				beyond := append([]uint64{}, buf[start+25:]...)
				permuteGeneric(&want)
				Permute(a)
				require.Equal(t, want, *a, "offset %d", offset)
				require.Equal(t, beyond, buf[start+25:], "offset %d", offset)
			}
		}
	})
}

func TestPermuteAllocatesNothing(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			var a [25]uint64
			var s State4
			Permute(&a)
			s.Permute(0b0100)
			s.Permute(0b1111)
		}))
	})
}

// BenchmarkPermute also reports cycles of the core's clock, which it finds from a chain
// of dependent additions, one cycle each, timed beside the permutations.
func BenchmarkPermute(b *testing.B) {
	state, states := new([25]uint64), new(State4)
	for _, bench := range []struct {
		name string
		f    func()
	}{
		{"x1", func() { Permute(state) }},
		{"x4", func() { states.Permute(0b1111) }},
		{"x4 one active", func() { states.Permute(0b0010) }},
	} {
		for _, backend := range cpu.Available() {
			b.Run(bench.name+"/"+backend, func(b *testing.B) {
				defer cpu.Use(backend)()
				for b.Loop() {
					bench.f()
				}
				b.ReportMetric(cycles(bench.f), "cycles/op")
			})
		}
	}
	b.Run("x1/crypto_sha3", func(b *testing.B) {
		h := sha3.NewSHAKE128()
		block := make([]byte, 168)
		for b.Loop() {
			h.Read(block)
		}
		b.ReportMetric(cycles(func() { h.Read(block) }), "cycles/op")
	})
}

// cycles returns the tenth percentile of the cycles per call in many short trials. A
// trial counts if the clock ran alike before and after it; the least of them would be
// one in which it did not run alike in between.
func cycles(f func()) float64 {
	const calls = 64
	var trials []float64
	for range 400 {
		t0 := time.Now()
		sum = additions(sum)
		t1 := time.Now()
		for range calls {
			f()
		}
		t2 := time.Now()
		sum = additions(sum)
		t3 := time.Now()
		before, after := float64(t1.Sub(t0)), float64(t3.Sub(t2))
		if before < 1.01*after && after < 1.01*before {
			perCycle := (before + after) / (2 * additionsInChain)
			trials = append(trials, float64(t2.Sub(t1))/calls/perCycle)
		}
	}
	if len(trials) == 0 {
		return math.NaN()
	}
	slices.Sort(trials)
	return trials[len(trials)/10]
}

const additionsInChain = 20000

var sum uint64

// additions is a chain of dependent additions.
//
//go:noinline
func additions(a uint64) uint64 {
	b := a | 1
	for range additionsInChain / 20 {
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
		a += b
		b += a
	}
	return b
}
