package mcpconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"strconv"
	"sync"
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
	serverPolicy := Hybrid2026
	server := &Config{Trust: trust,
		GetIdentity: func(context.Context, ConnInfo) (*Identity, error) { return serverID, nil },
		PolicyFor:   func(context.Context, ConnInfo) (Policy, error) { return serverPolicy, nil }}
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
	serverPolicy = Transition2026
	require.False(t, again(t, client, server), "another policy of the server")
	require.True(t, again(t, client, server))
	for _, end := range []*Config{client, server} {
		end.Trust = sameTrust // which a Config in use must not be given
		require.False(t, again(t, client, server), "another trust generation")
		require.True(t, again(t, client, server))
	}

	// Another trust, policy and so on are another Config, which shares nothing.
	swapped := &Config{Trust: sameTrust, GetIdentity: server.GetIdentity}
	require.False(t, again(t, client, swapped))
	require.True(t, again(t, client, swapped))
	require.False(t, again(t, client, &Config{Trust: trust, GetIdentity: server.GetIdentity, NoResumption: true}))
	client.NoResumption = true
	require.False(t, again(t, client, swapped))

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

	never := func(client, server *Config) {
		require.False(t, again(t, client, server))
		require.False(t, again(t, client, server))
		require.Zero(t, client.state().clientSessions.len())
		require.Nil(t, server.state().sessions.current, "a ticket was made")
	}
	if hasMLDSA {
		client, server = mutual(t, "ML-DSA-44")
		client.Policy, server.Policy = PQCStrict2026, PQCStrict2026
		never(client, server)
	}
	client, server = mutual(t, "ECDSA")
	server.NoResumption = true
	never(client, server)

	// A pin that goes ends a session as it does a chain.
	client, server = mutual(t, "ECDSA")
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
	client.PinnedKeys = []Pin{{}}
	_, _, err, _ := shake(t, client, server)
	require.ErrorIs(t, err, ErrCertificate)
}

// TestTicketKeysRotate: a key seals for a period and opens for one more, then its sessions are gone
// with it, also when nothing came meanwhile; what no key has sealed opens nothing.
func TestTicketKeysRotate(t *testing.T) {
	var store sessionStore
	now := time.Now()
	require.Nil(t, store.get(now, make([]byte, ticketSize)))
	one, other := &session{}, &session{}
	ticket := store.put(now, one)
	require.Len(t, ticket, ticketSize)
	first := store.current
	again := store.put(now.Add(sessionPeriod-1), other)
	require.NotEqual(t, ticket, again)
	require.Same(t, first, store.current)
	require.Same(t, one, store.get(now.Add(sessionPeriod-1), ticket))
	require.Same(t, other, store.get(now.Add(sessionPeriod-1), again))

	third := store.put(now.Add(sessionPeriod), other)
	require.NotSame(t, first, store.current, "a new key")
	require.Same(t, first, store.older)
	require.Same(t, one, store.get(now.Add(2*sessionPeriod-1), ticket))
	require.Same(t, other, store.get(now.Add(2*sessionPeriod-1), third))
	require.Nil(t, store.get(now.Add(2*sessionPeriod), ticket))
	require.Nil(t, store.get(now.Add(2*sessionPeriod), again))
	require.Same(t, other, store.get(now.Add(2*sessionPeriod), third))
	require.Nil(t, store.get(now.Add(3*sessionPeriod), third))
	require.Nil(t, store.current)
	require.Nil(t, store.older)

	for name, wrong := range map[string][]byte{"none": nil, "short": third[:15], "long": append(third, 0), "zeros": make([]byte, ticketSize)} {
		require.Nil(t, store.get(now.Add(sessionPeriod), wrong), name)
	}
	for _, policy := range Policies() {
		rules, err := policy.Rules()
		require.NoError(t, err)
		require.LessOrEqual(t, rules.SessionLifetime, 2*sessionPeriod, "no key lives as long as the sessions of %s may", policy)
	}
}

