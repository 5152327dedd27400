package mcpconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Conn is a connection of TLS 1.3 under a policy. It implements [net.Conn], and like any is
// safe for concurrent use. Read and Write add nothing to crypto/tls's work, which copies
// each byte once and writes records of at most 16 KB. Errors that are not of the network alone
// are of type [*Error].
type Conn struct {
	raw    net.Conn
	wire   *wire // nil for WrapTLS
	cfg    *Config
	client bool

	mu    sync.Mutex
	done  atomic.Bool // the handshake has ended, and what follows is set
	err   error
	tls   *tls.Conn
	state *State // made by the first State
	age   *age   // nil without MaxAge

	reporting sync.Once

	shake   atomic.Pointer[handshake]
	expired atomic.Bool
	closed  atomic.Bool
}

var _ net.Conn = (*Conn)(nil)

// Dial connects to addr as [net.Dialer] does, and completes the handshake as a client. If
// cfg.ServerName is empty, the server must have the name or IP address in addr. ctx and
// [Config.HandshakeTimeout] bound both together. The error is an [*Error], and says by what it
// matches who is to act: we (ErrConfig, ErrSigner, ErrMemory), the peer (ErrPolicy,
// ErrCertificate, ErrRegression, ErrProtocol), or the network (ErrNetwork, ErrTimeout).
//
// The server's view of our certificate comes after the handshake, with the first Read: a
// Dial that succeeds does not mean that the server takes us.
//
// It is one attempt under one policy: if it fails, nothing weaker is tried.
func Dial(ctx context.Context, network, addr string, cfg *Config) (*Conn, error) {
	name := ""
	if cfg != nil && cfg.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "address %q, want host:port", addr)
		}
		name = host
	}
	if err := cfg.checkClient(name); err != nil {
		return nil, err
	}
	ctx, cancel := cfg.handshakeContext(ctx)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		e := classify(err)
		if cfg.Observer != nil {
			cfg.Observer(State{Client: true, Time: cfg.now(), RemoteAddr: addr, ServerName: cfg.ServerName + name,
				Policy: cfg.policyName(), Reason: e.Reason(), Error: e.Error()}, e)
		}
		return nil, e
	}
	c := newConn(raw, cfg, true)
	c.shake.Load().serverName = cfg.ServerName + name
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// Client returns the client's end of a connection over conn. The handshake runs with
// [Conn.HandshakeContext], or the first Read or Write. The error matches [ErrConfig].
func Client(conn net.Conn, cfg *Config) (*Conn, error) {
	if err := cfg.CheckClient(); err != nil {
		return nil, err
	}
	if conn == nil {
		return nil, newError(ErrConfig, "no connection")
	}
	return newConn(conn, cfg, true), nil
}

// Server returns the server's end of a connection over conn. The handshake runs with
// [Conn.HandshakeContext], or the first Read or Write. The error matches [ErrConfig].
func Server(conn net.Conn, cfg *Config) (*Conn, error) {
	if err := cfg.CheckServer(); err != nil {
		return nil, err
	}
	if conn == nil {
		return nil, newError(ErrConfig, "no connection")
	}
	return newConn(conn, cfg, false), nil
}

func newConn(raw net.Conn, cfg *Config, client bool) *Conn {
	c := &Conn{raw: raw, cfg: cfg, client: client}
	c.wire = &wire{Conn: raw, conn: c}
	c.wire.recorder.Store(&recorder{client: client})
	h := &handshake{cfg: cfg, conn: c, client: client, ctx: context.Background()}
	if client {
		h.serverName = cfg.ServerName
	}
	c.shake.Store(h)
	return c
}

// WrapTLS takes over a connection that was made elsewhere, such as by net/http, and checks it as one
// of its own: version, key exchange, certificates, memory. Its handshake is completed if
// need be. We are the client if cfg.ServerName is set, and else the server. Sizes and the offer are
// not known of it, and what the connection's own configuration has checked, or not,
// does not matter, but for the peer's possession of its key.
//
// The report of a session that was resumed says so; how old its authentication is can't be
// known, and a cfg with MaxAge refuses it. The error matches [ErrConfig] or is that of the
// check, and the connection is closed then.
func WrapTLS(conn *tls.Conn, cfg *Config) (*Conn, error) {
	if conn == nil {
		return nil, newError(ErrConfig, "no connection")
	}
	client := cfg != nil && cfg.ServerName != ""
	check := cfg.checkWrapped
	if client {
		check = cfg.CheckClient
	}
	if err := check(); err != nil {
		return nil, err
	}
	c := &Conn{raw: conn.NetConn(), cfg: cfg, client: client, tls: conn}
	h := &handshake{cfg: cfg, conn: c, client: client, ctx: context.Background(), serverName: cfg.ServerName}
	c.shake.Store(h)
	if err := c.HandshakeContext(context.Background()); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// HandshakeContext runs the handshake, if it has not run, or waits for it if it runs, and returns
// its error, as [Dial] does. ctx and [Config.HandshakeTimeout] bound it; if either ends, the
// connection is closed.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if c.done.Load() {
		return c.err
	}
	if !c.mu.TryLock() {
		// Another call runs it, under a context of its own.
		stop := context.AfterFunc(ctx, func() { c.wire.Close() })
		c.mu.Lock()
		if !stop() && c.err != nil {
			c.mu.Unlock()
			return wrapError(ErrTimeout, errors.Join(ctx.Err(), c.err), "")
		}
	}
	defer c.mu.Unlock()
	if c.done.Load() {
		return c.err
	}
	ctx, cancel := c.cfg.handshakeContext(ctx)
	defer cancel()
	h := c.shake.Load()
	h.ctx, h.began = ctx, time.Now()
	growStack(c.client)
	err := c.handshake(h)
	if err == nil {
		err = h.remember()
	}
	if err != nil {
		err = c.explain(h, err)
	}
	h.measure()
	if err != nil {
		c.err = err
		if c.wire != nil {
			c.wire.Close()
		}
	} else if c.cfg.MaxAge > 0 {
		c.age = newAge(c, c.cfg.MaxAge-c.cfg.now().Sub(h.authenticated))
	}
	if c.wire != nil {
		c.wire.endHandshake()
	}
	h.ctx = context.Background()
	h.interrupted, h.peer.chains = nil, nil
	c.done.Store(true)
	if c.closed.Load() {
		c.stopTimer()
	}
	if observe := c.cfg.Observer; observe != nil {
		observe(c.State(), err)
	}
	return err
}

