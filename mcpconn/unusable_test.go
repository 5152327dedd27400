package mcpconn_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// An unusable is a change that makes a configuration one that can't work, and what the error
// says of what to change.
type unusable struct {
	name   string
	change func(cfg *mcpconn.Config)
	says   string
	role   string // "" for both
	mldsa  bool   // in a world of ML-DSA, which takes Go 1.27
}

var unusables = []unusable{
	{name: "strict with an ECDSA key", says: strictNeeds, change: func(cfg *mcpconn.Config) { cfg.Policy = mcpconn.PQCStrict2026 }},
	{name: "strict with an ECDSA key, and trust in ML-DSA", mldsa: true, says: "use an ML-DSA identity", change: func(cfg *mcpconn.Config) {
		cfg.Policy, cfg.Identity = mcpconn.PQCStrict2026, ecdsaIdentity()
	}},
	{name: "no trust and no pins", says: "set Trust, or PinnedKeys and PinsAlone", change: func(cfg *mcpconn.Config) { cfg.Trust = nil }},
	{name: "pins without trust", says: "set Trust, or PinsAlone", change: func(cfg *mcpconn.Config) { cfg.Trust, cfg.PinnedKeys = nil, []mcpconn.Pin{{}} }},
	{name: "pins alone without pins", says: "set PinnedKeys", change: func(cfg *mcpconn.Config) { cfg.PinsAlone = mcpconn.PinnedKeyOnly }},
	{name: "unknown pin mode", says: "unknown PinsAlone", change: func(cfg *mcpconn.Config) { cfg.PinnedKeys, cfg.PinsAlone = []mcpconn.Pin{{}}, -1 }},
	{name: "unknown policy", says: "Hybrid2026", change: func(cfg *mcpconn.Config) { cfg.Policy = "Weak2020" }},
	{name: "policy in other letters", says: "Hybrid2026", change: func(cfg *mcpconn.Config) { cfg.Policy = "hybrid2026" }},
	{name: "MaxAge below 0", says: "MaxAge", change: func(cfg *mcpconn.Config) { cfg.MaxAge = -time.Second }},
	{name: "MaxHandshakes below 0", says: "MaxHandshakes", change: func(cfg *mcpconn.Config) { cfg.MaxHandshakes = -1 }},
	{name: "MaxHandshakesPerAddress below 0", says: "MaxHandshakesPerAddress", change: func(cfg *mcpconn.Config) { cfg.MaxHandshakesPerAddress = -1 }},
	{name: "ALPN of nothing", says: "1 to 255", change: func(cfg *mcpconn.Config) { cfg.ALPN = []string{"h2", ""} }},
	{name: "ALPN too long", says: "1 to 255", change: func(cfg *mcpconn.Config) { cfg.ALPN = []string{string(make([]byte, 256))} }},
	{name: "no identity", role: "server", says: "set Identity or GetIdentity", change: func(cfg *mcpconn.Config) { cfg.Identity = nil }},
	{name: "pins of anonymous clients without trust", role: "server", says: "PinsAlone", change: func(cfg *mcpconn.Config) {
		cfg.Trust, cfg.PinnedKeys, cfg.AnonymousClients = nil, []mcpconn.Pin{{}}, true
	}},
	{name: "no name", role: "client", says: "set ServerName", change: func(cfg *mcpconn.Config) { cfg.ServerName = "" }},
	{name: "a name with its port", role: "client", says: "without the port", change: func(cfg *mcpconn.Config) { cfg.ServerName = "server.example:7443" }},
	{name: "an address with its port", role: "client", says: "without the port", change: func(cfg *mcpconn.Config) { cfg.ServerName = "[2001:db8::1]:7443" }},
	{name: "strict, and no trust in ML-DSA", mldsa: true, says: "trust one, pin the peer's key", change: func(cfg *mcpconn.Config) {
		cfg.Policy, cfg.Trust = mcpconn.PQCStrict2026, mcpconn.SystemTrust()
	}},
}

