package mcpconn

import (
	"fmt"
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
// A client remembers servers by name and port; a server remembers clients by the name in their
// certificate, and those without one not at all. Strength only grows: when a peer
// is meant to get weaker, an operator calls [Memory.Clear].
type Memory struct {
	mu     sync.Mutex
	peers  map[string]Strength
	damage string // why the memory can't be relied on, or ""
	file   *memoryFile
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

// NewMemory returns a memory that lasts as long as the process.
func NewMemory() *Memory { return &Memory{peers: map[string]Strength{}} }

// OpenMemory returns a memory kept in a file, which is made if it does not exist. One process
// may use it at a time. Every change is written beside the file, synced, and put in its
// place, so that a crash leaves the old one or the new one.
//
// If the file is not one that was written so, it is renamed to the same name with ".damaged" and
// the time, a line of log/slog says so, and the memory starts empty and damaged: see
// [Memory.Damage]. Damage survives restarts. The error matches [ErrMemory], if the file can be
// neither read nor replaced.
func OpenMemory(path string) (*Memory, error) { return openMemory(path, time.Now()) }

// Peers returns the names of the remembered, sorted.
func (m *Memory) Peers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.peers))
}

// Strength returns what is remembered of a peer, by the name that [Memory.Peers] has.
func (m *Memory) Strength(peer string) (s Strength, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok = m.peers[peer]
	return s, ok
}

// Damage returns an error that matches [ErrMemory] while the memory can't be relied on, because
// its file was damaged: what peers had shown before is lost. A policy with MemoryRequired
// then refuses connections, until [Memory.ClearDamage].
func (m *Memory) Damage() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.damage == "" {
		return nil
	}
	return newError(ErrMemory, "%s", m.damage)
}

// ClearDamage is an operator's word that the memory may be relied on as it is.
func (m *Memory) ClearDamage() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.damage
	m.damage = ""
	return m.save(func() { m.damage = old })
}

// Clear forgets a peer, by the name that [Memory.Peers] has: it may be weaker from now on.
func (m *Memory) Clear(peer string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.peers[peer]
	if !ok {
		return nil
	}
	delete(m.peers, peer)
	slog.Info("mcpconn: strength of peer forgotten", "peer", peer)
	return m.save(func() { m.peers[peer] = old })
}

// save writes the memory to its file, if it has one, or undoes the change. m.mu is held.
func (m *Memory) save(undo func()) error {
	if m.file == nil {
		return nil
	}
	if err := m.file.write(m.peers, m.damage); err != nil {
		undo()
		return wrapError(ErrMemory, err, "not written")
	}
	return nil
}

// check returns an error that matches ErrRegression if now is less than what is remembered.
func (m *Memory) check(peer string, now Strength) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, ok := m.peers[peer]
	if !ok {
		return nil
	}
	var lost []string
	for _, part := range []struct {
		name     string
		was, now bool
	}{
		{"post-quantum key exchange", was.Exchange, now.Exchange},
		{"ML-DSA authentication", was.Authentication, now.Authentication},
		{"quantum-safe chain", was.Chain, now.Chain},
	} {
		if part.was && !part.now {
			lost = append(lost, part.name)
		}
	}
	if lost == nil {
		return nil
	}
	return newError(ErrRegression, "%s had %s (since %s) and has not now; if that is meant, forget it with Memory.Clear",
		peer, strings.Join(lost, " and "), was.Since.UTC().Format(time.DateOnly))
}

// remember adds what a peer has shown.
func (m *Memory) remember(peer string, now Strength) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, known := m.peers[peer]
	sum := Strength{was.Exchange || now.Exchange, was.Authentication || now.Authentication, was.Chain || now.Chain, now.Since}
	if known {
		sum.Since = was.Since
		if sum == was {
			return nil
		}
		sum.Since = now.Since
	} else if !sum.Exchange && !sum.Authentication && !sum.Chain {
		return nil
	} else if len(m.peers) >= maxRemembered {
		return newError(ErrMemory, "full, with %d peers", len(m.peers))
	}
	m.peers[peer] = sum
	return m.save(func() {
		if known {
			m.peers[peer] = was
		} else {
			delete(m.peers, peer)
		}
	})
}

func (s Strength) String() string {
	return fmt.Sprintf("exchange=%t authentication=%t chain=%t since=%s", s.Exchange, s.Authentication, s.Chain, s.Since.UTC().Format(time.RFC3339))
}
