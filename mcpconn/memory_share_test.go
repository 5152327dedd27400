package mcpconn

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var strong = Strength{Exchange: true, Authentication: true, Chain: true, Since: time.Unix(1_800_000_000, 0).UTC()}

func openMemory(t testing.TB, path string) *Memory {
	m, err := OpenMemory(path)
	require.NoError(t, err)
	return m
}

// TestMemoriesShareAFile: each sees what the other has remembered and cleared, and loses none of it.
func TestMemoriesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	a, b := openMemory(t, path), openMemory(t, path)
	require.NoError(t, a.remember("x", strong))
	require.NoError(t, b.remember("y", strong))
	require.NoError(t, a.remember("z", Strength{Exchange: true}))
	for _, m := range []*Memory{a, b, openMemory(t, path)} {
		assert.Equal(t, []string{"x", "y", "z"}, m.Peers())
		s, ok := m.Strength("x")
		assert.True(t, ok)
		assert.Equal(t, strong, s)
		require.NoError(t, m.Damage())
		require.ErrorIs(t, m.check("y", Strength{Exchange: true}), ErrRegression)
	}
	// What one has not seen yet still counts when it writes.
	require.NoError(t, a.remember("z", strong))
	require.ErrorIs(t, b.remember("z", Strength{Exchange: true, Chain: true}), ErrRegression)
	s, _ := openMemory(t, path).Strength("z")
	assert.Equal(t, strong, s)

	require.NoError(t, a.Clear("x"))
	require.NoError(t, b.remember("w", strong))
	assert.Equal(t, []string{"w", "y", "z"}, openMemory(t, path).Peers(), "what one has cleared, another does not bring back")
	require.NoError(t, b.Damage())
	require.NoError(t, b.check("x", Strength{}))
}

// TestHandshakesSeeASharedMemory: a process refuses a peer that was stronger towards another.
func TestHandshakesSeeASharedMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	a := newAuthority(t, "ECDSA")
	id := a.identity(t, "ECDSA", serverName)
	server := &Config{Identity: id, Trust: a.trust(t), AnonymousClients: true}
	_, weak := plainConfigs(&Config{Identity: id, Trust: a.trust(t)}, server)
	weak.CurvePreferences, weak.ClientAuth = []tls.CurveID{tls.X25519}, tls.NoClientCert
	config := func() *Config {
		return &Config{Trust: a.trust(t), ServerName: serverName, Policy: Transition2026, Memory: openMemory(t, path)}
	}
	meet := func(cfg *Config, strong bool) error {
		x, y := newPipe()
		c, err := Client(x, cfg)
		require.NoError(t, err)
		if strong {
			s, err := Server(y, server)
			require.NoError(t, err)
			go s.HandshakeContext(t.Context())
		} else {
			go tls.Server(y, weak).Handshake()
		}
		return c.HandshakeContext(t.Context())
	}
	one, other := config(), config()
	require.NoError(t, meet(other, false))
	require.NoError(t, meet(one, true))
	require.ErrorIs(t, meet(other, false), ErrRegression)
	require.NoError(t, one.Memory.Clear(one.Memory.Peers()[0]))
	require.NoError(t, meet(other, false))
}

// TestMemoryProcess is one of the processes of TestProcessesShareAMemory.
func TestMemoryProcess(t *testing.T) {
	path, name := os.Getenv("MCPCONN_TEST_MEMORY"), os.Getenv("MCPCONN_TEST_NAME")
	if path == "" {
		return
	}
	m := openMemory(t, path)
	for i := 0; ; i++ {
		peer := fmt.Sprintf("%s-%d", name, i)
		require.NoError(t, m.remember(peer, strong))
		fmt.Println(peer)
	}
}

// TestProcessesShareAMemory: processes that write it at once, and are killed while they do, lose
// nothing that they had remembered.
func TestProcessesShareAMemory(t *testing.T) {
	if !memoryLocks {
		t.Skip("this system has no locks of files: a memory is for one process")
	}
	path := filepath.Join(t.TempDir(), "memory")
	remembered := make(chan []string)
	const processes = 3
	for i := range processes {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryProcess$")
		cmd.Env = append(os.Environ(), "MCPCONN_TEST_MEMORY="+path, fmt.Sprintf("MCPCONN_TEST_NAME=p%d", i))
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		go func() {
			var peers []string
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				if strings.HasPrefix(lines.Text(), "p") {
					peers = append(peers, lines.Text())
				}
				if len(peers) == 15 {
					cmd.Process.Kill()
				}
			}
			cmd.Wait()
			remembered <- peers
		}()
	}
	var all []string
	for range processes {
		peers := <-remembered
		assert.GreaterOrEqual(t, len(peers), 15)
		all = append(all, peers...)
	}
	m := openMemory(t, path)
	require.NoError(t, m.Damage())
	assert.Subset(t, m.Peers(), all)
	require.NoError(t, m.remember("after", strong))
	require.NoFileExists(t, path+".new")
}

// TestLockedMemory: who holds the lock for long is no reason to wait for ever, or to forget.
func TestLockedMemory(t *testing.T) {
	if !memoryLocks {
		t.Skip("this system has no locks of files")
	}
	path := filepath.Join(t.TempDir(), "memory")
	m := openMemory(t, path)
	require.NoError(t, m.remember("a", strong))
	m.file.patience = 20 * time.Millisecond
	unlock, err := m.file.lock()
	require.NoError(t, err)
	began := time.Now()
	err = m.remember("b", strong)
	require.ErrorIs(t, err, ErrMemory)
	require.ErrorContains(t, err, "locked by another process")
	assert.Less(t, time.Since(began), 2*time.Second)
	require.ErrorIs(t, m.Clear("a"), ErrMemory)
	require.ErrorIs(t, m.check("a", Strength{}), ErrRegression)
	require.NoError(t, m.remember("a", strong), "nothing to write")
	unlock()
	require.NoError(t, m.remember("b", strong))
	assert.Equal(t, []string{"a", "b"}, openMemory(t, path).Peers())
}

// TestMemoryUnderItsFeet: a file that is removed or damaged while it is in use is written anew, and
// damage is said; a file that a crash has left is no hindrance.
func TestMemoryUnderItsFeet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	m := openMemory(t, path)
	require.NoError(t, m.remember("a", strong))
	require.NoError(t, os.Remove(path))
	require.NoError(t, m.Damage())
	assert.Equal(t, []string{"a"}, openMemory(t, path).Peers())

	require.NoError(t, os.WriteFile(path, []byte("torn"), 0o600))
	require.ErrorIs(t, m.Damage(), ErrMemory)
	require.ErrorIs(t, openMemory(t, path).Damage(), ErrMemory)
	assert.Equal(t, []string{"a"}, openMemory(t, path).Peers())
	kept, err := filepath.Glob(path + ".damaged-*")
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.NoError(t, openMemory(t, path).ClearDamage())
	require.NoError(t, m.Damage())

	require.NoError(t, os.WriteFile(path+".new", []byte("half"), 0o600))
	require.NoError(t, m.remember("b", strong))
	assert.Equal(t, []string{"a", "b"}, openMemory(t, path).Peers())

	// Something that can't be read is no damage: nothing is put in its place.
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	require.ErrorIs(t, m.Damage(), ErrMemory)
	require.ErrorIs(t, m.remember("c", strong), ErrMemory)
	require.NoError(t, os.Remove(path))
	require.NoError(t, m.Damage())
	assert.Equal(t, []string{"a", "b"}, openMemory(t, path).Peers())
}
