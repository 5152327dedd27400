package hsm

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A TokenInfo is what a token says of itself.
type TokenInfo struct {
	Module                              string // path
	Slot                                uint
	Label, Manufacturer, Model, Serial  string
	Hardware, Firmware                  Version
	PINCountLow, PINFinalTry, PINLocked bool // a wrong PIN was tried; the next one locks; it is locked
	LoginRequired                       bool
	Sessions, MaxSessions               uint // of all programs; 0 is unknown or unlimited
}

// A Version is a number of two parts.
type Version struct{ Major, Minor byte }

// A Token is an open token. It is safe for concurrent use.
type Token struct {
	*core
	guard guard // nil: none
}

// A core is what a token has in common with those that are made of it.
type core struct {
	config       Config
	module       *module
	login        *login
	identity     TokenInfo // as it was opened; Label and Serial find it again
	slot         atomic.Uint64
	capabilities Capabilities
	numbers      Mechanisms
	unrestricted atomic.Bool // the token refuses CKA_ALLOWED_MECHANISMS

	slots      chan struct{} // one element for each operation that may have a session
	returned   chan struct{} // signals that a session came back
	recovering chan struct{} // held by the one recovery, or change of objects, that runs
	changing   chan struct{}

	mu      sync.Mutex
	ended   *sync.Cond
	idle    []*session
	anchor  uint   // the session for the login
	epoch   uint64 // of sessions; each recovery begins one
	made    uint64 // the module's generation in which the epoch began
	open    int    // sessions, without the anchor
	waiting int    // operations whose callers wait
	live    int    // operations, abandoned ones among them
	closed  bool
	gone    bool // the sessions are closed
}

// Close waits for the operations that callers wait for, and closes the token; what is begun later
// returns ErrClosed. Calls that were abandoned because their context ended may still run in the
// module; the last of them closes what it uses. Close closes all tokens that have been made of this one.
func (t *Token) Close() error {
	c := t.core
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for c.waiting > 0 {
		c.ended.Wait()
	}
	if c.live == 0 {
		c.closeSessions()
	}
	return nil
}

// closeSessions ends the use of the module. c.mu is held.
func (c *core) closeSessions() {
	if c.gone {
		return
	}
	c.gone = true
	for _, s := range c.idle {
		c.module.closeSession(s.handle, s.made)
	}
	c.idle = nil
	c.module.closeSession(c.anchor, c.made)
	c.login.release()
	c.module.release()
}

// Info asks the token for what it says of itself now.
func (t *Token) Info(ctx context.Context) (TokenInfo, error) {
	var info TokenInfo
	err := t.do(ctx, nil, nil, false, func(context.Context, *session) (err error) {
		info, err = t.module.cryptoki.TokenInfo(uint(t.slot.Load()))
		return err
	})
	if err != nil {
		return TokenInfo{}, err
	}
	info.Module = t.module.path
	return info, nil
}

// Capabilities are what a token claims.
type Capabilities struct {
	Interface  Version     // the newest interface of the module, for example 2.40 or 3.2
	Algorithms []Algorithm // that it signs or decapsulates with
	Generate   []Algorithm // of which it generates pairs
	PreHash    bool        // HashML-DSA of digests that the caller computes
	TokenHash  []string    // HashML-DSA with hash functions that the token computes, by the names of mldsa.PreHash
	Mu         bool        // external μ, by Mechanisms.MLDSAMu
	Mechanisms []uint      // all numbers, ascending
}

// Capabilities returns what the token claimed when it was opened.
func (t *Token) Capabilities() Capabilities {
	c := t.capabilities
	c.Algorithms = slices.Clone(c.Algorithms)
	c.Generate = slices.Clone(c.Generate)
	c.TokenHash = slices.Clone(c.TokenHash)
	c.Mechanisms = slices.Clone(c.Mechanisms)
	return c
}