// strictNeeds is what an ECDSA identity under the strict policy is told.
var strictNeeds = map[bool]string{false: "build with Go 1.27", true: "use an ML-DSA identity, or Hybrid2026"}[hasMLDSA]

func ecdsaIdentity() *mcpconn.Identity {
	root, err := mcpconntest.NewAuthority(mcpconntest.ECDSA)
	if err != nil {
		panic(err)
	}
	leaf, err := root.Server(mcpconntest.ECDSA, "server.example")
	if err != nil {
		panic(err)
	}
	id, err := mcpconn.NewIdentity(leaf.Chain, leaf.Key)
	if err != nil {
		panic(err)
	}
	return id
}

// TestUnusableConfigurations are refused when a connection or listener is made, with what to change.
func TestUnusableConfigurations(t *testing.T) {
	worlds := map[bool]*world{false: newWorld(t, mcpconntest.ECDSA)}
	if hasMLDSA {
		worlds[true] = newWorld(t, mcpconntest.MLDSA44)
	}
	for _, u := range unusables {
		w := worlds[u.mldsa]
		if w == nil {
			continue
		}
		a, b := network(nil)
		defer a.Close()
		defer b.Close()
		if u.role != "server" {
			cfg := w.client()
			require.NoError(t, cfg.CheckClient(), u.name)
			u.change(cfg)
			conn, err := mcpconn.Client(a, cfg)
			assert.Nil(t, conn, u.name)
			requireUnusable(t, err, u)
			requireUnusable(t, cfg.CheckClient(), u)
			if u.name != "no name" { // which Dial takes from the address
				conn, err = mcpconn.Dial(t.Context(), "tcp", "127.0.0.1:1", cfg)
				assert.Nil(t, conn, u.name)
				requireUnusable(t, err, u)
			}
		}
		if u.role != "client" {
			cfg := w.server()
			require.NoError(t, cfg.CheckServer(), u.name)
			u.change(cfg)
			conn, err := mcpconn.Server(b, cfg)
			assert.Nil(t, conn, u.name)
			requireUnusable(t, err, u)
			l, err := mcpconn.Listen(t.Context(), "tcp", "127.0.0.1:0", cfg)
			assert.Nil(t, l, u.name)
			requireUnusable(t, err, u)
			c, good := serveCrowd(t, w.server())
			requireUnusable(t, good.Swap(cfg), u)
			requireServed(t, c, w.client(), nil, 20*time.Second)
		}
	}
}

func requireUnusable(t *testing.T, err error, u unusable) {
	t.Helper()
	require.ErrorIs(t, err, mcpconn.ErrConfig, u.name)
	assert.Equal(t, mcpconn.ReasonConfig, mcpconn.ReasonOf(err), u.name)
	assert.ErrorContains(t, err, u.says, u.name)
}

// TestUnusableChoices: what is chosen for a connection, and can't work, fails its handshake.
func TestUnusableChoices(t *testing.T) {
	choose := func(p mcpconn.Policy) func(context.Context, mcpconn.ConnInfo) (mcpconn.Policy, error) {
		return func(context.Context, mcpconn.ConnInfo) (mcpconn.Policy, error) { return p, nil }
	}
	for name, u := range map[string]unusable{
		"an unknown policy":          {says: "Hybrid2026", change: func(cfg *mcpconn.Config) { cfg.PolicyFor = choose("Weak2020") }},
		"strict for a classical key": {says: "ML-DSA", change: func(cfg *mcpconn.Config) { cfg.PolicyFor = choose(mcpconn.PQCStrict2026) }},
		"no identity": {role: "server", says: "needs one", change: func(cfg *mcpconn.Config) {
			cfg.GetIdentity = func(context.Context, mcpconn.ConnInfo) (*mcpconn.Identity, error) { return nil, nil }
		}},
	} {
		w := newWorld(t, mcpconntest.ECDSA)
		client, server := w.client(), w.server()
		u.name = name
		if u.role == "" {
			u.change(client)
			requireUnusable(t, w.link(client, server).client, u)
			client = w.client()
		}
		u.change(server)
		o := w.link(client, server)
		requireUnusable(t, o.server, u)
		assert.Error(t, o.client, name)
	}
}

