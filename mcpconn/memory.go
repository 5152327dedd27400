package mcpconn

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Memory remembers the strength that peers have shown, so that a weaker connection to the
// same peer is noticed and refused: a hello that someone swallows, followed by a weaker one,
// looks like a peer that got older. It is safe for concurrent use by any number of Configs.
//
// A client remembers servers by name and port, or by their key's pin if it asks for no name; a server
// remembers clients by the name in their certificate, and those without one not at all. Strength
// only grows: when a peer is meant to get weaker, an operator calls [Memory.Clear].
type Memory struct {
	mu      sync.Mutex
	content memoryContent
	file    *memoryFile // nil for one that lasts as long as the process
}

// Strength is what a peer has shown.
type Strength struct {
	Exchange       bool      `json:"exchange"`       // post-quantum key exchange
	Authentication bool      `json:"authentication"` // ML-DSA key
	Chain          bool      `json:"chain"`          // quantum-safe chain, or pinned
	Since          time.Time `json:"since"`          // when it got that strong
}

// maxRemembered bounds a memory; certificates name clients, and authorities issue them.
const maxRemembered = 1 << 16

// NewMemory returns a memory that lasts as long as the process. It keeps 65,536 peers at most, as
// that of [OpenMemory] does.
func NewMemory() *Memory {
	return &Memory{content: memoryContent{Peers: map[string]Strength{}}}
}

// OpenMemory returns a memory kept in a file, which is made if it does not exist. Every change is
// written beside the file, synced, and put in its place, so that a crash leaves the old one or the
// new one.
//
// Any number of processes and Memory values may share a file: each handshake sees what all have
// written, and a change is made to that, with path+".lock" locked meanwhile. Plan 9, Solaris, AIX
// and WebAssembly lack such locks, and a file is for one process there.
//
// If the file is not one that was written so, it is copied to the same name with ".damaged" and
// the time, a line of log/slog says so, and the memory goes on with what this process knows, at
// first nothing, and damaged: see [Memory.Damage]. Damage survives restarts. A file that somebody
// removes is written anew. The error matches [ErrMemory], if the file can't be read, locked within
// two seconds, or replaced.
func OpenMemory(path string) (*Memory, error) {
	m := NewMemory()
	m.file = &memoryFile{path: path, patience: memoryLockTimeout}
	if err := m.update(unchanged); err != nil {
		return nil, err
	}
	return m, nil
}

// Peers returns the names of the remembered, sorted.
func (m *Memory) Peers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh() // What is known is the best answer, if the file can't be read.
	return slices.Sorted(maps.Keys(m.content.Peers))
}

// Strength returns what is remembered of a peer, by the name that [Memory.Peers] has.
func (m *Memory) Strength(peer string) (s Strength, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh()
	s, ok = m.content.Peers[peer]
	return s, ok
}

// Damage returns an error that matches [ErrMemory] while the memory can't be relied on, because
// its file was damaged and what peers had shown before is lost, or because it can't be read now.
// A policy with MemoryRequired then refuses connections: until [Memory.ClearDamage], or until the file
// can be read again.
func (m *Memory) Damage() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refresh(); err != nil {
		return err
	}
	if m.content.Damage == "" {
		return nil
	}
	return newError(ErrMemory, "%s", m.content.Damage)
}

// ClearDamage is an operator's word that the memory may be relied on as it is. The error matches
// [ErrMemory]: the file can't be written, and the damage stays.
func (m *Memory) ClearDamage() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.update(func(c *memoryContent) (bool, error) {
		changed := c.Damage != ""
		c.Damage = ""
		return changed, nil
	})
}

// Clear forgets a peer, by the name that [Memory.Peers] has: it may be weaker from now on. The error
// matches [ErrMemory]: the file can't be written, and nothing is forgotten.
func (m *Memory) Clear(peer string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := false
	err := m.update(func(c *memoryContent) (bool, error) {
		_, known = c.Peers[peer]
		delete(c.Peers, peer)
		return known, nil
	})
	if known && err == nil {
		slog.Info("mcpconn: strength of peer forgotten", "peer", peer)
	}
	return err
}

