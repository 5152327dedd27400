package mcpconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

// The tests of this file give the checks what crypto/tls would not let through, or this version of Go
// can't make.

// undecided returns the handshake of one end that is to be verified, under a policy's rules.
func undecided(t *testing.T, cfg *Config, client bool, policy Policy, offered ...tls.CurveID) *handshake {
	x, y := newPipe()
	t.Cleanup(func() { x.Close(); y.Close() })
	c := newConn(x, cfg, client)
	if offered != nil {
		c.wire.recorder.Load().parsed = &clientHello{versions: []uint16{tls.VersionTLS13, tls.VersionTLS12}, groups: offered}
	}
	h := c.shake.Load()
	var err error
	h.rules, err = policy.rules()
	require.NoError(t, err)
	h.policy, h.identity = policy, cfg.Identity
	h.bind()
	return h
}

// TestNegotiatedIsChecked against the policy and what was offered, whatever crypto/tls made of it.
func TestNegotiatedIsChecked(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	certs := client.Identity.chain
	pq, classical := tls.X25519MLKEM768, tls.X25519
	for name, c := range map[string]struct {
		client  bool
		policy  Policy
		offered []tls.CurveID
		version uint16
		group   tls.CurveID
		want    string
	}{
		"good":                         {true, Hybrid2026, postQuantumGroups, tls.VersionTLS13, pq, ""},
		"good, of a server":            {false, Hybrid2026, postQuantumGroups, tls.VersionTLS13, pq, ""},
		"good, unknown offer":          {false, Hybrid2026, nil, tls.VersionTLS13, pq, ""},
		"TLS 1.2":                      {true, Transition2026, postQuantumGroups, tls.VersionTLS12, pq, "want TLS 1.3"},
		"classical":                    {true, Hybrid2026, []tls.CurveID{pq, classical}, tls.VersionTLS13, classical, "does not take"},
		"classical, of a server":       {false, Hybrid2026, []tls.CurveID{pq, classical}, tls.VersionTLS13, classical, "does not take"},
		"classical, unknown offer":     {true, Hybrid2026, nil, tls.VersionTLS13, classical, "does not take"},
		"no group":                     {true, Transition2026, nil, tls.VersionTLS13, 0, "does not take"},
		"another group":                {true, Transition2026, nil, tls.VersionTLS13, tls.CurveP521, "does not take"},
		"not offered":                  {true, Hybrid2026, []tls.CurveID{tls.SecP256r1MLKEM768}, tls.VersionTLS13, pq, "was not offered"},
		"classical in transition":      {true, Transition2026, []tls.CurveID{pq, classical}, tls.VersionTLS13, classical, ""},
		"all that the client has":      {false, Transition2026, []tls.CurveID{classical}, tls.VersionTLS13, classical, ""},
		"less than the client has":     {false, Transition2026, []tls.CurveID{classical, pq}, tls.VersionTLS13, classical, "both sides"},
		"strict with a classical leaf": {true, PQCStrict2026, postQuantumGroups, tls.VersionTLS13, pq, "wants ML-DSA"},
	} {
		cfg := &Config{Identity: client.Identity, Trust: client.Trust}
		if c.client {
			cfg.ServerName = "client.example" // that the certificate has
		}
		h := undecided(t, cfg, c.client, c.policy, c.offered...)
		err := h.verify(tls.ConnectionState{Version: c.version, CurveID: c.group, PeerCertificates: certs})
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, ErrPolicy, name)
		assert.ErrorContains(t, err, c.want, name)
	}

	h := undecided(t, server, false, Hybrid2026)
	require.ErrorIs(t, h.verify(tls.ConnectionState{Version: tls.VersionTLS13, CurveID: pq}), ErrCertificate, "no certificate")
	anonymous := &Config{Identity: server.Identity, AnonymousClients: true}
	h = undecided(t, anonymous, false, Hybrid2026)
	require.NoError(t, h.verify(tls.ConnectionState{Version: tls.VersionTLS13, CurveID: pq}))
	h = undecided(t, anonymous, false, Hybrid2026)
	named := tls.ConnectionState{Version: tls.VersionTLS13, CurveID: pq, PeerCertificates: certs}
	require.ErrorIs(t, h.verify(named), ErrCertificate, "and nobody said whom to trust")
	h = undecided(t, &Config{Trust: client.Trust, AnonymousClients: true, ServerName: "client.example"}, true, Hybrid2026)
	require.ErrorIs(t, h.verify(tls.ConnectionState{Version: tls.VersionTLS13, CurveID: pq}), ErrCertificate, "a server is never anonymous")

	memory := NewMemory()
	require.NoError(t, memory.remember("client client.example", Strength{Exchange: true, Since: time.Now()}))
	h = undecided(t, &Config{Identity: server.Identity, Trust: client.Trust, Memory: memory}, false, Transition2026)
	weak := tls.ConnectionState{Version: tls.VersionTLS13, CurveID: classical, PeerCertificates: certs}
	require.ErrorIs(t, h.verify(weak), ErrRegression)
}

