//go:build cgo && !windows

package hsm

import (
	"context"
	"crypto"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	direct "github.com/pqlane/pqlane/internal/raw"
)

// A worker does one operation.
type worker func() error

func signWorkers(t testing.TB, token *Token, ctx context.Context, a Algorithm) (ours worker, rawOf func() worker) {
	info := generate(t, token, a)
	signer, err := token.Signer(background, info.Key())
	require.NoError(t, err)
	message := make([]byte, 64)
	ours = func() error {
		_, err := signer.SignContext(ctx, message, crypto.Hash(0))
		return err
	}
	module, err := direct.Open(token.module.path)
	require.NoError(t, err)
	return ours, func() worker {
		s, err := module.Session(uint(token.slot.Load()), info.ID)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		size := parametersOf(a).SignatureSize()
		return func() error { return s.Sign(message, make([]byte, size)) }
	}
}

func decapsulateWorkers(t testing.TB, token *Token, ctx context.Context, a Algorithm) (ours worker, rawOf func() worker) {
	info := generate(t, token, a)
	d, err := token.Decapsulator(background, info.Key())
	require.NoError(t, err)
	_, ciphertext := d.Encapsulator().Encapsulate()
	ours = func() error {
		_, err := d.DecapsulateContext(ctx, ciphertext)
		return err
	}
	module, err := direct.Open(token.module.path)
	require.NoError(t, err)
	return ours, func() worker {
		s, err := module.Session(uint(token.slot.Load()), info.ID)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return func() error { return s.Decapsulate(ciphertext, new([32]byte)) }
	}
}

// rate returns the operations a second of workers in the given time.
func rate(t testing.TB, workers []worker, d time.Duration) float64 {
	var all sync.WaitGroup
	counts := make([]int, len(workers)*16)
	begun := time.Now()
	for i, w := range workers {
		all.Go(func() {
			for time.Since(begun) < d {
				for range 4 {
					if err := w(); err != nil {
						t.Error(err)
						return
					}
				}
				counts[i*16] += 4
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / time.Since(begun).Seconds()
}

// TestOverhead compares with raw calls, interleaved. HSM_SPEED=1 measures long enough to compare,
// and fails beyond the limits; else a short run shows that the measurement works.
func TestOverhead(t *testing.T) {
	rounds, slice := 2, 20*time.Millisecond
	strict := os.Getenv("HSM_SPEED") == "1"
	if strict {
		rounds, slice = 15, 200*time.Millisecond
	}
	token := openNSS(t, func(c *Config) { c.MaxSessions = 16 })
	withCancel, cancel := context.WithCancel(background)
	defer cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		a    Algorithm
		of   func(testing.TB, *Token, context.Context, Algorithm) (worker, func() worker)
	}{
		{"sign ML-DSA-44", background, MLDSA44, signWorkers},
		{"sign ML-DSA-65", background, MLDSA65, signWorkers},
		{"sign ML-DSA-65 under a context", withCancel, MLDSA65, signWorkers},
		{"decapsulate ML-KEM-768", background, MLKEM768, decapsulateWorkers},
		{"decapsulate ML-KEM-768 under a context", withCancel, MLKEM768, decapsulateWorkers},
	} {
		t.Run(test.name, func(t *testing.T) {
			ours, rawOf := test.of(t, token, test.ctx, test.a)
			for _, n := range []int{1, 16} {
				var a, b []worker
				for range n {
					a, b = append(a, ours), append(b, rawOf())
				}
				ratios := make([]float64, rounds) // of rates, by rounds: the machine's speed changes between them
				var bestOurs, bestRaw float64
				for i := range ratios {
					calls, hsm := rate(t, b, slice), rate(t, a, slice)
					bestOurs, bestRaw, ratios[i] = max(bestOurs, hsm), max(bestRaw, calls), hsm/calls
				}
				slices.Sort(ratios)
				ratio := ratios[len(ratios)/2]
				t.Logf("%d goroutines: hsm at best %.0f a second, raw %.0f; median ratio %.3f", n, bestOurs, bestRaw, ratio)
				if strict && (n == 1 && ratio < 1/1.05 || n > 1 && ratio < 0.95) {
					t.Errorf("beyond the limit")
				}
			}
		})
	}
}
