package mcpconn_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// A crowd is a net.Listener in memory, whose clients come from addresses of their choice: a
// process has not the descriptors for as many as the tests of this file want.
type crowd struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newCrowd() *crowd { return &crowd{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (c *crowd) Accept() (net.Conn, error) {
	select {
	case conn := <-c.conns:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *crowd) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *crowd) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7443} }

// dial returns a client's end once the connection is accepted, or nil after the time.
func (c *crowd) dial(from net.IP, patience time.Duration) net.Conn {
	a, b := net.Pipe()
	select {
	case c.conns <- fromAddress{b, &net.TCPAddr{IP: from, Port: 40000}}:
		return a
	case <-time.After(patience):
		a.Close()
		return nil
	}
}

type fromAddress struct {
	net.Conn
	from net.Addr
}

func (c fromAddress) RemoteAddr() net.Addr { return c.from }

// serveCrowd accepts links and reads them, until the test ends.
func serveCrowd(t *testing.T, cfg *mcpconn.Config) (*crowd, *mcpconn.Listener) {
	c := newCrowd()
	l, err := mcpconn.NewListener(c, cfg)
	require.NoError(t, err)
	go func() {
		for {
			conn, err := l.AcceptConn()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return c, l
}

// requireServed has a good client make a link within the time.
func requireServed(t *testing.T, c *crowd, cfg *mcpconn.Config, from net.IP, patience time.Duration) {
	t.Helper()
	start := time.Now()
	raw := c.dial(from, patience)
	require.NotNil(t, raw, "not accepted within %v", patience)
	conn, err := mcpconn.Client(raw, cfg)
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, conn.HandshakeContext(ctx))
	requireEcho(t, conn)
	t.Logf("served in %v", time.Since(start).Round(time.Millisecond))
}

// requireEcho has a message go there and back. The server's tickets are read meanwhile: a crowd's
// connections hold nothing, and a server that writes waits for its reader.
func requireEcho(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go io.WriteString(conn, "hello")
	_, err := io.ReadFull(conn, make([]byte, 5))
	assert.NoError(t, err)
}

func crowdSize() int {
	if testing.Short() {
		return 1000
	}
	return 10_000
}

// TestHalfOpenFromOneAddress: a client who opens connections and says nothing takes no more
// than its address may, and others are served at once.
func TestHalfOpenFromOneAddress(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	server := w.server()
	server.HandshakeTimeout = time.Minute
	c, _ := serveCrowd(t, server)
	goroutines := runtime.NumGoroutine()
	for i := range crowdSize() {
		conn := c.dial(net.IPv4(203, 0, 113, 1), 10*time.Second)
		require.NotNil(t, conn, "connection %d is not accepted", i)
		defer conn.Close()
	}
	assert.Eventually(t, func() bool { return runtime.NumGoroutine()-goroutines < 400 }, 10*time.Second, 10*time.Millisecond,
		"goroutines for %d silent connections", crowdSize())
	requireServed(t, c, w.client(), net.IPv4(203, 0, 113, 2), 20*time.Second)
}

// TestHalfOpenFromManyAddresses: the silent ones hold a place for no longer than nobody else wants
// it, and in between a good client is served.
func TestHalfOpenFromManyAddresses(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	server := w.server()
	server.HandshakeTimeout = time.Minute
	c, _ := serveCrowd(t, server)
	goroutines := runtime.NumGoroutine()
	var most int
	n := crowdSize()
	if raceEnabled {
		n /= 2
	}
	for i := range n {
		conn := c.dial(net.IPv4(198, 18, byte(i>>8), byte(i)), 10*time.Second)
		require.NotNil(t, conn, "connection %d is not accepted", i)
		defer conn.Close()
		most = max(most, runtime.NumGoroutine()-goroutines)
		if i == n/2 {
			requireServed(t, c, w.client(), net.IPv4(203, 0, 113, 2), 20*time.Second)
		}
	}
	assert.Less(t, most, 400, "goroutines for silent connections")
	requireServed(t, c, w.client(), net.IPv4(203, 0, 113, 2), 20*time.Second)
}

// TestTrickledHello: a client that sends a byte now and then is given up when its time is over,
// and is no obstacle to others.
func TestTrickledHello(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	server := w.server()
	server.HandshakeTimeout = 500 * time.Millisecond
	failed := make(chan error, 1)
	server.Observer = func(_ mcpconn.State, err error) {
		if err != nil {
			failed <- err
		}
	}
	c, _ := serveCrowd(t, server)
	slow := c.dial(net.IPv4(203, 0, 113, 1), 10*time.Second)
	require.NotNil(t, slow)
	defer slow.Close()
	start := time.Now()
	go func() {
		for _, b := range []byte{22, 3, 1, 5, 100, 1, 0, 5, 96, 3, 3, 1, 2, 3, 4, 5} {
			if _, err := slow.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	go io.Copy(io.Discard, slow)
	select {
	case err := <-failed:
		assert.ErrorIs(t, err, mcpconn.ErrTimeout)
		assert.Less(t, time.Since(start), 5*time.Second)
	case <-time.After(20 * time.Second):
		t.Error("the trickling client is waited for")
	}
	requireServed(t, c, w.client(), net.IPv4(203, 0, 113, 2), 20*time.Second)
}

// TestOneByteASecond: a peer whose bytes come one a second is given up when the time for a handshake
// is over, not before, and not if there is no bound. The clock is synctest's.
func TestOneByteASecond(t *testing.T) {
	for _, role := range []string{"client", "server"} {
		for _, bound := range []time.Duration{0, 25 * time.Second, -1} {
			t.Run(fmt.Sprint(role, " with ", bound), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, mcpconntest.ECDSA)
					client, server := w.client(), w.server()
					client.HandshakeTimeout, server.HandshakeTimeout = -1, -1
					ours := client
					if role == "server" {
						ours = server
					}
					ours.HandshakeTimeout = bound
					a, b := network(func(fromClient bool, _ int, b []byte, forward func([]byte)) bool {
						for i := range b {
							if fromClient == (role == "server") {
								time.Sleep(time.Second)
							}
							forward(b[i : i+1])
						}
						return true
					})
					o := meet(t, client, server, a, b)
					time.Sleep(time.Hour) // for what is still under way
					err, other, state := o.client, o.server, o.clientState
					if role == "server" {
						err, other, state = o.server, o.client, o.serverState
					}
					took := time.Duration(state.Timing.Total)
					if bound < 0 {
						assert.NoError(t, both(o))
						assert.GreaterOrEqual(t, took, time.Duration(state.Size.Received)*time.Second)
						return
					}
					if bound == 0 {
						bound = 10 * time.Second // as the documentation has it
					}
					assert.ErrorIs(t, err, mcpconn.ErrTimeout)
					assert.Equal(t, mcpconn.ReasonTimeout, state.Reason)
					assert.Equal(t, bound, took)
					assert.InDelta(t, bound/time.Second, state.Size.Received, 1)
					assert.Error(t, other)
				})
			})
		}
	}
}

