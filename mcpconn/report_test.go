package mcpconn

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// classicalSizes returns what a mutual handshake of crypto/tls costs the client and the server with
// X25519 and ECDSA P-256, in bytes.
func classicalSizes(t *testing.T) (client, server int) {
	ours, theirs := mutual(t, "ECDSA")
	plainC, plainS := plainConfigs(ours, theirs)
	plainC.CurvePreferences, plainS.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.X25519}
	plainS.SessionTicketsDisabled, plainS.ClientAuth, plainS.ClientCAs = true, tls.RequireAnyClientCert, nil // as our server
	x, y := newPipe()
	clientConn, serverConn := &countingConn{Conn: x}, &countingConn{Conn: y}
	done := make(chan error, 1)
	go func() { done <- tls.Server(serverConn, plainS).Handshake() }()
	require.NoError(t, tls.Client(clientConn, plainC).Handshake())
	require.NoError(t, <-done)
	return clientConn.sent, serverConn.sent
}

// TestTaxIsThatOfAClassicalHandshake: for each group and identity, with a HelloRetryRequest and with
// a fallback, the estimate is what crypto/tls takes with classical algorithms, but for the names
// in the certificates and the length of their signatures.
func TestTaxIsThatOfAClassicalHandshake(t *testing.T) {
	classicalClient, classicalServer := classicalSizes(t)
	const tolerance = 20
	for _, algorithm := range algorithms() {
		client, server := mutual(t, algorithm)
		client.NoResumption, server.NoResumption = true, true
		c, s := connect(t, client, server)
		for _, size := range []Size{c.State().Size, {
			Sent: s.State().Size.Received, Received: s.State().Size.Sent,
			ClassicalSent: s.State().Size.ClassicalReceived, ClassicalReceived: s.State().Size.ClassicalSent, Tax: s.State().Size.Tax,
		}} {
			assert.InDelta(t, classicalClient, size.ClassicalSent, tolerance, algorithm)
			assert.InDelta(t, classicalServer, size.ClassicalReceived, tolerance, algorithm)
			assert.Equal(t, size.Sent+size.Received-size.ClassicalSent-size.ClassicalReceived, size.Tax)
		}
	}
	for _, group := range []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384} {
		client, server := mutual(t, "ECDSA")
		client.NoResumption, server.NoResumption = true, true
		client.Policy, server.Policy = Transition2026, Transition2026
		plainC, plainS := plainConfigs(client, server)
		plainC.CurvePreferences, plainS.CurvePreferences = []tls.CurveID{group}, []tls.CurveID{group}
		plainS.SessionTicketsDisabled, plainS.ClientAuth, plainS.ClientCAs = true, tls.RequireAnyClientCert, nil
		c, err := plainServer(t, client, plainS)
		require.NoError(t, err)
		size := c.State().Size
		assert.InDelta(t, classicalClient, size.ClassicalSent, tolerance, "%v", group)
		assert.InDelta(t, classicalServer, size.ClassicalReceived, tolerance, "%v", group)
		assert.Greater(t, size.Tax, 1200, "%v: what was offered is paid for", group)

		s, err := plainClient(t, server, plainC)
		require.NoError(t, err)
		size = s.State().Size
		assert.InDelta(t, classicalClient, size.ClassicalReceived, tolerance, "%v", group)
		assert.InDelta(t, classicalServer, size.ClassicalSent, tolerance, "%v", group)
		assert.Equal(t, isPostQuantum(group), size.Tax > 1200, "%v", group)
	}
}

