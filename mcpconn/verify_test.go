package mcpconn

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

// TestWrongPeersAreRefused: by the client for what the server shows, and by the server for what the
// client shows, each by the end that is to notice, with the reason certificate.
func TestWrongPeersAreRefused(t *testing.T) {
	for _, algorithm := range algorithms()[:min(2, len(algorithms()))] {
		a, stranger := newAuthority(t, algorithm), newAuthority(t, algorithm)
		deep := a.sub(t, algorithm).sub(t, algorithm).sub(t, algorithm).sub(t, algorithm)
		id := func(change func(*x509.Certificate)) *Identity {
			return a.identityWith(t, algorithm, serverName, change)
		}
		for name, wrong := range map[string]*Identity{
			"expired":      id(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
			"not yet":      id(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }),
			"unknown root": stranger.identity(t, algorithm, serverName),
			"key usage":    id(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }),
			"five certs":   deep.identity(t, algorithm, serverName),
			"other usage":  id(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }),
		} {
			t.Run(algorithm+"/"+name, func(t *testing.T) {
				good := id(nil)
				client := &Config{Identity: good, Trust: a.trust(t), ServerName: serverName}
				server := &Config{Identity: wrong, Trust: a.trust(t)}
				_, _, clientErr, serverErr := shake(t, client, server)
				require.ErrorIs(t, clientErr, ErrCertificate)
				require.Error(t, serverErr)
				assert.NotErrorIs(t, serverErr, ErrCertificate)

				client.Identity, server.Identity = wrong, good
				client = &Config{Identity: wrong, Trust: client.Trust, ServerName: serverName}
				server = &Config{Identity: good, Trust: server.Trust}
				c, s, clientErr, serverErr := shake(t, client, server)
				require.NoError(t, clientErr, "a client of TLS 1.3 is done before")
				require.ErrorIs(t, serverErr, ErrCertificate)
				assert.Equal(t, ReasonCertificate, s.State().Reason)
				_, err := c.Read(make([]byte, 1))
				require.Error(t, err)
			})
		}
		t.Run(algorithm+"/wrong name", func(t *testing.T) {
			client := &Config{Trust: a.trust(t), ServerName: "other.example"}
			server := &Config{Identity: id(nil), AnonymousClients: true}
			_, _, clientErr, _ := shake(t, client, server)
			require.ErrorIs(t, clientErr, ErrCertificate)
			var hostname x509.HostnameError
			require.ErrorAs(t, clientErr, &hostname)
		})
		t.Run(algorithm+"/no certificate", func(t *testing.T) {
			client := &Config{Trust: a.trust(t), ServerName: serverName}
			server := &Config{Identity: id(nil), Trust: a.trust(t)}
			_, _, _, serverErr := shake(t, client, server)
			require.Error(t, serverErr)
			assert.Equal(t, ReasonCertificate, ReasonOf(serverErr))
		})
	}
}

// TestAnonymousClients are taken where asked for, and reported; identified ones are still checked.
func TestAnonymousClients(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	server := &Config{Identity: a.identity(t, "ECDSA", serverName), Trust: a.trust(t), AnonymousClients: true}
	_, s := connect(t, &Config{Trust: a.trust(t), ServerName: serverName}, server)
	assert.Nil(t, s.State().Peer)
	assert.False(t, s.State().Authentication.QuantumSafe)
	assert.Contains(t, s.State().Authentication.Why, "anonymous")

	stranger := newAuthority(t, "ECDSA").identity(t, "ECDSA", "client.example")
	_, _, _, serverErr := shake(t, &Config{Identity: stranger, Trust: a.trust(t), ServerName: serverName}, server)
	require.ErrorIs(t, serverErr, ErrCertificate)
}

