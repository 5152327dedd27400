package mcpconn

import (
	"crypto/aes"
	"crypto/cipher"
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

// A server keeps its sessions, and a ticket is the number of one, sealed. A sealed session would
// carry the client's certificates, of 5 to 7 KB each with ML-DSA, in the hello of every
// resumption, which then takes five TCP segments in place of two.
//
// The seal is one block of AES-256 over the number and as many zeros (encode, then encipher:
// Bellare and Rogaway, Asiacrypt 2000): who has not the key can't tell tickets apart, and passes
// a forged one with a chance of 2^-64. A key seals for sessionPeriod or maxSessions tickets,
// whichever ends first, and opens for 2*sessionPeriod at most. The first handshake after that
// drops it with its sessions, and so with their secrets, for the collector.
const (
	ticketSize    = aes.BlockSize
	sessionPeriod = 6 * time.Hour
	maxSessions   = 4096 // of a key; two keys are kept
)

// A ticketKey is a key of tickets, with the sessions that they name.
type ticketKey struct {
	began    time.Time
	block    cipher.Block
	sessions []*session
}

func newTicketKey(now time.Time) *ticketKey {
	var key [32]byte
	defer clear(key[:])
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		// The size is right.
		panic(err)
	}
	return &ticketKey{began: now, block: block}
}

// seal keeps a session and returns its ticket.
func (k *ticketKey) seal(v *session) []byte {
	ticket := make([]byte, ticketSize)
	binary.BigEndian.PutUint64(ticket, uint64(len(k.sessions)))
	k.block.Encrypt(ticket, ticket)
	k.sessions = append(k.sessions, v)
	return ticket
}

// open returns the session of a ticket, or nil if the ticket is not of this key.
func (k *ticketKey) open(ticket []byte) *session {
	plain := make([]byte, ticketSize)
	k.block.Decrypt(plain, ticket)
	n := binary.BigEndian.Uint64(plain)
	if binary.BigEndian.Uint64(plain[8:]) != 0 || n >= uint64(len(k.sessions)) {
		return nil
	}
	return k.sessions[n]
}

// outlived reports whether a key is too old to open, or of a future that a clock was set back from;
// those who rotate at the same time may be a little apart.
func (k *ticketKey) outlived(now time.Time) bool {
	age := now.Sub(k.began)
	return age >= 2*sessionPeriod || age < -sessionPeriod
}

// A sessionStore is what a server keeps of its sessions. It is safe for concurrent use.
type sessionStore struct {
	mu             sync.Mutex
	current, older *ticketKey // nil if there is none
}

// rotate forgets keys that were outlived, and has the current key seal no more when its period is
// over. s.mu is held.
func (s *sessionStore) rotate(now time.Time) {
	if s.older != nil && s.older.outlived(now) {
		s.older = nil
	}
	switch k := s.current; {
	case k == nil:
	case k.outlived(now):
		s.current = nil
	case now.Sub(k.began) >= sessionPeriod:
		s.current, s.older = nil, k
	}
}

// put keeps a session and returns its ticket.
func (s *sessionStore) put(now time.Time, v *session) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(now)
	if s.current != nil && len(s.current.sessions) >= maxSessions {
		s.current, s.older = nil, s.current
	}
	if s.current == nil {
		s.current = newTicketKey(now)
	}
	return s.current.seal(v)
}

// get returns the session of a ticket, or nil.
func (s *sessionStore) get(now time.Time, ticket []byte) *session {
	if len(ticket) != ticketSize {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate(now)
	for _, k := range []*ticketKey{s.current, s.older} {
		if k == nil {
			continue
		}
		if v := k.open(ticket); v != nil {
			return v
		}
	}
	return nil
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
	store := c.h.cfg.state().clientSessions
	v, ok := store.get(c.key(server))
	if !ok {
		return nil, false
	}
	if !c.h.fresh(v) {
		store.remove(c.key(server))
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

func (h *handshake) unwrapSession(ticket []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	s := h.cfg.state().sessions.get(h.cfg.now(), ticket)
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
