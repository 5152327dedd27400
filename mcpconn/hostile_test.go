package mcpconn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// A world is an authority, and a server and a client that it certifies.
type world struct {
	t         testing.TB
	root      *mcpconntest.Authority
	trust     *mcpconn.Trust
	algorithm string
}

func newWorld(t testing.TB, algorithm string) *world {
	root, err := mcpconntest.NewAuthority(algorithm)
	require.NoError(t, err)
	trust, err := mcpconn.NewTrust(root.Certificate)
	require.NoError(t, err)
	return &world{t, root, trust, algorithm}
}

// config returns one with the identity of a leaf.
func (w *world) config(leaf *mcpconntest.Leaf, err error) *mcpconn.Config {
	w.t.Helper()
	require.NoError(w.t, err)
	id, err := mcpconn.NewIdentity(leaf.Chain, leaf.Key)
	require.NoError(w.t, err)
	return &mcpconn.Config{Identity: id, Trust: w.trust, ServerName: "server.example", HandshakeTimeout: 20 * time.Second}
}

func (w *world) server() *mcpconn.Config {
	return w.config(w.root.Server(w.algorithm, "server.example"))
}
func (w *world) client() *mcpconn.Config {
	return w.config(w.root.Client(w.algorithm, "client.example"))
}

// An outcome is how both ends of a link fared. Their connections are closed.
type outcome struct {
	client, server           error
	clientState, serverState mcpconn.State
}

// meet makes a link over a and b, which takes a message to the server and back, and closes it.
func meet(t testing.TB, client, server *mcpconn.Config, a, b net.Conn) (o outcome) {
	c, err := mcpconn.Client(a, client)
	require.NoError(t, err)
	s, err := mcpconn.Server(b, server)
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		defer s.Close()
		if o.server = s.HandshakeContext(context.Background()); o.server != nil {
			return
		}
		message := make([]byte, 5)
		if _, o.server = io.ReadFull(s, message); o.server == nil {
			_, o.server = s.Write(message)
		}
	}()
	o.client = c.HandshakeContext(context.Background())
	if o.client == nil {
		_, o.client = io.WriteString(c, "hello")
	}
	if o.client == nil {
		echoed := make([]byte, 5)
		if _, o.client = io.ReadFull(c, echoed); o.client == nil {
			assert.Equal(t, "hello", string(echoed))
		}
	}
	c.Close()
	<-served
	o.clientState, o.serverState = c.State(), s.State()
	requireReason(t, o.client, o.clientState)
	requireReason(t, o.server, o.serverState)
	return o
}

// requireReason has the error of a failed handshake be typed and name its cause, as the report does.
func requireReason(t testing.TB, err error, s mcpconn.State) {
	if s.Complete {
		return
	}
	var typed *mcpconn.Error
	if assert.ErrorAs(t, err, &typed) {
		assert.NotEmpty(t, typed.Reason())
		assert.Equal(t, typed.Reason(), s.Reason)
		assert.Equal(t, err.Error(), s.Error)
		assert.Greater(t, len(s.Error), len(typed.Kind.Error()), "no cause but %v", typed.Kind)
	}
}

// link is meet over a network that does nothing.
func (w *world) link(client, server *mcpconn.Config) outcome {
	w.t.Helper()
	a, b := network(nil)
	return meet(w.t, client, server, a, b)
}

func TestLink(t *testing.T) {
	for _, algorithm := range leafAlgorithms {
		w := newWorld(t, algorithm)
		o := w.link(w.client(), w.server())
		require.NoError(t, o.client)
		require.NoError(t, o.server)
		assert.Equal(t, "CN=client.example", o.serverState.Peer.Subject)
		assert.Equal(t, "CN=server.example", o.clientState.Peer.Subject)
		assert.Equal(t, "X25519MLKEM768", o.clientState.Group)
	}
}

// A refusal is a peer that one side must refuse, and why, as the error says it.
type refusal struct {
	name          string
	change        func(w *world, refuser, refused *mcpconn.Config)
	want          error
	says          string
	byClientAlone bool
	mldsa         bool // takes Go 1.27
}

// reissue gives the refused another certificate of the world's authority, of its own role.
func (w *world) reissue(refused *mcpconn.Config, change func(template *x509.Certificate)) {
	names := refused.Identity.Key().Names
	usage := x509.ExtKeyUsageClientAuth
	if names[0] == "server.example" {
		usage = x509.ExtKeyUsageServerAuth
	}
	template := mcpconntest.Template(usage, names[0])
	change(template)
	refused.Identity = w.config(w.root.Issue(w.algorithm, template)).Identity
}

