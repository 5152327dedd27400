package mldsa

import (
	"crypto"
	"reflect"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// compacted returns a compact key of the same seed.
func compacted(t testing.TB, sk *PrivateKey) *PrivateKey {
	t.Helper()
	compact, err := NewPrivateKey(sk.PublicKey().Parameters(), sk.Bytes())
	require.NoError(t, err)
	require.NoError(t, compact.Compact())
	require.NoError(t, compact.Compact(), "it is compact already")
	require.True(t, compact.isCompact())
	return compact
}

func TestCompactKeysAreTheSameKeys(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		full := generate(t, p)
		seeded := compacted(t, full)
		expanded, err := NewPrivateKeyFromExpanded(p, full.ExpandedBytes())
		require.NoError(t, err)
		require.NoError(t, expanded.Compact())
		assert.Equal(t, full.Bytes(), seeded.Bytes())
		assert.Nil(t, expanded.Bytes())
		for _, form := range []PrivateKeyForm{SeedForm, ExpandedForm, BothForm} {
			want, err := MarshalPKCS8PrivateKeyForm(full, form)
			require.NoError(t, err)
			got, err := MarshalPKCS8PrivateKeyForm(seeded, form)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		for _, compact := range []*PrivateKey{seeded, expanded} {
			assert.True(t, full.Equal(compact))
			assert.True(t, compact.Equal(full))
			assert.True(t, full.PublicKey().Equal(compact.Public()))
			assert.Equal(t, full.ExpandedBytes(), compact.ExpandedBytes())
			for range rounds(t, 20) {
				message := random(50)
				opts := &Options{Context: string(random(7))}
				want, err := full.SignDeterministic(message, opts)
				require.NoError(t, err)
				got, err := compact.SignDeterministic(message, opts)
				require.NoError(t, err)
				require.Equal(t, want, got)
				mu := muOf(t, compact.PublicKey(), "", message)
				for _, s := range signForms {
					signature, err := s.sign(compact, message, &mu, "")
					require.NoError(t, err)
					requireVerdict(t, full.PublicKey(), message, signature, true, s.name)
				}
				digest := random(32)
				signature, err := SignPreHash(compact, SHA256, digest, nil)
				require.NoError(t, err)
				require.NoError(t, VerifyPreHash(full.PublicKey(), SHA256, digest, signature, nil))
			}
		}
	})
}

// TestCompactKeysOfOneBackendServeEveryOther: the encodings are the standard's.
func TestCompactKeysOfOneBackendServeEveryOther(t *testing.T) {
	for _, p := range sets {
		full := generate(t, p)
		want, err := full.SignDeterministic(nil, nil)
		require.NoError(t, err)
		onEveryBackend(t, func(t *testing.T) {
			compact := compacted(t, full)
			for _, other := range cpu.Available() {
				restore := cpu.Use(other)
				got, err := compact.SignDeterministic(nil, nil)
				restore()
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

// TestBorrowedKeysAreFullKeys compares what signing expands with the full key, coefficient by
// coefficient: a sum of two faults may sign well.
func TestBorrowedKeysAreFullKeys(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		full := generate(t, p)
		x := borrowFull(compacted(t, full))
		defer x.release()
		assert.Equal(t, full.a, x.key.a)
		assert.Equal(t, full.s1, x.key.s1)
		assert.Equal(t, full.s2, x.key.s2)
		assert.Equal(t, full.pk.tr, x.key.pk.tr)
		for i := range full.t0 {
			for j, c := range full.t0[i] {
				require.Zero(t, (c-x.key.t0[i][j])%8380417, "t̂₀")
			}
		}
	})
}

func TestCompactKeysAreSmall(t *testing.T) {
	const keys = 200
	for _, p := range sets {
		held := make([]*PrivateKey, keys)
		size := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := size()
		for i := range held {
			held[i] = generate(t, p)
		}
		full := (size() - before) / keys
		for _, sk := range held {
			require.NoError(t, sk.Compact())
		}
		compact := (size() - before) / keys
		t.Logf("%v: %d bytes, compact %d", p, full, compact)
		assert.Less(t, compact, uint64(p.PublicKeySize()+p.expandedKeySize()+2048))
		assert.Greater(t, full, 4*compact)
		runtime.KeepAlive(held)
	}
}

func TestCompactWipesWhatItDrops(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		s1, s2, t0, expanded := sk.s1, sk.s2, sk.t0, sk.expanded
		require.NoError(t, sk.Compact())
		for _, dropped := range []any{s1, s2, t0, expanded} {
			v := reflect.ValueOf(dropped)
			for i := range v.Len() {
				require.True(t, v.Index(i).IsZero())
			}
		}
		held := sk.expanded
		require.NotEqual(t, make([]byte, len(held)), held)
		sk.Destroy()
		assert.Equal(t, make([]byte, len(held)), held)
		assert.Zero(t, sk.seed)
	})
}

func TestBorrowedKeysAreWiped(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops blocks at random")
	}
	onEverySet(t, func(t *testing.T, p Parameters) {
		compact := compacted(t, generate(t, p))
		dst := make([]byte, 0, p.SignatureSize())
		requireWiped := func(name string, f func()) {
			t.Helper()
			var seen bool
			for n := 0; n < 3 || !seen && n < 20; n++ { // the test may move to another processor's pool
				f()
				x := borrowedKeys.Get().(*borrowedKey)
				seen = seen || x.a[0][0] != 0
				clear(x.a[:])
				clear(x.key.pk.tr[:])
				x.key.pk.p = nil
				require.True(t, reflect.ValueOf(x).Elem().IsZero(), name)
				borrowedKeys.Put(x)
			}
			require.True(t, seen, "%s: not the block that was used", name)
		}
		requireWiped("AppendSign", func() { compact.AppendSign(dst, []byte("message"), nil) })
		requireWiped("SignPreHash", func() { SignPreHash(compact, SHA256, make([]byte, 32), nil) })
	})
}

