package mcpconn

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"sync"
	"time"
)

// A session is a TLS session with what it was authenticated for.
type session struct {
	state         *tls.SessionState       // of a server
	client        *tls.ClientSessionState // of a client
	binding       [sha256.Size]byte
	authenticated time.Time
}

// A server keeps sessions under random names, and a ticket is such a name, 16 bytes. A sealed
// session would carry the client's certificates, and make the hello of a resumption many times
// longer than one segment. As keys that seal tickets are rotated, the names are: every
// sessionPeriod those of the period before the last are dropped, with their secrets.
const (
	ticketSize    = 16
	sessionPeriod = 6 * time.Hour
	maxSessions   = 4096 // in a period
)

type ticket [ticketSize]byte

type sessionStore struct {
	mu             sync.Mutex
	began          time.Time
	current, older map[ticket]*session
}

func (s *sessionStore) rotate(now time.Time) {
	switch age := now.Sub(s.began); {
	case s.current == nil || age >= 2*sessionPeriod || age < 0:
		s.current, s.older = map[ticket]*session{}, nil
	case age >= sessionPeriod || len(s.current) >= maxSessions:
		s.current, s.older = map[ticket]*session{}, s.current
	default:
		return
	}
	s.began = now
}

func (s *sessionStore) put(now time.Time, v *session) []byte {
	var name ticket
	rand.Read(name[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(now)
	s.current[name] = v
	return name[:]
}

func (s *sessionStore) get(now time.Time, name []byte) *session {
	if len(name) != ticketSize {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(now)
	if v, ok := s.current[ticket(name)]; ok {
		return v
	}
	return s.older[ticket(name)]
}

// maxClientSessions bounds the sessions that a client keeps, one for each server and binding.
const maxClientSessions = 1024

// clientSessions is the session cache of one handshake of a client.
type clientSessions struct{ h *handshake }

type clientSessionKey struct {
	binding [sha256.Size]byte
	server  string
}

func (c clientSessions) key(server string) clientSessionKey {
	return clientSessionKey{c.h.binding, server}
}

func (c clientSessions) Get(server string) (*tls.ClientSessionState, bool) {
	v, ok := c.h.cfg.state().clientSessions.get(c.key(server))
	if !ok || !c.h.fresh(v) {
		return nil, false
	}
	c.h.offered = v
	return v.client, true
}

func (c clientSessions) Put(server string, state *tls.ClientSessionState) {
	store := c.h.cfg.state().clientSessions
	if state == nil {
		store.remove(c.key(server))
		return
	}
	store.put(c.key(server), &session{client: state, binding: c.h.binding, authenticated: c.h.authenticated})
}

// fresh reports whether a session may still be resumed.
func (h *handshake) fresh(s *session) bool {
	limit := h.rules.SessionLifetime
	if h.cfg.MaxAge > 0 && h.cfg.MaxAge < limit {
		limit = h.cfg.MaxAge
	}
	age := h.cfg.now().Sub(s.authenticated)
	return age >= 0 && age < limit
}

func (h *handshake) wrapSession(cs tls.ConnectionState, state *tls.SessionState) ([]byte, error) {
	s := &session{state: state, binding: h.binding, authenticated: h.cfg.now()}
	if cs.DidResume {
		// The ticket comes before verifyConnection here, which is run again for each use of it.
		s.authenticated = h.offered.authenticated
	}
	return h.cfg.state().sessions.put(h.cfg.now(), s), nil
}

func (h *handshake) unwrapSession(name []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	s := h.cfg.state().sessions.get(h.cfg.now(), name)
	if s == nil || s.binding != h.binding || !h.fresh(s) {
		return nil, nil
	}
	h.offered = s
	return s.state, nil
}

// bind sets what sessions of this handshake are bound to: they are resumed under the same
// policy, identity, trust, and name only.
func (h *handshake) bind() {
	hash := sha256.New()
	var b [8]byte
	field := func(s []byte) {
		hash.Write(binary.BigEndian.AppendUint64(b[:0], uint64(len(s))))
		hash.Write(s)
	}
	field([]byte(h.rules.Policy))
	if h.identity != nil {
		field(h.identity.id[:])
	} else {
		field(nil)
	}
	if h.cfg.Trust != nil {
		field(binary.BigEndian.AppendUint64(nil, h.cfg.Trust.generation))
	} else {
		field(nil)
	}
	field([]byte(h.serverName))
	hash.Sum(h.binding[:0])
}
