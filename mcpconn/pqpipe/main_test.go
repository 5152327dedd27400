package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
)

// A buffer is an output that another goroutine looks at.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A process is a run of pqpipe.
type process struct {
	stdin          io.WriteCloser
	stdout, stderr *buffer
	status         chan int
	stop           context.CancelFunc
}

func start(t *testing.T, args ...string) *process {
	ctx, stop := context.WithCancel(context.Background())
	in, stdin := io.Pipe()
	p := &process{stdin, &buffer{}, &buffer{}, make(chan int, 1), stop}
	go func() { p.status <- run(ctx, args, in, p.stdout, p.stderr) }()
	t.Cleanup(func() {
		stop()
		stdin.Close()
		if t.Failed() {
			t.Logf("pqpipe %q:\n%s", args, p.stderr)
		}
	})
	return p
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case status := <-p.status:
		return status
	case <-time.After(20 * time.Second):
		require.FailNow(t, "pqpipe goes on")
		return -1
	}
}

var listening = regexp.MustCompile(`listening at (\S+)`)

// address waits for where p listens.
func (p *process) address(t *testing.T) string {
	t.Helper()
	var found []string
	require.Eventually(t, func() bool {
		found = listening.FindStringSubmatch(p.stderr.String())
		return found != nil
	}, 20*time.Second, time.Millisecond)
	return found[1]
}

// pki makes certificates and returns the flags of a server and of a client.
func pki(t *testing.T) (server, client []string) {
	dir := t.TempDir()
	require.NoError(t, makePKI(dir))
	flags := func(name string) []string {
		return []string{"-cert", filepath.Join(dir, name+".crt"), "-key", filepath.Join(dir, name+".key"),
			"-trust", filepath.Join(dir, "root.crt"), "-policy", string(demoPolicy)}
	}
	return flags("server"), flags("client")
}

func line(command string, parts ...any) []string {
	args := []string{command}
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			args = append(args, part)
		case []string:
			args = append(args, part...)
		}
	}
	return args
}

func TestStandardInputAndOutputCrossALink(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	server := start(t, line("serve", serverFlags, "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags, "-json", server.address(t))...)
	io.WriteString(client.stdin, "to the server")
	io.WriteString(server.stdin, "to the client")
	client.stdin.Close()
	require.Eventually(t, func() bool { return server.stdout.String() == "to the server" }, 20*time.Second, time.Millisecond)
	io.WriteString(server.stdin, ", after its end")
	server.stdin.Close()
	assert.Zero(t, client.wait(t))
	assert.Zero(t, server.wait(t))
	assert.Equal(t, "to the client, after its end", client.stdout.String())

	var state mcpconn.State
	require.NoError(t, json.Unmarshal([]byte(client.stderr.String()), &state))
	assert.True(t, state.Complete)
	assert.Equal(t, "X25519MLKEM768", state.Group)
	assert.Contains(t, server.stderr.String(), "server's link from 127.0.0.1:")
}

// TestConnectEndsWithThePeer, although standard input goes on.
func TestConnectEndsWithThePeer(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	server := start(t, line("serve", serverFlags, "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags, server.address(t))...)
	io.WriteString(client.stdin, "hello")
	require.Eventually(t, func() bool { return server.stdout.String() == "hello" }, 20*time.Second, time.Millisecond)
	server.stop()
	assert.Zero(t, server.wait(t), "stopped")
	client.wait(t)
}

func TestTCPCrossesLinks(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer echo.Close()
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	serverFlags, clientFlags := pki(t)
	server := start(t, line("serve", serverFlags, "-target", echo.Addr().String(), "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags, "-listen", "127.0.0.1:0", server.address(t))...)
	near := client.address(t)
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			conn, err := net.Dial("tcp", near)
			if !assert.NoError(t, err) {
				return
			}
			defer conn.Close()
			go func() {
				conn.Write(message)
				conn.(*net.TCPConn).CloseWrite()
			}()
			echoed, err := io.ReadAll(conn)
			assert.NoError(t, err)
			assert.True(t, bytes.Equal(message, echoed), "%d bytes of %d", len(echoed), len(message))
		})
	}
	group.Wait()
	client.stop()
	server.stop()
	assert.Zero(t, client.wait(t))
	assert.Zero(t, server.wait(t))
}

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
		Offers offered
		State  mcpconn.State
	}
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
	assert.Equal(t, offered{
		Versions:          []string{"TLS 1.3"},
		Groups:            []string{"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"},
		Keys:              []string{demoAlgorithm},
		ClientCertificate: true,
	}, report.Offers)
	assert.True(t, report.State.Complete)

	p = start(t, line("probe", clientFlags, address)...)
	require.Zero(t, p.wait(t), p.stderr)
	assert.Regexp(t, `(?s)offers\n +versions +TLS 1.3\n +groups +X25519MLKEM768, .*key exchange +quantum-safe`, p.stdout.String())

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

func TestDemo(t *testing.T) {
	p := start(t, "demo")
	require.Zero(t, p.wait(t), p.stderr)
	out := p.stdout.String()
	for _, want := range []string{"server's link from 127.0.0.1:", "client's link to 127.0.0.1:", demoAlgorithm,
		"X25519MLKEM768", `sent back "tools/list"`} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "FAILED")

	p = start(t, "demo", "-json")
	require.Zero(t, p.wait(t), p.stderr)
	var states map[string]mcpconn.State
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &states))
	for role, state := range states {
		assert.True(t, state.Complete, role)
		assert.Equal(t, demoPolicy == mcpconn.PQCStrict2026, state.Authentication.QuantumSafe, role)
		assert.Equal(t, demoPolicy == mcpconn.PQCStrict2026, state.Chain.QuantumSafe, role)
		assert.True(t, state.KeyExchange.QuantumSafe, role)
	}
	assert.Len(t, states, 2)
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "pqpipe demo", nil},
		{2, "pqpipe demo", []string{"swerve"}},
		{0, "pqpipe demo", []string{"help"}},
		{0, "-target", []string{"serve", "-help"}},
		{2, "want one address", line("serve", serverFlags)},
		{2, "want one address", line("connect", clientFlags, "a:1", "b:2")},
		{2, "not defined", []string{"connect", "-target", "a:1", "b:2"}},
		{2, "PQCStrict2026", []string{"connect", "-policy", "Weak2020", "a:1"}},
		{2, "sha256/", []string{"connect", "-pin", "md5/abc", "a:1"}},
		{2, "-cert", []string{"connect", "-key", "a.key", "a:1"}},
		{2, "missing port", []string{"probe", "localhost"}},
		{2, "unexpected", []string{"demo", "now"}},
		{1, "no such file", []string{"connect", "-trust", filepath.Join(t.TempDir(), "none.crt"), "127.0.0.1:1"}},
		{1, "mcpconn: unusable configuration", []string{"serve", "127.0.0.1:0"}},
		{1, "mcpconn: unusable configuration", []string{"connect", "127.0.0.1:1"}},
		{1, "mcpconn: unusable configuration", []string{"connect", "-listen", "127.0.0.1:0", "127.0.0.1:1"}},
	} {
		p := start(t, c.args...)
		assert.Equal(t, c.status, p.wait(t), strings.Join(c.args, " "))
		assert.Contains(t, p.stderr.String(), c.want, strings.Join(c.args, " "))
	}
}
