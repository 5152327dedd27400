package mcpconn

import (
	"encoding/json"
	"log/slog"
	"time"
)

// A State is the report of a connection, or of a failed handshake. It encodes to JSON and is read
// back from it, and is one group of attributes for log/slog. It has no secrets. What it points to
// is shared by the copies that [Conn.State] returns, and not to be changed.
type State struct {
	Client     bool      `json:"client"`
	Time       time.Time `json:"time"` // the handshake began
	LocalAddr  string    `json:"local_addr,omitempty"`
	RemoteAddr string    `json:"remote_addr,omitempty"`
	ServerName string    `json:"server_name,omitempty"`
	Policy     Policy    `json:"policy"`
	Complete   bool      `json:"complete"` // the handshake succeeded

	// Version and Suite of TLS, Group of the key exchange with KEM inside, or "". Those of a failed
	// handshake are what was chosen until then.
	Version string `json:"version,omitempty"`
	Suite   string `json:"suite,omitempty"`
	Group   string `json:"group,omitempty"`
	KEM     string `json:"kem,omitempty"`
	ALPN    string `json:"alpn,omitempty"`

	HelloRetryRequest bool `json:"hello_retry_request"`

	// Resumed says that the peer was authenticated AuthenticationAge before, in another
	// connection.
	Resumed           bool     `json:"resumed"`
	AuthenticationAge Duration `json:"authentication_age"`

	// Local and Peer are the keys that each side has shown, or nil. In a resumed connection Peer
	// is that which was shown before, and Local is nil. Peer has passed all checks if Complete.
	Local *KeyInfo `json:"local,omitempty"`
	Peer  *KeyInfo `json:"peer,omitempty"`

	// The three answers: does the connection withstand a quantum computer?
	KeyExchange    Answer `json:"key_exchange"`        // that records it today
	Authentication Answer `json:"peer_authentication"` // that forges the peer's signature
	Chain          Answer `json:"chain"`               // that forges a certificate

	// Fallback says which part is weaker than what the policy prefers, "" if none is.
	Fallback string `json:"fallback,omitempty"`

	// ChainCached says that the chain was verified in an earlier handshake.
	ChainCached bool `json:"chain_cached"`

	Offer  *Offer `json:"offer,omitempty"` // the client's
	Size   Size   `json:"size"`
	Timing Timing `json:"timing"`

	// Memory is the note of [Config.Memory], such as that it is damaged, or "".
	Memory string `json:"memory,omitempty"`

	// Of a failed handshake: why, and the alert that the peer sent, or "".
	Reason Reason `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
	Alert  string `json:"alert,omitempty"`
}

// A KeyInfo describes a key and its certificate.
type KeyInfo struct {
	Algorithm string    `json:"algorithm"` // "ML-DSA-65", "ECDSA P-256"
	Signed    string    `json:"signed"`    // algorithm of the certificate's signature
	Subject   string    `json:"subject"`
	Names     []string  `json:"names,omitempty"`
	Issuer    string    `json:"issuer"`
	NotAfter  time.Time `json:"not_after"`
	Pin       Pin       `json:"pin"`

	// Chain has the algorithms of the certificates' signatures, from that of the leaf up: of a peer
	// to that of the last below the trust anchor, of our own to that of the last we show.
	Chain []string `json:"chain,omitempty"`
}

// An Answer is yes or no, and why.
type Answer struct {
	QuantumSafe bool   `json:"quantum_safe"`
	Why         string `json:"why"`
}

// An Offer is what the client's hello offers.
type Offer struct {
	Versions   []string `json:"versions"`
	Groups     []string `json:"groups"`
	Shares     []string `json:"shares"` // groups with a key share
	Signatures []string `json:"signatures"`
	ServerName string   `json:"server_name,omitempty"`
	ALPN       []string `json:"alpn,omitempty"`
	Resumption bool     `json:"resumption"` // a session is offered

	// HelloSize is the size of the hello in bytes, with its record headers, and HelloSegments
	// in segments of [Size].
	HelloSize     int `json:"hello_size"`
	HelloSegments int `json:"hello_segments"`
}

// Size is what a handshake cost on the wire, in bytes of TLS with record headers: each way up to and
// with the Finished message. Session tickets and data, which may come in the same segment, are not
// in it. Of a failed handshake it is all that was sent and received, alerts too. It is zero for [WrapTLS].
type Size struct {
	Sent     int `json:"sent"`
	Received int `json:"received"`

	// SentSegments and ReceivedSegments estimate TCP segments of 1,428 bytes, which fit IPv6
	// with timestamps on Ethernet.
	SentSegments     int `json:"sent_segments"`
	ReceivedSegments int `json:"received_segments"`

	// ClassicalSent and ClassicalReceived estimate the same handshake without post-quantum
	// algorithms: X25519 and nothing else offered, keys and signatures of ECDSA P-256 in place
	// of those of ML-DSA, and no HelloRetryRequest. They are within some 20 bytes for each
	// certificate of that, and zero if the handshake failed. Tax is the difference in bytes, both ways
	// together.
	ClassicalSent     int `json:"classical_sent"`
	ClassicalReceived int `json:"classical_received"`
	Tax               int `json:"tax"`
}

// Timing splits the time of a handshake: Total is the sum of the others. Waiting is for the network
// and so for the peer, Signing is what one's own key took, wherever it is, and Own is all else:
// what this side computed, and the functions of the [Config]. For [WrapTLS], waiting is in Own.
type Timing struct {
	Total   Duration `json:"total"`
	Own     Duration `json:"own"`
	Signing Duration `json:"signing"`
	Waiting Duration `json:"waiting"`
}

// A Duration is a [time.Duration] that is written as text, such as "1.5ms".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is [time.ParseDuration].
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// LogValue makes a State one group of attributes in a line of log/slog.
func (s State) LogValue() slog.Value {
	role := "server"
	if s.Client {
		role = "client"
	}
	attrs := []slog.Attr{
		slog.String("role", role),
		slog.String("remote", s.RemoteAddr),
		slog.String("name", s.ServerName),
		slog.String("policy", string(s.Policy)),
		slog.String("group", s.Group),
		slog.String("suite", s.Suite),
		slog.String("alpn", s.ALPN),
		slog.Bool("resumed", s.Resumed),
		slog.String("age", s.AuthenticationAge.String()),
		slog.Bool("hrr", s.HelloRetryRequest),
		slog.Bool("exchange_safe", s.KeyExchange.QuantumSafe),
		slog.Bool("peer_safe", s.Authentication.QuantumSafe),
		slog.Bool("chain_safe", s.Chain.QuantumSafe),
		slog.Int("sent", s.Size.Sent),
		slog.Int("received", s.Size.Received),
		slog.Int("tax", s.Size.Tax),
		slog.String("total", s.Timing.Total.String()),
		slog.String("own", s.Timing.Own.String()),
		slog.String("signing", s.Timing.Signing.String()),
		slog.String("waiting", s.Timing.Waiting.String()),
	}
	if s.Peer != nil {
		attrs = append(attrs, slog.String("peer", s.Peer.Subject), slog.String("peer_key", s.Peer.Algorithm), slog.String("peer_pin", s.Peer.Pin.String()))
	}
	if s.Local != nil {
		attrs = append(attrs, slog.String("local_key", s.Local.Algorithm))
	}
	if s.Reason != "" && s.Offer != nil {
		attrs = append(attrs, slog.Any("offered_versions", s.Offer.Versions), slog.Any("offered_groups", s.Offer.Groups),
			slog.Any("offered_signatures", s.Offer.Signatures))
	}
	for _, a := range []slog.Attr{slog.String("fallback", s.Fallback), slog.String("memory", s.Memory),
		slog.String("reason", string(s.Reason)), slog.String("alert", s.Alert), slog.String("error", s.Error)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	return slog.GroupValue(attrs...)
}

// JSON returns the State as indented JSON.
func (s State) JSON() []byte {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		// Every field marshals.
		panic(err)
	}
	return b
}
