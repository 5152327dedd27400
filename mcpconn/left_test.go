package mcpconn_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// TestNothingIsLeft of connections that are closed at random by either end, in the handshake or
// after: no goroutine, no descriptor, and of no Conn the memory, of which the collector tells.
func TestNothingIsLeft(t *testing.T) {
	const n = 300
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := w.client(), w.server()
	goroutines, files := runtime.NumGoroutine(), descriptors()
	client.MaxAge, server.MaxAge = time.Hour, time.Hour // timers
	server.MaxHandshakesPerAddress = n
	var conns, left atomic.Int64
	count := func(c *mcpconn.Conn) {
		conns.Add(1)
		left.Add(1)
		runtime.AddCleanup(c, func(int) { left.Add(-1) }, 0)
	}
	l, err := mcpconn.Listen(t.Context(), "tcp", "127.0.0.1:0", server)
	require.NoError(t, err)
	defer l.Close()
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.AcceptConn()
			if err != nil {
				return
			}
			count(c)
			delay := time.Duration(rand.IntN(40)) * time.Millisecond
			served.Go(func() {
				time.AfterFunc(delay, func() { c.Close() })
				io.Copy(c, c)
				c.Close()
			})
		}
	})
	var wg sync.WaitGroup
	slots := make(chan struct{}, 64)
	for range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			raw, err := net.Dial("tcp", l.Addr().String())
			if !assert.NoError(t, err) {
				return
			}
			c, err := mcpconn.Client(raw, client)
			if !assert.NoError(t, err) {
				return
			}
			count(c)
			delay := time.Duration(rand.IntN(40)) * time.Millisecond
			closed := make(chan struct{})
			go func() { time.Sleep(delay); c.Close(); close(closed) }()
			if c.HandshakeContext(context.Background()) == nil {
				c.Write([]byte("ping"))
				c.Read(make([]byte, 4))
			}
			<-closed
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, l.Shutdown(ctx))
	served.Wait()
	assert.Greater(t, conns.Load(), int64(n), "some were accepted")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		runtime.GC()
		if left.Load() == 0 && runtime.NumGoroutine() <= goroutines && descriptors() <= files {
			break
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("of %d connections %d are left, %d goroutines of %d, %d descriptors of %d\n%s", conns.Load(), left.Load(),
				runtime.NumGoroutine(), goroutines, descriptors(), files, stacks[:runtime.Stack(stacks, true)])
		}
	}
	runtime.KeepAlive([]any{client, server, l})
}
