package mcpconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPoliciesAreFixed: a released policy never changes. Another one gets another name.
func TestPoliciesAreFixed(t *testing.T) {
	want := map[Policy]string{
		PQCStrict2026:  `{"policy":"PQCStrict2026","date":"2026-11-01","groups":[4588,4587,4589],"post_quantum_exchange":true,"post_quantum_authentication":true,"resumption":false,"session_lifetime":0,"max_chain":4,"memory_required":true}`,
		Hybrid2026:     `{"policy":"Hybrid2026","date":"2026-11-01","groups":[4588,4587,4589],"post_quantum_exchange":true,"post_quantum_authentication":false,"resumption":true,"session_lifetime":43200000000000,"max_chain":4,"memory_required":false}`,
		Transition2026: `{"policy":"Transition2026","date":"2026-11-01","groups":[4588,4587,4589,29,23,24],"post_quantum_exchange":false,"post_quantum_authentication":false,"resumption":true,"session_lifetime":43200000000000,"max_chain":4,"memory_required":false}`,
	}
	require.Len(t, want, len(Policies()))
	for _, p := range Policies() {
		rules, err := p.Rules()
		require.NoError(t, err)
		got, err := json.Marshal(rules)
		require.NoError(t, err)
		assert.Equal(t, want[p], string(got))
		rules.Groups[0] = 0
	}
	again, err := Policy("").Rules()
	require.NoError(t, err)
	assert.Equal(t, Hybrid2026, again.Policy)
	assert.Equal(t, tls.X25519MLKEM768, again.Groups[0], "what a caller has is a copy")

	_, err = Policy("Hybrid2025").Rules()
	require.ErrorIs(t, err, ErrConfig)
	assert.ErrorContains(t, err, "Hybrid2025")
	assert.ErrorContains(t, err, "PQCStrict2026")
}

// plainServer runs crypto/tls against our client.
func plainServer(t *testing.T, client *Config, server *tls.Config) (*Conn, error) {
	rawClient, rawServer := tcpPair(t)
	c, err := Client(rawClient, client)
	require.NoError(t, err)
	go func() {
		s := tls.Server(rawServer, server)
		if s.Handshake() == nil {
			s.Write([]byte("x"))
		}
	}()
	return c, c.HandshakeContext(t.Context())
}

// plainClient runs crypto/tls against our server.
func plainClient(t *testing.T, server *Config, client *tls.Config) (*Conn, error) {
	rawClient, rawServer := tcpPair(t)
	s, err := Server(rawServer, server)
	require.NoError(t, err)
	go tls.Client(rawClient, client).Handshake()
	return s, s.HandshakeContext(t.Context())
}

// TestGroups: each hybrid group works, also after a HelloRetryRequest, and classical ones only
// where the policy takes them, which is reported.
func TestGroups(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	for _, group := range []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384} {
		for _, policy := range []Policy{Hybrid2026, Transition2026} {
			t.Run(group.String()+"/"+string(policy), func(t *testing.T) {
				client := &Config{Identity: client.Identity, Trust: client.Trust, ServerName: serverName, Policy: policy}
				server := &Config{Identity: server.Identity, Trust: server.Trust, Policy: policy}
				plainC, plainS := plainConfigs(client, server)
				plainC.CurvePreferences, plainS.CurvePreferences = []tls.CurveID{group}, []tls.CurveID{group}

				c, clientErr := plainServer(t, client, plainS)
				s, serverErr := plainClient(t, server, plainC)
				if policy == Hybrid2026 && !isPostQuantum(group) {
					require.ErrorIs(t, serverErr, ErrPolicy)
					require.ErrorIs(t, clientErr, ErrProtocol)
					assert.Equal(t, "handshake failure", c.State().Alert)
					assert.ErrorContains(t, clientErr, "no post-quantum key exchange")
					assert.Equal(t, ReasonPolicy, s.State().Reason)
					require.NotNil(t, s.State().Offer)
					assert.Equal(t, []string{groupName(group)}, s.State().Offer.Groups)
					assert.False(t, s.State().KeyExchange.QuantumSafe)
					return
				}
				require.NoError(t, clientErr)
				require.NoError(t, serverErr)
				for _, state := range []State{c.State(), s.State()} {
					assert.Equal(t, groupName(group), state.Group)
					assert.Equal(t, isPostQuantum(group), state.KeyExchange.QuantumSafe)
					assert.Equal(t, isPostQuantum(group), state.Fallback == "", state.Fallback)
				}
				// Our client sends a share of X25519MLKEM768, and under Transition2026 its X25519 too.
				hasShare := group == tls.X25519MLKEM768 || group == tls.X25519
				assert.Equal(t, !hasShare, c.State().HelloRetryRequest)
			})
		}
	}
}