// TestPins add to the chain, or stand alone where asked for; then expiry, usage and name still count.
func TestPins(t *testing.T) {
	for _, algorithm := range algorithms()[:min(2, len(algorithms()))] {
		a := newAuthority(t, algorithm)
		id := a.identity(t, algorithm, serverName)
		server := &Config{Identity: id, AnonymousClients: true}
		try := func(client *Config, server *Config) error {
			_, _, err, _ := shake(t, client, server)
			return err
		}
		other := a.identity(t, algorithm, serverName)
		stranger := newAuthority(t, algorithm).trust(t)
		trust := a.trust(t)
		require.NoError(t, try(&Config{Trust: trust, PinnedKeys: []Pin{other.Pin(), id.Pin()}, ServerName: serverName}, server))
		require.ErrorIs(t, try(&Config{Trust: trust, PinnedKeys: []Pin{other.Pin()}, ServerName: serverName}, server), ErrCertificate)
		require.ErrorIs(t, try(&Config{Trust: stranger, PinnedKeys: []Pin{id.Pin()}, ServerName: serverName}, server), ErrCertificate, "a pin does not replace the chain")

		alone := func(id *Identity, mode PinMode, name string) *Config {
			return &Config{PinnedKeys: []Pin{id.Pin()}, PinsAlone: mode, ServerName: name}
		}
		require.NoError(t, try(alone(id, PinnedWithoutChain, serverName), server))
		require.ErrorIs(t, try(alone(other, PinnedWithoutChain, serverName), server), ErrCertificate)
		require.ErrorIs(t, try(alone(id, PinnedWithoutChain, "other.example"), server), ErrCertificate)
		require.NoError(t, try(alone(id, PinnedKeyOnly, "other.example"), server))
		require.NoError(t, try(alone(id, PinnedKeyOnly, ""), server))
		for name, change := range map[string]func(c *x509.Certificate){
			"expired":   func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
			"usage":     func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} },
			"key usage": func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign },
		} {
			bad := a.identityWith(t, algorithm, serverName, change)
			server := &Config{Identity: bad, AnonymousClients: true}
			require.ErrorIs(t, try(alone(bad, PinnedWithoutChain, serverName), server), ErrCertificate, name)
			require.NoError(t, try(alone(bad, PinnedKeyOnly, serverName), server), name)
		}
	}
	pin := newAuthority(t, "ECDSA").identity(t, "ECDSA", "x").Pin()
	again, err := ParsePin(pin.String())
	require.NoError(t, err)
	assert.Equal(t, pin, again)
	for _, wrong := range []string{"", "sha256/", "sha256/AAAA", pin.String()[7:], pin.String() + "A", "sha1/" + pin.String()[7:]} {
		_, err := ParsePin(wrong)
		assert.ErrorIs(t, err, ErrConfig, wrong)
	}
}

// TestStrictAuthentication: the strict policy wants an ML-DSA key of the peer, certified by ML-DSA
// throughout or pinned.
func TestStrictAuthentication(t *testing.T) {
	if !hasMLDSA {
		a := newAuthority(t, "ECDSA")
		err := (&Config{Trust: a.trust(t), ServerName: serverName, Policy: PQCStrict2026}).CheckClient()
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, "Go 1.27")
		return
	}
	pq, classical := newAuthority(t, "ML-DSA-65"), newAuthority(t, "ECDSA")
	trust, err := NewTrust(pq.cert, classical.cert)
	require.NoError(t, err)
	mixed := classical.sub(t, "ML-DSA-65") // its certificate is signed with ECDSA
	belowPQ := pq.sub(t, "ECDSA")          // signs with ECDSA
	leaves := map[string]*Identity{
		"classical leaf":         pq.identity(t, "ECDSA", serverName),
		"ML-DSA under ECDSA":     classical.identity(t, "ML-DSA-65", serverName),
		"mixed above":            mixed.identity(t, "ML-DSA-65", serverName),
		"mixed in between":       belowPQ.identity(t, "ML-DSA-65", serverName),
		"ML-DSA":                 pq.identity(t, "ML-DSA-65", serverName),
		"ML-DSA by intermediate": pq.sub(t, "ML-DSA-87").identity(t, "ML-DSA-44", serverName),
	}
	for name, id := range leaves {
		t.Run(name, func(t *testing.T) {
			server := &Config{Identity: id, AnonymousClients: true}
			client := &Config{Trust: trust, ServerName: serverName, Policy: PQCStrict2026}
			c, _, err, _ := shake(t, client, server)
			good := name == "ML-DSA" || name == "ML-DSA by intermediate"
			if good {
				require.NoError(t, err)
				assert.True(t, c.State().Chain.QuantumSafe, c.State().Chain.Why)
			} else {
				require.ErrorIs(t, err, ErrPolicy)
			}
			pinned := &Config{Trust: trust, PinnedKeys: []Pin{id.Pin()}, ServerName: serverName, Policy: PQCStrict2026}
			c, _, err, _ = shake(t, pinned, server)
			if name == "classical leaf" {
				require.ErrorIs(t, err, ErrPolicy)
				return
			}
			require.NoError(t, err)
			assert.Contains(t, c.State().Chain.Why, "pinned")

			hybrid := &Config{Trust: trust, ServerName: serverName}
			c, _, err, _ = shake(t, hybrid, server)
			require.NoError(t, err)
			assert.Equal(t, good || name == "classical leaf", c.State().Chain.QuantumSafe, c.State().Chain.Why)
		})
	}
}