// TestTimeIsSplit: a slow key is signing at its own end and waiting at the other, a slow network is
// waiting at both, and neither is one's own time.
func TestTimeIsSplit(t *testing.T) {
	const slow = 250 * time.Millisecond
	for _, algorithm := range algorithms()[len(algorithms())-1:] {
		a := newAuthority(t, algorithm)
		slowly := func() *Identity {
			chain, key := a.chain(t, algorithm, serverName, nil)
			id, err := NewIdentity(chain, sleepySigner{key, slow})
			require.NoError(t, err)
			return id
		}
		fast := a.identity(t, algorithm, serverName)
		try := func(clientID, serverID *Identity, clientWaits, serverWaits time.Duration) (c, s Timing) {
			x, y := tcpPair(t)
			client, err := Client(slowConn{x, clientWaits}, &Config{Identity: clientID, Trust: a.trust(t), ServerName: serverName})
			require.NoError(t, err)
			server, err := Server(slowConn{y, serverWaits}, &Config{Identity: serverID, Trust: a.trust(t)})
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() { done <- server.HandshakeContext(t.Context()) }()
			require.NoError(t, client.HandshakeContext(t.Context()))
			require.NoError(t, <-done)
			c, s = client.State().Timing, server.State().Timing
			for _, timing := range []Timing{c, s} {
				assert.Equal(t, timing.Total, timing.Own+timing.Signing+timing.Waiting)
				assert.Positive(t, timing.Own)
				assert.Positive(t, timing.Signing)
				assert.Positive(t, timing.Waiting)
				assert.Less(t, timing.Own, Duration(slow))
			}
			return c, s
		}
		c, s := try(slowly(), fast, 0, 0)
		assert.GreaterOrEqual(t, c.Signing, Duration(slow))
		assert.Less(t, c.Waiting, Duration(slow))
		assert.Less(t, s.Signing, Duration(slow))
		assert.GreaterOrEqual(t, s.Waiting, Duration(slow))
		c, s = try(fast, slowly(), 0, 0)
		assert.GreaterOrEqual(t, s.Signing, Duration(slow))
		assert.Less(t, s.Waiting, Duration(slow))
		assert.Less(t, c.Signing, Duration(slow))
		assert.GreaterOrEqual(t, c.Waiting, Duration(slow))
		c, s = try(fast, fast, slow, 0)
		assert.GreaterOrEqual(t, c.Waiting, Duration(slow))
		assert.GreaterOrEqual(t, s.Waiting, Duration(slow), "for the client's second flight")
		assert.Less(t, c.Signing+s.Signing, Duration(slow))
	}
}

// A sleepySigner takes its time.
type sleepySigner struct {
	crypto.Signer
	wait time.Duration
}

func (s sleepySigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	time.Sleep(s.wait)
	return s.Signer.Sign(random, digest, opts)
}

