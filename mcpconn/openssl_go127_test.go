//go:build go1.27

package mcpconn_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// The tests of this file pin what becomes of a chain that an ML-DSA authority signed. Our hello and
// our request for a certificate have no ML-DSA in signature_algorithms_cert (golang/go issue 82536).
// When they fail because a link is made, mcpconn's documentation has a limit less.

// TestOpenSSLServerWithMLDSAChain: OpenSSL finds no certificate that it may show, and says so by
// an alert.
func TestOpenSSLServerWithMLDSAChain(t *testing.T) {
	p := newPeer(t, mcpconntest.MLDSA65, mcpconntest.MLDSA65)
	address, out := p.server()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := mcpconn.Dial(ctx, "tcp", address, p.config("client"))
	assert.Nil(t, conn)
	assert.ErrorIs(t, err, mcpconn.ErrProtocol, "%s", out)
	assert.ErrorContains(t, err, "remote error: tls: handshake failure")
}

// TestOpenSSLClientWithMLDSAChain: OpenSSL takes our chain, and shows none of its own.
func TestOpenSSLClientWithMLDSAChain(t *testing.T) {
	p := newPeer(t, mcpconntest.MLDSA65, mcpconntest.MLDSA65)
	served := serveEcho(t, p.config("server"))
	out, _ := p.client(served.address, "from them\n", "-cert", "client.crt", "-key", "client.key")
	select {
	case err := <-served.failures:
		assert.ErrorIs(t, err, mcpconn.ErrCertificate)
		assert.ErrorContains(t, err, "didn't provide a certificate")
	case <-served.states:
		assert.Fail(t, "a link was made", "%s", out)
	case <-time.After(20 * time.Second):
		require.FailNow(t, "no handshake", "%s", out)
	}

	cfg := p.config("server")
	cfg.AnonymousClients = true
	served = serveEcho(t, cfg)
	out, err := p.client(served.address, "from them\n")
	require.NoError(t, err, out)
	assert.Contains(t, out, "echo: from them")
	assert.Contains(t, out, "Verification: OK")
	assert.Equal(t, "X25519MLKEM768", served.state(t).Group)
}
