package mcpconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMutualHandshakes: both ends agree on what they have, for every identity and policy that takes it.
func TestMutualHandshakes(t *testing.T) {
	for _, algorithm := range algorithms() {
		for _, policy := range Policies() {
			if policy == PQCStrict2026 && algorithm == "ECDSA" {
				continue
			}
			t.Run(algorithm+"/"+string(policy), func(t *testing.T) {
				client, server := mutual(t, algorithm)
				client.Policy, server.Policy = policy, policy
				c, s := connect(t, client, server)
				cs, ss := c.State(), s.State()
				for _, state := range []State{cs, ss} {
					assert.True(t, state.Complete)
					assert.Equal(t, "X25519MLKEM768", state.Group)
					assert.Equal(t, "ML-KEM-768", state.KEM)
					assert.True(t, state.KeyExchange.QuantumSafe)
					assert.Equal(t, algorithm != "ECDSA", state.Authentication.QuantumSafe, state.Authentication.Why)
					assert.Equal(t, algorithm != "ECDSA", state.Chain.QuantumSafe, state.Chain.Why)
					assert.Equal(t, policy, state.Policy)
					assert.False(t, state.Resumed)
					assert.Empty(t, state.Fallback)
					require.NotNil(t, state.Peer)
					require.NotNil(t, state.Local)
				}
				assert.Equal(t, cs.Local.Pin, ss.Peer.Pin)
				assert.Equal(t, ss.Local.Pin, cs.Peer.Pin)
				assert.Equal(t, cs.Size.Sent, ss.Size.Received)
				assert.Equal(t, cs.Offer, ss.Offer)
				assert.Positive(t, cs.Size.Tax)

				a, err := c.ExportKeyingMaterial("test", nil, 32)
				require.NoError(t, err)
				b, err := s.ExportKeyingMaterial("test", nil, 32)
				require.NoError(t, err)
				assert.Equal(t, a, b)
			})
		}
	}
}

// TestReport: text forms agree with the struct, one line for slog, nothing secret.
func TestReport(t *testing.T) {
	client, server := mutual(t, algorithms()[len(algorithms())-1])
	var seen State
	client.Observer = func(s State, err error) {
		require.NoError(t, err)
		seen = s
	}
	c, s := connect(t, client, server)
	assert.Equal(t, c.State(), seen)
	var back State
	require.NoError(t, json.Unmarshal(c.State().JSON(), &back))
	back.Time = seen.Time // monotonic reading
	back.Peer.NotAfter, back.Local.NotAfter = seen.Peer.NotAfter, seen.Local.NotAfter
	assert.Equal(t, seen, back)

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("link", "state", c.State())
	assert.Equal(t, 1, strings.Count(log.String(), "\n"))
	for _, want := range []string{"state.policy=Hybrid2026", "state.group=X25519MLKEM768", "state.exchange_safe=true", "state.role=client"} {
		assert.Contains(t, log.String(), want)
	}
	timing := c.State().Timing
	assert.Equal(t, timing.Total, timing.Own+timing.Signing+timing.Waiting)
	assert.Positive(t, timing.Own)
	size := s.State().Size
	assert.Positive(t, size.SentSegments)
	assert.Equal(t, size.Tax, size.Sent+size.Received-size.ClassicalSent-size.ClassicalReceived)
	assert.Less(t, size.ClassicalSent, 1428)
}

// TestWrapTLS checks a connection that was made elsewhere.
func TestWrapTLS(t *testing.T) {
	client, server := mutual(t, algorithms()[len(algorithms())-1])
	wrap := func(change func(c, s *tls.Config), client, server *Config) (c, s *Conn, clientErr, serverErr error) {
		plainC, plainS := plainConfigs(client, server)
		plainC.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768, tls.X25519}
		change(plainC, plainS)
		x, y := tcpPair(t)
		done := make(chan struct{})
		go func() { s, serverErr = WrapTLS(tls.Server(y, plainS), server); close(done) }()
		c, clientErr = WrapTLS(tls.Client(x, plainC), client)
		<-done
		return
	}
	c, s, clientErr, serverErr := wrap(func(c, s *tls.Config) {}, client, server)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	assert.Equal(t, "X25519MLKEM768", c.State().Group)
	assert.NotNil(t, s.State().Peer)
	assert.Nil(t, s.State().Offer)
	exchange(t, c, s)

	_, _, clientErr, serverErr = wrap(func(c, s *tls.Config) { s.CurvePreferences = []tls.CurveID{tls.X25519} }, client, server)
	require.ErrorIs(t, clientErr, ErrPolicy)
	require.ErrorIs(t, serverErr, ErrPolicy)

	// What the other configuration did not look at.
	stranger, _ := mutual(t, "ECDSA")
	_, _, clientErr, _ = wrap(func(c, s *tls.Config) { c.InsecureSkipVerify = true }, &Config{Identity: client.Identity, Trust: stranger.Trust, ServerName: serverName}, server)
	require.ErrorIs(t, clientErr, ErrCertificate)
}

