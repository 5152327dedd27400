package mcpconn_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// The tests of this file are with OpenSSL 3.5 or newer, which the environment variable OPENSSL
// names, as .ci/run sets it. Without it they are skipped.

// A peer is OpenSSL and a folder with the files of a PKI: root.crt, and server and client with
// their keys.
type peer struct {
	t       *testing.T
	command string
	dir     string
	trust   *mcpconn.Trust
}

// newPeer makes a PKI with authorities and leaves of the given algorithms.
func newPeer(t *testing.T, authority, leaf string) *peer {
	command := os.Getenv("OPENSSL")
	if command == "" {
		t.Skip("OPENSSL does not name an OpenSSL of version 3.5 or newer; .ci/openssl unpacks one")
	}
	p := &peer{t: t, command: command, dir: t.TempDir()}
	root, err := mcpconntest.NewAuthority(authority)
	require.NoError(t, err)
	require.NoError(t, root.Write(p.dir, "root"))
	server, err := root.Server(leaf, "localhost", "127.0.0.1")
	require.NoError(t, err)
	require.NoError(t, server.Write(p.dir, "server"))
	client, err := root.Client(leaf, "client")
	require.NoError(t, err)
	require.NoError(t, client.Write(p.dir, "client"))
	p.trust, err = mcpconn.LoadTrust(p.file("root.crt"))
	require.NoError(t, err)
	return p
}

func (p *peer) file(name string) string { return filepath.Join(p.dir, name) }

// config returns ours with the identity of the named files.
func (p *peer) config(name string) *mcpconn.Config {
	id, err := mcpconn.LoadIdentity(p.file(name+".crt"), p.file(name+".key"))
	require.NoError(p.t, err)
	return &mcpconn.Config{Identity: id, Trust: p.trust}
}

// output is what a process has written so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Reset()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var accepting = regexp.MustCompile(`ACCEPT (\S+:\d+)`)

// server starts s_server, which asks for a certificate and sends lines back reversed, and
// returns its address.
func (p *peer) server(args ...string) (address string, out *output) {
	out = &output{}
	c := exec.CommandContext(p.t.Context(), p.command, append([]string{"s_server", "-accept", "127.0.0.1:0", "-rev",
		"-cert", "server.crt", "-key", "server.key", "-CAfile", "root.crt", "-Verify", "3", "-verify_return_error"}, args...)...)
	c.Dir, c.Stdout, c.Stderr = p.dir, out, out
	require.NoError(p.t, c.Start())
	p.t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	var found []string
	require.Eventually(p.t, func() bool {
		found = accepting.FindStringSubmatch(out.String())
		return found != nil
	}, 20*time.Second, 5*time.Millisecond, "%s", out)
	return found[1], out
}

// client runs s_client, which sends what stdin has, and returns what it says.
func (p *peer) client(address, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, p.command, append([]string{"s_client", "-connect", address, "-ign_eof",
		"-CAfile", "root.crt", "-verify_return_error", "-verify_ip", "127.0.0.1"}, args...)...)
	c.Dir, c.Stdin = p.dir, strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

// A link is what a test with OpenSSL expects.
type link struct {
	group string
	kem   string
	hello bool // the group is not the one whose share is sent at first
}

var links = []link{
	{"X25519MLKEM768", "ML-KEM-768", false},
	{"SecP256r1MLKEM768", "ML-KEM-768", true},
	{"SecP384r1MLKEM1024", "ML-KEM-1024", true},
}

// requireLink checks the report.
func requireLink(t *testing.T, s mcpconn.State, want link, leaf string) {
	t.Helper()
	assert.True(t, s.Complete)
	assert.Equal(t, want.group, s.Group)
	assert.Equal(t, want.kem, s.KEM)
	assert.Equal(t, "TLS 1.3", s.Version)
	assert.True(t, s.KeyExchange.QuantumSafe, s.KeyExchange.Why)
	if assert.NotNil(t, s.Peer) {
		assert.Equal(t, leaf, s.Peer.Algorithm)
	}
	assert.Equal(t, leaf != mcpconntest.ECDSA, s.Authentication.QuantumSafe, s.Authentication.Why)
	assert.False(t, s.Chain.QuantumSafe, "an ECDSA authority signed it: %s", s.Chain.Why)
}

func TestOpenSSLServer(t *testing.T) {
	for _, leaf := range leafAlgorithms {
		for _, want := range links {
			t.Run(want.group+" "+leaf, func(t *testing.T) {
				p := newPeer(t, mcpconntest.ECDSA, leaf)
				address, out := p.server("-groups", want.group)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				conn, err := mcpconn.Dial(ctx, "tcp", address, p.config("client"))
				require.NoError(t, err, "%s", out)
				defer conn.Close()
				requireLink(t, conn.State(), want, leaf)
				assert.Equal(t, want.hello, conn.State().HelloRetryRequest)
				_, err = io.WriteString(conn, "from us\n")
				require.NoError(t, err)
				got := make([]byte, 8)
				_, err = io.ReadFull(conn, got)
				require.NoError(t, err, "%s", out)
				assert.Equal(t, "su morf\n", string(got))
			})
		}
	}
}

