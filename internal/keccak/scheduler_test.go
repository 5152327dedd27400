package keccak

import (
	"crypto/sha3"
	"io"
	mrand "math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A width is a scheduler of either width.
type width interface {
	startLane(lane, rate int, seed []byte, tail uint64)
	Absorb(lane, rate int, domain byte, message []byte, ready int)
	SetReady(lane, ready int)
	Ready(lane int) bool
	Release(lane int)
	Step()
	Finish(lane int)
	Read(lane int, dst []byte)
}

func (s *Scheduler) startLane(lane, rate int, seed []byte, tail uint64) {
	var tails [Lanes]uint64
	tails[lane] = tail
	s.Start(1<<lane, rate, seed, &tails)
}

func (s *Scheduler8) startLane(lane, rate int, seed []byte, tail uint64) {
	var tails [8]uint64
	tails[lane] = tail
	s.Start(1<<lane, rate, seed, &tails)
}

// onEveryWidth runs f on each backend with a maker of schedulers of four and of eight lanes.
func onEveryWidth(t *testing.T, f func(t *testing.T, lanes int, newWidth func() width)) {
	onEveryBackend(t, func(t *testing.T) {
		t.Run("4", func(t *testing.T) { f(t, Lanes, func() width { return new(Scheduler) }) })
		t.Run("8", func(t *testing.T) { f(t, 8, func() width { return new(Scheduler8) }) })
	})
}

// TestScheduler runs lanes of different functions, message lengths and starting times
// beside each other, and messages that arrive while they are absorbed.
func TestScheduler(t *testing.T) {
	type job struct {
		f       int
		message []byte
		ready   int
		short   bool // started by Start
		got     []byte
	}
	onEveryWidth(t, func(t *testing.T, lanes int, newWidth func() width) {
		for range 200 {
			s := newWidth()
			jobs := [8]*job{}
			waiting := -1 // at most one lane may wait for its message
			finished := 0
			for finished < 20 {
				for lane := range lanes {
					if jobs[lane] != nil || mrand.IntN(3) == 0 {
						continue
					}
					f := mrand.IntN(len(functions))
					j := &job{f: f}
					if mrand.IntN(2) == 0 {
						j.short = true
						seed := random(8 * mrand.IntN(functions[f].rate/8-1))
						n := mrand.IntN(8)
						suffix := random(n)
						var v uint64
						for i, b := range suffix {
							v |= uint64(b) << (8 * i)
						}
						j.message = append(seed, suffix...)
						s.startLane(lane, functions[f].rate, seed, v|uint64(functions[f].domain)<<(8*n))
					} else {
						j.message = random(mrand.IntN(5 * functions[f].rate))
						j.ready = len(j.message)
						if waiting < 0 && mrand.IntN(2) == 0 {
							waiting = lane
							j.ready = mrand.IntN(len(j.message) + 1)
						}
						s.Absorb(lane, functions[f].rate, functions[f].domain, j.message, j.ready)
					}
					jobs[lane] = j
				}
				s.Step()
				for lane, j := range jobs {
					if j == nil {
						continue
					}
					if !s.Ready(lane) {
						require.False(t, j.short)
						if j.ready < len(j.message) && mrand.IntN(2) == 0 {
							j.ready = min(len(j.message), j.ready+mrand.IntN(200))
							s.SetReady(lane, j.ready)
						}
						continue
					}
					f := functions[j.f]
					block := make([]byte, f.rate)
					s.Read(lane, block)
					j.got = append(j.got, block...)
					if len(j.got) < f.size {
						continue
					}
					oracle := f.oracle()
					oracle.Write(j.message)
					want := make([]byte, f.size)
					oracle.Read(want)
					require.Equal(t, want, j.got[:f.size], "%s of %d bytes", f.name, len(j.message))
					s.Release(lane)
					jobs[lane] = nil
					if lane == waiting {
						waiting = -1
					}
					finished++
				}
			}
		}
	})
}

// TestFinish hashes messages of all lengths around blocks in one lane, of which some Steps
// have absorbed a part.
func TestFinish(t *testing.T) {
	onEveryWidth(t, func(t *testing.T, lanes int, newWidth func() width) {
		for _, f := range functions {
			for n := range 4*f.rate + 2 {
				s := newWidth()
				lane := n % lanes
				message := random(n)
				s.Absorb(lane, f.rate, f.domain, message, n)
				for range mrand.IntN(3) {
					if !s.Ready(lane) {
						s.Step()
					}
				}
				s.Finish(lane)
				require.True(t, s.Ready(lane))
				got := make([]byte, f.rate)
				s.Read(lane, got)
				oracle := f.oracle()
				oracle.Write(message)
				want := make([]byte, f.size)
				oracle.Read(want)
				size := min(f.size, f.rate)
				require.Equal(t, want[:size], got[:size], "%s of %d bytes", f.name, n)
			}
		}
	})
}

// TestStalledLanes lets each lane wait, for each part of a block and beside every set of
// others at work, among them sets that take narrower permutations.
func TestStalledLanes(t *testing.T) {
	onEveryWidth(t, func(t *testing.T, lanes int, newWidth func() width) {
		f := functions[5]
		for beside := range 1 << lanes {
			lane := beside % lanes
			beside &^= 1 << lane
			s := newWidth()
			message := random(2*f.rate + 11)
			ready := mrand.IntN(2 * f.rate)
			s.Absorb(lane, f.rate, f.domain, message, ready)
			seed := random(32)
			for other := range lanes {
				if beside>>other&1 == 1 {
					s.startLane(other, f.rate, seed, uint64(other)|DomainSHAKE<<8)
				}
			}
			for range 3 {
				s.Step()
				require.False(t, s.Ready(lane))
			}
			s.SetReady(lane, len(message))
			for !s.Ready(lane) {
				s.Step()
			}
			got, want := make([]byte, f.rate), make([]byte, f.rate)
			s.Read(lane, got)
			oracle := f.oracle()
			oracle.Write(message)
			oracle.Read(want)
			require.Equal(t, want, got, "lane %d beside %b", lane, beside)
			s.Release(lane)
		}
	})
}

// TestOneLaneMayWait: the state of no other would be kept.
func TestOneLaneMayWait(t *testing.T) {
	onEveryWidth(t, func(t *testing.T, lanes int, newWidth func() width) {
		s := newWidth()
		for _, lane := range []int{0, lanes - 1} {
			s.Absorb(lane, RateSHAKE256, DomainSHAKE, make([]byte, 200), 10)
		}
		assert.Panics(t, s.Step)
		s.Release(0)
		assert.NotPanics(t, s.Step)
		assert.Panics(t, func() { s.Finish(lanes - 1) })
	})
}

func TestSchedulersAllocateNothing(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		message, seed := make([]byte, 300), make([]byte, 32)
		assert.Zero(t, testing.AllocsPerRun(50, func() {
			var four Scheduler
			var eight Scheduler8
			four.Start(1, RateSHAKE128, seed, &[Lanes]uint64{})
			eight.Start(1, RateSHAKE128, seed, &[8]uint64{})
			four.Absorb(1, RateSHAKE256, DomainSHAKE, message, 200)
			eight.Absorb(1, RateSHAKE256, DomainSHAKE, message, 200)
			for range 3 {
				four.Step()
				eight.Step()
			}
			four.SetReady(1, 300)
			eight.SetReady(1, 300)
			four.Release(0)
			eight.Release(0)
			four.Finish(1)
			eight.Finish(1)
			four.Read(1, message[:64])
			eight.Read(1, message[:64])
		}))
	})
}

