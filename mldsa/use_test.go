package mldsa

import (
	"bytes"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// TestEveryFormOfSigningIsVerifiedByEveryForm reuses one key of each kind for all sets.
func TestEveryFormOfSigningIsVerifiedByEveryForm(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		sk, pk := new(PrivateKey), new(PublicKey)
		for range rounds(t, 20) {
			for _, p := range sets {
				require.NoError(t, sk.Generate(p))
				require.NoError(t, pk.SetBytes(p, sk.PublicKey().Bytes()))
				require.True(t, pk.Equal(sk.Public()))
				require.Equal(t, p, pk.Parameters())
				message := random(int(sk.Bytes()[0]))
				mu := muOf(t, pk, "", message)
				for _, s := range signForms {
					signature, err := s.sign(sk, message, &mu, "")
					require.NoError(t, err)
					require.Len(t, signature, p.SignatureSize())
					requireVerdict(t, pk, message, signature, true, s.name)
				}
				other := append([]byte{1}, message...)
				signature, err := sk.AppendSign([]byte("prefix"), message, nil)
				require.NoError(t, err)
				require.Equal(t, "prefix", string(signature[:6]))
				requireVerdict(t, pk, message, signature[6:], true)
				requireVerdict(t, pk, other, signature[6:], false)
				requireVerdict(t, generate(t, p).PublicKey(), message, signature[6:], false)
			}
		}
	})
}

// TestBackendsAgree compares the keys and deterministic signatures of fresh seeds and
// messages byte for byte, and what each verifies.
func TestBackendsAgree(t *testing.T) {
	for range rounds(t, 100) {
		for _, p := range sets {
			seed, message := random(PrivateKeySize), random(60)
			opts := &Options{Context: string(random(9))}
			var expanded, public, signature []byte
			for i, name := range cpu.Available() {
				restore := cpu.Use(name)
				sk, err := NewPrivateKey(p, seed)
				require.NoError(t, err)
				got, err := sk.SignDeterministic(message, opts)
				require.NoError(t, err)
				restore()
				if i == 0 {
					expanded, public, signature = sk.ExpandedBytes(), sk.PublicKey().Bytes(), got
				}
				require.Equal(t, expanded, sk.ExpandedBytes(), "%s, %v seed %x", name, p, seed)
				require.Equal(t, public, sk.PublicKey().Bytes(), "%s, %v seed %x", name, p, seed)
				require.Equal(t, signature, got, "%s, %v seed %x message %x context %x", name, p, seed, message, opts.Context)

				// A key that one backend has made serves every other.
				for _, other := range cpu.Available() {
					restore := cpu.Use(other)
					again, err := sk.SignDeterministic(message, opts)
					require.NoError(t, err)
					require.Equal(t, signature, again, "key of %s, signed by %s", name, other)
					require.NoError(t, Verify(sk.PublicKey(), message, signature, opts))
					restore()
				}
			}
		}
	}
}

func TestSignaturesAreHedged(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		message := []byte("message")
		mu := muOf(t, sk.PublicKey(), "", message)
		deterministic, err := sk.SignDeterministic(message, nil)
		require.NoError(t, err)
		seen := map[string]bool{}
		for range 2 {
			for _, s := range signForms {
				signature, err := s.sign(sk, message, &mu, "")
				require.NoError(t, err)
				if s.name == "PrivateKey.SignDeterministic" {
					require.Equal(t, deterministic, signature)
					continue
				}
				require.NotEqual(t, deterministic, signature, s.name)
				require.False(t, seen[string(signature)], s.name)
				seen[string(signature)] = true
			}
		}
		digest := make([]byte, 32)
		one, err := SignPreHash(sk, SHA256, digest, nil)
		require.NoError(t, err)
		two, err := SignPreHash(sk, SHA256, digest, nil)
		require.NoError(t, err)
		require.NotEqual(t, one, two)
		require.NotEqual(t, generate(t, p).Bytes(), generate(t, p).Bytes())
		require.NotEqual(t, make([]byte, PrivateKeySize), generate(t, p).Bytes())
	})
}

