//go:build cgo && unix

package hsm

import (
	"bytes"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hsm/internal/proxy"
	"github.com/pqlane/pqlane/mldsa"
)

func TestAThousandGoroutinesWithFourSessions(t *testing.T) {
	p, token := openProxy(t, func(c *Config) { c.MaxSessions = 4 })
	signer := newSigner(t, token, MLDSA44)
	d, err := token.Decapsulator(t.Context(), generate(t, token, MLKEM512).Key())
	require.NoError(t, err)
	want, ciphertext := d.Encapsulator().Encapsulate()
	before := runtime.NumGoroutine()
	var most atomic.Int64
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if i%2 == 0 {
				_, err := signer.SignContext(t.Context(), message, nil)
				assert.NoError(t, err)
			} else {
				got, err := d.Decapsulate(ciphertext)
				assert.NoError(t, err)
				assert.True(t, bytes.Equal(want, got))
			}
			most.Store(max(most.Load(), int64(p.Sessions())))
		})
	}
	all.Wait()
	assert.LessOrEqual(t, most.Load(), int64(5))
	requireGoroutines(t, before)
}

// requireGoroutines waits until there are no more goroutines than before.
func requireGoroutines(t *testing.T, before int) {
	t.Helper()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, 10*time.Millisecond,
		"%d goroutines before", before)
}

// TestTenThousandOperationsWithFaultsLeakNothing fails every few dozen calls in every way. The runtime panics on
// memory that is left pinned when it is collected.
func TestTenThousandOperationsWithFaultsLeakNothing(t *testing.T) {
	operations := 10_000
	if testing.Short() {
		operations = 1000
	}
	p, config := newProxy(t)
	signer := newSigner(t, openNSS(t), MLDSA44)
	before := runtime.NumGoroutine()
	config.MaxSessions, config.VerifyAfterSign = 4, true
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	signer, err = token.Signer(t.Context(), signer.Info().Key())
	require.NoError(t, err)
	d, err := token.Decapsulator(t.Context(), generateIn(t, token, MLKEM512).Key())
	require.NoError(t, err)
	want, ciphertext := d.Encapsulator().Encapsulate()

	p.Set("C_SignInit", proxy.Fault{Skip: 10, Period: 197, Code: ckrDeviceError})
	p.Set("C_Sign", proxy.Fault{Skip: 20, Period: 127, Action: proxy.Corrupt})
	p.Set("C_DecapsulateKey", proxy.Fault{Skip: 30, Period: 181, Code: ckrGeneralError})
	p.Set("C_GetAttributeValue", proxy.Fault{Skip: 40, Period: 211, Code: ckrFunctionFailed})
	p.Set("C_DestroyObject", proxy.Fault{Skip: 50, Period: 223, Action: proxy.After, Code: ckrGeneralError})
	p.Set("C_OpenSession", proxy.Fault{Skip: 5, Period: 79, Code: ckrSessionCount})
	p.Set("C_FindObjects", proxy.Fault{Skip: 5, Period: 83, Action: proxy.Reset, Code: ckrSessionHandleInvalid})
	p.Set("C_CloseSession", proxy.Fault{Skip: 7, Period: 47, Action: proxy.After, Code: ckrDeviceError})
	var done, failed, next atomic.Int64
	var all sync.WaitGroup
	public := signer.Public().(*mldsa.PublicKey)
	for range 16 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(operations); i = next.Add(1) {
				var err error
				if i%2 == 0 {
					var signature []byte
					if signature, err = signer.SignContext(t.Context(), message, nil); err == nil {
						assert.NoError(t, mldsa.Verify(public, message, signature, nil))
					}
				} else {
					var got []byte
					if got, err = d.DecapsulateContext(t.Context(), ciphertext); err == nil {
						assert.True(t, bytes.Equal(want, got), "a wrong shared key")
					}
				}
				var e *Error
				switch {
				case err == nil:
					done.Add(1)
				case errors.As(err, &e) || errors.Is(err, ErrFaulty) || errors.Is(err, ErrKeyChanged): // what is damaged may be a proof
					failed.Add(1)
				default:
					t.Errorf("%v", err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d done, %d failed", done.Load(), failed.Load())
	assert.Greater(t, done.Load(), int64(operations/2))
	assert.NotZero(t, failed.Load())
	p.Clear()
	requireSigns(t, signer)
	assert.LessOrEqual(t, p.Sessions(), 5, "sessions are left")
	assert.Zero(t, p.Objects(), "objects are left")
	require.NoError(t, token.Close())
	assert.Zero(t, p.Sessions(), "sessions are left open")
	requireGoroutines(t, before)
	for range 3 {
		runtime.GC()
	}
}
