package mcpconn

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRegressionIsRefused: who had a post-quantum exchange has it later too, until an operator says
// otherwise, also after a restart.
func TestRegressionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	memory, err := OpenMemory(path)
	require.NoError(t, err)
	a := newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", serverName)
	strong := &Config{Identity: id, Trust: a.trust(t), AnonymousClients: true}
	_, weak := plainConfigs(&Config{Identity: id, Trust: a.trust(t)}, strong)
	weak.CurvePreferences, weak.ClientAuth = []tls.CurveID{tls.X25519}, tls.NoClientCert
	client := func() *Config {
		return &Config{Trust: a.trust(t), ServerName: serverName, Policy: Transition2026, Memory: memory}
	}
	dial := func(server bool) (*Conn, error) {
		x, y := newPipe() // has the same address each time, as a server has
		c, err := Client(x, client())
		require.NoError(t, err)
		if server {
			s, err := Server(y, strong)
			require.NoError(t, err)
			go s.HandshakeContext(t.Context())
		} else {
			go tls.Server(y, weak).Handshake()
		}
		return c, c.HandshakeContext(t.Context())
	}
	_, err = dial(false)
	require.NoError(t, err, "nothing is known yet")
	require.Empty(t, memory.Peers(), "and nothing is to be remembered")
	_, err = dial(true)
	require.NoError(t, err)
	peer := "server " + serverName + ":2"
	require.Equal(t, []string{peer}, memory.Peers())
	for range 2 {
		c, err := dial(false)
		require.ErrorIs(t, err, ErrRegression)
		assert.Equal(t, ReasonRegression, c.State().Reason)
		assert.Contains(t, err.Error(), "post-quantum key exchange")
		_, err = dial(true)
		require.NoError(t, err)
		memory, err = OpenMemory(path) // a restart
		require.NoError(t, err)
	}
	s, ok := memory.Strength(peer)
	require.True(t, ok)
	assert.True(t, s.Exchange)
	assert.False(t, s.Authentication)
	require.NoError(t, memory.Clear(peer))
	require.NoError(t, memory.Clear(peer))
	memory, err = OpenMemory(path)
	require.NoError(t, err)
	_, err = dial(false)
	require.NoError(t, err)
}

// TestServersRememberClients by name, authentication too.
func TestServersRememberClients(t *testing.T) {
	if !hasMLDSA {
		t.Skip("needs identities of ML-DSA, Go 1.27")
	}
	pq, classical := newAuthority(t, "ML-DSA-44"), newAuthority(t, "ECDSA")
	trust, err := NewTrust(pq.cert, classical.cert)
	require.NoError(t, err)
	memory := NewMemory()
	server := &Config{Identity: pq.identity(t, "ML-DSA-44", serverName), Trust: trust, Memory: memory}
	client := func(id *Identity) *Config { return &Config{Identity: id, Trust: trust, ServerName: serverName} }
	weak := client(classical.identity(t, "ECDSA", "agent"))
	connect(t, weak, server)
	connect(t, client(pq.identity(t, "ML-DSA-44", "agent")), server)
	require.Equal(t, []string{"client agent"}, memory.Peers())
	weak = client(classical.identity(t, "ECDSA", "agent"))
	_, _, _, err = shake(t, weak, server)
	require.ErrorIs(t, err, ErrRegression)
	assert.ErrorContains(t, err, "ML-DSA authentication and quantum-safe chain")
	connect(t, client(classical.identity(t, "ECDSA", "another")), server)
	connect(t, client(pq.identity(t, "ML-DSA-44", "agent")), server)
}