// TestPolicyBesidePolicyFor: a Policy that can't work does not matter where another is chosen.
func TestPolicyBesidePolicyFor(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := w.client(), w.server()
	for _, cfg := range []*mcpconn.Config{client, server} {
		cfg.Policy = mcpconn.PQCStrict2026
		cfg.PolicyFor = func(context.Context, mcpconn.ConnInfo) (mcpconn.Policy, error) { return mcpconn.Hybrid2026, nil }
	}
	assert.NoError(t, both(w.link(client, server)))
}

// TestConfigsAsText are a line that says what they are.
func TestConfigsAsText(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client := w.client()
	assert.Equal(t, `mcpconn.Config{policy Hybrid2026, server name "server.example", identity ECDSA P-256 of CN=client.example, trust true, 0 pins, key log false}`, client.String())
	server := &mcpconn.Config{Policy: mcpconn.PQCStrict2026, PinnedKeys: []mcpconn.Pin{{}}, KeyLogWriter: io.Discard,
		GetIdentity: func(context.Context, mcpconn.ConnInfo) (*mcpconn.Identity, error) { return nil, nil }}
	assert.Equal(t, `mcpconn.Config{policy PQCStrict2026, server name "", identity chosen, trust false, 1 pins, key log true}`, server.String())
	assert.Equal(t, "no mcpconn.Config", (*mcpconn.Config)(nil).String())
}

// TestUnusableFiles: what is not whole is not taken in part.
func TestUnusableFiles(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	leaf, err := w.root.Server(mcpconntest.ECDSA, "server.example")
	require.NoError(t, err)
	_, err = mcpconn.NewIdentity(append(leaf.Chain, nil), leaf.Key)
	assert.ErrorIs(t, err, mcpconn.ErrConfig)
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.root.Certificate.Raw})
	for _, kind := range []string{"CERTIFICATE", "X509 CRL"} {
		_, err = mcpconn.ParseTrust(append(bytes.Clone(good), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte{0x30, 0}})...))
		assert.ErrorIs(t, err, mcpconn.ErrConfig, kind)
	}
	dir := t.TempDir()
	require.NoError(t, leaf.Write(dir, "server"))
	for _, files := range [][2]string{{"none", "server.key"}, {"server.crt", "none"}} {
		_, err = mcpconn.LoadIdentity(filepath.Join(dir, files[0]), filepath.Join(dir, files[1]))
		assert.ErrorIs(t, err, mcpconn.ErrConfig)
		assert.ErrorIs(t, err, os.ErrNotExist)
	}
}

// TestUnusableKeys: a key that TLS or crypto/x509 can't use is no identity, and no trust anchor.
func TestUnusableKeys(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	template := mcpconntest.Template(x509.ExtKeyUsageServerAuth, "server.example")
	der, err := hybrid.CreateCertificate(template, w.root.Certificate, p224.Public(), w.root.Key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	_, err = mcpconn.NewIdentity([]*x509.Certificate{cert}, p224)
	require.ErrorIs(t, err, mcpconn.ErrConfig)
	assert.ErrorContains(t, err, "P-256")

	key, err := hybrid.GenerateCompositeKey(hybrid.MLDSA44ECDSAP256SHA256())
	require.NoError(t, err)
	der, err = hybrid.CreateCertificate(template, w.root.Certificate, key.Public(), w.root.Key)
	require.NoError(t, err)
	cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	_, err = mcpconn.NewTrust(w.root.Certificate, cert)
	require.ErrorIs(t, err, mcpconn.ErrConfig)
	assert.ErrorContains(t, err, "trust anchor")
}