func TestUnusableKeysAreNotCompacted(t *testing.T) {
	for _, p := range sets {
		gone := generate(t, p)
		gone.Destroy()
		var none *PrivateKey
		assert.ErrorIs(t, none.Compact(), ErrNoKey)
		assert.ErrorIs(t, new(PrivateKey).Compact(), ErrNoKey)
		assert.ErrorIs(t, gone.Compact(), ErrDestroyed)
		assert.EqualError(t, gone.Compact(), "mldsa: PrivateKey.Compact: the key was destroyed")

		compact := compacted(t, generate(t, p))
		compact.Destroy()
		var mu [MuSize]byte
		for _, s := range signForms {
			signature, err := s.sign(compact, nil, &mu, "")
			require.ErrorIs(t, err, ErrDestroyed)
			require.Nil(t, signature)
		}
		assert.ErrorIs(t, compact.Compact(), ErrDestroyed)
		assert.Nil(t, compact.Bytes())
		assert.Nil(t, compact.ExpandedBytes())
		assert.NotNil(t, compact.PublicKey().Bytes())
	}
}

// TestWrongOptionsOfCompactKeys: what a full key refuses a compact one refuses too.
func TestWrongOptionsOfCompactKeys(t *testing.T) {
	compact := compacted(t, generate(t, MLDSA87()))
	dst := []byte("prefix")
	got, err := compact.AppendSign(dst, nil, &Options{Context: string(make([]byte, 256))})
	assert.ErrorIs(t, err, ErrContext)
	assert.Equal(t, dst, got)
	got, err = compact.AppendSignMu(dst, nil)
	assert.ErrorIs(t, err, ErrSize)
	assert.Equal(t, dst, got)
	_, err = compact.Sign(nil, nil, crypto.SHA256)
	assert.ErrorIs(t, err, ErrOptions)
}

func TestCompactKeysAreGeneratedAnew(t *testing.T) {
	for _, p := range sets {
		for _, q := range sets {
			compact := compacted(t, generate(t, p))
			if p == q {
				compact.Destroy()
			}
			require.NoError(t, compact.Generate(q))
			require.False(t, compact.isCompact())
			signature, err := compact.Sign(nil, nil, nil)
			require.NoError(t, err)
			requireVerdict(t, compact.PublicKey(), nil, signature, true)
		}
	}
}

func TestCompactKeysAreSafeForConcurrentUse(t *testing.T) {
	full := make([]*PrivateKey, len(sets))
	compact := make([]*PrivateKey, len(sets))
	for i, p := range sets {
		full[i] = generate(t, p)
		compact[i] = compacted(t, full[i])
	}
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for n := range rounds(t, 30) {
				i := (worker + n) % len(sets) // sets take turns in the same memory
				message := []byte{byte(worker), byte(n)}
				want, err := full[i].SignDeterministic(message, nil)
				assert.NoError(t, err)
				got, err := compact[i].SignDeterministic(message, nil)
				assert.NoError(t, err)
				assert.Equal(t, want, got)
			}
		})
	}
	wg.Wait()
}

func BenchmarkSignCompact(b *testing.B) {
	benchmarkEverySet(b, func(b *testing.B, p Parameters) {
		sk := compacted(b, generate(b, p))
		dst := make([]byte, 0, p.SignatureSize())
		message := make([]byte, 64)
		for n := 0; b.Loop(); n++ {
			message[0] = byte(n % 32)
			sk.AppendSign(dst, message, nil)
		}
	})
}
