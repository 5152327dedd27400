package mcpconn_test

import (
	"context"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// descriptors counts those of this process, on Linux.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// A counted is a connection that can tell whether it was closed. The collector closes what is
// forgotten, so the number of descriptors says nothing about that.
type counted struct {
	net.Conn
	closed atomic.Bool
	open   *atomic.Int64
}

func count(c net.Conn, open *atomic.Int64) *counted {
	open.Add(1)
	return &counted{Conn: c, open: open}
}

func (c *counted) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

// A countedListener accepts counted connections.
type countedListener struct {
	net.Listener
	open atomic.Int64
}

func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return count(c, &l.open), nil
}

// TestClosedAtRandom makes 1,000 connections over TCP that either end closes at a random moment
// of the handshake or after it. Nothing is left of them.
func TestClosedAtRandom(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client := w.client()
	client.MaxAge = time.Hour // a timer each
	fresh := func() *mcpconn.Config {
		server := w.server()
		server.MaxHandshakesPerAddress = 64
		server.MaxAge = time.Hour
		return server
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	inner := &countedListener{Listener: tcp}
	var dialed atomic.Int64
	l, err := mcpconn.NewListener(inner, fresh())
	require.NoError(t, err)
	address := l.Addr().String()
	accepted := make(chan struct{})
	var links sync.WaitGroup
	go func() {
		defer close(accepted)
		for {
			conn, err := l.AcceptConn()
			if err != nil {
				return
			}
			links.Go(func() {
				stop := time.AfterFunc(time.Duration(mathrand.IntN(3000))*time.Microsecond, func() { conn.Close() })
				defer stop.Stop()
				io.Copy(conn, conn)
				conn.Close()
			})
		}
	}()
	var made int
	var mu sync.Mutex
	round := func(n int) {
		var clients sync.WaitGroup
		places := make(chan struct{}, 32)
		for range n {
			places <- struct{}{}
			clients.Go(func() {
				defer func() { <-places }()
				raw, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				counted := count(raw, &dialed)
				conn, err := mcpconn.Client(counted, client)
				if !assert.NoError(t, err) {
					return
				}
				defer conn.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				moment := time.Duration(mathrand.IntN(20_000)) * time.Microsecond
				end := map[int]func(){0: func() { raw.Close() }, 1: func() { conn.Close() }, 2: cancel, 3: func() { conn.CloseWrite() }}[mathrand.IntN(4)]
				stop := time.AfterFunc(moment, end)
				defer stop.Stop()
				if conn.HandshakeContext(ctx) != nil {
					assert.True(t, counted.closed.Load(), "a failed handshake closes")
					return
				}
				mu.Lock()
				made++
				mu.Unlock()
				conn.SetDeadline(time.Now().Add(30 * time.Millisecond))
				for {
					if _, err := io.WriteString(conn, "hello"); err != nil {
						return
					}
					if _, err := conn.Read(make([]byte, 5)); err != nil {
						return
					}
				}
			})
		}
		clients.Wait()
	}
	round(50) // what is made once and kept
	settle := func() (goroutines, fds int, heap uint64) {
		var stats runtime.MemStats
		assert.NoError(t, l.Swap(fresh())) // the old one's sessions are bounded, and here in the way
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return runtime.NumGoroutine(), descriptors(), stats.HeapAlloc
	}
	time.Sleep(200 * time.Millisecond)
	goroutines, fds, heap := settle()
	round(1000)
	assert.Positive(t, made)
	var nowGoroutines, nowFDs int
	var nowHeap uint64
	if !assert.Eventually(t, func() bool {
		nowGoroutines, nowFDs, nowHeap = settle()
		return nowGoroutines <= goroutines+2 && nowFDs <= fds+1 && nowHeap <= heap+256<<10 && inner.open.Load() == 0 && dialed.Load() == 0
	}, 20*time.Second, 50*time.Millisecond) {
		t.Logf("goroutines %d, before %d; descriptors %d, before %d; heap %d, before %d; %d and %d open",
			nowGoroutines, goroutines, nowFDs, fds, nowHeap, heap, dialed.Load(), inner.open.Load())
		stacks := make([]byte, 1<<20)
		t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
	}
	t.Logf("%d links were made of 1050 connections, heap %d KB more", made, (int64(nowHeap)-int64(heap))>>10)
	require.NoError(t, l.Close())
	<-accepted
	links.Wait()
	assert.Eventually(t, func() bool { return !strings.Contains(stacks(), "mcpconn.(*") }, 10*time.Second, 10*time.Millisecond, "a goroutine is left")
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// TestCloseEndsWhatIsNotAccepted: a link that is whole, and that nobody has accepted, goes with its
// listener.
func TestCloseEndsWhatIsNotAccepted(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	inner := &countedListener{Listener: tcp}
	server := w.server()
	whole := make(chan error, 1)
	server.Observer = func(_ mcpconn.State, err error) { whole <- err }
	l, err := mcpconn.NewListener(inner, server)
	require.NoError(t, err)
	conn, err := mcpconn.Dial(t.Context(), "tcp", l.Addr().String(), w.client())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, <-whole)
	require.NoError(t, l.Close())
	assert.Eventually(t, func() bool { return inner.open.Load() == 0 }, 10*time.Second, time.Millisecond)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = io.Copy(io.Discard, conn)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
