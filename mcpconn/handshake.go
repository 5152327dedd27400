package mcpconn

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A handshake is what one handshake decides and finds. crypto/tls calls its methods, all from one
// goroutine, and keeps it for tickets.
type handshake struct {
	cfg    *Config
	conn   *Conn
	client bool
	ctx    context.Context
	began  time.Time

	serverName string
	policy     Policy
	rules      *Rules
	identity   *Identity
	binding    [sha256.Size]byte

	shown         bool // our certificate was, and its key was to sign
	offered       *session
	authenticated time.Time
	peer          verified
	peerName      string // for the memory, "" to remember nothing
	strength      Strength
	memoryNote    string

	// What the report is made of, beside the above, once the handshake has ended.
	hello   *clientHello
	chosen  choice
	total   time.Duration
	waiting time.Duration
	size    Size
	ended   time.Time

	signing atomic.Int64 // nanoseconds
	cause   *Error       // of ours, which crypto/tls turns into an alert

	// interrupted, if not nil, says why the owner of the connection ended the handshake, if it did.
	interrupted func(err error) *Error
}

// A choice is what both sides have agreed on, or in a failed handshake what the server has said of it.
type choice struct {
	version, suite   uint16
	group            tls.CurveID
	alpn             string
	retried, resumed bool
}

// failed notes the error that ends the handshake, which crypto/tls may not pass on.
func (h *handshake) failed(err *Error) error {
	if h.cause == nil {
		h.cause = err
	}
	return err
}

// choose sets policy and identity of the connection.
func (h *handshake) choose(hello *clientHello) error {
	var info ConnInfo
	if h.cfg.PolicyFor != nil || h.cfg.GetIdentity != nil {
		info = ConnInfo{
			Client: h.client, LocalAddr: h.conn.LocalAddr(), RemoteAddr: h.conn.RemoteAddr(),
			ServerName: h.serverName, Offer: hello.offer(),
		}
	}
	policy := h.cfg.Policy
	if h.cfg.PolicyFor != nil {
		chosen, err := h.cfg.PolicyFor(h.ctx, info)
		if err != nil {
			return h.failed(wrapError(ErrPolicy, err, "PolicyFor refused"))
		}
		if chosen != "" {
			policy = chosen
		}
	}
	rules, err := policy.rules()
	if err != nil {
		return h.failed(classify(err))
	}
	h.policy, h.rules, h.identity = rules.Policy, rules, h.cfg.Identity
	if h.cfg.GetIdentity != nil {
		if h.identity, err = h.cfg.GetIdentity(h.ctx, info); err != nil {
			return h.failed(wrapError(ErrSigner, err, "GetIdentity"))
		}
	}
	if !h.client && h.identity == nil {
		return h.failed(newError(ErrConfig, "GetIdentity gave no identity, and a server needs one"))
	}
	if err := h.cfg.checkPolicy(rules, h.identity, h.client); err != nil {
		return h.failed(classify(err))
	}
	if h.cfg.Memory != nil {
		if damage := h.cfg.Memory.Damage(); damage != nil {
			if rules.MemoryRequired {
				return h.failed(classify(damage))
			}
			h.memoryNote = damage.Error()
		}
	}
	h.bind()
	return nil
}

// tlsConfig returns the configuration of both roles.
func (h *handshake) tlsConfig() *tls.Config {
	return &tls.Config{
		Time:                   h.cfg.now,
		MinVersion:             tls.VersionTLS13,
		MaxVersion:             tls.VersionTLS13,
		CurvePreferences:       h.rules.Groups,
		NextProtos:             h.cfg.ALPN,
		ServerName:             h.cfg.ServerName,
		KeyLogWriter:           h.cfg.KeyLogWriter,
		VerifyConnection:       h.verifyConnection,
		SessionTicketsDisabled: !h.resumption(),
	}
}

func (h *handshake) resumption() bool { return h.rules.Resumption && !h.cfg.NoResumption }

func (h *handshake) clientConfig() *tls.Config {
	c := h.tlsConfig()
	// Not skipped: verifyConnection verifies, with the cache of chains.
	c.InsecureSkipVerify = true
	c.GetClientCertificate = h.clientCertificate
	if h.resumption() {
		c.ClientSessionCache = clientSessions{h}
	}
	return c
}

