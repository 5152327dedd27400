package mldsa

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
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
	for _, p := range sets {
		sk := generate(t, p)
		require.Zero(t, uintptr(unsafe.Pointer(&sk.a[0]))%64, p)
		require.Zero(t, uintptr(unsafe.Pointer(&sk.t0[0]))%64, p)
		require.Zero(t, uintptr(unsafe.Pointer(&sk.s1[0]))%64, p)
	}
}
