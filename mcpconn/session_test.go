package mcpconn

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestResumption: a second connection resumes, and a third resumes that, with the age of the first
// authentication, and both peers are still known.
func TestResumption(t *testing.T) {
	for _, algorithm := range algorithms() {
		client, server := mutual(t, algorithm)
		now := time.Now()
		clock := func() time.Time { return now }
		client.Time, server.Time = clock, clock
		c, s := connect(t, client, server)
		assert.False(t, c.State().Resumed)
		pin := c.State().Peer.Pin
		c.Close()
		s.Close()
		for i := 1; i <= 3; i++ {
			now = now.Add(time.Minute)
			c, s = connect(t, client, server)
			for _, state := range []State{c.State(), s.State()} {
				require.True(t, state.Resumed, "%d", i)
				assert.Equal(t, Duration(time.Duration(i)*time.Minute), state.AuthenticationAge)
				assert.Equal(t, algorithm != "ECDSA", state.Authentication.QuantumSafe)
				assert.Equal(t, algorithm != "ECDSA", state.Chain.QuantumSafe)
				assert.True(t, state.ChainCached)
			}
			assert.Equal(t, pin, c.State().Peer.Pin)
			assert.Nil(t, c.State().Local)
			assert.Less(t, c.State().Size.Tax, 2400, "a resumed handshake has no certificates")
			c.Close()
			s.Close()
		}
	}
}

// again makes a second connection and says whether both ends have resumed.
func again(t *testing.T, client, server *Config) bool {
	c, s := connect(t, client, server)
	require.Equal(t, c.State().Resumed, s.State().Resumed)
	c.Close()
	s.Close()
	return c.State().Resumed
}

// TestSessionsAreBound: to policy, identity, trust and name, on each side, and to the policy's word.
func TestSessionsAreBound(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", serverName)
	other := a.identity(t, "ECDSA", serverName)
	trust, sameTrust := a.trust(t), a.trust(t)
	policy := Hybrid2026
	clientID, serverID := id, id
	client := &Config{Trust: trust, ServerName: serverName,
		GetIdentity: func(context.Context, ConnInfo) (*Identity, error) { return clientID, nil },
		PolicyFor:   func(context.Context, ConnInfo) (Policy, error) { return policy, nil }}
	server := &Config{Trust: trust,
		GetIdentity: func(context.Context, ConnInfo) (*Identity, error) { return serverID, nil }}
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
	policy = Transition2026
	require.False(t, again(t, client, server), "another policy")
	require.True(t, again(t, client, server))
	policy = Hybrid2026
	require.True(t, again(t, client, server), "its session is still there")
	clientID = other
	require.False(t, again(t, client, server), "another identity")
	clientID = id
	serverID = other
	require.False(t, again(t, client, server), "another server identity")
	require.True(t, again(t, client, server))

	// Another trust, policy and so on are another Config, which shares nothing.
	swapped := &Config{Trust: sameTrust, GetIdentity: server.GetIdentity}
	require.False(t, again(t, client, swapped))
	require.True(t, again(t, client, swapped))
	require.False(t, again(t, client, &Config{Trust: trust, GetIdentity: server.GetIdentity, NoResumption: true}))

	h := func(cfg *Config, rules Policy, id *Identity, name string) [32]byte {
		r, err := rules.rules()
		require.NoError(t, err)
		h := &handshake{cfg: cfg, rules: r, identity: id, serverName: name}
		h.bind()
		return h.binding
	}
	seen := map[[32]byte]bool{}
	for _, cfg := range []*Config{{Trust: trust}, {Trust: sameTrust}, {}} {
		for _, p := range Policies() {
			for _, i := range []*Identity{nil, id, other} {
				for _, name := range []string{"", "a"} {
					seen[h(cfg, p, i, name)] = true
				}
			}
		}
	}
	assert.Len(t, seen, 3*3*3*2)
}

// TestSessionsEnd: with the policy's lifetime, with MaxAge counted from the authentication, with
// the certificate, and when the pins change their mind; strict ones never begin.
func TestSessionsEnd(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	now := time.Now()
	client.Time = func() time.Time { return now }
	server.Time = client.Time
	require.False(t, again(t, client, server))
	now = now.Add(11 * time.Hour)
	require.True(t, again(t, client, server))
	now = now.Add(2 * time.Hour)
	require.False(t, again(t, client, server), "13 hours after the authentication, 2 after the session")

	client, server = mutual(t, "ECDSA")
	client.Time, server.Time = func() time.Time { return now }, func() time.Time { return now }
	server.MaxAge = time.Hour
	require.False(t, again(t, client, server))
	now = now.Add(45 * time.Minute)
	require.True(t, again(t, client, server))
	now = now.Add(30 * time.Minute)
	require.False(t, again(t, client, server))

	if hasMLDSA {
		client, server = mutual(t, "ML-DSA-44")
		client.Policy, server.Policy = PQCStrict2026, PQCStrict2026
		require.False(t, again(t, client, server))
		require.False(t, again(t, client, server))
	}

	// A revocation ends a session as it does a chain.
	client, server = mutual(t, "ECDSA")
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
	client.PinnedKeys = []Pin{{}}
	_, _, err, _ := shake(t, client, server)
	require.ErrorIs(t, err, ErrCertificate)
}

// TestSessionNamesRotate: names of the period before the last are gone, and so are those beyond the bound.
func TestSessionNamesRotate(t *testing.T) {
	var store sessionStore
	now := time.Now()
	one := store.put(now, &session{})
	require.Len(t, one, ticketSize)
	require.NotNil(t, store.get(now.Add(sessionPeriod-1), one))
	require.NotNil(t, store.get(now.Add(sessionPeriod), one))
	require.NotNil(t, store.get(now.Add(2*sessionPeriod-1), one))
	require.Nil(t, store.get(now.Add(2*sessionPeriod), one))
	require.Nil(t, store.get(now, nil))
	require.Nil(t, store.get(now, make([]byte, ticketSize)))
	for range 3 * maxSessions {
		store.put(now.Add(2*sessionPeriod), &session{})
	}
	require.LessOrEqual(t, len(store.current)+len(store.older), 2*maxSessions)
}

// TestMaxAgeCloses a link that outlives it.
func TestMaxAgeCloses(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	client.MaxAge = 300 * time.Millisecond
	c, s := connect(t, client, server)
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, ErrMaxAge)
	assert.Equal(t, ReasonMaxAge, ReasonOf(err))
	_, err = c.Write([]byte("x"))
	require.ErrorIs(t, err, ErrMaxAge)
	_, err = s.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
