package mcpconn

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSilentClientsHoldUpNoOne: neither by their number nor from one address.
func TestSilentClientsHoldUpNoOne(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	server.MaxHandshakes, server.MaxHandshakesPerAddress = 16, 8
	var limited atomic.Int64
	server.Observer = func(s State, err error) {
		if errors.Is(err, ErrLimit) {
			limited.Add(1)
			assert.Equal(t, ReasonLimit, s.Reason)
		}
	}
	l := listen(t, server)
	echo(l)
	var silent []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		c.Write([]byte{22, 3, 1}) // and trickles no further
		silent = append(silent, c)
	}
	began := time.Now()
	ping(t, l, client).Close()
	assert.Less(t, time.Since(began), 5*time.Second, "less than it takes the silent ones to time out")
	require.Eventually(t, func() bool { return limited.Load() >= 200-8 }, 5*time.Second, time.Millisecond)
	l.mu.Lock()
	assert.LessOrEqual(t, l.pending.Len(), 8)
	l.mu.Unlock()
	for _, c := range silent {
		c.Close()
	}
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.pending.Len() == 0 && len(l.addresses) == 0
	}, 5*time.Second, time.Millisecond)
}

// helloOf returns the hello of a client.
func helloOf(t *testing.T, cfg *Config) []byte {
	x, y := tcpPair(t)
	c, err := Client(x, cfg)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- c.HandshakeContext(context.Background()) }()
	header := make([]byte, recordHeader)
	_, err = io.ReadFull(y, header)
	require.NoError(t, err)
	hello := append(header, make([]byte, int(header[3])<<8|int(header[4]))...)
	_, err = io.ReadFull(y, hello[recordHeader:])
	require.NoError(t, err)
	y.Close()
	require.Error(t, <-done)
	return hello
}

// TestSlowClientsHoldUpNoOne: those that send their hello, and then nothing or a byte now and then, neither by
// their number nor from one address.
func TestSlowClientsHoldUpNoOne(t *testing.T) {
	for name, limits := range map[string][2]int{"number": {4, 100}, "address": {100, 4}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := mutual(t, "ECDSA")
			server.MaxHandshakes, server.MaxHandshakesPerAddress = limits[0], limits[1]
			server.HandshakeTimeout = time.Minute
			var limited atomic.Int64
			server.Observer = func(s State, err error) {
				if errors.Is(err, ErrLimit) {
					limited.Add(1)
				}
			}
			l := listen(t, server)
			echo(l)
			hello := helloOf(t, client)
			stop := make(chan struct{})
			defer close(stop)
			for i := range 4 {
				c, err := net.Dial("tcp", l.Addr().String())
				require.NoError(t, err)
				defer c.Close()
				_, err = c.Write(hello)
				require.NoError(t, err)
				if i%2 == 1 {
					go func() {
						for _, b := range []byte{23, 3, 3, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9} {
							c.Write([]byte{b})
							select {
							case <-stop:
								return
							case <-time.After(100 * time.Millisecond):
							}
						}
					}()
				}
			}
			require.Eventually(t, func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				n := 0
				for e := l.pending.Front(); e != nil; e = e.Next() {
					if hello, _ := e.Value.(*pendingConn).conn.wire.heard(); hello {
						n++
					}
				}
				return n == 4
			}, 10*time.Second, time.Millisecond)
			began := time.Now()
			require.Eventually(t, func() bool {
				c, err := Dial(t.Context(), "tcp", l.Addr().String(), client)
				if err != nil {
					return false // its address has its share still
				}
				defer c.Close()
				c.Write([]byte("x"))
				_, err = c.Read(make([]byte, 1))
				return err == nil
			}, 20*time.Second, 50*time.Millisecond)
			assert.GreaterOrEqual(t, time.Since(began), slow/2, "nobody has to leave at once who has sent a hello")
			assert.Positive(t, limited.Load())
			l.mu.Lock()
			assert.LessOrEqual(t, l.pending.Len(), 4)
			l.mu.Unlock()
		})
	}
}

// TestUnixSockets: their clients have no address, and one's share is not that of all.
func TestUnixSockets(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	server.MaxHandshakesPerAddress = 1
	l, err := Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "s"), server)
	require.NoError(t, err)
	defer l.Close()
	echo(l)
	for range 3 {
		silent, err := net.Dial("unix", l.Addr().String())
		require.NoError(t, err)
		defer silent.Close()
	}
	c, err := Dial(t.Context(), "unix", l.Addr().String(), client)
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 4))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.pending.Len() == 3
	}, 5*time.Second, time.Millisecond, "the silent ones are there still")
}

// TestHandshakeTimeout closes a silent client.
func TestHandshakeTimeout(t *testing.T) {
	_, server := mutual(t, "ECDSA")
	server.HandshakeTimeout = 50 * time.Millisecond
	result := make(chan error, 1)
	server.Observer = func(_ State, err error) { result <- err }
	l := listen(t, server)
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.ErrorIs(t, <-result, ErrTimeout)
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
}