// TestForgedTickets open nothing: a changed bit, a ticket of another store, and a number of no session
// under the right key.
func TestForgedTickets(t *testing.T) {
	var store, other sessionStore
	now := time.Now()
	ticket, foreign := store.put(now, &session{}), other.put(now, &session{})
	require.NotEqual(t, ticket, foreign)
	require.Nil(t, store.get(now, foreign))
	for bit := range 8 * ticketSize {
		forged := bytes.Clone(ticket)
		forged[bit/8] ^= 1 << (bit % 8)
		require.Nil(t, store.get(now, forged), "bit %d", bit)
	}
	require.NotNil(t, store.get(now, ticket))
	for _, plain := range [][]byte{{7: 1, 15: 0}, {0: 0x80, 15: 0}, {15: 1}, {8: 0x80, 15: 0}} {
		sealed := make([]byte, ticketSize)
		store.current.block.Encrypt(sealed, plain)
		require.Nil(t, store.get(now, sealed), "%x", plain)
	}
}

// TestSessionsAreBounded: each key names maxSessions, and two are kept.
func TestSessionsAreBounded(t *testing.T) {
	var store sessionStore
	now := time.Now()
	tickets := make([][]byte, 3*maxSessions)
	seen := map[string]bool{}
	for i := range tickets {
		tickets[i] = store.put(now, &session{})
		seen[string(tickets[i])] = true
		require.LessOrEqual(t, len(store.current.sessions), maxSessions)
	}
	require.Len(t, seen, len(tickets), "no ticket twice")
	for i, ticket := range tickets {
		require.Equal(t, i >= maxSessions, store.get(now, ticket) != nil, "ticket %d", i)
	}

	client := newLRU[clientSessionKey, *session](maxClientSessions)
	for i := range 2 * maxClientSessions {
		client.put(clientSessionKey{server: strconv.Itoa(i)}, &session{})
	}
	require.Equal(t, maxClientSessions, client.len())
}

// TestClocksThatDiffer a little, as those of handshakes at the same time do, rotate nothing; a clock
// that is set far back does.
func TestClocksThatDiffer(t *testing.T) {
	var store sessionStore
	now := time.Now()
	ticket := store.put(now, &session{})
	require.NotNil(t, store.get(now.Add(-time.Second), ticket))
	store.put(now.Add(-time.Second), &session{})
	require.NotNil(t, store.get(now, ticket))
	require.Nil(t, store.get(now.Add(-24*time.Hour), ticket))
}

// TestOutlivedTicketMeansAFullHandshake, and so does the ticket of a server that was started again or
// whose configuration was swapped: nothing fails, and the next one resumes.
func TestOutlivedTicketMeansAFullHandshake(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	began := time.Now()
	now := began
	server.Time = func() time.Time { return now }
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
	now = began.Add(2*sessionPeriod - time.Minute)
	require.True(t, again(t, client, server))
	// The last resumption's ticket is of a new key, its session of the first authentication.
	now = began.Add(2*sessionPeriod + time.Minute)
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))

	restarted := &Config{Identity: server.Identity, Trust: server.Trust}
	c, s, clientErr, serverErr := shake(t, client, restarted)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
	exchange(t, s, c)
	require.True(t, c.State().Offer.Resumption, "a ticket was shown")
	require.False(t, c.State().Resumed)
	require.True(t, again(t, client, restarted))
}

// TestTicketsThatAreNotOurs are refused before the session is looked for, on the wire too, and a full
// handshake follows.
func TestTicketsThatAreNotOurs(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
	key := client.state().clientSessions
	require.Equal(t, 1, key.len())
	for k, e := range key.entries {
		v := e.Value.(*lruEntry[clientSessionKey, *session]).value
		ticket, state, err := v.client.ResumptionState()
		require.NoError(t, err)
		require.Len(t, ticket, ticketSize)
		forged := bytes.Clone(ticket)
		forged[0] ^= 1
		v.client, err = tls.NewResumptionState(forged, state)
		require.NoError(t, err)
		_ = k
	}
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
}

// TestResumptionsAtTheSameTime: many connections resume one session.
func TestResumptionsAtTheSameTime(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	require.False(t, again(t, client, server))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				x, y := newPipe()
				c, err := Client(x, client)
				assert.NoError(t, err)
				s, err := Server(y, server)
				assert.NoError(t, err)
				go s.Write([]byte("x"))
				_, err = c.Read(make([]byte, 1))
				assert.NoError(t, err)
				assert.True(t, c.State().Resumed)
				x.Close()
			}
		})
	}
	wg.Wait()
}
