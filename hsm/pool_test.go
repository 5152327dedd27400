package hsm

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// signerOf returns a signer with a new ML-DSA-44 key.
func signerOf(t testing.TB, token *Token) *Signer {
	t.Helper()
	signer, err := token.Signer(background, KeyByID(generate(t, token, MLDSA44).ID))
	require.NoError(t, err)
	return signer
}

func verified(t testing.TB, signer *Signer, message, signature []byte) {
	t.Helper()
	assert.NoError(t, mldsa.Verify(signer.Public().(*mldsa.PublicKey), message, signature, nil))
}

// TestManyGoroutinesShareFewSessions: a thousand with four sessions, half of them with
// contexts that may end.
func TestManyGoroutinesShareFewSessions(t *testing.T) {
	token := openNSS(t, func(c *Config) { c.MaxSessions = 4 })
	f := makeFaulty(t, token)
	signer := signerOf(t, token)
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			message := []byte{byte(i), byte(i >> 8)}
			used := background
			if i%2 == 0 {
				used = ctx
			}
			signature, err := signer.SignContext(used, message, nil)
			if assert.NoError(t, err) && i%50 == 0 {
				verified(t, signer, message, signature)
			}
			assert.LessOrEqual(t, f.sessions(), 5-1) // the session for the login was opened before f
		})
	}
	all.Wait()
	eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines }, "goroutines leak")
}

// TestWaitingForSessions: operations wait for the token's sessions, and for ours.
func TestWaitingForSessions(t *testing.T) {
	token := openNSS(t, func(c *Config) { c.MaxSessions = 8 })
	signer := signerOf(t, token)
	f := makeFaulty(t, token)
	f.mu.Lock()
	f.open, f.mostOpen = 1, 3
	f.mu.Unlock()
	token.mu.Lock()
	for _, s := range token.idle { // opened before f counts
		f.cryptoki.CloseSession(s.handle)
	}
	token.open -= len(token.idle)
	token.idle = nil
	token.mu.Unlock()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := signer.SignMessage(nil, []byte("message"), nil)
			assert.NoError(t, err)
		})
	}
	all.Wait()

	release := f.holding()
	defer release()
	before := f.count("C_Sign")
	for range 2 {
		all.Go(func() { signer.SignMessage(nil, []byte("message"), nil) })
	}
	eventually(t, func() bool { return f.count("C_Sign") == before+2 }, "both sign")
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	_, err := signer.SignContext(ctx, []byte("message"), nil)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	release()
	all.Wait()
}

// TestContextEndsDuringAnOperation: it returns at once; the call goes on, and its session is closed.
func TestContextEndsDuringAnOperation(t *testing.T) {
	token := openNSS(t, func(c *Config) { c.MaxSessions = 1 })
	f := makeFaulty(t, token)
	signer := signerOf(t, token)
	_, err := signer.SignMessage(nil, []byte("message"), nil)
	require.NoError(t, err)
	open := f.sessions()
	release := f.holding()
	defer release()
	ctx, cancel := context.WithCancelCause(background)
	reason := errors.New("reason")
	before := f.count("C_Sign")
	go func() {
		eventually(t, func() bool { return f.count("C_Sign") > before }, "C_Sign")
		cancel(reason)
	}()
	message := []byte("message")
	_, err = signer.SignContext(ctx, message, nil)
	require.ErrorIs(t, err, reason)
	clear(message) // the race detector sees a call that still reads it

	second, cancelSecond := context.WithTimeout(background, 20*time.Millisecond)
	defer cancelSecond()
	_, err = signer.SignContext(second, message, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the abandoned call still has the one session")
	release()
	eventually(t, func() bool { return f.sessions() == open-1 }, "the session is closed")
	signature, err := signer.SignMessage(nil, []byte("message"), nil)
	require.NoError(t, err)
	verified(t, signer, []byte("message"), signature)
	_, err = signer.SignContext(ctx, message, nil)
	require.ErrorIs(t, err, reason)
}

// TestCloseAndAbandonedCalls: Close waits for callers, but not for calls that were abandoned.
func TestCloseAndAbandonedCalls(t *testing.T) {
	keeper := openNSS(t)
	info := generate(t, keeper, MLDSA44)
	config := nssConfig(t)
	token, err := Open(background, config)
	require.NoError(t, err)
	f := makeFaulty(t, token)
	signer, err := token.Signer(background, info.Key())
	require.NoError(t, err)
	release := f.holding()
	defer release()
	signed := make(chan error, 1)
	go func() {
		_, err := signer.SignMessage(nil, []byte("message"), nil)
		signed <- err
	}()
	ctx, cancel := context.WithCancel(background)
	abandoned := make(chan error, 1)
	go func() {
		_, err := signer.SignContext(ctx, []byte("message"), nil)
		abandoned <- err
	}()
	eventually(t, func() bool { return f.count("C_Sign") == 2 }, "both are in the module")
	cancel()
	require.ErrorIs(t, <-abandoned, context.Canceled)
	closed := make(chan error, 1)
	go func() { closed <- token.Close() }()
	eventually(t, func() bool { token.mu.Lock(); defer token.mu.Unlock(); return token.closed }, "closing")
	_, err = signer.SignMessage(nil, nil, nil)
	require.ErrorIs(t, err, ErrClosed)
	select {
	case <-closed:
		t.Fatal("closed under an operation")
	case <-time.After(20 * time.Millisecond):
	}
	release()
	require.NoError(t, <-signed)
	require.NoError(t, <-closed)
	require.NoError(t, token.Close())
	eventually(t, func() bool { token.mu.Lock(); defer token.mu.Unlock(); return token.gone }, "the last call closes")
	_, err = token.Info(background)
	require.ErrorIs(t, err, ErrClosed)
	keeper.module.cryptoki = f.cryptoki
}

// TestAllocations: at most three, and the result.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	token := openNSS(t)
	signer := signerOf(t, token)
	d, err := token.Decapsulator(background, KeyByID(generate(t, token, MLKEM768).ID))
	require.NoError(t, err)
	_, ciphertext := d.Encapsulator().Encapsulate()
	message := []byte("message")
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for name, f := range map[string]func(){
		"sign":                        func() { signer.SignContext(background, message, nil) },
		"sign under a context":        func() { signer.SignContext(ctx, message, nil) },
		"decapsulate":                 func() { d.DecapsulateContext(background, ciphertext) },
		"decapsulate under a context": func() { d.DecapsulateContext(ctx, ciphertext) },
	} {
		n := testing.AllocsPerRun(50, f)
		t.Logf("%s: %.0f allocations, the result among them", name, n)
		assert.LessOrEqual(t, n, 4.0, name)
	}
}

// An instant is a module that signs nothing, at once.
type instant struct{ cryptoki }

func (instant) Sign(session, key uint, m *mechanism, message, signature []byte) (int, error) {
	return len(signature), nil
}

// BenchmarkOwnCost is what a signature costs beside the calls of the module.
func BenchmarkOwnCost(b *testing.B) {
	token := openNSS(b)
	signer := signerOf(b, token)
	real := token.module.cryptoki
	token.module.cryptoki = instant{real}
	defer func() { token.module.cryptoki = real }()
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for name, ctx := range map[string]context.Context{"sign": background, "sign under a context": ctx} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.SignContext(ctx, []byte("message"), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
