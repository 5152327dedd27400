package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
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

var listening = regexp.MustCompile(`listening(?: at |":")([^\s"]+)`)

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

// demoKey is what reports call the keys of demoAlgorithm.
var demoKey = strings.Replace(demoAlgorithm, "ECDSA-P256", "ECDSA P-256", 1)

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

// TestConnectEndsWithThePeer, although standard input goes on: well if the peer says that it was all, and
// with an error if it goes without a word, as one that is interrupted does, or killed.
func TestConnectEndsWithThePeer(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	for _, interrupted := range []bool{false, true} {
		server := start(t, line("serve", serverFlags, "127.0.0.1:0")...)
		client := start(t, line("connect", clientFlags, server.address(t))...)
		io.WriteString(client.stdin, "hello")
		require.Eventually(t, func() bool { return server.stdout.String() == "hello" }, 20*time.Second, time.Millisecond)
		io.WriteString(server.stdin, "good-bye")
		require.Eventually(t, func() bool { return client.stdout.String() == "good-bye" }, 20*time.Second, time.Millisecond)
		if interrupted {
			server.stop()
			assert.Equal(t, 1, server.wait(t))
			assert.Contains(t, server.stderr.String(), "pqpipe serve: interrupted")
			assert.Equal(t, 1, client.wait(t))
			assert.Contains(t, client.stderr.String(), "unexpected EOF")
			continue
		}
		server.stdin.Close()
		client.stdin.Close()
		assert.Zero(t, server.wait(t))
		assert.Zero(t, client.wait(t))
	}
}