var refusals = []refusal{
	{name: "expired", want: mcpconn.ErrCertificate, says: "has expired", change: func(w *world, _, refused *mcpconn.Config) {
		w.reissue(refused, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		})
	}},
	{name: "not yet valid", want: mcpconn.ErrCertificate, says: "not yet valid", change: func(w *world, _, refused *mcpconn.Config) {
		w.reissue(refused, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })
	}},
	{name: "wrong name", want: mcpconn.ErrCertificate, byClientAlone: true, says: "another.example", change: func(w *world, refuser, _ *mcpconn.Config) {
		refuser.ServerName = "another.example"
	}},
	{name: "wrong usage", want: mcpconn.ErrCertificate, says: "incompatible key usage", change: func(w *world, _, refused *mcpconn.Config) {
		w.reissue(refused, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
	}},
	{name: "the other role's usage", want: mcpconn.ErrCertificate, says: "incompatible key usage", change: func(w *world, _, refused *mcpconn.Config) {
		w.reissue(refused, func(c *x509.Certificate) {
			if c.ExtKeyUsage[0] == x509.ExtKeyUsageClientAuth {
				c.ExtKeyUsage[0] = x509.ExtKeyUsageServerAuth
			} else {
				c.ExtKeyUsage[0] = x509.ExtKeyUsageClientAuth
			}
		})
	}},
	{name: "unknown root", want: mcpconn.ErrCertificate, says: "unknown authority", change: func(w *world, refuser, _ *mcpconn.Config) {
		refuser.Trust = newWorld(w.t, w.algorithm).trust
	}},
	{name: "revoked", want: mcpconn.ErrCertificate, says: "is revoked", change: func(w *world, refuser, refused *mcpconn.Config) {
		require.NoError(w.t, refuser.Trust.SetRevocationLists(w.revoke(refused)))
	}},
	{name: "pinned key of another", want: mcpconn.ErrCertificate, says: "is not pinned", change: func(w *world, refuser, _ *mcpconn.Config) {
		refuser.PinnedKeys = []mcpconn.Pin{mcpconn.PinOf(w.root.Certificate), {}}
	}},
	{name: "pinned key of another, alone", want: mcpconn.ErrCertificate, says: "is not pinned", change: func(w *world, refuser, _ *mcpconn.Config) {
		refuser.PinnedKeys, refuser.PinsAlone = []mcpconn.Pin{{1}}, mcpconn.PinnedKeyOnly
	}},
	{name: "five certificates", want: mcpconn.ErrCertificate, says: "5 certificates", change: func(w *world, _, refused *mcpconn.Config) {
		w.chain(refused, w.algorithm, w.algorithm, w.algorithm, w.algorithm)
	}},
	{name: "classical under strict", mldsa: true, want: mcpconn.ErrPolicy, says: "is ECDSA P-256, and PQCStrict2026 wants ML-DSA", change: func(w *world, refuser, refused *mcpconn.Config) {
		refuser.Policy = mcpconn.PQCStrict2026
		both := newWorld(w.t, mcpconntest.ECDSA)
		trust, err := mcpconn.NewTrust(w.root.Certificate, both.root.Certificate)
		require.NoError(w.t, err)
		refuser.Trust = trust
		name := refused.Identity.Key().Names[0]
		if name == "server.example" {
			refused.Identity = both.server().Identity
		} else {
			refused.Identity = both.client().Identity
		}
	}},
	{name: "mixed chain under strict", mldsa: true, want: mcpconn.ErrPolicy, says: "is signed with ECDSA-SHA256", change: func(w *world, refuser, refused *mcpconn.Config) {
		refuser.Policy = mcpconn.PQCStrict2026
		w.chain(refused, mcpconntest.ECDSA)
	}},
}

// chain gives the refused a certificate below intermediate authorities of the given algorithms.
func (w *world) chain(refused *mcpconn.Config, algorithms ...string) {
	authority, err := w.root, error(nil)
	for _, algorithm := range algorithms {
		authority, err = authority.Authority(algorithm)
		require.NoError(w.t, err)
	}
	name := refused.Identity.Key().Names[0]
	if name == "server.example" {
		refused.Identity = w.config(authority.Server(w.algorithm, name)).Identity
	} else {
		refused.Identity = w.config(authority.Client(w.algorithm, name)).Identity
	}
}

// revoke returns a list that revokes the leaf of an identity.
func (w *world) revoke(cfg *mcpconn.Config) *x509.RevocationList {
	der, err := hybrid.CreateRevocationList(&x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{
			SerialNumber: cfg.Identity.Certificates()[0].SerialNumber, RevocationTime: time.Now().Add(-time.Minute)}},
	}, w.root.Certificate, w.root.Key)
	require.NoError(w.t, err)
	list, err := x509.ParseRevocationList(der)
	require.NoError(w.t, err)
	return list
}