// TestResumedIsChecked: only a session of the same binding, and as old as it may be.
func TestResumedIsChecked(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	now := time.Now()
	server.Time, server.MaxAge = func() time.Time { return now }, time.Hour
	resumed := tls.ConnectionState{Version: tls.VersionTLS13, CurveID: tls.X25519MLKEM768, PeerCertificates: client.Identity.chain, DidResume: true}
	for name, c := range map[string]struct {
		change func(s *session) *session
		good   bool
	}{
		"good":             {func(s *session) *session { return s }, true},
		"none":             {func(*session) *session { return nil }, false},
		"another binding":  {func(s *session) *session { s.binding[0] ^= 1; return s }, false},
		"older":            {func(s *session) *session { s.authenticated = now.Add(-time.Hour); return s }, false},
		"from the future":  {func(s *session) *session { s.authenticated = now.Add(time.Second); return s }, false},
		"as old as it may": {func(s *session) *session { s.authenticated = now.Add(1 - time.Hour); return s }, true},
	} {
		h := undecided(t, server, false, Hybrid2026)
		h.offered = c.change(&session{binding: h.binding, authenticated: now.Add(-time.Minute)})
		err := h.verify(resumed)
		if c.good {
			require.NoError(t, err, name)
			assert.Equal(t, h.offered.authenticated, h.authenticated, name)
			continue
		}
		require.ErrorIs(t, err, ErrPolicy, name)
		assert.ErrorContains(t, err, "must not be", name)
	}
	h := undecided(t, server, false, PQCStrict2026)
	assert.False(t, h.resumption())
	assert.True(t, undecided(t, server, false, Hybrid2026).resumption())
}

