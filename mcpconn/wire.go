package mcpconn

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A wire is the connection beneath TLS. While the handshake runs it measures, and lets crypto/tls
// read no further than to the end of a record: what was read by the end is then the handshake, and
// nothing that came behind it. After that it is one more call.
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
	over   atomic.Bool // the handshake is, and all that is left is what was read ahead
	ahead  []byte      // what was read from the connection and not yet handed on; Read's alone

	mu       sync.Mutex
	out, in  helloReader
	records  recordReader // of what is handed on
	ticket   bool         // the next Write ends with the record of a session ticket
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

func (w *wire) Read(b []byte) (n int, err error) {
	r := w.recorder.Load()
	if r == nil {
		n, err := w.Conn.Read(b)
		if n == 0 && err == io.EOF {
			w.ended.Store(true)
		}
		return n, err
	}
	var refusal *Error
	if len(r.ahead) > 0 {
		n, refusal = r.receive(r.ahead[:min(len(b), len(r.ahead))])
		copy(b, r.ahead[:n])
		r.ahead = r.ahead[n:]
	} else {
		var got int
		r.begin()
		got, err = w.Conn.Read(b)
		r.end()
		if n, refusal = r.receive(b[:got]); n < got {
			// An error comes again, when there is nothing more before it.
			r.ahead, err = bytes.Clone(b[n:got]), nil
		}
	}
	if refusal != nil {
		// What crypto/tls sends for the version of a later record.
		w.Conn.Write([]byte{recordAlert, 3, 3, 0, 2, 2, alertProtocolVersion})
		return 0, refusal
	}
	if r.over.Load() && len(r.ahead) == 0 {
		w.recorder.Store(nil)
	}
	return n, err
}

// receive notes what was read, and returns how much of it is to be handed on now. It refuses a
// server's hello in a record of another version than servers of TLS 1.3 send (RFC 8446, Section
// 5.1). crypto/tls checks that of all later records, and ignores this one: somebody who changes
// it, and nothing else, would go unnoticed.
func (r *recorder) receive(b []byte) (n int, refusal *Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over.Load() {
		return len(b), nil
	}
	if len(b) == 0 {
		return 0, nil
	}
	n, _ = r.records.next(b)
	r.sent.endFlight()
	r.received.add(n)
	first := !r.in.done
	r.in.feed(b[:n])
	if h := r.records.header; r.client && first && r.records.whole() && h[0] == recordHandshake && (h[1] != 3 || h[2] != 3) {
		return 0, newError(ErrProtocol, "the server's hello is in a record of version %#02x%02x, want 0x0303", h[1], h[2])
	}
	return n, nil
}

func (w *wire) Write(b []byte) (int, error) {
	r := w.recorder.Load()
	if r == nil || r.over.Load() {
		return w.Conn.Write(b)
	}
	r.begin()
	n, err := w.Conn.Write(b)
	r.end()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client {
		r.out.feed(b[:n])
	}
	size := n
	if r.ticket {
		r.ticket = false
		size -= lastRecord(b[:n])
	}
	if size > 0 {
		r.received.endFlight()
		r.sent.add(size)
	}
	return n, err
}

// begin notes that the network is waited for from now on.
func (r *recorder) begin() {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since = now
}

// end notes that a wait is over.
func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting += time.Since(r.since)
	r.since = time.Time{}
}

// ticketFollows says that crypto/tls has made a session ticket, and writes it next, alone or behind
// what it has yet to write.
func (w *wire) ticketFollows() {
	if r := w.recorder.Load(); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ticket = true
	}
}

// endHandshake stops measuring. What was read ahead is handed on by the next Read.
func (w *wire) endHandshake() {
	r := w.recorder.Load()
	if len(r.ahead) == 0 {
		w.recorder.Store(nil)
	}
	r.over.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.release()
	r.in.release()
	r.parsed = nil
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

// heard reports whether the peer's first message is complete, and, if the handshake waits for the
// network now, how long it has done so in all.
func (w *wire) heard() (hello bool, waited time.Duration) {
	r := w.recorder.Load()
	if r == nil || r.over.Load() {
		return true, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.since.IsZero() {
		waited = r.waiting + time.Since(r.since)
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

// silence says of a handshake that timed out if the peer's first message is what it waited for.
func (r *recorder) silence() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.in.done:
		return ""
	case r.client:
		return fmt.Sprintf("the peer has answered a hello of %d bytes with %d", r.sent.bytes, r.received.bytes)
	default:
		return fmt.Sprintf("the peer has sent %d bytes, and no whole hello", r.received.bytes)
	}
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