func TestWipe(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		var s Scheduler8
		s.Start(1<<2, RateSHAKE256, make([]byte, 32), &[8]uint64{2: DomainSHAKE})
		s.Absorb(7, RateSHAKE256, DomainSHAKE, make([]byte, 300), 150)
		s.Step()
		s.Step() // lane 7 waits
		s.SetReady(7, 300)
		s.Release(2)
		s.Finish(7)
		s.Release(7)
		s.Wipe()
		require.True(t, reflect.ValueOf(s).IsZero())
	})
}

// TestJoin ends sponges in lanes beside a stream, with messages around the ends of blocks.
func TestJoin(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for n := range 2*RateSHAKE256 + 2 {
			var s Scheduler
			var h Sponge
			lane := n % Lanes
			other := (lane + 1) % Lanes
			seed, message := random(64), random(n)
			s.Start(1<<other, RateSHAKE128, seed, &[Lanes]uint64{DomainSHAKE, DomainSHAKE, DomainSHAKE, DomainSHAKE})
			h.Init(RateSHAKE256, DomainSHAKE)
			h.Write(message)
			s.Join(lane, &h)
			s.Step()
			require.True(t, s.Ready(lane))
			for l, want := range map[int]io.ReadWriter{lane: sha3.NewSHAKE256(), other: sha3.NewSHAKE128()} {
				if l == lane {
					want.Write(message)
				} else {
					want.Write(seed)
				}
				first := make([]byte, RateSHAKE256)
				want.Read(first)
				got := make([]byte, RateSHAKE256)
				s.Read(l, got)
				require.Equal(t, first, got, "%d bytes", n)
			}
		}
	})
}
