package mcpconn

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A wire is the connection beneath TLS. While the handshake runs it measures; after that it is
// one more call.
type wire struct {
	net.Conn
	conn     *Conn // whose wire it is
	recorder atomic.Pointer[recorder]
	ended    atomic.Bool // by the peer or the network, with nothing more to read

	mu       sync.Mutex
	closed   bool
	closeErr error
	told     func() // that the connection is closed, or nil
}

// segmentSize is what a TCP segment carries on Ethernet with IPv6 and timestamps.
const segmentSize = 1428

// A recorder measures a handshake.
type recorder struct {
	client bool

	mu       sync.Mutex
	out, in  helloReader
	parsed   *clientHello
	sent     traffic
	received traffic
	waiting  time.Duration
	since    time.Time // when the wait began that goes on, or zero
}

// traffic is what went one way. A flight is what goes before the other side's turn.
type traffic struct {
	bytes, flight, segments int
}

func (t *traffic) add(n int) { t.bytes += n; t.flight += n }

func (t *traffic) endFlight() {
	t.segments += (t.flight + segmentSize - 1) / segmentSize
	t.flight = 0
}

func (w *wire) Read(b []byte) (int, error) {
	r := w.recorder.Load()
	if r == nil {
		n, err := w.Conn.Read(b)
		if n == 0 && err == io.EOF {
			w.ended.Store(true)
		}
		return n, err
	}
	began := r.begin()
	n, err := w.Conn.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(began)
	if n > 0 {
		r.sent.endFlight()
		r.received.add(n)
		r.in.feed(b[:n])
	}
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	r := w.recorder.Load()
	if r == nil {
		return w.Conn.Write(b)
	}
	began := r.begin()
	n, err := w.Conn.Write(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(began)
	if n > 0 {
		r.received.endFlight()
		r.sent.add(n)
		if r.client {
			r.out.feed(b[:n])
		}
	}
	return n, err
}

// begin notes that the network is waited for from now on.
func (r *recorder) begin() time.Time {
	now := time.Now()
	r.mu.Lock()
	r.since = now
	r.mu.Unlock()
	return now
}

// end notes that a wait is over. r.mu is held.
func (r *recorder) end(began time.Time) {
	r.waiting += time.Since(began)
	r.since = time.Time{}
}

// Close closes the connection once, and tells who counts it. crypto/tls calls it too.
func (w *wire) Close() error {
	w.mu.Lock()
	if w.closed {
		defer w.mu.Unlock()
		return w.closeErr
	}
	w.closed = true
	err := w.Conn.Close()
	w.closeErr = err
	told := w.told
	w.mu.Unlock()
	w.conn.stopTimer()
	if told != nil {
		told()
	}
	return err
}

// onClose calls tell once the connection is closed, or at once if it is.
func (w *wire) onClose(tell func()) {
	w.mu.Lock()
	w.told = tell
	closed := w.closed
	w.mu.Unlock()
	if closed {
		tell()
	}
}

// heard reports whether the peer's first message is complete, and how long the handshake has waited
// for the network in all; it is over where that is nothing.
func (w *wire) heard() (hello bool, waited time.Duration) {
	r := w.recorder.Load()
	if r == nil {
		return true, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	waited = r.waiting
	if !r.since.IsZero() {
		waited += time.Since(r.since)
	}
	return r.in.done, waited
}

// hello returns the client's hello, or nil if there is none yet.
func (r *recorder) hello() *clientHello {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parsed != nil {
		return r.parsed
	}
	if r.client {
		r.parsed = r.out.parseClientHello()
	} else {
		r.parsed = r.in.parseClientHello()
	}
	return r.parsed
}

// choice returns a client's view of the server's hello, or nil.
func (r *recorder) choice() *serverHello {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.client {
		return nil
	}
	return r.in.parseServerHello()
}

// result returns the sizes of the handshake, and how long it waited for the network.
func (r *recorder) result() (size Size, waiting time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.endFlight()
	r.received.endFlight()
	return Size{
		Sent: r.sent.bytes, Received: r.received.bytes,
		SentSegments: r.sent.segments, ReceivedSegments: r.received.segments,
	}, r.waiting
}