// TestTLS12IsRefused by both ends, by policy.
func TestTLS12IsRefused(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	plainC, plainS := plainConfigs(client, server)
	plainC.MinVersion, plainS.MinVersion = tls.VersionTLS12, tls.VersionTLS12
	plainC.MaxVersion, plainS.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	s, err := plainClient(t, server, plainC)
	require.ErrorIs(t, err, ErrPolicy)
	assert.Equal(t, []string{"TLS 1.2"}, s.State().Offer.Versions)
	_, err = plainServer(t, client, plainS)
	require.ErrorIs(t, err, ErrProtocol, "the server's alert")
	assert.Contains(t, err.Error(), "protocol version")
}

// TestPolicyFor chooses before the handshake, from what is known then, on both sides.
func TestPolicyFor(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	var clientInfo, serverInfo ConnInfo
	client.PolicyFor = func(_ context.Context, info ConnInfo) (Policy, error) { clientInfo = info; return Transition2026, nil }
	server.PolicyFor = func(_ context.Context, info ConnInfo) (Policy, error) { serverInfo = info; return "", nil }
	c, s := connect(t, client, server)
	assert.Equal(t, Transition2026, c.State().Policy)
	assert.Equal(t, Hybrid2026, s.State().Policy)
	assert.True(t, clientInfo.Client)
	assert.Nil(t, clientInfo.Offer)
	assert.Equal(t, serverName, clientInfo.ServerName)
	assert.Equal(t, serverName, serverInfo.ServerName)
	assert.Equal(t, s.RemoteAddr(), serverInfo.RemoteAddr)
	require.NotNil(t, serverInfo.Offer)
	assert.Contains(t, serverInfo.Offer.Groups, "X25519")

	cause := errors.New("not from there")
	for name, choose := range map[string]func(context.Context, ConnInfo) (Policy, error){
		"refused": func(context.Context, ConnInfo) (Policy, error) { return "", cause },
		"unknown": func(context.Context, ConnInfo) (Policy, error) { return "Lax", nil },
		"strict":  func(context.Context, ConnInfo) (Policy, error) { return PQCStrict2026, nil },
	} {
		want := map[string]error{"refused": ErrPolicy, "unknown": ErrConfig, "strict": ErrConfig}[name]
		server := &Config{Identity: server.Identity, Trust: server.Trust, PolicyFor: choose}
		_, _, clientErr, serverErr := shake(t, client, server)
		assert.ErrorIs(t, serverErr, want, name)
		assert.ErrorIs(t, clientErr, ErrProtocol, name)
		if name == "refused" {
			assert.ErrorIs(t, serverErr, cause)
		}
	}
}

// TestHelloSize pins what crypto/tls makes of a hello. Its fixed part takes all but 11 bytes of the 1,428 that a
// segment carries (17 on Go 1.26): a name and ALPN of together 40 bytes do not fit,
// and nothing in tls.Config makes it smaller. What is ours to keep small is: one share, three groups, and a
// session whose ticket is 16 bytes, whatever certificates the client has shown.
func TestHelloSize(t *testing.T) {
	const fixed, mldsaSignatures = 1411, 6
	const nameOverhead, alpnOverhead = 4 + 2 + 3, 4 + 2 // and one byte for each name of ALPN
	const resumable, session = 4 + 6, 4 + 2 + 2 + ticketSize + 4 + 2 + 1 + 32
	base := fixed
	if hasMLDSA {
		base += mldsaSignatures
	}
	assert.LessOrEqual(t, base, segmentSize)
	name := "a-server-with-a-name.example"
	alpn := []string{"mcp/2026", "h2.2"} // 28 + 12 bytes
	for _, algorithm := range algorithms() {
		a := newAuthority(t, algorithm)
		for _, policy := range []Policy{Hybrid2026, PQCStrict2026} {
			if policy == PQCStrict2026 && algorithm == "ECDSA" {
				continue
			}
			client := &Config{Identity: a.identity(t, algorithm, "client.example"), Trust: a.trust(t), ServerName: name, ALPN: alpn, Policy: policy}
			server := &Config{Identity: a.identity(t, algorithm, name), Trust: a.trust(t), ALPN: alpn, Policy: policy}
			for i := range 2 {
				want := base + nameOverhead + alpnOverhead + len(alpn) + 40
				if policy == Hybrid2026 {
					want += resumable + i*session
				}
				c, s := connect(t, client, server)
				offer := c.State().Offer
				assert.Equal(t, policy == Hybrid2026 && i == 1, offer.Resumption)
				assert.Equal(t, want, offer.HelloSize)
				assert.Equal(t, 2, offer.HelloSegments)
				assert.Equal(t, []string{"X25519MLKEM768"}, offer.Shares)
				assert.Equal(t, offer, s.State().Offer)
			}
		}
	}
}

