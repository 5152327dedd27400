package mcpconn_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
)

// A badSigner is a key that does not sign as it should.
type badSigner struct {
	crypto.Signer
	sign func(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

func (s badSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(rand, digest, opts)
}

// A badContextSigner is one that is told when to give up.
type badContextSigner struct {
	badSigner
	gaveUp chan struct{}
}

func (s badContextSigner) SignContext(ctx context.Context, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	<-ctx.Done()
	close(s.gaveUp)
	return nil, ctx.Err()
}

var errSigner = errors.New("the token is away")

// TestBadSigners: one that fails, hangs, panics not, or signs wrongly, in either role. Its error
// is told, and nothing wrong leaves.
func TestBadSigners(t *testing.T) {
	for _, algorithm := range leafAlgorithms {
		for _, role := range []string{"client", "server"} {
			for _, kind := range []string{"fails", "hangs", "hangs with a context", "another message", "nothing", "a changed bit"} {
				t.Run(algorithm+" "+role+" "+kind, func(t *testing.T) {
					w := newWorld(t, algorithm)
					client, server := w.client(), w.server()
					bad := client
					leaf, err := w.root.Client(algorithm, "client.example")
					if role == "server" {
						bad = server
						leaf, err = w.root.Server(algorithm, "server.example")
					}
					require.NoError(t, err)
					never := make(chan struct{})
					defer close(never)
					signer := badSigner{Signer: leaf.Key, sign: func(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
						switch kind {
						case "fails":
							return nil, errSigner
						case "another message":
							return leaf.Key.Sign(rand, make([]byte, len(digest)), opts)
						case "nothing":
							return nil, nil
						case "a changed bit":
							signature, err := leaf.Key.Sign(rand, digest, opts)
							if err == nil {
								signature[len(signature)-1] ^= 1
							}
							return signature, err
						}
						<-never
						return nil, errSigner
					}}
					var key crypto.Signer = signer
					gaveUp := make(chan struct{})
					if kind == "hangs with a context" {
						key = badContextSigner{signer, gaveUp}
					}
					bad.Identity, err = mcpconn.NewIdentity(leaf.Chain, key)
					require.NoError(t, err)
					bad.HandshakeTimeout = 300 * time.Millisecond
					start := time.Now()
					o := w.link(client, server)
					failed, other := o.client, o.server
					if role == "server" {
						failed, other = other, failed
					}
					switch kind {
					case "hangs", "hangs with a context":
						assert.True(t, errors.Is(failed, mcpconn.ErrTimeout) || errors.Is(failed, mcpconn.ErrSigner), "%v", failed)
					default:
						assert.ErrorIs(t, failed, mcpconn.ErrSigner)
					}
					if kind == "fails" {
						assert.ErrorIs(t, failed, errSigner)
					}
					assert.Error(t, other)
					assert.Less(t, time.Since(start), 10*time.Second)
					if kind == "hangs with a context" {
						select {
						case <-gaveUp:
						case <-time.After(10 * time.Second):
							t.Error("the signer was not told")
						}
					}
				})
			}
		}
	}
}

// TestDestroyedKeys sign no more, and the error says that it was the identity.
func TestDestroyedKeys(t *testing.T) {
	if !hasMLDSA {
		t.Skip("needs identities of ML-DSA, Go 1.27")
	}
	w := newWorld(t, leafAlgorithms[1])
	for _, role := range []string{"client", "server"} {
		client, server := w.client(), w.server()
		cfg := client
		leaf, err := w.root.Client(leafAlgorithms[1], "client.example")
		if role == "server" {
			cfg = server
			leaf, err = w.root.Server(leafAlgorithms[1], "server.example")
		}
		cfg.Identity = w.config(leaf, err).Identity
		leaf.Key.(interface{ Destroy() }).Destroy()
		o := w.link(client, server)
		failed := map[string]error{"client": o.client, "server": o.server}
		assert.ErrorIs(t, failed[role], mcpconn.ErrSigner, role)
		assert.Error(t, both(o))
	}
}