func (h *handshake) certificate() *tls.Certificate {
	return &tls.Certificate{Certificate: h.identity.raw, Leaf: h.identity.chain[0], PrivateKey: handshakeSigner{h}}
}

func (h *handshake) clientCertificate(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if h.identity == nil {
		return &tls.Certificate{}, nil
	}
	// Names of authorities are a hint, which may lack the one that a cross-certificate leads to.
	request.AcceptableCAs = nil
	c := h.certificate()
	if request.SupportsCertificate(c) != nil {
		// A server that only wishes for a certificate goes on without.
		return &tls.Certificate{}, nil
	}
	return c, nil
}

// serverConfig is called by crypto/tls when it has the client's hello.
func (h *handshake) serverConfig(info *tls.ClientHelloInfo) (*tls.Config, error) {
	hello := h.conn.hello()
	if hello == nil {
		// Split over more than is recorded.
		hello = &clientHello{versions: info.SupportedVersions, groups: info.SupportedCurves, signatures: info.SignatureSchemes, alpn: info.SupportedProtos}
	}
	h.serverName = info.ServerName
	if err := h.choose(hello); err != nil {
		return nil, err
	}
	h.checkOffer(hello)
	c := h.tlsConfig()
	c.Certificates = []tls.Certificate{*h.certificate()}
	switch {
	case !h.cfg.AnonymousClients:
		c.ClientAuth = tls.RequireAnyClientCert
	case h.cfg.Trust != nil || len(h.cfg.PinnedKeys) > 0:
		c.ClientAuth = tls.RequestClientCert
	}
	c.WrapSession = func(cs tls.ConnectionState, state *tls.SessionState) ([]byte, error) {
		h.conn.wire.ticketFollows()
		return h.wrapSession(cs, state)
	}
	c.UnwrapSession = h.unwrapSession
	return c, nil
}

// checkOffer notes why crypto/tls will refuse an offer. It is left to it, for its alerts.
func (h *handshake) checkOffer(hello *clientHello) {
	takes := func(g tls.CurveID) bool { return slices.Contains(h.rules.Groups, g) }
	switch {
	case !slices.Contains(hello.versions, tls.VersionTLS13):
		h.failed(newError(ErrPolicy, "the client offers %v, want TLS 1.3", hello.offer().Versions))
	case !slices.ContainsFunc(hello.groups, takes):
		h.failed(newError(ErrPolicy, "the client offers the key exchanges %v, and %s takes none of them", hello.offer().Groups, h.policy))
	}
}

// checkChoice says why crypto/tls refused what the server has chosen, if it was the policy.
func (h *handshake) checkChoice(choice *serverHello) {
	switch {
	case choice == nil || h.rules == nil:
	case choice.version < tls.VersionTLS13:
		h.failed(newError(ErrPolicy, "the server has chosen %s, want TLS 1.3", versionName(choice.version)))
	case choice.group != 0 && !slices.Contains(h.rules.Groups, choice.group):
		h.failed(newError(ErrPolicy, "the server has chosen the key exchange %s, which %s does not take", groupName(choice.group), h.policy))
	}
}

// verifyConnection checks all that was negotiated, also for resumed sessions. crypto/tls calls it when
// the peer's certificates are there, before it has checked that the peer has the key.
func (h *handshake) verifyConnection(cs tls.ConnectionState) error {
	if err := h.verify(cs); err != nil {
		return h.failed(classify(err))
	}
	return nil
}

