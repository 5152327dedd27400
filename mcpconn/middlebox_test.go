package mcpconn_test

import (
	"fmt"
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

// A middlebox stands between a client and a server. It is given what one of them sent, which
// begins at the position at of that direction's bytes, and calls forward with what it lets
// through, in one piece each. It returns false to end the connection both ways. At the end it is given
// nothing once.
type middlebox func(fromClient bool, at int, b []byte, forward func([]byte)) bool

// network returns the two ends of a connection through a middlebox. A nil one forwards. What
// is under way is kept, however much, as by a network with large buffers.
func network(m middlebox) (client, server net.Conn) {
	if m == nil {
		m = func(_ bool, _ int, b []byte, forward func([]byte)) bool {
			forward(b)
			return true
		}
	}
	client, a := net.Pipe()
	server, b := net.Pipe()
	carry := func(fromClient bool, from, to net.Conn) {
		queue, done := make(chan []byte, 1<<12), make(chan struct{})
		go func() {
			defer from.Close()
			defer to.Close()
			for {
				select {
				case b := <-queue:
					if _, err := to.Write(b); err != nil {
						return
					}
				case <-done:
					if len(queue) == 0 {
						return
					}
				}
			}
		}()
		defer close(done)
		forward := func(b []byte) {
			if len(b) == 0 {
				return
			}
			select {
			case queue <- append([]byte(nil), b...):
			case <-done:
			}
		}
		at := 0
		for {
			b := make([]byte, 1<<14)
			n, err := from.Read(b)
			if err != nil {
				m(fromClient, at, nil, forward)
				return
			}
			if !m(fromClient, at, b[:n], forward) {
				from.Close()
				to.Close()
				return
			}
			at += n
		}
	}
	go carry(true, a, b)
	go carry(false, b, a)
	return client, server
}

// flights measures a link: the bytes of its handshake each way.
func flights(t *testing.T, w *world) (fromClient, fromServer int) {
	o := w.link(full(w.client()), full(w.server()))
	require.NoError(t, o.client)
	require.NoError(t, o.server)
	return o.clientState.Size.Sent, o.serverState.Size.Sent
}

// everywhere calls f for each position of a handshake's bytes, several at a time. With -short
// it takes the first of them, which are a record's header, and some others.
func everywhere(t *testing.T, w *world, f func(fromClient bool, at int) error) {
	sent, received := flights(t, w)
	step := 1
	if testing.Short() {
		step = 23
	}
	type position struct {
		fromClient bool
		at         int
	}
	positions := make(chan position)
	var workers sync.WaitGroup
	var failures atomic.Int32
	for range 2 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for p := range positions {
				if err := f(p.fromClient, p.at); err != nil && failures.Add(1) < 20 {
					t.Errorf("byte %d from the client (%t): %v", p.at, p.fromClient, err)
				}
			}
		})
	}
	// The lengths vary by a few bytes with the signatures of ECDSA, and what is behind the
	// last byte is no part of the handshake.
	const slack = 16
	for _, direction := range []struct {
		fromClient bool
		size       int
	}{{true, sent}, {false, received}} {
		for at := range direction.size - slack {
			if at < 6 || at%step == 0 {
				positions <- position{direction.fromClient, at}
			}
		}
	}
	close(positions)
	workers.Wait()
	t.Logf("%d bytes from the client, %d from the server, every %d of them", sent, received, step)
}

// TestMiddleboxCutsAnywhere: it fragments the stream behind each byte in turn, and delays the rest.
func TestMiddleboxCutsAnywhere(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := full(w.client()), full(w.server())
	everywhere(t, w, func(fromClient bool, cut int) error {
		a, b := network(func(ofClient bool, at int, b []byte, forward func([]byte)) bool {
			if ofClient == fromClient && at <= cut && cut < at+len(b) {
				forward(b[:cut-at+1])
				time.Sleep(time.Millisecond)
				b = b[cut-at+1:]
			}
			forward(b)
			return true
		})
		return both(meet(t, client, server, a, b))
	})
}

