package mcpconn_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
)

// TestTornMemory cuts a file of memory behind each byte, and changes each byte: what is not
// whole is put aside, said, and refused under a strict policy.
func TestTornMemory(t *testing.T) {
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	w := newWorld(t, leafAlgorithms[0])
	file := filepath.Join(t.TempDir(), "memory")
	client := w.client()
	memory, err := mcpconn.OpenMemory(file)
	require.NoError(t, err)
	client.Memory = memory
	require.NoError(t, both(w.link(client, w.server())))
	require.NoError(t, memory.Damage())
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, whole)

	check := func(name string, content []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "memory")
		require.NoError(t, os.WriteFile(file, content, 0o600))
		memory, err := mcpconn.OpenMemory(file)
		require.NoError(t, err, name)
		require.ErrorIs(t, memory.Damage(), mcpconn.ErrMemory, name)
		aside, err := filepath.Glob(file + ".damaged*")
		require.NoError(t, err)
		require.Len(t, aside, 1, name)
		kept, err := os.ReadFile(aside[0])
		require.NoError(t, err)
		require.Equal(t, content, kept, name)
		require.Contains(t, log.String(), aside[0])
		log.Reset()
		again, err := mcpconn.OpenMemory(file)
		require.NoError(t, err, name)
		require.ErrorIs(t, again.Damage(), mcpconn.ErrMemory, "%s: after a restart", name)
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for n := 0; n < len(whole); n += step {
		check("torn", whole[:n])
		changed := append([]byte(nil), whole...)
		changed[n] ^= 1
		check("changed", changed)
	}
	check("trailing", append(append([]byte(nil), whole...), whole...))
	check("zeros", make([]byte, len(whole)))

	require.NoError(t, os.WriteFile(file, whole[:len(whole)/2], 0o600))
	memory, err = mcpconn.OpenMemory(file)
	require.NoError(t, err)
	for _, algorithm := range leafAlgorithms {
		w := newWorld(t, algorithm)
		for _, policy := range []mcpconn.Policy{mcpconn.Hybrid2026, mcpconn.PQCStrict2026} {
			strict := policy == mcpconn.PQCStrict2026
			if strict && (!hasMLDSA || algorithm == leafAlgorithms[0]) {
				continue // it takes ML-DSA keys
			}
			client := w.client()
			client.Memory, client.Policy = memory, policy
			o := w.link(client, w.server())
			if strict {
				assert.ErrorIs(t, o.client, mcpconn.ErrMemory)
			} else {
				assert.NoError(t, both(o))
				assert.NotEmpty(t, o.clientState.Memory, "it is said")
			}
		}
	}
	require.NoError(t, memory.ClearDamage())
	assert.NoError(t, memory.Damage())
}

// TestUnwrittenMemory: a change that can't be written is an error, and is not made.
func TestUnwrittenMemory(t *testing.T) {
	w := newWorld(t, leafAlgorithms[0])
	file := filepath.Join(t.TempDir(), "memory")
	memory, err := mcpconn.OpenMemory(file)
	require.NoError(t, err)
	client := w.client()
	client.Memory = memory
	require.NoError(t, both(w.link(client, w.server())))
	peers := memory.Peers()
	require.Len(t, peers, 1)
	require.NoError(t, os.MkdirAll(filepath.Join(file+".new", "in the way"), 0o700))
	require.ErrorIs(t, memory.Clear(peers[0]), mcpconn.ErrMemory)
	assert.Equal(t, peers, memory.Peers())
	require.NoError(t, os.RemoveAll(file+".new"))
	require.NoError(t, memory.Clear(peers[0]))
	assert.Empty(t, memory.Peers())
}
