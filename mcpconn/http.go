package mcpconn

import (
	"context"
	"crypto/tls"
	"net"
)

type stateKey struct{}

// ConnContext is for [net/http.Server.ConnContext]: it lets [StateFrom] and [ConnFrom] find the
// connection of a request. Of a connection that is not of this package it makes nothing.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if conn := connOf(c); conn != nil {
		return context.WithValue(ctx, stateKey{}, conn)
	}
	return ctx
}

// StateFrom returns the report of the connection that a request came by, if the server has
// [ConnContext]. Its handshake was complete when the request was read.
func StateFrom(ctx context.Context) (State, bool) {
	conn, ok := ctx.Value(stateKey{}).(*Conn)
	if !ok {
		return State{}, false
	}
	return conn.State(), true
}

// ConnFrom is [StateFrom] for the connection itself, for [Conn.ExportKeyingMaterial].
func ConnFrom(ctx context.Context) (*Conn, bool) {
	conn, ok := ctx.Value(stateKey{}).(*Conn)
	return conn, ok
}

// StateOf returns the report of a [*Conn], or of the [*tls.Conn] inside of one, which is what
// net/http hands out, for example to [net/http/httptrace.ClientTrace.GotConn].
func StateOf(c net.Conn) (State, bool) {
	conn := connOf(c)
	if conn == nil {
		return State{}, false
	}
	return conn.State(), true
}

func connOf(c net.Conn) *Conn {
	switch c := c.(type) {
	case *Conn:
		return c
	case *tls.Conn:
		if w, ok := c.NetConn().(*wire); ok {
			return w.conn
		}
	}
	return nil
}

// DialTLSContext returns a dialer for [net/http.Transport.DialTLSContext]. For HTTP/2 the
// Config's ALPN has "h2" before "http/1.1", and the Transport has ForceAttemptHTTP2. The
// connections it returns are those inside of a [*Conn], since net/http looks for [*tls.Conn];
// [StateOf] reports on them. It is safe for concurrent use, and its errors are those of [Dial].
//
// A server must have the host's name in a request's URL, unless the Config has a ServerName, which
// then is that of all servers. The Transport must have no Proxy, which
// [net/http.DefaultTransport] has: through a proxy net/http makes its own connections of TLS,
// without this dialer and so without a policy.
func DialTLSContext(cfg *Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := Dial(ctx, network, addr, cfg)
		if err != nil {
			return nil, err
		}
		return conn.TLS(), nil
	}
}

// HTTP returns the listener as one for [net/http.Server.Serve]. For HTTP/2 the Config's ALPN
// has "h2" before "http/1.1", and the Server no TLSConfig. The connections it accepts are those
// inside of a [*Conn], since net/http looks for [*tls.Conn]; [ConnContext] finds the Conn.
// [net/http.Server.Shutdown] closes the listener, and waits for requests; handshakes that run are
// then given up.
func (l *Listener) HTTP() net.Listener { return httpListener{l} }

type httpListener struct{ *Listener }

func (l httpListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.AcceptConn()
	if err != nil {
		return nil, err
	}
	return conn.TLS(), nil
}