// TestFailedHandshakesAreReported: the Observer is told once, at each end that is ours, with the reason,
// the cause or the peer's alert, what the client has offered and what was chosen until then. The JSON
// and the log line say so too.
func TestFailedHandshakesAreReported(t *testing.T) {
	a, stranger := newAuthority(t, "ECDSA"), newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", serverName)
	strongly := NewMemory()
	require.NoError(t, strongly.remember("server "+serverName+":2", strong))
	for _, test := range []struct {
		name   string
		client func(c *Config)     // changes ours
		server func(s *tls.Config) // changes the other's, nil for something else
		other  func(c net.Conn)
		reason Reason
		kind   error
		alert  string
		group  string // chosen until then
		says   string
	}{
		{name: "policy of the server", server: func(s *tls.Config) { s.CurvePreferences = []tls.CurveID{tls.X25519} },
			reason: "protocol", kind: ErrProtocol, alert: "handshake failure"},
		{name: "policy", reason: "policy", kind: ErrPolicy, group: "P-256", other: func(c net.Conn) {
			// A hello with a group that was not offered.
			hello := append([]byte{typeServerHello, 0, 0, 52, 3, 3}, make([]byte, 32)...)
			hello = append(hello, 0, 0x13, 1, 0, 0, 12, 0, extVersions, 0, 2, 3, 4, 0, extKeyShare, 0, 2, 0, 23)
			c.Write(append([]byte{recordHandshake, 3, 3, 0, byte(len(hello))}, hello...))
		}},
		{name: "regression", client: func(c *Config) { c.Memory = strongly },
			reason: "regression", kind: ErrRegression, group: "X25519MLKEM768"},
		{name: "certificate", client: func(c *Config) { c.Trust = stranger.trust(t) },
			reason: "certificate", kind: ErrCertificate, group: "X25519MLKEM768"},
		{name: "protocol", other: func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
			reason: "protocol", kind: ErrProtocol},
		{name: "alert", other: func(c net.Conn) { c.Write([]byte{recordAlert, 3, 3, 0, 2, 2, 80}) },
			reason: "protocol", kind: ErrProtocol, alert: "internal error"},
		{name: "timeout", client: func(c *Config) { c.HandshakeTimeout = 50 * time.Millisecond }, other: func(net.Conn) {},
			reason: "timeout", kind: ErrTimeout, says: "the peer has answered a hello of 14"},
		{name: "network", other: func(c net.Conn) { c.Close() },
			reason: "network", kind: ErrNetwork},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := &Config{Trust: a.trust(t), ServerName: serverName}
			var seen []State
			client.Observer = func(s State, err error) {
				require.ErrorIs(t, err, test.kind)
				var e *Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, err.Error(), s.Error)
				require.ErrorContains(t, err, test.says)
				seen = append(seen, s)
			}
			if test.client != nil {
				test.client(client)
			}
			x, y := newPipe()
			c, err := Client(x, client)
			require.NoError(t, err)
			go func() {
				if test.other != nil {
					y.Read(make([]byte, 4096))
					test.other(y)
					return
				}
				_, theirs := plainConfigs(&Config{Identity: id, Trust: a.trust(t)}, &Config{Identity: id, Trust: a.trust(t)})
				theirs.ClientAuth = tls.NoClientCert
				if test.server != nil {
					test.server(theirs)
				}
				tls.Server(y, theirs).Handshake()
			}()
			require.ErrorIs(t, c.HandshakeContext(t.Context()), test.kind)
			require.Error(t, c.HandshakeContext(t.Context()))
			require.Len(t, seen, 1)
			s := seen[0]
			assert.Equal(t, c.State(), s)
			assert.False(t, s.Complete)
			assert.True(t, s.Client)
			assert.Equal(t, test.reason, s.Reason)
			assert.Equal(t, test.alert, s.Alert)
			assert.Equal(t, test.group, s.Group)
			assert.Equal(t, test.group != "", s.Version == "TLS 1.3", s.Version)
			require.NotNil(t, s.Offer)
			assert.Equal(t, []string{"TLS 1.3"}, s.Offer.Versions)
			assert.Equal(t, []string{"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"}, s.Offer.Groups)
			assert.Contains(t, s.Offer.Signatures, "ECDSAWithP256AndSHA256")
			assert.Equal(t, hasMLDSA, slices.Contains(s.Offer.Signatures, "ML-DSA-65"))
			assert.Positive(t, s.Timing.Total)
			assert.Positive(t, s.Size.Sent)
			assert.Zero(t, s.Size.Tax)
			for _, answer := range []Answer{s.KeyExchange, s.Authentication, s.Chain} {
				assert.Equal(t, Answer{false, "the handshake failed"}, answer)
			}
			var back State
			require.NoError(t, json.Unmarshal(s.JSON(), &back))
			assert.Equal(t, s.Reason, back.Reason)
			assert.Equal(t, s.Offer, back.Offer)
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Info("link", "state", s)
			assert.Equal(t, 1, strings.Count(log.String(), "\n"))
			assert.Contains(t, log.String(), "state.reason="+string(test.reason))
			assert.Contains(t, log.String(), `state.offered_groups="[X25519MLKEM768 `)
			assert.Contains(t, log.String(), `state.offered_versions="[TLS 1.3]"`)
			assert.Contains(t, log.String(), "state.offered_signatures=")
		})
	}
}