// TestOfferIsCheckedAgain: what our own hello offers is what the policy takes, and what was negotiated was
// offered, whatever crypto/tls made of them.
func TestOfferIsCheckedAgain(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	tls13, tls12 := []uint16{tls.VersionTLS13}, []uint16{tls.VersionTLS12}
	both := append([]tls.CurveID{tls.X25519}, postQuantumGroups...)
	for _, test := range []struct {
		server bool
		policy Policy
		hello  clientHello
		says   string // "" for none
	}{
		{false, Hybrid2026, clientHello{versions: tls13, groups: postQuantumGroups}, ""},
		{false, Transition2026, clientHello{versions: tls13, groups: both}, ""},
		{true, Hybrid2026, clientHello{versions: tls13, groups: both}, ""},
		{false, Hybrid2026, clientHello{versions: tls13, groups: both}, "were offered, and Hybrid2026 takes [X25519MLKEM768 "},
		{false, Hybrid2026, clientHello{versions: tls12, groups: postQuantumGroups}, "TLS 1.3 was negotiated, which was not offered"},
		{true, Hybrid2026, clientHello{versions: tls12, groups: postQuantumGroups}, "TLS 1.3 was negotiated, which was not offered"},
	} {
		cfg, peer := client, server
		if test.server {
			cfg, peer = server, client
		}
		h := undecided(t, &Config{Identity: cfg.Identity, Trust: cfg.Trust, ServerName: cfg.ServerName}, !test.server, test.policy)
		h.serverName = cfg.ServerName
		h.conn.wire.recorder.Load().parsed = &test.hello
		err := h.verify(tls.ConnectionState{Version: tls.VersionTLS13, CurveID: tls.X25519MLKEM768, PeerCertificates: peer.Identity.chain})
		if test.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrPolicy)
		assert.ErrorContains(t, err, test.says)
	}
}

// A placedConn has the addresses that a test gives it.
type placedConn struct {
	net.Conn
	remote net.Addr
}

func (c placedConn) RemoteAddr() net.Addr { return c.remote }

// TestPolicyForGoesByTheOffer: an old client is let in where it may be, and no other gets less for it.
func TestPolicyForGoesByTheOffer(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	server.PolicyFor = func(_ context.Context, info ConnInfo) (Policy, error) {
		if !slices.Contains(info.Offer.Groups, "X25519MLKEM768") {
			return Transition2026, nil
		}
		return Hybrid2026, nil
	}
	old, _ := plainConfigs(client, server)
	old.CurvePreferences = []tls.CurveID{tls.X25519}
	s, err := plainClient(t, server, old)
	require.NoError(t, err)
	assert.Equal(t, Transition2026, s.State().Policy)
	assert.Equal(t, "classical key exchange: the client has no post-quantum one", s.State().Fallback)
	_, s = connect(t, client, server)
	assert.Equal(t, Hybrid2026, s.State().Policy)
	assert.Empty(t, s.State().Fallback)
}