// handshake runs crypto/tls.
func (c *Conn) handshake(h *handshake) error {
	if c.wire == nil || c.client {
		if err := h.choose(nil); err != nil {
			return err
		}
	}
	switch {
	case c.wire == nil:
		if err := c.tls.HandshakeContext(h.ctx); err != nil {
			return err
		}
		return h.wrapped(c.tls.ConnectionState())
	case c.client:
		conf := h.clientConfig()
		conf.ServerName = h.serverName
		c.tls = tls.Client(c.wire, conf)
	default:
		c.tls = tls.Server(c.wire, &tls.Config{Time: c.cfg.now, MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, GetConfigForClient: h.serverConfig})
	}
	return c.tls.HandshakeContext(h.ctx)
}

// wrapped checks a connection made elsewhere.
func (h *handshake) wrapped(cs tls.ConnectionState) error {
	if cs.DidResume {
		if !h.rules.Resumption || h.cfg.NoResumption || h.cfg.MaxAge > 0 {
			return newError(ErrPolicy, "the connection is of a resumed session, whose authentication is of unknown age")
		}
		h.offered = &session{binding: h.binding, authenticated: h.cfg.now()}
	}
	return h.verify(cs)
}

// explain returns the error of a failed handshake: what we noted of it, or else crypto/tls.
func (c *Conn) explain(h *handshake, err error) error {
	if h.client && c.wire != nil {
		h.checkChoice(c.wire.recorder.Load().choice())
	}
	if h.interrupted != nil {
		if e := h.interrupted(err); e != nil {
			return e
		}
	}
	e := classify(err)
	switch {
	case h.cause != nil && (h.cause.Kind == ErrSigner || e.Kind != ErrTimeout):
		if h.cause.Kind == ErrSigner && h.ctx.Err() != nil {
			return wrapError(ErrTimeout, h.cause, "while the identity was signing")
		}
		e = h.cause
	case h.ctx.Err() != nil && e.Kind != ErrTimeout:
		e = wrapError(ErrTimeout, errors.Join(h.ctx.Err(), err), "")
	case h.client && h.rules != nil && h.rules.PostQuantumExchange && alertText(e) == "handshake failure":
		e.Detail = "the peer refused, as a server does that has no post-quantum key exchange, or no certificate with a signature that we offer"
	}
	if e.Kind == ErrTimeout && e.Detail == "" && c.wire != nil {
		e.Detail = c.wire.recorder.Load().silence()
	}
	return e
}

// hello returns the client's hello, if it is known.
func (c *Conn) hello() *clientHello {
	if c.wire == nil {
		return nil
	}
	if r := c.wire.recorder.Load(); r != nil {
		return r.hello()
	}
	return nil
}

