package mcpconn

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// A Config says how connections are made. One Config serves any number of connections, of both
// roles, at the same time; it must not be copied or changed once used, and
// [Listener.Swap] replaces that of a listener.
//
// Verified chains and sessions are kept in the Config, and so are shared by its connections alone.
type Config struct {
	// Identity is what we show to the peer. A server needs one, or GetIdentity; a client
	// shows one if it has it and the server asks.
	Identity *Identity

	// GetIdentity, if not nil, chooses the identity of each connection, in place of Identity.
	// It may return nil for a client that shows none.
	GetIdentity func(ctx context.Context, info ConnInfo) (*Identity, error)

	// Trust has the authorities that may certify the peer. It may be nil if PinnedKeys
	// alone decide, or for a server with AnonymousClients.
	Trust *Trust

	// PinnedKeys are the keys that the peer's own certificate may have. They add to the
	// checks of the chain, unless PinsAlone says otherwise.
	PinnedKeys []Pin

	// PinsAlone takes a peer with a pinned key whoever signed its certificate, for
	// self-signed peers. Its expiry, key usage and name are still checked, unless it is
	// [PinnedKeyOnly].
	PinsAlone PinMode

	// AnonymousClients lets a server take clients that show no certificate. Those that do are
	// still checked, if Trust or PinnedKeys are given.
	AnonymousClients bool

	// Policy is the strength that connections must have, by default [Hybrid2026].
	Policy Policy

	// PolicyFor, if not nil, chooses the policy of each connection before its handshake, in
	// place of Policy. "" stands for Policy. An error refuses the connection.
	PolicyFor func(ctx context.Context, info ConnInfo) (Policy, error)

	// Memory, if not nil, remembers the strength of each peer, and refuses less later.
	Memory *Memory

	// ServerName is the name that a server must have, and that it is sent. [Dial] takes it from the address
	// if it is empty. It may be an IP address.
	ServerName string

	// ALPN lists the application protocols, most preferred first (RFC 7301).
	ALPN []string

	// Observer, if not nil, is called once at the end of each handshake, with its error if it
	// failed. It must be safe for concurrent use, and is waited for.
	Observer Observer

	// MaxAge, if not zero, is how long an authentication counts: a session older than that
	// is not resumed, and a connection is closed when the authentication of its peer
	// gets that old.
	MaxAge time.Duration

	// HandshakeTimeout bounds a handshake, by default 10 seconds. A negative one is no bound.
	HandshakeTimeout time.Duration

	// MaxHandshakes and MaxHandshakesPerAddress bound the handshakes that run at a time in
	// a [Listener], by default 256, and 32 from one IP address. Clients beyond the
	// first wait to be accepted, those beyond the second are closed, unless a slow one
	// makes room.
	MaxHandshakes           int
	MaxHandshakesPerAddress int

	// NoResumption turns resumption off also where the policy allows it.
	NoResumption bool

	// KeyLogWriter, if not nil, gets the secrets of each connection, for debugging. Who reads
	// them reads the connections.
	KeyLogWriter io.Writer

	// Time returns the current time, by default [time.Now].
	Time func() time.Time

	once   sync.Once
	shared *shared
}

// ConnInfo is what is known of a connection before its handshake.
type ConnInfo struct {
	Client     bool     // we are the client
	LocalAddr  net.Addr // may be nil
	RemoteAddr net.Addr // may be nil
	ServerName string   // that the client asks for, or ""
	Offer      *Offer   // what the client offers; nil if we are the client
}

// An Observer is told how handshakes went. For a failed one the State has what is known up to
// there, and err is an [*Error].
type Observer func(state State, err error)

const (
	defaultHandshakeTimeout        = 10 * time.Second
	defaultMaxHandshakes           = 256
	defaultMaxHandshakesPerAddress = 32
)