// TestHellosFromOneAddress: clients that say hello and no more keep their places, and their address
// gets no others. Those of other addresses are served.
func TestHellosFromOneAddress(t *testing.T) {
	const most, more = 8, 12
	w := newWorld(t, mcpconntest.ECDSA)
	server := w.server()
	server.MaxHandshakesPerAddress = most
	refused := make(chan error, 2*more)
	server.Observer = func(s mcpconn.State, err error) {
		if err != nil {
			assert.Equal(t, mcpconn.ReasonOf(err), s.Reason)
			refused <- err
		}
	}
	c, _ := serveCrowd(t, server)
	a, b := net.Pipe()
	first, err := mcpconn.Client(a, w.client())
	require.NoError(t, err)
	go first.HandshakeContext(t.Context())
	hello := make([]byte, 4096)
	n, err := b.Read(hello)
	require.NoError(t, err)
	b.Close()
	crowded, other := net.IPv4(203, 0, 113, 1), net.IPv4(203, 0, 113, 2)
	for range most + more {
		conn := c.dial(crowded, 10*time.Second)
		require.NotNil(t, conn)
		defer conn.Close()
		conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
		conn.Write(hello[:n])
	}
	for range more {
		select {
		case err := <-refused:
			assert.ErrorIs(t, err, mcpconn.ErrLimit)
		case <-time.After(10 * time.Second):
			require.FailNow(t, "more than their share have a place")
		}
	}
	requireServed(t, c, w.client(), other, 5*time.Second)
	assert.Empty(t, refused)
}

// TestSwapInTheMiddleOfHandshakes: each link is of the old identity or of the new one, and none
// fails.
func TestSwapInTheMiddleOfHandshakes(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	configs := []*mcpconn.Config{w.server(), w.server()}
	serials := map[string]bool{}
	for _, cfg := range configs {
		cfg.MaxHandshakesPerAddress = 1000
		serials[cfg.Identity.Key().Pin.String()] = true
	}
	c, l := serveCrowd(t, configs[0])
	stop := make(chan struct{})
	var swapper, clients sync.WaitGroup
	swapper.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
				assert.NoError(t, l.Swap(configs[i%2]))
				runtime.Gosched()
			}
		}
	})
	seen := make(chan string, 400)
	client := w.client()
	client.NoResumption = true
	for range 8 {
		clients.Go(func() {
			for range 25 {
				conn, err := mcpconn.Client(c.dial(net.IPv4(203, 0, 113, 2), 10*time.Second), client)
				if !assert.NoError(t, err) {
					return
				}
				assert.NoError(t, conn.HandshakeContext(t.Context()))
				requireEcho(t, conn)
				seen <- conn.State().Peer.Pin.String()
				conn.Close()
			}
		})
	}
	clients.Wait()
	close(stop)
	swapper.Wait()
	close(seen)
	counts := map[string]int{}
	for pin := range seen {
		assert.True(t, serials[pin])
		counts[pin]++
	}
	t.Logf("links by identity: %v", fmt.Sprint(counts))

	// After a swap the next connection is under the new configuration.
	other := newWorld(t, mcpconntest.ECDSA)
	require.NoError(t, l.Swap(other.server()))
	raw := c.dial(net.IPv4(203, 0, 113, 2), 10*time.Second)
	conn, err := mcpconn.Client(raw, client)
	require.NoError(t, err)
	assert.ErrorIs(t, conn.HandshakeContext(t.Context()), mcpconn.ErrCertificate)
	conn.Close()
	requireServed(t, c, other.client(), net.IPv4(203, 0, 113, 2), 10*time.Second)
	assert.ErrorIs(t, l.Swap(&mcpconn.Config{}), mcpconn.ErrConfig)
	requireServed(t, c, other.client(), net.IPv4(203, 0, 113, 2), 10*time.Second)
}