// TestStrictDecisions: an ML-DSA key, and ML-DSA throughout or a pin. crypto/x509 of Go 1.26 verifies no
// such chain, so it is put where verified ones are kept.
func TestStrictDecisions(t *testing.T) {
	pq, classical := newAuthority(t, "ML-DSA-44"), newAuthority(t, "ECDSA")
	below := pq.sub(t, "ML-DSA-44")
	mixed := classical.sub(t, "ML-DSA-44")
	type certificates = []*x509.Certificate
	leaf := func(a *authority, algorithm string) certificates {
		chain, _ := a.chain(t, algorithm, serverName, nil)
		return chain
	}
	decide := func(pinned bool, certs certificates, verified ...chain) error {
		cfg := &Config{Trust: classical.trust(t), ServerName: serverName}
		if pinned {
			cfg.PinnedKeys = []Pin{PinOf(certs[0])}
			if len(verified) == 0 {
				cfg.PinsAlone = PinnedWithoutChain
			}
		}
		cfg.state().chains.put(newChainKey(certs, cfg.Trust.generation, serverName, x509.ExtKeyUsageServerAuth), verified)
		h := undecided(t, cfg, true, PQCStrict2026)
		err := h.authenticate(certs)
		assert.Equal(t, h.strength.Authentication && h.strength.Chain, err == nil)
		return err
	}
	good := leaf(below, "ML-DSA-44")
	bad := leaf(mixed, "ML-DSA-44")
	require.NoError(t, decide(false, good, chain{good[0], below.cert, pq.cert}))
	require.ErrorIs(t, decide(false, bad, chain{bad[0], mixed.cert, classical.cert}), ErrPolicy)
	require.NoError(t, decide(false, bad, chain{bad[0], mixed.cert, classical.cert}, chain{bad[0], mixed.cert}), "another chain is safe")
	require.NoError(t, decide(false, bad, chain{bad[0], mixed.cert}, chain{bad[0], mixed.cert, classical.cert}), "another chain is safe")
	require.NoError(t, decide(true, bad, chain{bad[0], mixed.cert, classical.cert}))
	require.NoError(t, decide(true, leaf(classical, "ML-DSA-44")))
	ec := leaf(pq, "ECDSA")
	require.ErrorIs(t, decide(false, ec, chain{ec[0], pq.cert}), ErrPolicy)
	require.ErrorIs(t, decide(true, ec, chain{ec[0], pq.cert}), ErrPolicy)
	require.ErrorIs(t, decide(true, ec), ErrPolicy)
}

// TestDamagedMemoryStops a policy that says so, before and after the handshake.
func TestDamagedMemoryStops(t *testing.T) {
	old := policies
	t.Cleanup(func() { policies = old })
	rules, err := Hybrid2026.Rules()
	require.NoError(t, err)
	rules.Policy, rules.MemoryRequired = "WithMemory", true
	policies = append(policies[:len(policies):len(policies)], rules)
	dir := t.TempDir()
	torn := filepath.Join(dir, "torn")
	require.NoError(t, os.WriteFile(torn, []byte("torn"), 0o600))
	gone := filepath.Join(dir, "gone")
	for _, policy := range []Policy{Hybrid2026, "WithMemory"} {
		client, server := mutual(t, "ECDSA")
		damaged, err := OpenMemory(torn)
		require.NoError(t, err)
		require.ErrorIs(t, damaged.Damage(), ErrMemory)
		require.NoError(t, os.Mkdir(gone, 0o700))
		unwritable, err := OpenMemory(filepath.Join(gone, "memory"))
		require.NoError(t, err)
		require.NoError(t, os.RemoveAll(gone))
		for _, memory := range []*Memory{damaged, unwritable} {
			cfg := &Config{Identity: client.Identity, Trust: client.Trust, ServerName: serverName, Policy: policy, Memory: memory}
			c, _, err, _ := shake(t, cfg, server)
			if policy == Hybrid2026 {
				require.NoError(t, err)
				assert.NotEmpty(t, c.State().Memory)
				continue
			}
			require.ErrorIs(t, err, ErrMemory)
			assert.Equal(t, ReasonMemory, c.State().Reason)
		}
	}
}

// TestSessionsAreOfValidCertificates: a session is not resumed by who has become invalid.
func TestSessionsAreOfValidCertificates(t *testing.T) {
	for _, role := range []string{"client", "server"} {
		for _, kind := range []string{"expired", "revoked"} {
			t.Run(kind+", seen by the "+role, func(t *testing.T) {
				a := newAuthority(t, "ECDSA")
				short := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(time.Hour) }
				client := &Config{Identity: a.identityWith(t, "ECDSA", "client.example", short), Trust: a.trust(t), ServerName: serverName}
				server := &Config{Identity: a.identityWith(t, "ECDSA", serverName, short), Trust: a.trust(t)}
				now := time.Now()
				refuser, refused := client, server
				if role == "server" {
					refuser, refused = server, client
				}
				refuser.Time = func() time.Time { return now }
				require.False(t, again(t, client, server))
				require.True(t, again(t, client, server))
				if kind == "expired" {
					now = now.Add(2 * time.Hour)
				} else {
					der, err := hybrid.CreateRevocationList(&x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour),
						RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: refused.Identity.chain[0].SerialNumber, RevocationTime: now}}}, a.cert, a.key)
					require.NoError(t, err)
					list, err := x509.ParseRevocationList(der)
					require.NoError(t, err)
					require.NoError(t, refuser.Trust.SetRevocationLists(list))
				}
				c, _, err, serverErr := shake(t, client, server)
				if role == "server" {
					err = serverErr
				}
				require.ErrorIs(t, err, ErrCertificate)
				// crypto/tls itself forgets the session of a server whose certificate has expired.
				assert.Equal(t, kind == "revoked" || role == "server", c.State().Offer.Resumption)
			})
		}
	}
}

