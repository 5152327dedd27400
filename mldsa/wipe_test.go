package mldsa

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestScratchIsWiped takes the block that operations on secrets have just used and looks for
// anything left in it but Â and the lanes' suffixes, which are public. Verification has no
// secrets and wipes nothing, so the block is wiped before.
func TestScratchIsWiped(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops blocks at random")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // there is a pool for each processor
	onEverySet(t, func(t *testing.T, p Parameters) {
		requireWiped := func(name string, f func()) {
			t.Helper()
			var seen bool
			for n := 0; n < 3 || !seen && n < 20; n++ { // the test may move to another processor's pool
				used := scratches.Get().(*scratch)
				*used = scratch{}
				scratches.Put(used)
				f()
				w := scratches.Get().(*scratch)
				seen = seen || w.a[0][0] != 0 || w.tail[0] != 0 || w.tails[0] != 0
				clear(w.a[:])
				clear(w.tail[:])
				clear(w.tails[:])
				require.True(t, reflect.ValueOf(w).Elem().IsZero(), name)
				scratches.Put(w)
			}
			require.True(t, seen, "%s: not the block that was used", name)
		}
		sk := generate(t, p)
		expanded := sk.ExpandedBytes()
		broken := sk.ExpandedBytes()
		broken[len(broken)-1] ^= 1
		dst := make([]byte, 0, p.SignatureSize())
		requireWiped("Generate", func() { sk.Generate(p) })
		requireWiped("NewPrivateKeyFromExpanded", func() { NewPrivateKeyFromExpanded(p, expanded) })
		requireWiped("NewPrivateKeyFromExpanded, refused", func() { NewPrivateKeyFromExpanded(p, broken) })
		requireWiped("AppendSign", func() { sk.AppendSign(dst, []byte("message"), nil) })
		compact := compacted(t, sk)
		requireWiped("AppendSign, compact", func() { compact.AppendSign(dst, []byte("message"), nil) })
		requireWiped("SignPreHash", func() { SignPreHash(sk, SHA256, make([]byte, 32), nil) })

		// Signing that gives up: every attempt is rejected.
		monomial(sk, p.gamma2)
		requireGivesUp := func() {
			_, err := sk.AppendSign(dst, nil, nil)
			require.ErrorIs(t, err, ErrAttempts)
		}
		if !testing.Short() {
			requireWiped("AppendSign, given up", requireGivesUp)
		}
	})
}

func TestDestroyWipesTheSecretHalfOnly(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		pk := sk.PublicKey()
		encoded := pk.Bytes()
		signature, err := sk.Sign(nil, nil, nil)
		require.NoError(t, err)
		s1, s2, t0 := sk.s1, sk.s2, sk.t0
		sk.Destroy()
		sk.Destroy()
		assert.Zero(t, sk.seed)
		assertZero := func(v any, what string) { assert.True(t, reflect.ValueOf(v).IsZero(), what) }
		for i := range s1 {
			assertZero(s1[i], "ŝ₁")
		}
		for i := range s2 {
			assertZero(s2[i], "ŝ₂")
			assertZero(t0[i], "t̂₀")
		}
		assert.Zero(t, sk.key)
		assert.Equal(t, encoded, pk.Bytes())
		requireVerdict(t, pk, nil, signature, true)

		// A change of set leaves the memory of the old one behind.
		sk = generate(t, p)
		s1 = sk.s1
		for _, q := range sets {
			if q != p {
				require.NoError(t, sk.Generate(q))
			}
		}
		for i := range s1 {
			assertZero(s1[i], "ŝ₁ of the former set")
		}

		sk.Destroy()
		require.NoError(t, sk.Generate(p), "a destroyed key can be generated anew")
		signature, err = sk.Sign(nil, nil, nil)
		require.NoError(t, err)
		requireVerdict(t, sk.PublicKey(), nil, signature, true)
	})
}