// TLS returns the connection of crypto/tls, or nil before the handshake was begun; while it runs, TLS
// waits for its end. It is for what asks for this type; what was checked holds for it too.
func (c *Conn) TLS() *tls.Conn {
	if c.done.Load() {
		return c.tls
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tls
}

// NetConn returns the connection beneath. Using it breaks this one.
func (c *Conn) NetConn() net.Conn { return c.raw }

// State returns the report. Before the handshake has ended it has roles and addresses alone.
func (c *Conn) State() State {
	if !c.done.Load() {
		return State{Client: c.client, LocalAddr: addrText(c.LocalAddr()), RemoteAddr: addrText(c.RemoteAddr())}
	}
	c.reporting.Do(func() {
		var cs tls.ConnectionState
		if c.err == nil {
			cs = c.tls.ConnectionState()
		}
		c.state = c.shake.Load().report(cs, c.err)
	})
	return *c.state
}

// String describes the Conn in a line without secrets. [Conn.State] has all that is known of it.
func (c *Conn) String() string {
	role := "server"
	if c.client {
		role = "client"
	}
	return "mcpconn.Conn{" + role + ", local " + addrText(c.LocalAddr()) + ", remote " + addrText(c.RemoteAddr()) + "}"
}

// Format writes String for every verb: for some, package fmt would print what crypto/tls has.
func (c *Conn) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// Read reads from the connection, after the handshake. A TLS 1.3 client learns by its first
// Read that the server refuses it: the error then matches [ErrProtocol]. Once [Config.MaxAge] has
// closed the connection, errors match [ErrMaxAge].
//
// It returns [io.EOF] if the peer has said that it will write no more. If the connection
// beneath ends without that, the error matches [ErrNetwork] and [io.ErrUnexpectedEOF]: what was
// read may not be all (RFC 8446, Section 6.1). crypto/tls, and so [Conn.TLS] and a
// connection of [WrapTLS], does not tell them apart.
func (c *Conn) Read(b []byte) (int, error) {
	if !c.done.Load() || c.err != nil {
		if err := c.HandshakeContext(context.Background()); err != nil {
			return 0, err
		}
	}
	n, err := c.tls.Read(b)
	if err != nil {
		err = c.explainIO(err)
	}
	return n, err
}

// Write writes to the connection, after the handshake. Once [Config.MaxAge] has closed the
// connection, the error matches [ErrMaxAge]; others are the network's and crypto/tls's.
func (c *Conn) Write(b []byte) (int, error) {
	if !c.done.Load() || c.err != nil {
		if err := c.HandshakeContext(context.Background()); err != nil {
			return 0, err
		}
	}
	n, err := c.tls.Write(b)
	if err != nil {
		err = c.explainIO(err)
	}
	return n, err
}

func (c *Conn) explainIO(err error) error {
	if c.expired.Load() {
		return wrapError(ErrMaxAge, err, "")
	}
	if err == io.EOF {
		// crypto/tls reads no further than the peer's close_notify.
		if c.wire != nil && c.wire.ended.Load() {
			return wrapError(ErrNetwork, io.ErrUnexpectedEOF, "the connection was cut, without a close_notify of the peer")
		}
		return err
	}
	if _, ok := alertOf(err); ok {
		return wrapError(ErrProtocol, err, "the peer refused")
	}
	return err
}

// Close closes the connection, and tells the peer that nothing more will be written, unless a Write is
// running. A handshake that is running fails.
func (c *Conn) Close() error {
	c.closed.Store(true)
	if !c.done.Load() || c.err != nil {
		if c.wire == nil {
			return c.raw.Close()
		}
		return c.wire.Close()
	}
	c.stopTimer()
	return c.tls.Close()
}

// CloseWrite tells the peer that nothing more will be written, who then reads [io.EOF] and may still
// write. It runs the handshake if need be.
func (c *Conn) CloseWrite() error {
	if err := c.HandshakeContext(context.Background()); err != nil {
		return err
	}
	if err := c.tls.CloseWrite(); err != nil || c.expired.Load() {
		return c.explainIO(err)
	}
	return nil
}

func (c *Conn) expire() {
	c.expired.Store(true)
	c.tls.Close()
}

// stopTimer stops the timer of MaxAge, once the handshake has ended.
func (c *Conn) stopTimer() {
	c.closed.Store(true)
	if c.done.Load() && c.age != nil {
		c.age.stop()
	}
}

// An age closes a Conn when it gets too old. The runtime keeps stopped timers for a time, and what
// they refer to: this is small.
type age struct {
	conn  atomic.Pointer[Conn] // nil once stopped
	timer *time.Timer
}

func newAge(c *Conn, left time.Duration) *age {
	a := &age{}
	a.conn.Store(c)
	a.timer = time.AfterFunc(left, func() {
		if c := a.conn.Load(); c != nil {
			c.expire()
		}
	})
	return a
}

func (a *age) stop() {
	a.timer.Stop()
	a.conn.Store(nil)
}

// LocalAddr returns the local address.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr returns the remote address.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline sets the deadlines of the connection beneath. After a Write has timed out, the
// connection is corrupt, and further ones fail.
func (c *Conn) SetDeadline(t time.Time) error { return c.raw.SetDeadline(t) }

// SetReadDeadline is [Conn.SetDeadline] for reading.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.raw.SetReadDeadline(t) }

// SetWriteDeadline is [Conn.SetDeadline] for writing.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.raw.SetWriteDeadline(t) }

// ExportKeyingMaterial returns length bytes of secret that both ends have and no one else
// (RFC 8446, Section 7.5), for binding what is above to this connection. It needs a complete
// handshake. The label should be registered, or begin with "EXPERIMENTAL"; context may be nil.
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if !c.done.Load() {
		return nil, newError(ErrProtocol, "no keying material before the handshake")
	}
	if c.err != nil {
		return nil, c.err
	}
	cs := c.tls.ConnectionState()
	return cs.ExportKeyingMaterial(label, context, length)
}

func addrText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
