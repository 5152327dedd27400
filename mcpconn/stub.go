package mcpconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

type shared struct{}
type wire struct {
	net.Conn
	conn *Conn
}
type revocations struct{}

func (t *Trust) SetRevocationLists(lists ...*x509.RevocationList) error { return nil }
func isMLDSASigned(*x509.Certificate) bool                              { return false }
func isSelfSigned(*x509.Certificate) bool                               { return false }
func keyInfo(*x509.Certificate) KeyInfo                                 { return KeyInfo{} }

// A Conn is a connection of TLS 1.3. It implements net.Conn.
type Conn struct{ tls *tls.Conn }

// Dial connects to addr and completes the handshake.
func Dial(ctx context.Context, network, addr string, cfg *Config) (*Conn, error) { return nil, nil }

// Client returns a client's connection over conn; the handshake runs at first use or by HandshakeContext.
func Client(conn net.Conn, cfg *Config) (*Conn, error) { return nil, nil }

// Server returns a server's connection over conn.
func Server(conn net.Conn, cfg *Config) (*Conn, error) { return nil, nil }

// WrapTLS takes over a connection made elsewhere.
func WrapTLS(conn *tls.Conn, cfg *Config) (*Conn, error)   { return nil, nil }
func (c *Conn) TLS() *tls.Conn                             { return c.tls }
func (c *Conn) State() State                               { return State{} }
func (c *Conn) HandshakeContext(ctx context.Context) error { return nil }
func (c *Conn) Read(b []byte) (int, error)                 { return 0, nil }
func (c *Conn) Write(b []byte) (int, error)                { return 0, nil }
func (c *Conn) Close() error                               { return nil }
func (c *Conn) CloseWrite() error                          { return nil }
func (c *Conn) LocalAddr() net.Addr                        { return nil }
func (c *Conn) RemoteAddr() net.Addr                       { return nil }
func (c *Conn) SetDeadline(t time.Time) error              { return nil }
func (c *Conn) SetReadDeadline(t time.Time) error          { return nil }
func (c *Conn) SetWriteDeadline(t time.Time) error         { return nil }
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	return nil, nil
}

// CheckClient and CheckServer return an error matching ErrConfig if the Config can't work.
func (cfg *Config) CheckClient() error { return nil }
func (cfg *Config) CheckServer() error { return nil }

// A Listener accepts connections whose handshakes are complete.
type Listener struct{}

func Listen(ctx context.Context, network, addr string, cfg *Config) (*Listener, error) {
	return nil, nil
}
func NewListener(inner net.Listener, cfg *Config) (*Listener, error) { return nil, nil }
func (l *Listener) Accept() (net.Conn, error)                        { return nil, nil }
func (l *Listener) AcceptConn() (*Conn, error)                       { return nil, nil }
func (l *Listener) Addr() net.Addr                                   { return nil }
func (l *Listener) Close() error                                     { return nil }

// Swap replaces the Config for the next connections.
func (l *Listener) Swap(cfg *Config) error { return nil }

// Shutdown stops accepting, waits until the accepted connections are closed or ctx ends, and closes the rest.
func (l *Listener) Shutdown(ctx context.Context) error { return nil }
