package mcpconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echo serves connections until the listener ends.
func echo(l *Listener) *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				io.Copy(c, c)
			})
		}
	})
	return &wg
}

func listen(t testing.TB, cfg *Config) *Listener {
	l, err := Listen(context.Background(), "tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func ping(t testing.TB, l *Listener, cfg *Config) *Conn {
	c, err := Dial(context.Background(), "tcp", l.Addr().String(), cfg)
	require.NoError(t, err)
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	b := make([]byte, 4)
	_, err = io.ReadFull(c, b)
	require.NoError(t, err)
	return c
}

// TestSwap takes effect for the next connection; those there are stay.
func TestSwap(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	config := func() *Config {
		return &Config{Identity: a.identity(t, "ECDSA", "localhost"), AnonymousClients: true}
	}
	one, two := config(), config()
	client := &Config{Trust: a.trust(t)}
	l := listen(t, one)
	echo(l)
	first := ping(t, l, client)
	require.Equal(t, one.Identity.Pin(), first.State().Peer.Pin)
	require.ErrorIs(t, l.Swap(&Config{}), ErrConfig)
	require.NoError(t, l.Swap(two))
	second := ping(t, l, client)
	require.Equal(t, two.Identity.Pin(), second.State().Peer.Pin)
	require.False(t, second.State().Resumed)
	_, err := first.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(first, make([]byte, 4))
	require.NoError(t, err)
	first.Close()
	second.Close()
}

// TestSwapOfTrustAndPolicy: who was taken under the old ones is not under the new ones, and the other
// way round.
func TestSwapOfTrustAndPolicy(t *testing.T) {
	a, b := newAuthority(t, "ECDSA"), newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", "localhost")
	l := listen(t, &Config{Identity: id, Trust: a.trust(t), Policy: Transition2026})
	echo(l)
	client := func(by *authority, groups ...tls.CurveID) error {
		key := by.identity(t, "ECDSA", "client")
		roots := x509.NewCertPool()
		roots.AddCert(a.cert)
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots, CurvePreferences: groups,
			Certificates: []tls.Certificate{{Certificate: key.raw, PrivateKey: key.key}}})
		if err != nil {
			return err
		}
		defer c.Close()
		c.Write([]byte("x"))
		_, err = c.Read(make([]byte, 1))
		return err
	}
	require.NoError(t, client(a, tls.X25519))
	require.NoError(t, client(a, tls.X25519MLKEM768))
	require.Error(t, client(b, tls.X25519MLKEM768))
	require.NoError(t, l.Swap(&Config{Identity: id, Trust: b.trust(t), Policy: Hybrid2026}))
	require.Error(t, client(a, tls.X25519MLKEM768))
	require.NoError(t, client(b, tls.X25519MLKEM768))
	require.Error(t, client(b, tls.X25519))
}

// TestSwapsDuringHandshakes: every connection is whole, under one of the configurations.
func TestSwapsDuringHandshakes(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	configs := []*Config{}
	for range 3 {
		configs = append(configs, &Config{Identity: a.identity(t, "ECDSA", "localhost"), AnonymousClients: true})
	}
	l := listen(t, configs[0])
	echo(l)
	client := &Config{Trust: a.trust(t)}
	stop := make(chan struct{})
	var swapper sync.WaitGroup
	swapper.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				assert.NoError(t, l.Swap(configs[i%3]))
				time.Sleep(100 * time.Microsecond)
			}
		}
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				ping(t, l, client).Close()
			}
		})
	}
	wg.Wait()
	close(stop)
	swapper.Wait()
}

// TestShutdown waits for the connections that are there, and closes them when it must.
func TestShutdown(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	l := listen(t, server)
	served := echo(l)
	c := ping(t, l, client)
	done := make(chan error, 1)
	go func() { done <- l.Shutdown(context.Background()) }()
	select {
	case err := <-done:
		t.Fatalf("returned with a connection open: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	_, err := Dial(t.Context(), "tcp", l.Addr().String(), client)
	require.ErrorIs(t, err, ErrNetwork)
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 4))
	require.NoError(t, err)
	c.Close()
	require.NoError(t, <-done)
	served.Wait()
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)

	l = listen(t, server)
	served = echo(l)
	c = ping(t, l, client)
	silent, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, l.Shutdown(ctx), context.DeadlineExceeded)
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	served.Wait()
}

// TestShutdownWaitsForHandshakes that run, and for their connections.
func TestShutdownWaitsForHandshakes(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	l := listen(t, server)
	served := echo(l)
	raw, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.pending.Len() == 1
	}, 5*time.Second, time.Millisecond)
	done := make(chan error, 1)
	go func() { done <- l.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 5*time.Second, time.Millisecond, "the listener listens")
	c, err := Client(raw, client)
	require.NoError(t, err)
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 4))
	require.NoError(t, err)
	select {
	case err := <-done:
		t.Fatalf("returned with a connection open: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	require.NoError(t, c.Close())
	require.NoError(t, <-done)
	served.Wait()
}

// TestCloseLeavesAccepted connections, and ends handshakes.
func TestCloseLeavesAccepted(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	l := listen(t, server)
	echo(l)
	c := ping(t, l, client)
	silent, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer silent.Close()
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	_, err = silent.Read(make([]byte, 1))
	require.Error(t, err)
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 4))
	require.NoError(t, err)
	c.Close()
}

// A failingListener fails as one does without descriptors, and then for good.
type failingListener struct {
	net.Listener
	errs chan error
}

type temporaryError struct{ error }

func (temporaryError) Temporary() bool { return true }

func (l failingListener) Accept() (net.Conn, error) { return nil, <-l.errs }

func TestInnerListenerFails(t *testing.T) {
	_, server := mutual(t, "ECDSA")
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := failingListener{inner, make(chan error, 3)}
	final := errors.New("no more")
	f.errs <- temporaryError{errors.New("too many open files")}
	f.errs <- temporaryError{errors.New("too many open files")}
	f.errs <- final
	l, err := NewListener(f, server)
	require.NoError(t, err)
	defer l.Close()
	_, err = l.Accept()
	require.ErrorIs(t, err, final)
	_, err = l.Accept()
	require.ErrorIs(t, err, final)
}