// TestPolicyForForcesTheStrictOne on a network or a name, and on nothing else.
func TestPolicyForForcesTheStrictOne(t *testing.T) {
	if !hasMLDSA {
		t.Skip("needs identities of ML-DSA, Go 1.27")
	}
	risky := netip.MustParsePrefix("203.0.113.0/24")
	addr := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	choose := func(ctx context.Context, info ConnInfo) (Policy, error) {
		if _, bounded := ctx.Deadline(); !bounded {
			return "", errors.New("not the context of the handshake")
		}
		from := info.RemoteAddr.(*net.TCPAddr).AddrPort().Addr().Unmap()
		if risky.Contains(from) || info.ServerName == "vault.example" {
			return PQCStrict2026, nil
		}
		return "", nil
	}
	pq, classical := newAuthority(t, "ML-DSA-65"), newAuthority(t, "ECDSA")
	trust, err := NewTrust(pq.cert, classical.cert)
	require.NoError(t, err)
	names := func(c *x509.Certificate) { c.DNSNames = []string{serverName, "vault.example"} }
	strongID, weakID := pq.identityWith(t, "ML-DSA-65", serverName, names), classical.identityWith(t, "ECDSA", serverName, names)
	for _, test := range []struct {
		from, name     string
		clientID       *Identity
		client, server Policy
		fails          bool
	}{
		{from: "198.51.100.1:5000", name: serverName, clientID: weakID, client: Hybrid2026, server: Hybrid2026},
		{from: "203.0.113.7:5000", name: serverName, clientID: strongID, client: Hybrid2026, server: PQCStrict2026},
		{from: "203.0.113.7:5000", name: serverName, clientID: weakID, client: Hybrid2026, server: PQCStrict2026, fails: true},
		{from: "198.51.100.1:5000", name: "vault.example", clientID: weakID, client: Hybrid2026, server: PQCStrict2026, fails: true},
		{from: "198.51.100.1:5000", name: "vault.example", clientID: strongID, client: Hybrid2026, server: PQCStrict2026},
	} {
		x, y := tcpPair(t)
		c, err := Client(x, &Config{Identity: test.clientID, Trust: trust, ServerName: test.name})
		require.NoError(t, err)
		s, err := Server(placedConn{y, addr(test.from)}, &Config{Identity: strongID, Trust: trust, PolicyFor: choose})
		require.NoError(t, err)
		go c.HandshakeContext(t.Context())
		err = s.HandshakeContext(t.Context())
		assert.Equal(t, test.server, s.State().Policy)
		if test.fails {
			require.ErrorIs(t, err, ErrPolicy)
		} else {
			require.NoError(t, err)
		}
	}
	// A client goes by the server's address.
	for from, want := range map[string]error{"203.0.113.7:443": ErrPolicy, "198.51.100.1:443": nil} {
		x, y := tcpPair(t)
		c, err := Client(placedConn{x, addr(from)}, &Config{Identity: strongID, Trust: trust, ServerName: serverName, PolicyFor: choose})
		require.NoError(t, err)
		s, err := Server(y, &Config{Identity: weakID, Trust: trust})
		require.NoError(t, err)
		go s.HandshakeContext(t.Context())
		err = c.HandshakeContext(t.Context())
		if want == nil {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, want)
		}
	}
}

// TestDialTriesOnce: whatever a peer answers, or does not, nothing weaker is tried by itself.
func TestDialTriesOnce(t *testing.T) {
	client, _ := mutual(t, "ECDSA")
	for name, answer := range map[string]func(net.Conn){
		"nothing":      func(net.Conn) {},
		"an alert":     func(c net.Conn) { c.Read(make([]byte, 4096)); c.Write([]byte{recordAlert, 3, 3, 0, 2, 2, 40}) },
		"a black hole": func(c net.Conn) { io.Copy(io.Discard, c) },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var connections, hellos atomic.Int32
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				connections.Add(1)
				go func() {
					defer c.Close()
					answer(c)
				}()
			}
		}()
		cfg := &Config{Identity: client.Identity, Trust: client.Trust, Policy: Transition2026, HandshakeTimeout: 100 * time.Millisecond,
			Observer: func(State, error) { hellos.Add(1) }}
		_, err = Dial(t.Context(), "tcp", l.Addr().String(), cfg)
		require.Error(t, err, name)
		time.Sleep(20 * time.Millisecond)
		l.Close()
		assert.EqualValues(t, 1, connections.Load(), name)
		assert.EqualValues(t, 1, hellos.Load(), name)
	}
}
