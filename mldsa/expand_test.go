package mldsa

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
)

// TestEveryScheduleMakesTheSameKey lets the secret vectors and tr begin at other times than
// those that are fastest: tr waits for rows of t then, or is absorbed alone at the end.
func TestEveryScheduleMakesTheSameKey(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		seed := random(PrivateKeySize)
		public, expanded, _ := keyGen(p.params, seed)
		for hashAfter := range p.k + 1 {
			for _, early := range []int{0, 1, 7, 8, p.k*p.l - 1, p.k * p.l} {
				other := *p.params
				other.early, other.hashAfter = early, hashAfter
				sk, err := NewPrivateKey(Parameters{&other}, seed)
				require.NoError(t, err)
				require.Equal(t, public, sk.PublicKey().Bytes(), "early %d, hash after %d", early, hashAfter)
				require.Equal(t, expanded, sk.ExpandedBytes())
			}
		}
	})
}

// TestExpansionWaitsForRows expands Â into memory for fewer rows than lanes work at.
func TestExpansionWaitsForRows(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		rho, message := random(32), random(1000)
		for rows := 1; rows <= p.k; rows++ {
			w := newScratch()
			a := make([]dsaring.Poly, rows*p.l)
			done := 0
			w.hash(message, len(message))
			w.expand(p.params, &expansion{a: a, rows: rows, rho: rho, rowDone: func(i int) {
				require.Equal(t, done, i)
				done++
				for j, got := range a[i%rows*p.l:][:p.l] {
					require.Equal(t, rejNTTPoly(rho, byte(j), byte(i)), got, "row %d, column %d of %d rows", i, j, rows)
				}
			}})
			require.Equal(t, p.k, done)
			require.Equal(t, shake256(64, message), w.ride.digest[:])
			w.release(p.params)
		}
	})
}

// TestChallengeAndHashesRide samples a challenge of more than one block beside Â, which no τ of a
// set takes, and hashes one message after another, of both kinds.
func TestChallengeAndHashesRide(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		for _, tau := range []int{p.tau, 120, 200} {
			other := *p.params
			other.tau = tau
			challenge, messages := random(p.challengeSize), [][]byte{random(300), random(500), random(137), random(5000)}
			var want dsaring.Poly
			var b dsaring.Ball
			b.Begin(&want, tau)
			for stream := shake256(9*dsaring.RateH, challenge); !b.Continue(&want, (*[dsaring.RateH]byte)(stream)); {
				stream = stream[dsaring.RateH:]
			}
			w := newScratch()
			x := expansion{a: w.a[:], rows: maxRows, rho: random(32), challenge: challenge}
			x.rowDone = func(int) { require.Equal(t, want, w.c) }
			hashes := 0
			x.hashDone = func() {
				require.Equal(t, shake256(64, messages[hashes]), w.ride.digest[:])
				if hashes++; hashes == len(messages) {
					return
				}
				if message := messages[hashes]; hashes%2 == 1 {
					w.sponge.Init(dsaring.RateH, keccak.DomainSHAKE)
					w.sponge.Write(message)
					w.hashWritten()
				} else {
					w.hash(message, len(message))
				}
			}
			w.hash(messages[0], len(messages[0]))
			w.expand(&other, &x)
			require.Equal(t, len(messages), hashes)
			w.release(p.params)
		}
	})
}

// TestScratchIsAligned: a vector that spans two cache lines costs two accesses.
func TestScratchIsAligned(t *testing.T) {
	w := newScratch()
	defer scratches.Put(w)
	for name, p := range map[string]unsafe.Pointer{
		"eight lanes": unsafe.Pointer(&w.wide.State), "four lanes": unsafe.Pointer(&w.lanes.State),
		"Â": unsafe.Pointer(&w.a), "polys": unsafe.Pointer(&w.polys), "w0": unsafe.Pointer(&w.w0), "w1": unsafe.Pointer(&w.w1),
		"t": unsafe.Pointer(&w.t), "c": unsafe.Pointer(&w.c), "acc": unsafe.Pointer(&w.acc),
		"smallC": unsafe.Pointer(&w.smallC), "smallTwist": unsafe.Pointer(&w.smallTwist), "smallAcc": unsafe.Pointer(&w.smallAcc),
	} {
		require.Zero(t, uintptr(p)%64, name)
	}
	x := borrowedKeys.Get().(*borrowedKey)
	defer borrowedKeys.Put(x)
	require.Zero(t, uintptr(unsafe.Pointer(x))%64, "borrowed key")
	for _, p := range sets {
		sk := generate(t, p)
		v := sk.PublicKey().Precompute()
		for name, p := range map[string]unsafe.Pointer{
			"Â": unsafe.Pointer(&sk.a[0]), "t0": unsafe.Pointer(&sk.t0[0]), "s1": unsafe.Pointer(&sk.s1[0]), "s2": unsafe.Pointer(&sk.s2[0]),
			"rows of a Verifier": unsafe.Pointer(&v.rows[0]),
			"x.t0":               unsafe.Pointer(&x.t0), "x.s1": unsafe.Pointer(&x.s1), "x.s2": unsafe.Pointer(&x.s2),
		} {
			require.Zero(t, uintptr(p)%64, name)
		}
	}
}