// TestRefusedPeers: each is refused by a client as a server, and by a server as a client.
func TestRefusedPeers(t *testing.T) {
	algorithms := []string{mcpconntest.ECDSA}
	if hasMLDSA {
		algorithms = append(algorithms, mcpconntest.MLDSA65)
	}
	for _, algorithm := range algorithms {
		for _, r := range refusals {
			if r.mldsa && algorithm == mcpconntest.ECDSA {
				continue
			}
			for _, role := range []string{"client", "server"} {
				if r.byClientAlone && role == "server" {
					continue
				}
				t.Run(r.name+" by the "+role+", "+algorithm, func(t *testing.T) {
					w := newWorld(t, algorithm)
					client, server := w.client(), w.server()
					var reported error
					observer := func(s mcpconn.State, err error) {
						reported = err
						assert.False(t, s.Complete)
						assert.Equal(t, mcpconn.ReasonOf(err), s.Reason)
						assert.NotEmpty(t, s.Error)
						assert.NotNil(t, s.Offer)
					}
					if role == "client" {
						client.Observer = observer
						r.change(w, client, server)
						o := w.link(client, server)
						assert.ErrorIs(t, o.client, r.want)
						assert.Error(t, o.server)
					} else {
						server.Observer = observer
						r.change(w, server, client)
						o := w.link(client, server)
						assert.ErrorIs(t, o.server, r.want)
						assert.Error(t, o.client)
					}
					var typed *mcpconn.Error
					if assert.ErrorAs(t, reported, &typed) {
						assert.Equal(t, r.want, typed.Kind)
						assert.ErrorContains(t, reported, r.says)
					}
				})
			}
		}
	}
}

// TestWeakPeersOfCryptoTLS: without post-quantum groups, or with TLS 1.2 alone.
func TestWeakPeersOfCryptoTLS(t *testing.T) {
	classical := newWorld(t, mcpconntest.ECDSA)
	pool := x509.NewCertPool()
	pool.AddCert(classical.root.Certificate)
	certificate := func(leaf *mcpconntest.Leaf, err error) []tls.Certificate {
		require.NoError(t, err)
		return []tls.Certificate{{Certificate: [][]byte{leaf.Chain[0].Raw}, PrivateKey: leaf.Key}}
	}
	for name, weaken := range map[string]func(*tls.Config){
		"X25519":  func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} },
		"P-256":   func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
		"TLS 1.2": func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
	} {
		for _, policy := range mcpconn.Policies() {
			w := classical
			if policy == mcpconn.PQCStrict2026 {
				if !hasMLDSA {
					continue // refused when made
				}
				w = newWorld(t, mcpconntest.MLDSA65) // the handshake fails before theirs matters
			}
			allowed := policy == mcpconn.Transition2026 && name != "TLS 1.2"
			t.Run(name+" server, "+string(policy), func(t *testing.T) {
				theirs := &tls.Config{Certificates: certificate(classical.root.Server(mcpconntest.ECDSA, "server.example")), ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
				weaken(theirs)
				a, b := network(nil)
				defer b.Close()
				go tls.Server(b, theirs).Handshake()
				cfg := w.client()
				cfg.Policy = policy
				requireWeak(t, allowed, cfg, a, mcpconn.Client)
			})
			t.Run(name+" client, "+string(policy), func(t *testing.T) {
				theirs := &tls.Config{Certificates: certificate(classical.root.Client(mcpconntest.ECDSA, "client.example")), RootCAs: pool, ServerName: "server.example"}
				weaken(theirs)
				a, b := network(nil)
				defer a.Close()
				go tls.Client(a, theirs).Handshake()
				cfg := w.server()
				cfg.Policy = policy
				requireWeak(t, allowed, cfg, b, mcpconn.Server)
			})
		}
	}
}

func requireWeak(t *testing.T, allowed bool, cfg *mcpconn.Config, conn net.Conn, side func(net.Conn, *mcpconn.Config) (*mcpconn.Conn, error)) {
	c, err := side(conn, cfg)
	require.NoError(t, err)
	defer c.Close()
	err = c.HandshakeContext(t.Context())
	s := c.State()
	if allowed {
		require.NoError(t, err)
		assert.False(t, s.KeyExchange.QuantumSafe)
		assert.NotEmpty(t, s.Fallback)
		return
	}
	require.Error(t, err)
	if s.Client {
		// A server that finds nothing it knows in our hello says so by an alert.
		assert.Contains(t, []mcpconn.Reason{mcpconn.ReasonPolicy, mcpconn.ReasonProtocol}, mcpconn.ReasonOf(err), "%v", err)
	} else {
		assert.ErrorIs(t, err, mcpconn.ErrPolicy)
		assert.NotEmpty(t, s.Offer.Groups)
		assert.NotEmpty(t, s.Offer.Versions)
	}
	assert.False(t, s.Complete)
}