func TestOpenSSLClient(t *testing.T) {
	for _, leaf := range leafAlgorithms {
		for _, want := range links {
			t.Run(want.group+" "+leaf, func(t *testing.T) {
				p := newPeer(t, mcpconntest.ECDSA, leaf)
				states := serveEcho(t, p.config("server"))
				out, err := p.client(states.address, "from them\n", "-groups", want.group, "-cert", "client.crt", "-key", "client.key")
				require.NoError(t, err, out)
				assert.Contains(t, out, "echo: from them")
				requireLink(t, states.state(t), want, leaf)
				assert.Regexp(t, "Negotiated TLS1.3 group: "+want.group, out)
			})
		}
	}
}

// TestOpenSSLClientIsAskedAgain: it sends a share of a classical group, and offers ours.
func TestOpenSSLClientIsAskedAgain(t *testing.T) {
	p := newPeer(t, mcpconntest.ECDSA, mcpconntest.ECDSA)
	states := serveEcho(t, p.config("server"))
	out, err := p.client(states.address, "from them\n", "-groups", "*X25519:X25519MLKEM768", "-cert", "client.crt", "-key", "client.key")
	require.NoError(t, err, out)
	state := states.state(t)
	requireLink(t, state, links[0], mcpconntest.ECDSA)
	assert.True(t, state.HelloRetryRequest)
}

// TestOpenSSLWithoutPostQuantumGroups is refused, in both roles and with TLS 1.2 too.
func TestOpenSSLWithoutPostQuantumGroups(t *testing.T) {
	p := newPeer(t, mcpconntest.ECDSA, mcpconntest.ECDSA)
	states := serveEcho(t, p.config("server"))
	for _, args := range [][]string{{"-groups", "X25519:P-256"}, {"-tls1_2"}} {
		out, err := p.client(states.address, "from them\n", append(args, "-cert", "client.crt", "-key", "client.key")...)
		assert.Error(t, err, out)
		select {
		case failure := <-states.failures:
			assert.ErrorIs(t, failure, mcpconn.ErrPolicy)
		case <-time.After(20 * time.Second):
			require.FailNow(t, "no handshake failed", "%s", out)
		}
	}
	for _, args := range [][]string{{"-groups", "X25519"}, {"-tls1_2"}} {
		address, _ := p.server(args...)
		conn, err := mcpconn.Dial(t.Context(), "tcp", address, p.config("client"))
		assert.Error(t, err)
		assert.Nil(t, conn)
		assert.Contains(t, []mcpconn.Reason{mcpconn.ReasonPolicy, mcpconn.ReasonProtocol}, mcpconn.ReasonOf(err), "%v", err)
	}
	// And under Transition2026 it is taken, and said.
	cfg := p.config("client")
	cfg.Policy = mcpconn.Transition2026
	address, out := p.server("-groups", "X25519")
	conn, err := mcpconn.Dial(t.Context(), "tcp", address, cfg)
	require.NoError(t, err, "%s", out)
	defer conn.Close()
	assert.False(t, conn.State().KeyExchange.QuantumSafe)
	assert.NotEmpty(t, conn.State().Fallback)
}