// TestRevocation: also of chains and sessions that were verified before.
func TestRevocation(t *testing.T) {
	for _, algorithm := range algorithms()[:min(2, len(algorithms()))] {
		a := newAuthority(t, algorithm)
		sub := a.sub(t, algorithm)
		id := sub.identity(t, algorithm, serverName)
		trust := a.trust(t)
		client := &Config{Trust: trust, ServerName: serverName}
		server := &Config{Identity: id, AnonymousClients: true}
		list := func(by *authority, next time.Time, serials ...*big.Int) *x509.RevocationList {
			l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: next}
			for _, n := range serials {
				l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: time.Now()})
			}
			der, err := hybrid.CreateRevocationList(l, by.cert, by.key)
			require.NoError(t, err)
			parsed, err := x509.ParseRevocationList(der)
			require.NoError(t, err)
			return parsed
		}
		later := time.Now().Add(time.Hour)
		leaf, other := id.chain[0].SerialNumber, big.NewInt(1<<40)
		c, _ := connect(t, client, server)
		require.False(t, c.State().ChainCached)
		try := func(lists ...*x509.RevocationList) error {
			require.NoError(t, trust.SetRevocationLists(lists...))
			c, _, err, _ := shake(t, client, server)
			if err == nil {
				assert.True(t, c.State().ChainCached)
			}
			return err
		}
		require.NoError(t, try(list(sub, later, other), list(a, later)))
		require.ErrorIs(t, try(list(sub, later, other, leaf)), ErrCertificate)
		require.ErrorContains(t, try(list(a, later, sub.cert.SerialNumber)), "revoked")
		require.ErrorContains(t, try(list(sub, time.Now().Add(-time.Minute), other)), "no usable revocation list")
		require.ErrorContains(t, try(list(sub, time.Now().Add(-time.Minute), leaf)), "revoked", "a late list still revokes")
		forged := newAuthority(t, algorithm)
		forged.cert.RawSubject = sub.cert.RawSubject
		forged.cert.Subject = sub.cert.Subject
		require.ErrorContains(t, try(list(forged, later)), "no usable revocation list")
		require.NoError(t, try())
	}
}

// TestRevokedClientsDoNotResume: a server looks at its lists for a session too.
func TestRevokedClientsDoNotResume(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	client := &Config{Identity: a.identity(t, "ECDSA", "client"), Trust: a.trust(t), ServerName: serverName}
	server := &Config{Identity: a.identity(t, "ECDSA", serverName), Trust: a.trust(t)}
	require.False(t, again(t, client, server))
	require.True(t, again(t, client, server))
	der, err := hybrid.CreateRevocationList(&x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: client.Identity.chain[0].SerialNumber, RevocationTime: time.Now()}},
	}, a.cert, a.key)
	require.NoError(t, err)
	list, err := x509.ParseRevocationList(der)
	require.NoError(t, err)
	require.NoError(t, server.Trust.SetRevocationLists(list))
	c, _, _, err := shake(t, client, server)
	require.ErrorIs(t, err, ErrCertificate)
	require.ErrorContains(t, err, "revoked")
	require.True(t, c.State().Offer.Resumption)
}

// TestVerifiedChainsExpire: a chain that was verified before is refused when it is out of date, and
// the cache tells trusts, names and usages apart.
func TestVerifiedChainsExpire(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", serverName)
	now := time.Now()
	client := &Config{Trust: a.trust(t), ServerName: serverName, NoResumption: true, Time: func() time.Time { return now }}
	server := &Config{Identity: id, AnonymousClients: true}
	c, _ := connect(t, client, server)
	assert.False(t, c.State().ChainCached)
	c, _ = connect(t, client, server)
	assert.True(t, c.State().ChainCached)
	now = id.chain[0].NotAfter.Add(time.Second)
	_, _, err, _ := shake(t, client, server)
	require.ErrorIs(t, err, ErrCertificate)

	keys := map[chainKey]bool{}
	certs := id.chain
	for _, generation := range []uint64{1, 2} {
		for _, name := range []string{"", "a", "b"} {
			for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
				keys[newChainKey(certs, generation, name, usage)] = true
				keys[newChainKey(append(certs, a.cert), generation, name, usage)] = true
			}
		}
	}
	assert.Len(t, keys, 2*3*2*2)

	cache := newLRU[int, int](3)
	for i := range 5 {
		cache.put(i, i)
		cache.get(0)
	}
	assert.Equal(t, 3, cache.len())
	_, ok := cache.get(0)
	assert.True(t, ok, "used often")
	_, ok = cache.get(1)
	assert.False(t, ok)
}