// TestConnBeforeAndAfterFailure: nothing is nil, nothing panics, the error stays.
func TestConnBeforeAndAfterFailure(t *testing.T) {
	client, _ := mutual(t, "ECDSA")
	x, y := tcpPair(t)
	c, err := Client(x, client)
	require.NoError(t, err)
	assert.Nil(t, c.TLS())
	assert.True(t, c.State().Client)
	_, err = c.ExportKeyingMaterial("x", nil, 32)
	require.Error(t, err)
	require.NoError(t, c.SetDeadline(time.Time{}))
	go func() { y.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); y.Close() }()
	err = c.HandshakeContext(t.Context())
	require.ErrorIs(t, err, ErrProtocol)
	assert.Contains(t, err.Error(), "does not speak TLS")
	for range 2 {
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, ErrProtocol)
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, ErrProtocol)
		require.ErrorIs(t, c.CloseWrite(), ErrProtocol)
	}
	_, err = c.ExportKeyingMaterial("x", nil, 32)
	require.ErrorIs(t, err, ErrProtocol)
	assert.False(t, c.State().Complete)
	assert.NotNil(t, c.State().Offer)
	c.Close()
	c.Close()
}

// TestContextEndsHandshake, and the connection with it.
func TestContextEndsHandshake(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	for _, isClient := range []bool{true, false} {
		x, y := tcpPair(t)
		make := map[bool]func() (*Conn, error){true: func() (*Conn, error) { return Client(x, client) }, false: func() (*Conn, error) { return Server(y, server) }}[isClient]
		c, err := make()
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, c.HandshakeContext(ctx), ErrTimeout)
		var timeout net.Error
		require.ErrorAs(t, c.HandshakeContext(t.Context()), &timeout)
		assert.True(t, timeout.Timeout())
	}
}

// TestContextEndsTheHandshakeOfAnother call, which has a context of its own.
func TestContextEndsTheHandshakeOfAnother(t *testing.T) {
	_, server := mutual(t, "ECDSA")
	server.HandshakeTimeout = time.Minute
	_, y := tcpPair(t)
	began := make(chan struct{})
	c, err := Server(beginning{y, began}, server)
	require.NoError(t, err)
	read := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); read <- err }()
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.HandshakeContext(ctx), ErrTimeout)
	require.ErrorIs(t, <-read, ErrNetwork)
}

// A beginning tells when it is read from.
type beginning struct {
	net.Conn
	began chan struct{}
}

func (b beginning) Read(p []byte) (int, error) {
	close(b.began)
	return b.Conn.Read(p)
}

// TestCloseWrite lets the other end finish.
func TestCloseWrite(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	c, s := connect(t, client, server)
	require.NoError(t, c.CloseWrite())
	_, err := s.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	exchange(t, s, c)
	require.NoError(t, s.Close())
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// TestCutsAreNoticed: that the connection beneath has ended is not the end of what the peer says.
func TestCutsAreNoticed(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	c, s := connect(t, client, server)
	_, err := s.Write([]byte("half of"))
	require.NoError(t, err)
	s.NetConn().Close()
	_, err = io.ReadFull(c, make([]byte, 7))
	require.NoError(t, err)
	for range 2 {
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, err, ErrNetwork)
		require.NotErrorIs(t, err, io.EOF)
	}
	_, err = io.Copy(io.Discard, c)
	require.ErrorIs(t, err, ErrNetwork)

	c, s = connect(t, client, server)
	require.NoError(t, s.CloseWrite())
	s.NetConn().Close()
	for range 2 {
		_, err = c.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	}
}

// TestNothingOfOursAllocates in Read and Write.
func TestNothingOfOursAllocates(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	c, s := connect(t, client, server)
	message, buffer := make([]byte, 1024), make([]byte, 1024)
	pass := func(from, to net.Conn) func() {
		return func() {
			if _, err := from.Write(message); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(to, buffer); err != nil {
				t.Fatal(err)
			}
		}
	}
	plain := testing.AllocsPerRun(200, pass(c.TLS(), s.TLS()))
	ours := testing.AllocsPerRun(200, pass(c, s))
	assert.LessOrEqual(t, ours, plain)
}

// TestSecretsStayInside: keys appear in no report, error or log.
func TestSecretsStayInside(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	var keys bytes.Buffer
	client.KeyLogWriter = &keys
	c, _ := connect(t, client, server)
	assert.Contains(t, keys.String(), "CLIENT_TRAFFIC_SECRET_0")
	report := string(c.State().JSON()) + fmt.Sprintf("%+v", c.State())
	for _, field := range strings.Fields(keys.String()) {
		if len(field) == 64 || len(field) == 96 {
			assert.NotContains(t, report, field)
		}
	}
}