// TestOpenSSLMakesIdentities of its own: a key in each form, and a self-signed certificate
// which is pinned.
func TestOpenSSLMakesIdentities(t *testing.T) {
	for _, form := range []string{"ec", "seed-only", "priv-only", "seed-priv"} {
		t.Run(form, func(t *testing.T) {
			p := newPeer(t, mcpconntest.ECDSA, mcpconntest.ECDSA)
			args := []string{"req", "-x509", "-config", "config", "-noenc", "-keyout", "own.key", "-out", "own.crt", "-subj", "/CN=own",
				"-addext", "subjectAltName=IP:127.0.0.1,DNS:own", "-addext", "keyUsage=digitalSignature", "-days", "2"}
			if form == "ec" {
				args = append(args, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
			} else {
				if !hasMLDSA {
					t.Skip("ML-DSA identities need Go 1.27")
				}
				args = append(args, "-newkey", "ML-DSA-65", "-provparam", "ml-dsa.output_formats="+form)
			}
			require.NoError(t, os.WriteFile(p.file("config"), []byte("[req]\ndistinguished_name = name\n[name]\n"), 0o600))
			c := exec.Command(p.command, args...)
			c.Dir = p.dir
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s", out)
			id, err := mcpconn.LoadIdentity(p.file("own.crt"), p.file("own.key"))
			require.NoError(t, err)

			// We show it to ourselves.
			cfg := &mcpconn.Config{Identity: id, PinnedKeys: []mcpconn.Pin{id.Pin()}, PinsAlone: mcpconn.PinnedWithoutChain}
			served := serveEcho(t, cfg)
			clientCfg := &mcpconn.Config{Identity: id, PinnedKeys: cfg.PinnedKeys, PinsAlone: cfg.PinsAlone}
			conn, err := mcpconn.Dial(t.Context(), "tcp", served.address, clientCfg)
			require.NoError(t, err)
			conn.Close()
			assert.Equal(t, form != "ec", served.state(t).Authentication.QuantumSafe)
		})
	}
}

// TestOpenSSLCurl has curl, which .ci/openssl unpacks beside OpenSSL, call an HTTP handler.
func TestOpenSSLCurl(t *testing.T) {
	for _, leaf := range leafAlgorithms {
		for _, protocol := range []string{"http/1.1", "h2"} {
			t.Run(protocol+" "+leaf, func(t *testing.T) {
				p := newPeer(t, mcpconntest.ECDSA, leaf)
				curl := filepath.Join(filepath.Dir(p.command), "curl")
				require.FileExists(t, curl)
				cfg := p.config("server")
				cfg.ALPN = []string{protocol}
				address := serveHTTP(t, cfg)
				c := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--max-time", "20", "--noproxy", "*",
					"--cacert", "root.crt", "--cert", "client.crt", "--key", "client.key", "--curves", "X25519MLKEM768", "https://"+address)
				c.Dir = p.dir
				out, err := c.CombinedOutput()
				require.NoError(t, err, "%s", out)
				assert.Equal(t, "CN=client over X25519MLKEM768, "+protocol+"\n", string(out))
			})
		}
	}
}

// TestOpenSSLChromium has Chromium, which the environment variable CHROMIUM names, open a page.
func TestOpenSSLChromium(t *testing.T) {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		t.Skip("CHROMIUM does not name a Chromium; .ci/run installs Debian's")
	}
	p := newPeer(t, mcpconntest.ECDSA, mcpconntest.ECDSA)
	cfg := p.config("server")
	cfg.AnonymousClients = true
	cfg.ALPN = []string{"h2", "http/1.1"}
	address := serveHTTP(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	pin := strings.TrimPrefix(cfg.Identity.Pin().String(), "sha256/")
	c := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
		"--user-data-dir="+t.TempDir(), "--ignore-certificate-errors-spki-list="+pin, "--dump-dom", "https://"+address)
	c.WaitDelay = time.Second
	var page, log bytes.Buffer
	c.Stdout, c.Stderr = &page, &log
	err := c.Run()
	require.NoError(t, err, "%s", log.Bytes())
	assert.Contains(t, page.String(), "nobody over X25519MLKEM768, h2", "%s", log.Bytes())
}

// An echo is a server that sends back what it gets.
type echo struct {
	address  string
	states   chan mcpconn.State
	failures chan error
}

// state returns the report of the next link.
func (e *echo) state(t *testing.T) mcpconn.State {
	t.Helper()
	select {
	case s := <-e.states:
		return s
	case err := <-e.failures:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		require.FailNow(t, "no link was made")
	}
	return mcpconn.State{}
}

// serveEcho serves links until the test ends. A link's line comes back as "echo: " and the line,
// and ends it.
func serveEcho(t *testing.T, cfg *mcpconn.Config) *echo {
	e := &echo{states: make(chan mcpconn.State, 100), failures: make(chan error, 100)}
	cfg.Observer = func(s mcpconn.State, err error) {
		if err != nil {
			e.failures <- err
		} else {
			e.states <- s
		}
	}
	l, err := mcpconn.Listen(t.Context(), "tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	e.address = l.Addr().String()
	go func() {
		for {
			conn, err := l.AcceptConn()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				line := make([]byte, 100)
				n, err := conn.Read(line)
				if err == nil {
					conn.Write(append([]byte("echo: "), line[:n]...))
				}
			}()
		}
	}()
	return e
}

// serveHTTP serves pages that say who asked, until the test ends.
func serveHTTP(t *testing.T, cfg *mcpconn.Config) (address string) {
	l, err := mcpconn.Listen(t.Context(), "tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	web := &http.Server{ConnContext: mcpconn.ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, ok := mcpconn.StateFrom(r.Context())
		assert.True(t, ok)
		who := "nobody"
		if state.Peer != nil {
			who = state.Peer.Subject
		}
		io.WriteString(w, who+" over "+state.Group+", "+state.ALPN+"\n")
	})}
	go web.Serve(l.HTTP())
	t.Cleanup(func() { web.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", port)
}
