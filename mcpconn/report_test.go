package mcpconn

import (
	"crypto/tls"
	"testing"

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
