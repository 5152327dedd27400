//go:build cgo && unix

package hsm

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hsm/internal/proxy"
)

func TestTokenWithFewSessions(t *testing.T) {
	p, token := openProxy(t, func(c *Config) { c.MaxSessions = 16 })
	signer := newSigner(t, token, MLDSA44)
	p.SetMaxSessions(3) // the one for the login, and two
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := signer.SignContext(t.Context(), message, nil)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.LessOrEqual(t, p.Sessions(), 3)

	p.Set("C_Sign", proxy.Fault{Code: ckrMechanismInvalid, Count: 2}) // which closes the sessions
	for range 2 {
		_, err := signer.SignContext(t.Context(), message, nil)
		require.Error(t, err)
	}
	require.Equal(t, 1, p.Sessions())
	p.SetMaxSessions(1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := signer.SignContext(ctx, message, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), 5*time.Second)
	p.SetMaxSessions(0)
	requireSigns(t, signer)
}

func TestCloseWaitsForATokenThatHangs(t *testing.T) {
	p, config := newProxy(t)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	signer, err := token.Signer(t.Context(), generateIn(t, token, MLDSA44).Key())
	require.NoError(t, err)
	p.Set("C_Sign", proxy.Fault{Action: proxy.Hang, Count: 3})
	results := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := signer.SignContext(t.Context(), message, nil)
			results <- err
		}()
	}
	require.Eventually(t, func() bool { return p.Hanging() == 3 }, 10*time.Second, time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- token.Close() }()
	require.Eventually(t, func() bool {
		_, err := signer.SignContext(t.Context(), message, nil)
		return err == ErrClosed
	}, 10*time.Second, time.Millisecond)
	again := make(chan error, 1)
	go func() { again <- token.Close() }()
	select {
	case <-closed:
		t.Fatal("closed under operations")
	case <-again:
		t.Fatal("closed again under operations")
	case <-time.After(50 * time.Millisecond):
	}
	p.Release()
	for range 3 {
		require.NoError(t, <-results)
	}
	require.NoError(t, <-closed)
	require.NoError(t, <-again)
	require.NoError(t, token.Close())
	assert.Zero(t, p.Sessions())
	_, err = token.Keys(t.Context(), Key{})
	require.ErrorIs(t, err, ErrClosed)
}

// TestAbandonedOperation has the token hang beyond the end of a context, and of the token.
func TestAbandonedOperation(t *testing.T) {
	p, config := newProxy(t)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	signer, err := token.Signer(t.Context(), generateIn(t, token, MLDSA44).Key())
	require.NoError(t, err)
	p.Set("C_Sign", proxy.Fault{Action: proxy.Hang, Count: 2})
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = signer.SignContext(ctx, message, nil)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.Equal(t, 2, p.Hanging())
	requireSigns(t, signer) // beside them
	start := time.Now()
	require.NoError(t, token.Close())
	assert.Less(t, time.Since(start), 5*time.Second)
	assert.NotZero(t, p.Sessions(), "a session was closed under a call")
	p.Release()
	require.Eventually(t, func() bool { return p.Sessions() == 0 }, 10*time.Second, time.Millisecond)
}

func TestLateToken(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	p.Set("C_SignInit", proxy.Fault{Delay: 200 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := signer.SignContext(ctx, message, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), 150*time.Millisecond)
	requireSigns(t, signer)
}

func TestOpenIsAbandonedWithItsContext(t *testing.T) {
	p, config := newProxy(t)
	p.Set("C_Login", proxy.Fault{Action: proxy.Hang, Count: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, config)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	p.Release()
	require.Eventually(t, func() bool { return p.Calls("C_Login") == 1 && p.Sessions() == 0 }, 10*time.Second, time.Millisecond)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	require.NoError(t, token.Close())
}
