package hsm

import (
	"context"
	"crypto"
	"crypto/x509"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

var _ mcpconn.ContextSigner = (*Signer)(nil)

// linkAlgorithms are keys in the token, and the authority that certifies each. Go 1.27 adds ML-DSA.
var linkAlgorithms = []struct {
	of   Algorithm
	root string
}{
	{ECDSAP256, mcpconntest.ECDSA},
	{ECDSAP384, mcpconntest.ECDSA},
	{RSA2048, mcpconntest.ECDSA},
}

// TestLinksOfMCP: a key in the token is an identity of mcpconn, at both ends, and signs under the
// handshake's context.
func TestLinksOfMCP(t *testing.T) {
	token := openNSS(t)
	for _, algorithm := range linkAlgorithms {
		t.Run(algorithm.of.String(), func(t *testing.T) {
			root, err := mcpconntest.NewAuthority(algorithm.root)
			require.NoError(t, err)
			trust, err := mcpconn.NewTrust(root.Certificate)
			require.NoError(t, err)
			signer, err := token.Signer(background, KeyByID(generate(t, token, algorithm.of).ID))
			require.NoError(t, err)
			seen := &contextSeen{Signer: signer}
			template := mcpconntest.Template(x509.ExtKeyUsageServerAuth, "server.example")
			template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
			der, err := hybrid.CreateCertificate(template, root.Certificate, signer.Public(), root.Key)
			require.NoError(t, err)
			leaf, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			id, err := mcpconn.NewIdentity([]*x509.Certificate{leaf}, seen)
			require.NoError(t, err)

			a, b := net.Pipe()
			client, err := mcpconn.Client(a, &mcpconn.Config{Identity: id, Trust: trust, ServerName: "server.example"})
			require.NoError(t, err)
			server, err := mcpconn.Server(b, &mcpconn.Config{Identity: id, Trust: trust})
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() {
				err := server.HandshakeContext(background)
				if err == nil {
					_, err = server.Write([]byte("x"))
				}
				done <- err
			}()
			_, err = client.Read(make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, <-done)
			assert.Equal(t, id.Pin(), client.State().Peer.Pin)
			assert.Equal(t, id.Pin(), server.State().Peer.Pin)
			assert.Positive(t, client.State().Timing.Signing)
			assert.EqualValues(t, 2, seen.bounded.Load(), "by the handshake's timeout")
		})
	}
}

// A contextSeen counts the signatures under a context that ends.
type contextSeen struct {
	*Signer
	bounded atomic.Int32
}

func (s *contextSeen) SignContext(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, ok := ctx.Deadline(); ok {
		s.bounded.Add(1)
	}
	return s.Signer.SignContext(ctx, message, opts)
}
