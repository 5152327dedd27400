package mcpconn

import (
	"container/list"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Listener accepts connections whose handshake is complete. Handshakes run apart from
// Accept, as many at a time as [Config.MaxHandshakes] says, and as many from one address as
// [Config.MaxHandshakesPerAddress] says, so that a slow client holds up no other. When one more
// comes, the oldest without a complete hello makes room, or else the oldest that has let us wait
// for a second in all; if there is neither, the new one waits, or is closed if its
// address has its share. Connections count until Accept has returned them.
//
// An address is an IPv4 address or the /64 network of an IPv6 address. Clients of a Unix socket
// have none, and are bounded together by MaxHandshakes.
//
// A Listener is safe for concurrent use.
type Listener struct {
	inner  net.Listener
	cfg    atomic.Pointer[Config]
	ctx    context.Context // of handshakes; ends with Close
	cancel context.CancelFunc
	ready  chan *Conn
	ended  chan struct{} // closed when Accept has nothing more to return

	mu        sync.Mutex
	changed   sync.Cond // a handshake has ended, or the listener
	pending   list.List // of *pendingConn, the oldest first
	addresses map[string]int
	open      map[*Conn]struct{} // that were accepted
	closing   bool               // no new connections
	over      bool               // ended is closed
	err       error              // of the inner listener
}

// A pendingConn is a connection before it is accepted.
type pendingConn struct {
	conn    *Conn
	address string
	element *list.Element
	gave    bool // had to make room
}

var _ net.Listener = (*Listener)(nil)

// Listen announces on the address as [net.ListenConfig] does and accepts connections of TLS. The
// error matches [ErrConfig] or [ErrNetwork].
func Listen(ctx context.Context, network, addr string, cfg *Config) (*Listener, error) {
	if err := cfg.CheckServer(); err != nil {
		return nil, err
	}
	inner, err := new(net.ListenConfig).Listen(ctx, network, addr)
	if err != nil {
		return nil, wrapError(ErrNetwork, err, "")
	}
	return NewListener(inner, cfg)
}

// NewListener accepts connections of TLS over those that inner accepts, and takes it over. The
// error matches [ErrConfig].
func NewListener(inner net.Listener, cfg *Config) (*Listener, error) {
	if err := cfg.CheckServer(); err != nil {
		return nil, err
	}
	if inner == nil {
		return nil, newError(ErrConfig, "no listener")
	}
	l := &Listener{
		inner: inner, ready: make(chan *Conn), ended: make(chan struct{}),
		addresses: map[string]int{}, open: map[*Conn]struct{}{},
	}
	l.changed.L = &l.mu
	l.cfg.Store(cfg)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	go l.serve()
	return l, nil
}

// Swap replaces the Config, and with it identity, trust and policy, for connections that come from
// now on. Those that are there, and handshakes that run, keep theirs. Sessions of the old one
// are not resumed. The error matches [ErrConfig], and the old Config then stays.
func (l *Listener) Swap(cfg *Config) error {
	if err := cfg.CheckServer(); err != nil {
		return err
	}
	l.cfg.Store(cfg)
	return nil
}

// Accept returns the next connection with a complete handshake, a [*Conn]. Failed handshakes are
// [Config.Observer]'s business alone. After Close it returns an error that matches [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptConn is Accept with the type that it returns.
func (l *Listener) AcceptConn() (*Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ended:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err != nil {
			return nil, l.err
		}
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Addr returns the address of the listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close stops listening, and closes connections that were not accepted. Accepted ones stay.
func (l *Listener) Close() error {
	err := l.stop()
	l.cancel()
	l.mu.Lock()
	l.end()
	l.mu.Unlock()
	return err
}

// Shutdown stops listening, and waits until the handshakes that run are accepted or have failed, and
// every accepted connection is closed. Accept goes on until then, and should be called. If ctx ends
// before, what is left is closed, and Shutdown returns the context's error.
func (l *Listener) Shutdown(ctx context.Context) error {
	err := l.stop()
	stop := context.AfterFunc(ctx, l.wake)
	defer stop()
	l.mu.Lock()
	for ctx.Err() == nil && l.pending.Len() > 0 {
		l.changed.Wait()
	}
	l.end()
	for ctx.Err() == nil && len(l.open) > 0 {
		l.changed.Wait()
	}
	var left []*Conn
	for c := range l.open {
		left = append(left, c)
	}
	l.mu.Unlock()
	l.cancel()
	for _, c := range left {
		c.wire.Close()
	}
	if ctx.Err() != nil && (len(left) > 0 || err == nil) {
		return ctx.Err()
	}
	return err
}

// wake has those who wait for a change look again.
func (l *Listener) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Broadcast()
}

// stop stops listening.
func (l *Listener) stop() error {
	l.mu.Lock()
	closing := l.closing
	l.closing = true
	l.changed.Broadcast()
	l.mu.Unlock()
	if closing {
		return nil
	}
	return l.inner.Close()
}

// end lets Accept return. l.mu is held.
func (l *Listener) end() {
	if !l.over {
		l.over = true
		close(l.ended)
	}
}

// serve accepts from the inner listener.
func (l *Listener) serve() {
	const minDelay, maxDelay = 5 * time.Millisecond, time.Second
	delay := minDelay
	for {
		raw, err := l.inner.Accept()
		if err == nil {
			delay = minDelay
			l.admit(raw)
			continue
		}
		var temporary interface{ Temporary() bool }
		if errors.As(err, &temporary) && temporary.Temporary() && l.ctx.Err() == nil {
			// Out of descriptors, for example: there will be some again.
			time.Sleep(delay)
			delay = min(2*delay, maxDelay)
			continue
		}
		l.mu.Lock()
		if !l.closing {
			l.closing, l.err = true, err
			l.end()
		}
		l.mu.Unlock()
		return
	}
}

// admit starts the handshake of a connection, when there is room for it.
func (l *Listener) admit(raw net.Conn) {
	cfg := l.cfg.Load()
	most, mostOfAddress := cfg.MaxHandshakes, cfg.MaxHandshakesPerAddress
	if most == 0 {
		most = defaultMaxHandshakes
	}
	if mostOfAddress == 0 {
		mostOfAddress = defaultMaxHandshakesPerAddress
	}
	p := &pendingConn{conn: newConn(raw, cfg, false), address: addressOf(raw)}
	l.mu.Lock()
	for !l.over && (l.pending.Len() >= most && !l.closing || l.addresses[p.address] >= mostOfAddress && p.address != "") {
		address := ""
		if l.addresses[p.address] >= mostOfAddress {
			address = p.address
		}
		if !l.makeRoom(address) && address != "" {
			l.mu.Unlock()
			l.refuse(p.conn, newError(ErrLimit, "%d handshakes from %s", mostOfAddress, p.address))
			return
		}
		// What changes is that a handshake ends, or that one gets slow.
		look := time.AfterFunc(slow/4, l.wake)
		l.changed.Wait()
		look.Stop()
	}
	if l.over {
		l.mu.Unlock()
		raw.Close()
		return
	}
	p.element = l.pending.PushBack(p)
	l.addresses[p.address]++
	l.mu.Unlock()
	go l.run(p)
}

// slow is how long a client may let us wait in a handshake before it makes room for another.
const slow = time.Second

// makeRoom has a handshake end, of all or of one address: the oldest without a hello, or else the
// oldest of the slow ones. It reports whether there was one, or is one that ends already.
// l.mu is held.
func (l *Listener) makeRoom(address string) bool {
	var chosen, late *pendingConn
	for e := l.pending.Front(); e != nil; e = e.Next() {
		p := e.Value.(*pendingConn)
		if address != "" && p.address != address {
			continue
		}
		if p.gave {
			return true
		}
		hello, waited := p.conn.wire.heard()
		switch {
		case !hello && chosen == nil:
			chosen = p
		case waited >= slow && late == nil:
			late = p
		}
	}
	if chosen == nil {
		chosen = late
	}
	if chosen == nil {
		return false
	}
	chosen.gave = true
	chosen.conn.wire.Close()
	return true
}

// remove takes a connection from the pending ones, once. l.mu is held.
func (l *Listener) remove(p *pendingConn) {
	if p.element == nil {
		return
	}
	l.pending.Remove(p.element)
	p.element = nil
	if l.addresses[p.address]--; l.addresses[p.address] == 0 {
		delete(l.addresses, p.address)
	}
	l.changed.Broadcast()
}

// run completes a handshake and hands the connection to Accept.
func (l *Listener) run(p *pendingConn) {
	c := p.conn
	c.shake.Load().interrupted = func(err error) *Error {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case p.gave:
			return wrapError(ErrLimit, err, "the client was slow, and made room for another")
		case l.ctx.Err() != nil:
			return wrapError(ErrNetwork, errors.Join(net.ErrClosed, err), "the listener was closed")
		}
		return nil
	}
	err := c.HandshakeContext(l.ctx)
	if err == nil && l.track(p) {
		select {
		case l.ready <- c:
		case <-l.ctx.Done():
			c.wire.Close()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(p)
}

// track counts a connection until it is closed. It returns false if the connection had to make
// room when its handshake was about to be complete.
func (l *Listener) track(p *pendingConn) bool {
	c := p.conn
	l.mu.Lock()
	if p.gave {
		l.mu.Unlock()
		return false
	}
	l.open[c] = struct{}{}
	l.mu.Unlock()
	c.wire.onClose(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, c)
		l.changed.Broadcast()
	})
	return true
}

// refuse closes a connection before its handshake.
func (l *Listener) refuse(c *Conn, err *Error) {
	if c.cfg.Observer != nil {
		s := c.State()
		s.Time, s.Policy, s.Reason, s.Error = c.cfg.now(), c.cfg.policyName(), err.Reason(), err.Error()
		c.cfg.Observer(s, err)
	}
	c.raw.Close()
}

// addressOf returns the IP address of a peer, or for IPv6 its /64 network, of which a single
// host has all, or "" for one that has no address.
func addressOf(c net.Conn) string {
	switch a := c.RemoteAddr().(type) {
	case nil, *net.UnixAddr:
		return ""
	case *net.TCPAddr:
		ip := a.AddrPort().Addr().Unmap()
		if ip.Is6() {
			if network, err := ip.WithZone("").Prefix(64); err == nil {
				return network.String()
			}
		}
		return ip.String()
	default:
		return a.String()
	}
}