func (h *handshake) verify(cs tls.ConnectionState) error {
	h.chosen = choice{cs.Version, cs.CipherSuite, cs.CurveID, cs.NegotiatedProtocol, cs.HelloRetryRequest, cs.DidResume}
	if cs.Version != tls.VersionTLS13 {
		return newError(ErrPolicy, "%s was negotiated, want TLS 1.3", versionName(cs.Version))
	}
	if !slices.Contains(h.rules.Groups, cs.CurveID) || h.rules.PostQuantumExchange && !isPostQuantum(cs.CurveID) {
		return newError(ErrPolicy, "the key exchange is %s, which %s does not take", groupName(cs.CurveID), h.policy)
	}
	if hello := h.conn.hello(); hello != nil {
		switch {
		case h.client && slices.ContainsFunc(hello.groups, func(g tls.CurveID) bool { return !slices.Contains(h.rules.Groups, g) }):
			return newError(ErrPolicy, "the key exchanges %v were offered, and %s takes %v", hello.offer().Groups, h.policy, groupNames(h.rules.Groups))
		case !slices.Contains(hello.versions, cs.Version):
			return newError(ErrPolicy, "%s was negotiated, which was not offered", versionName(cs.Version))
		case !slices.Contains(hello.groups, cs.CurveID):
			return newError(ErrPolicy, "the key exchange is %s, which was not offered", groupName(cs.CurveID))
		case !isPostQuantum(cs.CurveID) && slices.ContainsFunc(hello.groups, func(g tls.CurveID) bool {
			return !h.client && isPostQuantum(g) && slices.Contains(h.rules.Groups, g)
		}):
			return newError(ErrPolicy, "the key exchange is %s, although both sides have a post-quantum one", groupName(cs.CurveID))
		}
	}
	h.authenticated = h.cfg.now()
	if cs.DidResume {
		if h.offered == nil || h.offered.binding != h.binding || !h.fresh(h.offered) {
			return newError(ErrPolicy, "a session was resumed that must not be")
		}
		h.authenticated = h.offered.authenticated
	}
	if err := h.authenticate(cs.PeerCertificates); err != nil {
		return err
	}
	h.strength.Exchange = isPostQuantum(cs.CurveID)
	h.strength.Since = h.cfg.now()
	if h.cfg.Memory == nil || h.peerName == "" {
		return nil
	}
	return h.cfg.Memory.check(h.peerName, h.strength)
}

// authenticate checks the certificates of the peer, whether shown or from a session.
func (h *handshake) authenticate(certs []*x509.Certificate) error {
	usage, name := x509.ExtKeyUsageServerAuth, h.serverName
	if !h.client {
		usage, name = x509.ExtKeyUsageClientAuth, ""
	}
	if len(certs) == 0 {
		if !h.client && h.cfg.AnonymousClients {
			return nil
		}
		return newError(ErrCertificate, "the peer showed no certificate")
	}
	var err error
	if h.peer, err = h.cfg.verifyPeer(certs, h.rules, usage, name); err != nil {
		return err
	}
	leaf := h.peer.chain[0]
	key := keyAlgorithm(leaf)
	h.strength.Authentication = mldsaSignatures[key]
	h.strength.Chain = h.peer.pinned || chainSafe(h.peer.chain)
	if h.rules.PostQuantumAuthentication {
		switch {
		case !h.strength.Authentication:
			return newError(ErrPolicy, "the key of %q is %s, and %s wants ML-DSA", leaf.Subject, key, h.policy)
		case !h.strength.Chain:
			return newError(ErrPolicy, "%s, and %s wants ML-DSA throughout, or a pinned key", chainAnswer(h.peer.chain).Why, h.policy)
		}
	}
	switch {
	case h.cfg.Memory == nil:
	case h.client:
		h.peerName = "server " + nameOfServer(h.serverName, leaf) + port(h.conn.RemoteAddr())
	default:
		h.peerName = "client " + clientName(leaf)
	}
	return nil
}

// nameOfServer names a server as it was asked for, in one spelling. One that was asked for by nothing but
// its key has that for a name.
func nameOfServer(name string, leaf *x509.Certificate) string {
	if name == "" {
		return PinOf(leaf).String()
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// clientName names a client as its authority does, so that a new key does not make another
// client of it.
func clientName(leaf *x509.Certificate) string {
	switch {
	case len(leaf.URIs) > 0:
		return leaf.URIs[0].String()
	case len(leaf.DNSNames) > 0:
		return leaf.DNSNames[0]
	case leaf.Subject.String() != "":
		return leaf.Subject.String()
	}
	return PinOf(leaf).String()
}

func port(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return ""
	}
	return ":" + port
}

// remember notes what was verified of the peer and the strength that it has shown, once it has proved to
// have its key.
func (h *handshake) remember() error {
	if h.peer.chains != nil && !h.peer.cached {
		h.cfg.state().chains.put(h.peer.key, h.peer.chains)
	}
	if h.cfg.Memory == nil || h.peerName == "" {
		return nil
	}
	err := h.cfg.Memory.remember(h.peerName, h.strength)
	if err != nil && !h.rules.MemoryRequired && !errors.Is(err, ErrRegression) {
		h.memoryNote = err.Error()
		return nil
	}
	return err
}