// TestKeysKeepTheirOwnMemory changes what keys and verifiers were made from.
func TestKeysKeepTheirOwnMemory(t *testing.T) {
	for _, p := range sets {
		sk, other := generate(t, p), generate(t, p)
		signature, err := sk.Sign(nil, nil, nil)
		require.NoError(t, err)
		encoded := sk.PublicKey().Bytes()
		pk, err := NewPublicKey(p, encoded)
		require.NoError(t, err)
		clear(encoded)
		verifier := pk.Precompute()
		requireVerdict(t, pk, nil, signature, true)
		require.NoError(t, pk.SetBytes(p, other.PublicKey().Bytes()))
		requireVerdict(t, pk, nil, signature, false)
		require.NoError(t, verifier.Verify(nil, signature, nil))
		sk.Destroy()
		for _, q := range sets {
			require.NoError(t, sk.Generate(q))
			signature, err := sk.Sign(nil, nil, nil)
			require.NoError(t, err)
			requireVerdict(t, sk.PublicKey(), nil, signature, true)
		}
	}
}

// TestMuStreams writes a message in pieces, and reads μ between them.
func TestMuStreams(t *testing.T) {
	sk := generate(t, MLDSA65())
	message := random(1000)
	want := shake256(MuSize, shake256(64, sk.PublicKey().Bytes()), []byte{0, 3}, []byte("ctx"), message)
	h, err := sk.PublicKey().NewMu("ctx")
	require.NoError(t, err)
	for i, n := 0, 0; i < len(message); i += n {
		n = min(int(message[i]), len(message)-i)
		written, err := h.Write(message[i:][:n])
		require.NoError(t, err)
		require.Equal(t, n, written)
		begun := h.Sum()
		require.Equal(t, begun, h.Sum())
		if n == 0 {
			n, _ = h.Write(message[i:][:1])
		}
	}
	got := h.Sum()
	assert.Equal(t, want, got[:])
}

func TestInputsAreNotChanged(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		unchanged := func(b []byte, f func(b []byte)) {
			t.Helper()
			kept := bytes.Clone(b)
			f(b)
			require.Equal(t, kept, b)
		}
		var sk *PrivateKey
		unchanged(random(PrivateKeySize), func(b []byte) { sk, _ = NewPrivateKey(p, b) })
		pk := sk.PublicKey()
		unchanged(pk.Bytes(), func(b []byte) { NewPublicKey(p, b) })
		unchanged(random(100), func(message []byte) {
			mu := muOf(t, pk, "", message)
			keptMu := mu
			for _, s := range signForms {
				signature, err := s.sign(sk, message, &mu, "")
				require.NoError(t, err)
				unchanged(signature, func(signature []byte) { requireVerdict(t, pk, message, signature, true) })
			}
			require.Equal(t, keptMu, mu)
		})
		dst := append(make([]byte, 0, p.SignatureSize()+20), "prefix"...)
		signature, err := sk.AppendSign(dst, nil, nil)
		require.NoError(t, err)
		require.Same(t, &dst[0], &signature[0], "in place")
		for _, b := range signature[len(signature):cap(signature)] {
			require.Zero(t, b, "beyond the signature")
		}
		// A message in the very memory that the signature goes to.
		shared := random(p.SignatureSize())
		message := bytes.Clone(shared[:40])
		signature, err = sk.AppendSign(shared[:0], shared[:40], nil)
		require.NoError(t, err)
		requireVerdict(t, pk, message, signature, true)
	})
}

func TestKeysAreSafeForConcurrentUse(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		pk, err := NewPublicKey(p, sk.PublicKey().Bytes()) // all are the first to verify
		require.NoError(t, err)
		verifier := sk.PublicKey().Precompute()
		message := random(40)
		want, err := sk.SignDeterministic(message, nil)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range rounds(t, 40) {
					got, err := sk.SignDeterministic(message, nil)
					assert.NoError(t, err)
					assert.Equal(t, want, got)
					mine := []byte{byte(i)}
					signature, err := sk.Sign(nil, mine, nil)
					assert.NoError(t, err)
					assert.NoError(t, Verify(pk, mine, signature, nil))
					assert.NoError(t, verifier.Verify(mine, signature, nil))
					assert.ErrorIs(t, verifier.Verify(message, signature, nil), ErrInvalidSignature)
					_ = sk.ExpandedBytes()
				}
			})
		}
		wg.Wait()
	})
}

func TestFormsForReuseAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops blocks at random")
	}
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk, made, pk := generate(t, p), generate(t, p), new(PublicKey)
		compact := compacted(t, sk)
		encoded := sk.PublicKey().Bytes()
		require.NoError(t, pk.SetBytes(p, encoded))
		verifier := pk.Precompute()
		message, opts := random(100), &Options{Context: "context"}
		mu := muOf(t, pk, "context", message)
		signature, err := sk.Sign(nil, message, opts)
		require.NoError(t, err)
		bad := bytes.Clone(signature)
		bad[0] ^= 1
		buf := make([]byte, 0, p.SignatureSize())
		for name, f := range map[string]func(){
			"Generate":                 func() { made.Generate(p) },
			"AppendSign":               func() { sk.AppendSign(buf, message, opts) },
			"AppendSignMu":             func() { sk.AppendSignMu(buf, &mu) },
			"AppendSign, compact":      func() { compact.AppendSign(buf, message, opts) },
			"AppendSignMu, compact":    func() { compact.AppendSignMu(buf, &mu) },
			"Verify":                   func() { Verify(pk, message, signature, opts) },
			"Verify, refused":          func() { Verify(pk, message, bad, opts) },
			"VerifyMu":                 func() { VerifyMu(pk, &mu, signature) },
			"VerifyMu, refused":        func() { VerifyMu(pk, &mu, bad) },
			"Verifier.Verify":          func() { verifier.Verify(message, signature, opts) },
			"Verifier.Verify, refused": func() { verifier.Verify(message, bad, opts) },
			"Verifier.VerifyMu":        func() { verifier.VerifyMu(&mu, signature) },
		} {
			assert.Zero(t, testing.AllocsPerRun(50, f), name)
		}
	})
}

// onStackOf4KB reports whether f, called on a fresh goroutine whose stack has 4 KB, leaves the
// stack where it is: it moves when it grows. It may move for the collector too, which is
// unlikely to happen each time.
func onStackOf4KB(f func()) bool {
	fits := make(chan bool)
	for range 5 {
		go func() {
			useStack(6) // of the 2 KB that a goroutine begins with
			var x byte
			before := uintptr(unsafe.Pointer(&x))
			f()
			fits <- before == uintptr(unsafe.Pointer(&x))
		}()
		if <-fits {
			return true
		}
	}
	return false
}

// useStack uses about 300 bytes of stack more than n times.
//
//go:noinline
func useStack(n int) byte {
	var block [256]byte
	block[n&255] = 1
	if n == 0 {
		return block[0]
	}
	return useStack(n-1) + block[n&255]
}

// TestFreshGoroutinesKeepSmallStacks: growing a stack copies secrets, and costs a proxy's
// handshake more than the scratch memory in pools does.
func TestFreshGoroutinesKeepSmallStacks(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's frames are larger")
	}
	require.False(t, onStackOf4KB(func() { useStack(300) }), "growth is not seen")
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		compact := compacted(t, sk)
		pk, err := NewPublicKey(p, sk.PublicKey().Bytes())
		require.NoError(t, err)
		verifier := pk.Precompute()
		message, opts := random(100), &Options{Context: "context"}
		mu := muOf(t, pk, "context", message)
		signature, err := sk.Sign(nil, message, opts)
		require.NoError(t, err)
		for name, f := range map[string]func(){
			"Generate":            func() { GenerateKey(p) },
			"Sign":                func() { sk.Sign(nil, message, opts) },
			"AppendSign":          func() { sk.AppendSign(nil, message, opts) },
			"AppendSignMu":        func() { sk.AppendSignMu(nil, &mu) },
			"AppendSign, compact": func() { compact.AppendSign(nil, message, opts) },
			"NewPublicKey":        func() { NewPublicKey(p, pk.encoded) },
			"Verify":              func() { Verify(pk, message, signature, opts) },
			"Verifier.Verify":     func() { verifier.Verify(message, signature, opts) },
		} {
			assert.True(t, onStackOf4KB(f), name)
		}
	})
}
