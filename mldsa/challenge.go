package mldsa

import (
	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
)

// challenge sets w.c1 to c̃ = H(message), which it returns, and w.c to SampleInBall(c̃), while
// masks of the attempts after this one ride along.
func (w *scratch) challenge(p *params, message []byte, attempt int) []byte {
	room := w.room(p, attempt)
	challenge := w.c1[:p.challengeSize]
	w.lanes.Absorb(0, keccak.RateSHAKE256, keccak.DomainSHAKE, message, len(message))
	for !w.lanes.Ready(0) {
		w.step(p, 0, room)
	}
	w.lanes.Read(0, challenge)
	publicChallenge(challenge)
	w.beginBall(p, challenge)
	w.step(p, 0, room)
	w.endBall(p, room)
	return challenge
}

// beginBall begins FIPS 204, Algorithm 29 (SampleInBall), of c̃ in lane 0. After one more step
// endBall sets w.c to the result.
func (w *scratch) beginBall(p *params, challenge []byte) {
	w.ball.Begin(&w.c, p.tau)
	w.tail[0] = keccak.DomainSHAKE
	w.lanes.Start(1, keccak.RateSHAKE256, challenge, &w.tail)
}

func (w *scratch) endBall(p *params, room int) {
	var block [dsaring.RateH]byte
	for w.lanes.Read(0, block[:]); !w.ball.Continue(&w.c, &block); w.lanes.Read(0, block[:]) {
		w.step(p, 0, room)
	}
	w.lanes.Release(0)
}