// TestLaterChains: when the chains that were verified before are out of date, another of the same
// certificates is found.
func TestLaterChains(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	start := time.Now()
	key := newKey(t, "ECDSA")
	intermediate := func(from, until time.Time) *x509.Certificate {
		c := template(func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "intermediate"}
			c.IsCA, c.BasicConstraintsValid = true, true
			c.KeyUsage = x509.KeyUsageCertSign
			c.NotBefore, c.NotAfter = from, until
		})
		return issue(t, c, a.cert, publicOf(key), a.key)
	}
	old := intermediate(start.Add(-time.Hour), start.Add(time.Hour))
	renewed := intermediate(start.Add(30*time.Minute), start.Add(10*time.Hour))
	id := (&authority{cert: old, key: key, up: []*x509.Certificate{old, renewed}}).identity(t, "ECDSA", serverName)
	now := start
	client := &Config{Trust: a.trust(t), ServerName: serverName, Time: func() time.Time { return now }}
	server := &Config{Identity: id, AnonymousClients: true}
	require.False(t, again(t, client, server))
	for _, resumption := range []bool{true, false} {
		client.NoResumption = !resumption
		now = start.Add(50 * time.Minute)
		c, _ := connect(t, client, server)
		assert.True(t, c.State().ChainCached)
		now = start.Add(2 * time.Hour)
		c, _ = connect(t, client, server)
		assert.Equal(t, !resumption, c.State().ChainCached)
		now = start.Add(11 * time.Hour)
		_, _, err, _ := shake(t, client, server)
		require.ErrorIs(t, err, ErrCertificate)
	}
}

// TestPinsAreCheckedOnEachUse of a chain that was verified before, and by a server of its clients.
func TestPinsAreCheckedOnEachUse(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	server.NoResumption = true
	server.PinnedKeys = []Pin{client.Identity.Pin()}
	connect(t, client, server)
	_, s := connect(t, client, server)
	require.True(t, s.State().ChainCached)
	server.PinnedKeys = []Pin{server.Identity.Pin()}
	_, _, _, err := shake(t, client, server)
	require.ErrorIs(t, err, ErrCertificate)
	require.ErrorContains(t, err, "not pinned")
}

// TestVerifiedChainsAreBounded, and the least recently used go first.
func TestVerifiedChainsAreBounded(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	client.NoResumption = true
	connect(t, client, server)
	chains := client.state().chains
	for i := range maxVerifiedChains + 10 {
		chains.put(chainKey{byte(i), byte(i >> 8), 1}, nil)
		if i == maxVerifiedChains/2 {
			c, _ := connect(t, client, server)
			require.True(t, c.State().ChainCached)
		}
	}
	require.Equal(t, maxVerifiedChains, chains.len())
	c, _ := connect(t, client, server)
	require.True(t, c.State().ChainCached, "used since")
	for i := range maxVerifiedChains {
		chains.put(chainKey{byte(i), byte(i >> 8), 2}, nil)
	}
	c, _ = connect(t, client, server)
	require.False(t, c.State().ChainCached)
}

// TestClientNames: a client is remembered by what its authority calls it.
func TestClientNames(t *testing.T) {
	uri, _ := url.Parse("spiffe://example/agent")
	a := newAuthority(t, "ECDSA")
	assert.Equal(t, "spiffe://example/agent", clientName(a.identityWith(t, "ECDSA", "n", func(c *x509.Certificate) { c.URIs = []*url.URL{uri} }).chain[0]))
	assert.Equal(t, "n", clientName(a.identity(t, "ECDSA", "n").chain[0]))
	assert.Equal(t, "CN=n", clientName(a.identityWith(t, "ECDSA", "n", func(c *x509.Certificate) { c.DNSNames = nil }).chain[0]))
}

// TestChainsWithoutTheirKeyAreNotKept: anyone can show another's certificates.
func TestChainsWithoutTheirKeyAreNotKept(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", serverName)
	client := &Config{Trust: a.trust(t), ServerName: serverName, Memory: NewMemory()}
	thief := &tls.Config{Certificates: []tls.Certificate{{Certificate: id.raw, PrivateKey: newKey(t, "ECDSA")}}}
	_, err := plainServer(t, client, thief)
	require.ErrorIs(t, err, ErrProtocol)
	assert.Zero(t, client.state().chains.len())
	assert.Empty(t, client.Memory.Peers())
	connect(t, client, &Config{Identity: id, AnonymousClients: true})
	assert.Equal(t, 1, client.state().chains.len())
}