// TestMiddleboxChopsAll into pieces of some bytes, or coalesces what comes within a moment.
func TestMiddleboxChopsAll(t *testing.T) {
	for _, algorithm := range leafAlgorithms {
		w := newWorld(t, algorithm)
		client, server := full(w.client()), full(w.server())
		for _, size := range []int{1, 2, 3, 5, 6, 100, 1428} {
			a, b := network(func(_ bool, _ int, b []byte, forward func([]byte)) bool {
				for len(b) > 0 {
					n := min(size, len(b))
					forward(b[:n])
					b = b[n:]
				}
				return true
			})
			assert.NoError(t, both(meet(t, client, server, a, b)), "pieces of %d", size)
		}
		a, b := network(coalesce())
		assert.NoError(t, both(meet(t, client, server, a, b)), "coalesced")
	}
}

// coalesce returns a middlebox that holds what comes until nothing has come for a moment.
func coalesce() middlebox {
	type held struct {
		mu    sync.Mutex
		b     []byte
		timer *time.Timer
	}
	directions := map[bool]*held{true: {}, false: {}}
	return func(fromClient bool, _ int, b []byte, forward func([]byte)) bool {
		h := directions[fromClient]
		h.mu.Lock()
		defer h.mu.Unlock()
		h.b = append(h.b, b...)
		if h.timer != nil {
			h.timer.Stop()
		}
		if len(b) == 0 {
			forward(h.b)
			return true
		}
		h.timer = time.AfterFunc(5*time.Millisecond, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			forward(h.b)
			h.b = nil
		})
		return true
	}
}

// full turns resumption off, so that each handshake is a whole one.
func full(cfg *mcpconn.Config) *mcpconn.Config {
	cfg.NoResumption = true
	return cfg
}

func both(o outcome) error {
	if o.client != nil || o.server != nil {
		return fmt.Errorf("client: %v, server: %v", o.client, o.server)
	}
	return nil
}

// TestMiddleboxChangesAnyByte: no link comes of it, and no end waits for long. The exception is
// the legacy_record_version of the client's first record, which is to be ignored (RFC 8446,
// Section 5.1), and no secret or choice depends on.
func TestMiddleboxChangesAnyByte(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := full(w.client()), full(w.server())
	client.HandshakeTimeout, server.HandshakeTimeout = 500*time.Millisecond, 500*time.Millisecond
	everywhere(t, w, func(fromClient bool, changed int) error {
		mask := []byte{0x01, 0x80, 0xff}[changed%3]
		a, b := network(func(ofClient bool, at int, b []byte, forward func([]byte)) bool {
			if ofClient == fromClient && at <= changed && changed < at+len(b) {
				b[changed-at] ^= mask
			}
			forward(b)
			return true
		})
		start := time.Now()
		o := meet(t, client, server, a, b)
		legacyVersion := fromClient && (changed == 1 || changed == 2)
		if o.client == nil && o.server == nil && !legacyVersion {
			return fmt.Errorf("a link, with the byte changed by %#x", mask)
		}
		if took := time.Since(start); took > 10*time.Second {
			return fmt.Errorf("took %v with the byte changed by %#x", took, mask)
		}
		for _, err := range []error{o.client, o.server} {
			if err != nil && (o.clientState.Complete && o.serverState.Complete) {
				return fmt.Errorf("both ends think that the handshake is complete, with the byte changed by %#x: %w", mask, err)
			}
		}
		return nil
	})
}

// TestMiddleboxClosesAnywhere: both ends notice, and soon.
func TestMiddleboxClosesAnywhere(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := full(w.client()), full(w.server())
	everywhere(t, w, func(fromClient bool, last int) error {
		a, b := network(func(ofClient bool, at int, b []byte, forward func([]byte)) bool {
			if ofClient == fromClient && at <= last && last < at+len(b) {
				if last > at {
					forward(b[:last-at])
				}
				return false
			}
			forward(b)
			return true
		})
		start := time.Now()
		o := meet(t, client, server, a, b)
		if o.client == nil || o.server == nil {
			return fmt.Errorf("not noticed: client %v, server %v", o.client, o.server)
		}
		// Only the client may be done, whose Finished then does not arrive.
		if o.serverState.Complete || o.clientState.Complete && !fromClient {
			return fmt.Errorf("complete: client %t, server %t", o.clientState.Complete, o.serverState.Complete)
		}
		if took := time.Since(start); took > 10*time.Second {
			return fmt.Errorf("took %v", took)
		}
		return nil
	})
}