// TestBrokenInput ends a link, which the peer notices.
func TestBrokenInput(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	server := start(t, line("serve", serverFlags, "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags, server.address(t))...)
	io.WriteString(client.stdin, "half of")
	client.stdin.(*io.PipeWriter).CloseWithError(errors.New("input/output error"))
	assert.Equal(t, 1, client.wait(t))
	assert.Contains(t, client.stderr.String(), "pqpipe connect: input/output error")
	assert.Equal(t, 1, server.wait(t))
	assert.Equal(t, "half of", server.stdout.String())
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

// A target is a TCP server whose connections a test takes.
func target(t *testing.T) (address string, accept func() *net.TCPConn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() *net.TCPConn {
		conn, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn.(*net.TCPConn)
	}
}

// TestCutsAreNotEnds: what goes wrong at one end of two links is an error at the other, and not
// the end of the stream, so that nobody takes half a message for the whole.
func TestCutsAreNotEnds(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	far, accept := target(t)
	server := start(t, line("serve", serverFlags, "-target", far, "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags, "-listen", "127.0.0.1:0", server.address(t))...)
	link := func() (near, far *net.TCPConn) {
		conn, err := net.Dial("tcp", client.address(t))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		near, far = conn.(*net.TCPConn), accept()
		for _, ends := range [][2]*net.TCPConn{{near, far}, {far, near}} {
			_, err := io.WriteString(ends[0], "half of")
			require.NoError(t, err)
			_, err = io.ReadFull(ends[1], make([]byte, 7))
			require.NoError(t, err)
		}
		return near, far
	}
	requireCut := func(conn *net.TCPConn) {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	}
	near, distant := link()
	distant.SetLinger(0)
	distant.Close()
	requireCut(near)

	near, distant = link()
	near.SetLinger(0)
	near.Close()
	requireCut(distant)

	// An end that is said goes through, and the other way stays open.
	near, distant = link()
	require.NoError(t, near.CloseWrite())
	rest, err := io.ReadAll(distant)
	require.NoError(t, err)
	require.Empty(t, rest)
	_, err = io.WriteString(distant, " and more")
	require.NoError(t, err)
	require.NoError(t, distant.Close())
	rest, err = io.ReadAll(near)
	require.NoError(t, err)
	require.Equal(t, " and more", string(rest))

	near, distant = link()
	server.stop()
	requireCut(near)
	requireCut(distant)
	require.Zero(t, server.wait(t))

	// And without a server there is nothing to wait for.
	conn, err := net.Dial("tcp", client.address(t))
	if err == nil {
		defer conn.Close()
		requireCut(conn.(*net.TCPConn))
	} else {
		require.ErrorIs(t, err, syscall.ECONNRESET, "cut before Dial returned")
	}
	require.Eventually(t, func() bool { return strings.Contains(client.stderr.String(), "connection refused") }, 5*time.Second, time.Millisecond)
	client.stop()
	require.Zero(t, client.wait(t))
}

// TestTargetThatIsNotThere: the link is cut, and the server goes on.
func TestTargetThatIsNotThere(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	server := start(t, line("serve", serverFlags, "-quiet", "-target", l.Addr().String(), "127.0.0.1:0")...)
	for range 2 {
		client := start(t, line("connect", clientFlags, server.address(t))...)
		assert.Equal(t, 1, client.wait(t))
		assert.Contains(t, client.stderr.String(), "unexpected EOF")
	}
	server.stop()
	assert.Zero(t, server.wait(t))
	assert.Contains(t, server.stderr.String(), "connection refused")
}

// TestQuietAndAnonymous: -quiet keeps reports of links that were made to itself.
func TestQuietAndAnonymous(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	server := start(t, line("serve", serverFlags, "-anonymous", "-quiet", "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags[4:], "-quiet", server.address(t))...)
	server.stdin.Close()
	client.stdin.Close()
	assert.Zero(t, client.wait(t))
	assert.Zero(t, server.wait(t))
	assert.Empty(t, client.stderr.String())
	assert.NotContains(t, server.stderr.String(), "link")

	server = start(t, line("serve", serverFlags, "-quiet", "127.0.0.1:0")...)
	client = start(t, line("connect", clientFlags[4:], "-quiet", server.address(t))...)
	assert.Equal(t, 1, client.wait(t), "without a certificate")
	assert.Eventually(t, func() bool { return strings.Contains(server.stderr.String(), "FAILED") }, 5*time.Second, time.Millisecond)
	server.stop()
	assert.Zero(t, server.wait(t))
}

// TestPinsOnTheCommandLine, beside the chain and in its place.
func TestPinsOnTheCommandLine(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	id, err := mcpconn.LoadIdentity(serverFlags[1], serverFlags[3])
	require.NoError(t, err)
	pin, wrong := id.Pin().String(), mcpconn.Pin{}.String()
	identity, trust := clientFlags[:4], clientFlags[4:6]
	for _, c := range []struct {
		status int
		args   []string
	}{
		{0, line(identity[0], identity[1:], trust, "-pin", pin)},
		{0, line(identity[0], identity[1:], trust, "-pin", wrong, "-pin", pin)},
		{1, line(identity[0], identity[1:], trust, "-pin", wrong)},
		{0, line(identity[0], identity[1:], "-pin", pin, "-pins-alone")},
		{0, line(identity[0], identity[1:], "-pin", pin, "-pins-alone", "-policy", string(demoPolicy))},
		{1, line(identity[0], identity[1:], "-pin", wrong, "-pins-alone")},
		{1, line(identity[0], identity[1:], "-pin", pin, "-pins-alone", "-name", "other.example")},
		{1, line(identity[0], identity[1:], trust, "-name", "other.example")},
		{0, line(identity[0], identity[1:], trust, "-name", "localhost")},
	} {
		server := start(t, line("serve", serverFlags, "-target", "127.0.0.1:1", "127.0.0.1:0")...)
		p := start(t, line("probe", c.args, server.address(t))...)
		assert.Equal(t, c.status, p.wait(t), "%q: %s", c.args, p.stdout)
		server.stop()
		server.wait(t)
	}
}

// TestMaxAgeOnTheCommandLine closes what outlives it.
func TestMaxAgeOnTheCommandLine(t *testing.T) {
	serverFlags, clientFlags := pki(t)
	server := start(t, line("serve", serverFlags, "-json", "127.0.0.1:0")...)
	client := start(t, line("connect", clientFlags, "-max-age", "200ms", server.address(t))...)
	assert.Equal(t, 1, client.wait(t))
	assert.Contains(t, client.stderr.String(), "older than MaxAge")
	server.stop()
	server.wait(t)
	decoder := json.NewDecoder(strings.NewReader(server.stderr.String()))
	for _, name := range []string{"listening", "policy"} {
		var object map[string]any
		require.NoError(t, decoder.Decode(&object), "all that is said is JSON")
		assert.Contains(t, object, name)
	}
}

func TestDemo(t *testing.T) {
	p := start(t, "demo")
	require.Zero(t, p.wait(t), p.stderr)
	out := p.stdout.String()
	for _, want := range []string{"server's link from 127.0.0.1:", "client's link to 127.0.0.1:", "pqcert -alg " + demoAlgorithm, demoKey,
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
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
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
		{2, "more than 0", []string{"connect", "-timeout", "0s", "a:1"}},
		{2, "more than 0", []string{"connect", "-timeout", "-1s", "a:1"}},
		{2, "more than 0", []string{"serve", "-max-age", "0s", ":1"}},
		{2, "missing unit", []string{"serve", "-max-age", "10", ":1"}},
		{2, "missing port", []string{"probe", "localhost"}},
		{2, "unexpected", []string{"demo", "now"}},
		{1, "no such file", []string{"connect", "-trust", filepath.Join(t.TempDir(), "none.crt"), "127.0.0.1:1"}},
		{1, "mcpconn: unusable configuration", line("connect", "-alpn", "a,,b", clientFlags, "127.0.0.1:1")},
		{2, "want -cert", line("serve", serverFlags[4:], "127.0.0.1:0")},
		{2, "want -trust, or -pin and -pins-alone, or -anonymous", line("serve", serverFlags[:4], "127.0.0.1:0")},
		{2, "want -trust, or -pin and -pins-alone", line("connect", clientFlags[:4], "127.0.0.1:1")},
		{2, "want -trust", line("connect", "-pin", mcpconn.Pin{}.String(), "127.0.0.1:1")},
		{2, "-pins-alone without -pin", line("connect", "-pins-alone", clientFlags, "127.0.0.1:1")},
		{2, "-pins-alone without -pin", line("probe", "-pins-alone", "127.0.0.1:1")},
		{2, "missing port", line("connect", clientFlags, "localhost")},
		{2, "missing port", line("connect", clientFlags, "-listen", "127.0.0.1:0", "localhost")},
		{2, "missing port", line("connect", clientFlags, "-listen", "localhost", "127.0.0.1:1")},
		{2, "missing port", line("serve", serverFlags, "localhost")},
		{2, "missing port", line("serve", serverFlags, "-target", "localhost", "127.0.0.1:0")},
		{1, "address already in use", line("serve", serverFlags, busy.Addr().String())},
		{1, "address already in use", line("connect", clientFlags, "-listen", busy.Addr().String(), "127.0.0.1:1")},
	} {
		p := start(t, c.args...)
		assert.Equal(t, c.status, p.wait(t), strings.Join(c.args, " "))
		assert.Contains(t, p.stderr.String(), c.want, strings.Join(c.args, " "))
	}
}
