package mcpconn_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
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

// everywhere calls f for each position of the bytes of a handshake like o, and some behind it, several at a
// time. With a step above 1 it takes the first of them, which are a record's header, and some
// others, and so it does with -short.
func everywhere(t *testing.T, o outcome, step int, f func(fromClient bool, at int) error) {
	require.NoError(t, both(o))
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
	for range 8 * runtime.GOMAXPROCS(0) { // most wait
		workers.Go(func() {
			for p := range positions {
				if err := f(p.fromClient, p.at); err != nil && failures.Add(1) < 20 {
					t.Errorf("byte %d from the client (%t): %v", p.at, p.fromClient, err)
				}
			}
		})
	}
	const variation = 16 // of the lengths of ECDSA's signatures
	sizes := map[bool]int{true: o.clientState.Size.Sent, false: o.clientState.Size.Received}
	for fromClient, size := range sizes {
		for at := range size + variation {
			if at < 6 || at%step == 0 {
				positions <- position{fromClient, at}
			}
		}
	}
	close(positions)
	workers.Wait()
	t.Logf("%d bytes from the client, %d from the server, every %d of them", sizes[true], sizes[false], step)
}

// behind reports whether a position is behind the handshake.
func (o outcome) behind(fromClient bool, at int) bool {
	size := o.clientState.Size.Sent
	if !fromClient {
		size = o.clientState.Size.Received
	}
	return o.clientState.Complete && o.serverState.Complete && at >= size
}

// TestMiddleboxCutsAnywhere: it fragments the stream behind each byte in turn, and delays the rest.
func TestMiddleboxCutsAnywhere(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := full(w.client()), full(w.server())
	everywhere(t, w.link(client, server), 1, func(fromClient bool, cut int) error {
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

// change returns a middlebox that changes one byte.
func change(inClients bool, changed int) middlebox {
	return func(fromClient bool, at int, b []byte, forward func([]byte)) bool {
		if fromClient == inClients && at <= changed && changed < at+len(b) {
			b[changed-at] ^= []byte{0x01, 0x80, 0xff}[changed%3]
		}
		forward(b)
		return true
	}
}

// noLink returns an error if a changed byte went unnoticed in the handshake. The exception is
// the legacy_record_version of the client's first record, which is to be ignored (RFC 8446,
// Section 5.1), and no secret or choice depends on.
func noLink(o outcome, fromClient bool, changed int) error {
	switch legacyVersion := fromClient && (changed == 1 || changed == 2); {
	case legacyVersion, o.behind(fromClient, changed):
		return nil
	case both(o) == nil:
		return errors.New("a link")
	case o.clientState.Complete && o.serverState.Complete:
		return fmt.Errorf("both ends think that the handshake is complete: %w", both(o))
	}
	return nil
}

// impatient bounds handshakes in which a changed length makes one end wait for more.
func impatient(cfg *mcpconn.Config) *mcpconn.Config {
	cfg.HandshakeTimeout = 500 * time.Millisecond
	return cfg
}

// bounded is for lengths of what comes behind the handshake.
func bounded(ends ...net.Conn) {
	for _, c := range ends {
		c.SetDeadline(time.Now().Add(time.Second))
	}
}

// soon returns an error if it has taken long since then.
func soon(since time.Time) error {
	if took := time.Since(since); took > 10*time.Second {
		return fmt.Errorf("took %v", took)
	}
	return nil
}

// TestMiddleboxChangesAnyByte: no link comes of it, and no end waits for long.
func TestMiddleboxChangesAnyByte(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := impatient(full(w.client())), impatient(full(w.server()))
	everywhere(t, w.link(client, server), 1, func(fromClient bool, changed int) error {
		start := time.Now()
		a, b := network(change(fromClient, changed))
		bounded(a, b)
		return errors.Join(noLink(meet(t, client, server, a, b), fromClient, changed), soon(start))
	})
}

// TestMiddleboxChangesAnyByteOfAResumption, after a handshake that it lets pass.
func TestMiddleboxChangesAnyByteOfAResumption(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := w.client(), w.server()
	require.NoError(t, both(w.link(client, server)))
	again := w.link(client, server)
	require.True(t, again.clientState.Resumed)
	everywhere(t, again, 5, func(fromClient bool, changed int) error {
		client := &mcpconn.Config{Identity: client.Identity, Trust: client.Trust, ServerName: client.ServerName}
		server := &mcpconn.Config{Identity: server.Identity, Trust: server.Trust}
		if err := both(w.link(client, server)); err != nil {
			return err
		}
		start := time.Now()
		a, b := network(change(fromClient, changed))
		bounded(a, b)
		o := meet(t, client, server, a, b)
		if !o.clientState.Offer.Resumption {
			return errors.New("no session was offered")
		}
		return errors.Join(noLink(o, fromClient, changed), soon(start))
	})
}

// TestMiddleboxChangesAnyByteOfARetry: of a server's HelloRetryRequest, and of what comes before and after.
func TestMiddleboxChangesAnyByteOfARetry(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client := impatient(full(w.client()))
	client.Identity = nil
	theirs := &tls.Config{Certificates: pair(w.root.Server(mcpconntest.ECDSA, "server.example")), SessionTicketsDisabled: true,
		CurvePreferences: []tls.CurveID{tls.SecP384r1MLKEM1024}}
	retry := func(m middlebox) (o outcome) {
		a, b := network(m)
		bounded(a, b)
		c, err := mcpconn.Client(a, client)
		require.NoError(t, err)
		served := make(chan struct{})
		go func() {
			defer close(served)
			defer b.Close()
			s := tls.Server(b, theirs)
			o.server = s.Handshake()
			o.serverState.Complete = o.server == nil
			if o.server == nil {
				_, o.server = io.CopyN(s, s, 5)
			}
		}()
		if o.client = c.HandshakeContext(t.Context()); o.client == nil {
			if _, o.client = io.WriteString(c, "hello"); o.client == nil {
				_, o.client = io.ReadFull(c, make([]byte, 5))
			}
		}
		c.Close()
		<-served
		o.clientState = c.State()
		return o
	}
	whole := retry(nil)
	require.True(t, whole.clientState.HelloRetryRequest)
	everywhere(t, whole, 5, func(fromClient bool, changed int) error {
		start := time.Now()
		return errors.Join(noLink(retry(change(fromClient, changed)), fromClient, changed), soon(start))
	})
}

// TestMiddleboxClosesAnywhere: both ends notice, and soon.
func TestMiddleboxClosesAnywhere(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := full(w.client()), full(w.server())
	everywhere(t, w.link(client, server), 1, func(fromClient bool, last int) error {
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
		if o.behind(fromClient, last) {
			return soon(start)
		}
		if o.client == nil || o.server == nil {
			return fmt.Errorf("not noticed: client %v, server %v", o.client, o.server)
		}
		// Only the client may be done, whose Finished then does not arrive.
		if o.serverState.Complete || o.clientState.Complete && !fromClient {
			return fmt.Errorf("complete: client %t, server %t", o.clientState.Complete, o.serverState.Complete)
		}
		return soon(start)
	})
}
