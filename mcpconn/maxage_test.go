package mcpconn

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testMaxAge = 150 * time.Millisecond

// shaken is shake that succeeds: a message more could come too late.
func shaken(t *testing.T, client, server *Config) (c, s *Conn) {
	c, s, clientErr, serverErr := shake(t, client, server)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	return c, s
}

// requireMaxAge requires that err is of MaxAge, and everything that is called from now on.
func requireMaxAge(t *testing.T, c *Conn, err error) {
	t.Helper()
	require.ErrorIs(t, err, ErrMaxAge)
	assert.Equal(t, ReasonMaxAge, ReasonOf(err))
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, ErrMaxAge)
	_, err = c.Write([]byte("x"))
	require.ErrorIs(t, err, ErrMaxAge)
	require.ErrorIs(t, c.CloseWrite(), ErrMaxAge)
}

// within returns the error of a call that MaxAge is to end.
func within(t *testing.T, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		require.FailNow(t, "the link outlives MaxAge")
		return nil
	}
}

// aged are the ways to a link whose client, or whose server, has a MaxAge.
var aged = map[string]func(t *testing.T) (old, peer *Conn){
	"client": func(t *testing.T) (old, peer *Conn) {
		client, server := mutual(t, "ECDSA")
		client.MaxAge = testMaxAge
		c, s := shaken(t, client, server)
		return c, s
	},
	"server": func(t *testing.T) (old, peer *Conn) {
		client, server := mutual(t, "ECDSA")
		server.MaxAge = testMaxAge
		c, s := shaken(t, client, server)
		return s, c
	},
	"wrapped": func(t *testing.T) (old, peer *Conn) {
		client, server := mutual(t, "ECDSA")
		plain, _ := plainConfigs(client, server)
		x, y := tcpPair(t)
		s, err := Server(y, server)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- s.HandshakeContext(t.Context()) }()
		client.MaxAge = testMaxAge
		c, err := WrapTLS(tls.Client(x, plain), client)
		require.NoError(t, err)
		require.NoError(t, <-done)
		return c, s
	},
}

// TestMaxAgeEndsReads that are pending.
func TestMaxAgeEndsReads(t *testing.T) {
	for name, link := range aged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, peer := link(t)
			requireMaxAge(t, old, within(t, func() error { _, err := old.Read(make([]byte, 1)); return err }))
			assert.ErrorIs(t, within(t, func() error { _, err := peer.Read(make([]byte, 1)); return err }), io.EOF)
		})
	}
}

// TestMaxAgeEndsWrites that are pending, since the peer does not read.
func TestMaxAgeEndsWrites(t *testing.T) {
	for name, link := range aged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, _ := link(t)
			requireMaxAge(t, old, within(t, func() error {
				for {
					if _, err := old.Write(make([]byte, 1<<20)); err != nil {
						return err
					}
				}
			}))
		})
	}
}

// TestMaxAgeEndsWhatHasTheInnerConnection: net/http has that of crypto/tls.
func TestMaxAgeEndsWhatHasTheInnerConnection(t *testing.T) {
	old, _ := aged["server"](t)
	err := within(t, func() error { _, err := old.TLS().Read(make([]byte, 1)); return err })
	require.ErrorIs(t, err, net.ErrClosed)
	requireMaxAge(t, old, wrapError(ErrMaxAge, err, ""))
}

// TestMaxAgeCountsFromTheAuthentication: a link that was resumed is closed earlier by its age.
func TestMaxAgeCountsFromTheAuthentication(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	client.MaxAge = time.Hour
	now := time.Now()
	client.Time = func() time.Time { return now }
	require.False(t, again(t, client, server))
	now = now.Add(time.Hour - testMaxAge)
	c, s := shaken(t, client, server)
	require.True(t, c.State().Resumed)
	requireMaxAge(t, c, within(t, func() error { _, err := c.Read(make([]byte, 1)); return err }))
	assert.ErrorIs(t, within(t, func() error { _, err := s.Read(make([]byte, 1)); return err }), io.EOF)
}

// TestMaxAgeRefusesWrappedSessions, whose age is not known.
func TestMaxAgeRefusesWrappedSessions(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	plain, _ := plainConfigs(client, server)
	plain.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	client.MaxAge = time.Hour
	wrapped := func() (*Conn, error) {
		x, y := tcpPair(t)
		s, err := Server(y, server)
		require.NoError(t, err)
		go s.Write([]byte("x"))
		c := tls.Client(x, plain)
		if _, err := c.Read(make([]byte, 1)); err != nil {
			return nil, err
		}
		return WrapTLS(c, client)
	}
	_, err := wrapped()
	require.NoError(t, err)
	_, err = wrapped()
	require.ErrorIs(t, err, ErrPolicy)
	require.ErrorContains(t, err, "unknown age")
}

// TestClosedBeforeMaxAge: the timer is stopped, whoever closes, and errors are those of a closed
// connection.
func TestClosedBeforeMaxAge(t *testing.T) {
	for name, end := range map[string]func(*Conn) error{
		"Conn": func(c *Conn) error { return c.Close() },
		"TLS":  func(c *Conn) error { return c.TLS().Close() },
	} {
		client, server := mutual(t, "ECDSA")
		client.MaxAge = time.Hour
		c, _ := shaken(t, client, server)
		require.NoError(t, end(c), name)
		require.Nil(t, c.age.conn.Load(), name)
		require.False(t, c.age.timer.Stop(), name)
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed, name)
		require.NotErrorIs(t, err, ErrMaxAge, name)
	}
}
