package keccak

import (
	"crypto/sha3"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLanes absorbs messages of all lengths around blocks in one lane, some blocks beside other
// lanes, moves to another lane in between, and does the rest alone.
func TestLanes(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for _, f := range functions {
			for n := range 4*f.rate + 2 {
				s := new(State4)
				message := random(n)
				rest := message
				state := new([25]uint64)
				beside := random(16)
				for blocks := mrand.IntN(4); blocks > 0 && rest != nil; blocks-- {
					lane := mrand.IntN(Lanes)
					s.Start(1<<Lanes-1, RateSHAKE128, beside, &[Lanes]uint64{DomainSHAKE, DomainSHAKE, DomainSHAKE, DomainSHAKE})
					s.SetLane(lane, state)
					rest = s.Absorb(lane, f.rate, f.domain, rest)
					s.Permute(1<<Lanes - 1)
					s.GetLane(lane, state)
					for other := range Lanes {
						if other != lane {
							got := make([]byte, RateSHAKE128)
							s.Read(other, got)
							require.Equal(t, sha3.SumSHAKE128(beside, len(got)), got)
						}
					}
				}
				lane := n % Lanes
				s.SetLane(lane, state)
				if rest != nil {
					s.AbsorbAll(lane, f.rate, f.domain, rest)
				}
				got, want := make([]byte, f.rate), make([]byte, min(f.size, f.rate))
				s.Read(lane, got)
				oracle := f.oracle()
				oracle.Write(message)
				oracle.Read(want)
				require.Equal(t, want, got[:len(want)], "%s of %d bytes", f.name, n)
			}
		}
	})
}
