package keccak

import (
	"crypto/rand"
	"crypto/sha3"
	"hash"
	"io"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// functions are those of FIPS 202, each with the standard library's as an oracle.
var functions = []struct {
	name   string
	rate   int
	domain byte
	size   int // of the output that is compared
	oracle func() io.ReadWriter
}{
	{"SHA3-224", RateSHA3_224, DomainSHA3, 28, func() io.ReadWriter { return &digest{Hash: sha3.New224()} }},
	{"SHA3-256", RateSHA3_256, DomainSHA3, 32, func() io.ReadWriter { return &digest{Hash: sha3.New256()} }},
	{"SHA3-384", RateSHA3_384, DomainSHA3, 48, func() io.ReadWriter { return &digest{Hash: sha3.New384()} }},
	{"SHA3-512", RateSHA3_512, DomainSHA3, 64, func() io.ReadWriter { return &digest{Hash: sha3.New512()} }},
	{"SHAKE128", RateSHAKE128, DomainSHAKE, 1000, func() io.ReadWriter { return sha3.NewSHAKE128() }},
	{"SHAKE256", RateSHAKE256, DomainSHAKE, 1000, func() io.ReadWriter { return sha3.NewSHAKE256() }},
}

// digest reads a hash's sum once.
type digest struct{ hash.Hash }

func (d *digest) Read(p []byte) (int, error) { return copy(p, d.Sum(nil)), nil }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func onEveryBackend(t *testing.T, f func(t *testing.T)) {
	for _, name := range cpu.Available() {
		t.Run(name, func(t *testing.T) {
			defer cpu.Use(name)()
			f(t)
		})
	}
}

// TestSpongeInPieces writes and reads in pieces of all sizes around words and blocks.
func TestSpongeInPieces(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for _, f := range functions {
			var s Sponge
			for n := range 3*f.rate + 2 {
				message := random(n)
				oracle := f.oracle()
				oracle.Write(message)
				want := make([]byte, f.size)
				oracle.Read(want)

				s.Init(f.rate, f.domain)
				for rest := message; len(rest) > 0; {
					m := min(1+mrand.IntN(2*f.rate), len(rest))
					s.Write(rest[:m])
					rest = rest[m:]
				}
				got := make([]byte, f.size)
				for rest := got; len(rest) > 0; {
					m := min(1+mrand.IntN(40), len(rest))
					s.Read(rest[:m])
					rest = rest[m:]
				}
				require.Equal(t, want, got, "%s of %d bytes", f.name, n)
			}
			s.Init(f.rate, f.domain)
			s.Write([]byte("x"))
			s.Read(make([]byte, 1))
			assert.Panics(t, func() { s.Write(nil) })
		}
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
	onEveryBackend(t, func(t *testing.T) {
		for range 200 {
			var s Scheduler
			var jobs [Lanes]*job
			waiting := -1 // at most one lane may wait for its message
			finished := 0
			for finished < 20 {
				for lane := range jobs {
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
						var tail [Lanes]uint64
						tail[lane] = v | uint64(functions[f].domain)<<(8*n)
						s.Start(1<<lane, functions[f].rate, seed, &tail)
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
	onEveryBackend(t, func(t *testing.T) {
		for _, f := range functions {
			for n := range 4*f.rate + 2 {
				var s Scheduler
				lane := n % Lanes
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
