package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pqcert"
	"github.com/pqlane/pqlane/mcpconn"
)

func TestProbe(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	target, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer target.Close()
	server := start(t, line("serve", serverFlags, "-target", target.Addr().String(), "-alpn", "mcp", "127.0.0.1:0")...)
	address := server.address(t)

	p := start(t, line("probe", clientFlags, "-json", address)...)
	require.Zero(t, p.wait(t), p.stderr)
	var report struct {
		Offers  offered
		State   mcpconn.State
		Refused string
	}
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
	assert.Empty(t, report.Refused)
	assert.Equal(t, offered{
		Versions:          []string{"TLS 1.3"},
		Groups:            []string{"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"},
		Keys:              []string{demoKey},
		ClientCertificate: true,
	}, report.Offers)
	assert.True(t, report.State.Complete)

	p = start(t, line("probe", clientFlags, address)...)
	require.Zero(t, p.wait(t), p.stderr)
	assert.Regexp(t, `(?s)offers\n +versions +TLS 1.3\n +groups +X25519MLKEM768, .*key exchange +quantum-safe`, p.stdout.String())

	// A server that does not take the client is found out, although the handshake is complete.
	p = start(t, line("probe", clientFlags[4:], "-json", address)...)
	assert.Equal(t, 1, p.wait(t))
	report.State.Complete = false
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
	assert.True(t, report.State.Complete)
	assert.Contains(t, report.Refused, "certificate required")
	p = start(t, line("probe", clientFlags[4:], address)...)
	assert.Equal(t, 1, p.wait(t))
	assert.Contains(t, p.stdout.String(), "REFUSED")

	// A server that is not trusted is still shown.
	p = start(t, "probe", address)
	assert.Equal(t, 1, p.wait(t))
	assert.Regexp(t, `(?s)groups +X25519MLKEM768.*FAILED +certificate: `, p.stdout.String())

	target.Close()
	server.stop()
	server.wait(t)
	p = start(t, "probe", "-trust", "system", address)
	assert.Equal(t, 1, p.wait(t))
	assert.Contains(t, p.stderr.String(), "connection refused")
}

// TestProbeOfOtherServers: of crypto/tls, with what mcpconn does not take.
func TestProbeOfOtherServers(t *testing.T) {
	dir := t.TempDir()
	require.Zero(t, pqcert.Run([]string{"-dir", dir, "-alg", "ECDSA-P256"}, io.Discard, os.Stderr))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		server *tls.Config
		want   offered
	}{
		"TLS 1.2 for known clients": {
			&tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert},
			offered{Versions: []string{"TLS 1.2"}, Groups: []string{}, Keys: []string{"ECDSA P-256"}, ClientCertificate: true},
		},
		"classical": {
			&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}, NextProtos: []string{"h2", "mcp"}},
			offered{Versions: []string{"TLS 1.3", "TLS 1.2"}, Groups: []string{"X25519", "P-384"}, Keys: []string{"ECDSA P-256"}, ALPN: []string{"h2", "mcp"}},
		},
		"one of ours": {
			&tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.SecP384r1MLKEM1024}},
			offered{Versions: []string{"TLS 1.3"}, Groups: []string{"SecP384r1MLKEM1024"}, Keys: []string{"ECDSA P-256"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.Certificates = []tls.Certificate{pair}
			l, err := tls.Listen("tcp", "127.0.0.1:0", c.server)
			require.NoError(t, err)
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						conn.(*tls.Conn).Handshake()
						conn.Close()
					}()
				}
			}()
			p := start(t, "probe", "-trust", filepath.Join(dir, "root.crt"), "-alpn", "mcp", "-json", l.Addr().String())
			status := p.wait(t)
			var report struct {
				Offers offered
				State  mcpconn.State
			}
			require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
			assert.Equal(t, c.want, report.Offers)
			if name != "one of ours" {
				assert.Equal(t, 1, status)
				assert.False(t, report.State.Complete)
				assert.Contains(t, p.stderr.String(), `{"error":"mcpconn: `)
			}
		})
	}
}