// TestDamagedMemory: any cut and any changed byte is noticed; the file is kept, said aloud, and
// the damage survives restarts, until it is cleared.
func TestDamagedMemory(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })

	path := filepath.Join(t.TempDir(), "memory")
	m, err := OpenMemory(path)
	require.NoError(t, err)
	now := time.Now().UTC()
	require.NoError(t, m.remember("peer", Strength{Exchange: true, Since: now}))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range whole {
		_, err := parseMemory(whole[:i])
		require.Error(t, err, "cut at %d", i)
		changed := bytes.Clone(whole)
		changed[i] ^= 0x20
		_, err = parseMemory(changed)
		require.Error(t, err, "changed at %d", i)
	}
	_, err = parseMemory(append(bytes.Clone(whole), '\n'))
	require.Error(t, err)

	for _, torn := range [][]byte{{}, whole[:len(whole)/2], []byte("something else")} {
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		log.Reset()
		m, err = OpenMemory(path)
		require.NoError(t, err)
		assert.Contains(t, log.String(), "damaged")
		require.ErrorIs(t, m.Damage(), ErrMemory)
		kept, err := filepath.Glob(path + ".damaged-*")
		require.NoError(t, err)
		require.NotEmpty(t, kept)
		data, err := os.ReadFile(kept[len(kept)-1])
		require.NoError(t, err)
		assert.Equal(t, torn, data)

		m, err = OpenMemory(path)
		require.NoError(t, err)
		require.ErrorIs(t, m.Damage(), ErrMemory, "after a restart")
	}
	// Other policies go on and say so; strict ones stop.
	client, server := mutual(t, algorithms()[len(algorithms())-1])
	client.Memory = m
	c, _ := connect(t, client, server)
	assert.Contains(t, c.State().Memory, "damaged")
	if hasMLDSA {
		strict := &Config{Identity: client.Identity, Trust: client.Trust, ServerName: serverName, Policy: PQCStrict2026, Memory: m}
		_, _, err, _ := shake(t, strict, server)
		require.ErrorIs(t, err, ErrMemory)
		require.NoError(t, m.ClearDamage())
		connect(t, strict, server)
	}
	require.NoError(t, m.ClearDamage())
	require.NoError(t, m.Damage())
	m, err = OpenMemory(path)
	require.NoError(t, err)
	require.NoError(t, m.Damage())
}

// TestUnwritableMemory: what can't be kept is an error, and not remembered in part.
func TestUnwritableMemory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	_, err := OpenMemory(filepath.Join(dir, "memory"))
	require.ErrorIs(t, err, ErrMemory)
	require.NoError(t, os.Mkdir(dir, 0o700))
	m, err := OpenMemory(filepath.Join(dir, "memory"))
	require.NoError(t, err)
	require.NoError(t, m.remember("a", Strength{Exchange: true}))
	require.NoError(t, os.RemoveAll(dir))
	require.ErrorIs(t, m.remember("b", Strength{Exchange: true}), ErrMemory)
	require.ErrorIs(t, m.Clear("a"), ErrMemory)
	require.Equal(t, []string{"a"}, m.Peers())
	require.NoError(t, m.remember("a", Strength{Exchange: true}), "nothing new to write")

	client, server := mutual(t, algorithms()[len(algorithms())-1])
	client.Memory = m
	c, _ := connect(t, client, server)
	assert.Contains(t, c.State().Memory, "can't lock the file")
	if hasMLDSA {
		strict := &Config{Identity: client.Identity, Trust: client.Trust, ServerName: serverName, Policy: PQCStrict2026, Memory: m}
		_, _, err, _ := shake(t, strict, server)
		require.ErrorIs(t, err, ErrMemory)
	}
	_, err = OpenMemory(t.TempDir())
	require.ErrorIs(t, err, ErrMemory)
}

func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory()
	for i := range maxRemembered {
		m.content.Peers[string(rune(i))+"x"+string(rune(i>>8))+time.Duration(i).String()] = Strength{}
	}
	require.ErrorIs(t, m.remember("one more", Strength{Exchange: true}), ErrMemory)
}

// A swallowingConn loses what is longer than some middleboxes bear.
type swallowingConn struct{ net.Conn }

func (c swallowingConn) Write(b []byte) (int, error) {
	if len(b) > 1000 {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// TestSwallowedHelloThenAWeakerOne: somebody swallows the long hello of a client, which its own stack follows
// by a short one. The server, which takes old clients, does not take this one for such.
func TestSwallowedHelloThenAWeakerOne(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	server.Policy, server.Memory = Transition2026, NewMemory()
	var reasons []Reason
	server.Observer = func(s State, err error) { reasons = append(reasons, s.Reason) }
	server.HandshakeTimeout = 100 * time.Millisecond
	connect(t, client, server)

	x, y := newPipe()
	c, err := Client(swallowingConn{x}, &Config{Identity: client.Identity, Trust: client.Trust, ServerName: serverName, HandshakeTimeout: 50 * time.Millisecond})
	require.NoError(t, err)
	s, err := Server(y, server)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.HandshakeContext(t.Context()) }()
	require.ErrorIs(t, c.HandshakeContext(t.Context()), ErrTimeout)
	require.Error(t, <-done)

	short, _ := plainConfigs(client, server)
	short.CurvePreferences = []tls.CurveID{tls.X25519}
	s, err = plainClient(t, server, short)
	require.ErrorIs(t, err, ErrRegression)
	require.Equal(t, []string{"X25519"}, s.State().Offer.Groups)
	require.Equal(t, "X25519", s.State().Group)
	require.Equal(t, ReasonRegression, reasons[len(reasons)-1])

	require.NoError(t, server.Memory.Clear("client client.example"))
	s, err = plainClient(t, server, short)
	require.NoError(t, err)
	require.NotEmpty(t, s.State().Fallback)
}