// TestForeignTicketsAreNoSessions, of whatever length.
func TestForeignTicketsAreNoSessions(t *testing.T) {
	var store sessionStore
	now := time.Now()
	own := store.put(now, &session{})
	require.NotNil(t, store.get(now, own))
	for n := range 3 * ticketSize {
		foreign := append(bytes.Clone(own), make([]byte, 2*ticketSize)...)[:n]
		if n == ticketSize {
			foreign[n-1] ^= 1
		}
		require.Nil(t, store.get(now, foreign), "%d bytes", n)
	}
}

// TestServersChooseWhatWasOffered: a hello of a server that has chosen TLS 1.2, or a group which was not
// offered, is refused by policy. crypto/tls has no words for it.
func TestServersChooseWhatWasOffered(t *testing.T) {
	client, _ := mutual(t, "ECDSA")
	hello := func(extensions ...byte) []byte {
		body := append([]byte{3, 3}, make([]byte, 32)...)               // random
		body = append(body, 0, 0x13, 0x01, 0, 0, byte(len(extensions))) // no session, AES-128-GCM, no compression
		body = append(body, extensions...)
		message := append([]byte{typeServerHello, 0, 0, byte(len(body))}, body...)
		return append([]byte{recordHandshake, 3, 3, 0, byte(len(message))}, message...)
	}
	group := append([]byte{0, extVersions, 0, 2, 3, 4, 0, extKeyShare, 0, 36, 0, 29, 0, 32}, make([]byte, 32)...)
	for says, answer := range map[string][]byte{
		"has chosen TLS 1.2":                 hello(),
		"has chosen the key exchange X25519": hello(group...),
	} {
		x, y := tcpPair(t)
		c, err := Client(x, client)
		require.NoError(t, err)
		go func() {
			y.Read(make([]byte, 4096))
			y.Write(answer)
		}()
		err = c.HandshakeContext(t.Context())
		require.ErrorIs(t, err, ErrPolicy)
		assert.ErrorContains(t, err, says)
		assert.Equal(t, ReasonPolicy, c.State().Reason)
	}
}

// TestIdentitiesThatAreNotThere: the error of GetIdentity ends the handshake, on both sides.
func TestIdentitiesThatAreNotThere(t *testing.T) {
	away := errors.New("the token is away")
	for _, isClient := range []bool{true, false} {
		client, server := mutual(t, "ECDSA")
		cfg := server
		if isClient {
			cfg = client
		}
		cfg.GetIdentity = func(context.Context, ConnInfo) (*Identity, error) { return nil, away }
		_, _, err, serverErr := shake(t, client, server)
		if !isClient {
			err = serverErr
		}
		require.ErrorIs(t, err, ErrSigner)
		require.ErrorIs(t, err, away)
	}
}

// TestUnusableRevocationLists are refused, and those before them stay.
func TestUnusableRevocationLists(t *testing.T) {
	trust := newAuthority(t, "ECDSA").trust(t)
	before := trust.lists.Load()
	for _, list := range []*x509.RevocationList{nil, {RevokedCertificateEntries: []x509.RevocationListEntry{{}}}} {
		require.ErrorIs(t, trust.SetRevocationLists(list), ErrConfig)
	}
	assert.Same(t, before, trust.lists.Load())
}