// TestMemoryOnTheCommandLine: a server that has shown a post-quantum key exchange, and then does not, is
// refused, although the policy takes it.
func TestMemoryOnTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	require.Zero(t, pqcert.Run([]string{"-dir", dir, "-alg", "ECDSA-P256"}, io.Discard, os.Stderr))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var group atomic.Uint32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}, CurvePreferences: []tls.CurveID{tls.CurveID(group.Load())}})
				if s.Handshake() == nil {
					s.Close()
				}
			}()
		}
	}()
	memory := filepath.Join(dir, "memory")
	const forget = 0
	for _, c := range []struct {
		group  tls.CurveID
		status int
	}{{tls.X25519, 0}, {tls.X25519MLKEM768, 0}, {tls.X25519, 1}, {tls.X25519MLKEM768, 0}, {forget, 0}, {tls.X25519, 0}} {
		if c.group == forget {
			peer := "server " + l.Addr().String()
			p := start(t, "memory", memory)
			assert.Zero(t, p.wait(t))
			assert.Regexp(t, regexp.QuoteMeta(peer)+` +quantum-safe +classical +classical +20`, p.stdout.String())
			assert.Equal(t, 1, start(t, "memory", "-clear", "server elsewhere:1", memory).wait(t))
			p = start(t, "memory", "-json", "-clear", peer, memory)
			assert.Zero(t, p.wait(t))
			assert.Equal(t, "{}\n", p.stdout.String())
			continue
		}
		group.Store(uint32(c.group))
		p := start(t, "connect", "-policy", "Transition2026", "-memory", memory, "-trust", filepath.Join(dir, "root.crt"), l.Addr().String())
		p.stdin.Close()
		assert.Equal(t, c.status, p.wait(t), c.group)
		if c.status != 0 {
			assert.Contains(t, p.stderr.String(), "weaker than it was")
		}
	}
}

// TestProbeOfSilence ends in time, whatever is asked.
func TestProbeOfSilence(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	began := time.Now()
	p := start(t, "probe", "-timeout", "300ms", silent.Addr().String())
	assert.Equal(t, 1, p.wait(t))
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Regexp(t, `(?s)groups +none.*FAILED +timeout: `, p.stdout.String())
}

// TestOpenSSLProbe asks an OpenSSL 3.5 or newer, which the environment variable OPENSSL names.
func TestOpenSSLProbe(t *testing.T) {
	command := os.Getenv("OPENSSL")
	if command == "" {
		t.Skip("OPENSSL does not name an OpenSSL of version 3.5 or newer; .ci/openssl unpacks one")
	}
	dir := t.TempDir()
	require.Zero(t, pqcert.Run([]string{"-dir", dir, "-alg", "ECDSA-P256"}, io.Discard, os.Stderr))
	var out buffer
	c := exec.CommandContext(t.Context(), command, "s_server", "-rev", "-accept", "127.0.0.1:0", "-cert", "server.crt", "-key", "server.key",
		"-groups", "SecP256r1MLKEM768:X25519MLKEM768:P-256", "-alpn", "http/1.1", "-CAfile", "root.crt", "-verify", "3")
	c.Dir, c.Stdout, c.Stderr = dir, &out, &out
	require.NoError(t, c.Start())
	defer c.Wait()
	defer c.Process.Kill()
	accepting := regexp.MustCompile(`ACCEPT (\S+:\d+)`)
	var found []string
	require.Eventually(t, func() bool {
		found = accepting.FindStringSubmatch(out.String())
		return found != nil
	}, 20*time.Second, 5*time.Millisecond, "%s", &out)
	p := start(t, "probe", "-trust", filepath.Join(dir, "root.crt"), "-json", found[1])
	require.Zero(t, p.wait(t), "%s%s", p.stderr, &out)
	var report struct {
		Offers offered
		State  mcpconn.State
	}
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
	assert.Equal(t, []string{"TLS 1.3", "TLS 1.2"}, report.Offers.Versions)
	assert.Equal(t, []string{"X25519MLKEM768", "SecP256r1MLKEM768", "P-256"}, report.Offers.Groups)
	assert.Contains(t, report.Offers.Keys, "ECDSA P-256")
	assert.Equal(t, []string{"http/1.1"}, report.Offers.ALPN)
	assert.True(t, report.Offers.ClientCertificate)
	assert.True(t, report.State.Complete)
	assert.True(t, report.State.KeyExchange.QuantumSafe)
}

// TestMemoryThatIsDamaged is said to be, until an operator relies on it.
func TestMemoryThatIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	p := start(t, "memory", path)
	assert.Equal(t, 1, p.wait(t), "there is none")
	assert.NoFileExists(t, path)
	require.NoError(t, os.WriteFile(path, []byte("torn"), 0o600))
	for range 2 {
		p = start(t, "memory", path)
		assert.Equal(t, 1, p.wait(t))
		assert.Contains(t, p.stderr.String(), "was damaged")
	}
	assert.Zero(t, start(t, "memory", "-clear-damage", path).wait(t))
	p = start(t, "memory", path)
	assert.Zero(t, p.wait(t))
	assert.Equal(t, "PEER  KEY EXCHANGE  AUTHENTICATION  CHAIN  SINCE\n", p.stdout.String())
	assert.Equal(t, 2, start(t, "memory").wait(t))
}
