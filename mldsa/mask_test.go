package mldsa

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
)

// TestMasksAreTheStandards compares the masks of many attempts with FIPS 204, Algorithm 34, and the
// challenges beside them with SHAKE256 and Algorithm 29. The chains are longer and shorter
// than those of signing, so that streams meet the borders of attempts at each of their blocks.
func TestMasksAreTheStandards(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		for _, blocks := range []int{0, 1, 2, 3, 6, 7, 9, 17, -1} {
			t.Run(fmt.Sprintf("blocks=%d", blocks), func(t *testing.T) {
				w := newScratch()
				w.begin(p.params)
				defer w.release(p.params)
				copy(w.seed[:], random(64))
				for attempt := range 12 * maskDepth {
					w.expandMask(p.params, attempt)
					requireMask(t, w, p.params, attempt)
					if blocks < 0 && attempt%5 == 0 {
						continue
					}
					message := random(dsaring.RateH*max(blocks, attempt%11) + attempt%dsaring.RateH)
					challenge := w.challenge(p.params, message, attempt)
					require.Equal(t, shake256(p.challengeSize, message), challenge)
					require.Equal(t, sampleInBall(challenge, p.tau), w.c)
					// What runs ahead has left this attempt's mask alone.
					requireMask(t, w, p.params, attempt)
				}
			})
		}
	})
}

func requireMask(t *testing.T, w *scratch, p *params, attempt int) {
	t.Helper()
	for i := range p.l {
		seed := binary.LittleEndian.AppendUint16(append([]byte(nil), w.seed[:64]...), uint16(attempt*p.l+i))
		var want, got dsaring.Poly
		dsaring.UnpackZ(&want, shake256(dsaring.SizeZ(p.gamma1), seed), p.gamma1)
		w.masks.polynomial(&got, p, attempt, i)
		require.Equal(t, want, got, "attempt %d, polynomial %d", attempt, i)
	}
}

// TestMasksRunAheadOnlyWhereThatIsFree: without vectors no stream begins before its attempt, and
// with them none beyond the room that there is.
func TestMasksRunAheadOnlyWhereThatIsFree(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		w := newScratch()
		w.begin(p.params)
		defer w.release(p.params)
		ahead := false
		for attempt := range 2 * maskDepth {
			w.expandMask(p.params, attempt)
			w.challenge(p.params, make([]byte, 20*dsaring.RateH), attempt)
			require.LessOrEqual(t, w.masks.begun, (attempt+maskDepth)*p.l)
			ahead = ahead || w.masks.begun > (attempt+1)*p.l
		}
		require.Equal(t, keccak.Parallel(), ahead)
	})
}

// TestSigningOfManyAttempts signs until attempts have used each place of the masks again and
// again.
func TestSigningOfManyAttempts(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk, r := pair(t, p.params)
		for most := 0; most < 4*maskDepth; {
			_, _, attempts := requireSameSignature(t, sk, r)
			most = max(most, len(attempts))
		}
	})
}
