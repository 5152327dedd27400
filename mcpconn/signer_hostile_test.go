package mcpconn_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
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

// TestTornMemory cuts a file of memory behind each byte, and changes each byte: what is not
// whole is put aside, said, and refused under a strict policy.
func TestTornMemory(t *testing.T) {
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	w := newWorld(t, leafAlgorithms[0])
	file := filepath.Join(t.TempDir(), "memory")
	client := w.client()
	memory, err := mcpconn.OpenMemory(file)
	require.NoError(t, err)
	client.Memory = memory
	require.NoError(t, both(w.link(client, w.server())))
	require.NoError(t, memory.Damage())
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, whole)

	check := func(name string, content []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "memory")
		require.NoError(t, os.WriteFile(file, content, 0o600))
		memory, err := mcpconn.OpenMemory(file)
		require.NoError(t, err, name)
		require.ErrorIs(t, memory.Damage(), mcpconn.ErrMemory, name)
		aside, err := filepath.Glob(file + ".damaged*")
		require.NoError(t, err)
		require.Len(t, aside, 1, name)
		kept, err := os.ReadFile(aside[0])
		require.NoError(t, err)
		require.Equal(t, content, kept, name)
		require.Contains(t, log.String(), aside[0])
		log.Reset()
		again, err := mcpconn.OpenMemory(file)
		require.NoError(t, err, name)
		require.ErrorIs(t, again.Damage(), mcpconn.ErrMemory, "%s: after a restart", name)
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for n := 0; n < len(whole); n += step {
		check("torn", whole[:n])
		changed := append([]byte(nil), whole...)
		changed[n] ^= 1
		check("changed", changed)
	}
	check("trailing", append(append([]byte(nil), whole...), whole...))
	check("zeros", make([]byte, len(whole)))

	require.NoError(t, os.WriteFile(file, whole[:len(whole)/2], 0o600))
	memory, err = mcpconn.OpenMemory(file)
	require.NoError(t, err)
	for _, algorithm := range leafAlgorithms {
		w := newWorld(t, algorithm)
		for _, policy := range []mcpconn.Policy{mcpconn.Hybrid2026, mcpconn.PQCStrict2026} {
			strict := policy == mcpconn.PQCStrict2026
			if strict && (!hasMLDSA || algorithm == leafAlgorithms[0]) {
				continue // it takes ML-DSA keys
			}
			client := w.client()
			client.Memory, client.Policy = memory, policy
			o := w.link(client, w.server())
			if strict {
				assert.ErrorIs(t, o.client, mcpconn.ErrMemory)
			} else {
				assert.NoError(t, both(o))
				assert.NotEmpty(t, o.clientState.Memory, "it is said")
			}
		}
	}
	require.NoError(t, memory.ClearDamage())
	assert.NoError(t, memory.Damage())
}

// TestUnusableConfigurations are refused when a connection or listener is made, with what to change.
func TestUnusableConfigurations(t *testing.T) {
	w := newWorld(t, leafAlgorithms[0])
	for name, c := range map[string]struct {
		change func(cfg *mcpconn.Config)
		want   string
	}{
		"strict with an ECDSA key": {func(cfg *mcpconn.Config) { cfg.Policy = mcpconn.PQCStrict2026 }, "ML-DSA"},
		"no trust and no pins":     {func(cfg *mcpconn.Config) { cfg.Trust = nil }, "Trust"},
		"unknown policy":           {func(cfg *mcpconn.Config) { cfg.Policy = "Weak2020" }, "Hybrid2026"},
		"pins alone without pins":  {func(cfg *mcpconn.Config) { cfg.PinsAlone = mcpconn.PinnedKeyOnly }, "PinnedKeys"},
		"server without identity":  {func(cfg *mcpconn.Config) { cfg.Identity = nil }, "dentity"},
		"client without a name":    {func(cfg *mcpconn.Config) { cfg.ServerName = "" }, "ServerName"},
	} {
		for _, role := range []string{"client", "server"} {
			if name[:6] == "server" && role == "client" || name[:6] == "client" && role == "server" {
				continue
			}
			cfg := w.client()
			check := cfg.CheckClient
			if role == "server" {
				cfg = w.server()
				check = cfg.CheckServer
			}
			c.change(cfg)
			a, _ := network(nil)
			var conn *mcpconn.Conn
			var err error
			if role == "client" {
				conn, err = mcpconn.Client(a, cfg)
			} else {
				conn, err = mcpconn.Server(a, cfg)
			}
			assert.Nil(t, conn, "%s, %s", name, role)
			if assert.ErrorIs(t, err, mcpconn.ErrConfig, "%s, %s", name, role) {
				assert.ErrorContains(t, err, c.want, "%s, %s", name, role)
			}
			if name != "client without a name" { // which Dial takes from the address
				assert.ErrorIs(t, check(), mcpconn.ErrConfig, "%s, %s", name, role)
			}
			a.Close()
		}
	}
}