func unchanged(*memoryContent) (bool, error) { return false, nil }

// refresh sees what others have written. m.mu is held.
func (m *Memory) refresh() error {
	if m.file == nil || !m.file.changed() {
		return nil
	}
	return m.update(unchanged)
}

// update changes the memory as its file has it now, and writes it; change says whether it has
// changed anything. After an error the memory is as before. m.mu is held.
func (m *Memory) update(change func(*memoryContent) (changed bool, err error)) error {
	if m.file == nil {
		_, err := change(&m.content)
		return err
	}
	unlock, err := m.file.lock()
	if err != nil {
		return wrapError(ErrMemory, err, "can't lock the file")
	}
	defer unlock()
	content, write, err := m.load()
	if err != nil {
		return wrapError(ErrMemory, err, "can't read the file")
	}
	changed, err := change(&content)
	if err != nil {
		return err
	}
	if changed || write {
		if err := m.file.write(content); err != nil {
			return wrapError(ErrMemory, err, "can't write the file")
		}
	}
	m.content = content
	return nil
}

// load returns a copy of what the file has, and whether it is to be written anyway. The file is locked.
func (m *Memory) load() (content memoryContent, write bool, err error) {
	content = memoryContent{maps.Clone(m.content.Peers), m.content.Damage}
	if !m.file.changed() {
		return content, false, nil
	}
	found, data, err := m.file.read()
	switch {
	case err == nil:
		return found, false, nil
	case errors.Is(err, fs.ErrNotExist):
		// Written at once, so that a folder that can't be written to is noticed now.
		return content, true, nil
	case errors.Is(err, errDamaged):
		content.Damage, err = m.file.keepAside(data, err, time.Now())
		return content, true, err
	}
	return content, false, err
}

// regression returns an error that matches ErrRegression if now is less than s, what a peer has
// shown before.
func (s Strength) regression(peer string, now Strength) error {
	var lost []string
	for _, part := range []struct {
		name     string
		was, now bool
	}{
		{"post-quantum key exchange", s.Exchange, now.Exchange},
		{"ML-DSA authentication", s.Authentication, now.Authentication},
		{"quantum-safe chain", s.Chain, now.Chain},
	} {
		if part.was && !part.now {
			lost = append(lost, part.name)
		}
	}
	if lost == nil {
		return nil
	}
	return newError(ErrRegression, "%s had %s (since %s) and has not now; if that is meant, forget it with Memory.Clear",
		peer, strings.Join(lost, " and "), s.Since.UTC().Format(time.DateOnly))
}

// check returns an error that matches ErrRegression if now is less than what is remembered.
func (m *Memory) check(peer string, now Strength) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.content.Peers[peer].regression(peer, now)
}

// remember adds what a peer has shown, if no other handshake was stronger meanwhile.
func (m *Memory) remember(peer string, now Strength) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, err := m.content.remembers(peer, now); known || err != nil {
		return err
	}
	return m.update(func(c *memoryContent) (bool, error) {
		known, err := c.remembers(peer, now)
		switch {
		case known || err != nil:
			return false, err
		case len(c.Peers) >= maxRemembered && c.Peers[peer] == Strength{}:
			return false, newError(ErrMemory, "full, with %d peers", len(c.Peers))
		}
		c.Peers[peer] = now
		return true, nil
	})
}

// remembers reports whether as much as now is known of a peer. The error matches ErrRegression: more is.
func (c *memoryContent) remembers(peer string, now Strength) (bool, error) {
	was := c.Peers[peer]
	if err := was.regression(peer, now); err != nil {
		return false, err
	}
	return was.Exchange == now.Exchange && was.Authentication == now.Authentication && was.Chain == now.Chain, nil
}

// String returns the strength as one line.
func (s Strength) String() string {
	return fmt.Sprintf("exchange=%t authentication=%t chain=%t since=%s", s.Exchange, s.Authentication, s.Chain, s.Since.UTC().Format(time.RFC3339))
}