// TestWeakerThanRemembered: a peer that was strong is refused when it is weak, also after a
// restart, until an operator clears it.
func TestWeakerThanRemembered(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	for _, role := range []string{"client", "server"} {
		t.Run("by the "+role, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "memory")
			attempt := func(weak bool) (mcpconn.State, error) {
				memory, err := mcpconn.OpenMemory(file)
				require.NoError(t, err)
				client, server := w.client(), w.server()
				client.Policy, server.Policy = mcpconn.Transition2026, mcpconn.Transition2026
				a, b := network(nil)
				if !weak {
					if role == "client" {
						client.Memory = memory
					} else {
						server.Memory = memory
					}
					o := meet(t, client, server, a, b)
					require.NoError(t, o.client)
					require.NoError(t, o.server)
					return o.clientState, nil
				}
				pool := x509.NewCertPool()
				pool.AddCert(w.root.Certificate)
				theirs := &tls.Config{RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "server.example",
					CurvePreferences: []tls.CurveID{tls.X25519}}
				side, cfg, conn := mcpconn.Client, client, a
				defer b.Close()
				defer a.Close()
				if role == "client" {
					theirs.Certificates = pair(w.root.Server(mcpconntest.ECDSA, "server.example"))
					go tls.Server(b, theirs).Handshake()
				} else {
					side, cfg, conn = mcpconn.Server, server, b
					theirs.Certificates = pair(w.root.Client(mcpconntest.ECDSA, "client.example"))
					go tls.Client(a, theirs).Handshake()
				}
				cfg.Memory = memory
				c, err := side(conn, cfg)
				require.NoError(t, err)
				err = c.HandshakeContext(t.Context())
				return c.State(), err
			}
			s, err := attempt(true)
			require.NoError(t, err, "a first meeting may be weak")
			assert.False(t, s.KeyExchange.QuantumSafe)
			_, err = attempt(false)
			require.NoError(t, err)
			for range 2 {
				s, err = attempt(true)
				assert.ErrorIs(t, err, mcpconn.ErrRegression)
				assert.Equal(t, mcpconn.ReasonRegression, s.Reason)
			}
			_, err = attempt(false)
			require.NoError(t, err)
			memory, err := mcpconn.OpenMemory(file)
			require.NoError(t, err)
			require.Len(t, memory.Peers(), 1)
			require.NoError(t, memory.Clear(memory.Peers()[0]))
			_, err = attempt(true)
			assert.NoError(t, err, "cleared")
		})
	}
}

func pair(leaf *mcpconntest.Leaf, err error) []tls.Certificate {
	if err != nil {
		panic(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{leaf.Chain[0].Raw}, PrivateKey: leaf.Key}}
}

// TestFourCertificates are as many as a peer may send.
func TestFourCertificates(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	client, server := w.client(), w.server()
	for _, cfg := range []*mcpconn.Config{client, server} {
		w.chain(cfg, w.algorithm, w.algorithm, w.algorithm)
		require.Len(t, cfg.Identity.Certificates(), 4)
	}
	require.NoError(t, both(w.link(client, server)))
}

// TestDialErrors: one is of this package, matches its cause, and is told to the Observer, also when
// there is no connection yet.
func TestDialErrors(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	for name, c := range map[string]struct {
		address     string
		cancel      bool
		kind, cause error
	}{
		"refused":            {closed.Addr().String(), false, mcpconn.ErrNetwork, syscall.ECONNREFUSED},
		"silence":            {silent.Addr().String(), false, mcpconn.ErrTimeout, context.DeadlineExceeded},
		"cancelled":          {silent.Addr().String(), true, mcpconn.ErrTimeout, context.Canceled},
		"cancelled, refused": {closed.Addr().String(), true, mcpconn.ErrTimeout, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newWorld(t, mcpconntest.ECDSA).client()
			cfg.HandshakeTimeout = 100 * time.Millisecond
			var told []error
			cfg.Observer = func(s mcpconn.State, err error) {
				told = append(told, err)
				requireReason(t, err, s)
				assert.Equal(t, c.address, s.RemoteAddr)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel {
				cancel()
			}
			conn, err := mcpconn.Dial(ctx, "tcp", c.address, cfg)
			assert.Nil(t, conn)
			assert.ErrorIs(t, err, c.kind)
			assert.ErrorIs(t, err, c.cause)
			assert.Equal(t, []error{err}, told)
		})
	}
}
