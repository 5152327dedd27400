package mcpconn

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// shared is what the connections of a Config share.
type shared struct {
	chains         *lru[chainKey, []chain]
	clientSessions *lru[clientSessionKey, *session]
	sessions       sessionStore
}

func (cfg *Config) state() *shared {
	cfg.once.Do(func() {
		cfg.shared = &shared{
			chains:         newLRU[chainKey, []chain](maxVerifiedChains),
			clientSessions: newLRU[clientSessionKey, *session](maxClientSessions),
		}
	})
	return cfg.shared
}

func (cfg *Config) now() time.Time {
	if cfg.Time != nil {
		return cfg.Time()
	}
	return time.Now()
}

func (cfg *Config) policyName() Policy {
	if cfg.Policy == "" {
		return Hybrid2026
	}
	return cfg.Policy
}

// String describes the Config in a line without secrets.
func (cfg *Config) String() string {
	if cfg == nil {
		return "no mcpconn.Config"
	}
	identity := "none"
	switch {
	case cfg.GetIdentity != nil:
		identity = "chosen"
	case cfg.Identity != nil:
		identity = cfg.Identity.String()
	}
	return fmt.Sprintf("mcpconn.Config{policy %s, server name %q, identity %s, trust %t, %d pins, key log %t}",
		cfg.policyName(), cfg.ServerName, identity, cfg.Trust != nil, len(cfg.PinnedKeys), cfg.KeyLogWriter != nil)
}

// Format writes String for every verb: a KeyLogWriter may be one that prints what it was given.
func (cfg *Config) Format(s fmt.State, _ rune) { io.WriteString(s, cfg.String()) }

// handshakeContext bounds a handshake.
func (cfg *Config) handshakeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	switch {
	case cfg.HandshakeTimeout < 0:
		return context.WithCancel(ctx)
	case cfg.HandshakeTimeout == 0:
		return context.WithTimeout(ctx, defaultHandshakeTimeout)
	}
	return context.WithTimeout(ctx, cfg.HandshakeTimeout)
}

// CheckClient returns an error that matches [ErrConfig] if the Config can't work for a client,
// saying what to change. [Client] and [Dial] call it; the latter knows a name from the address.
func (cfg *Config) CheckClient() error { return cfg.checkClient("") }

func (cfg *Config) checkClient(name string) error {
	if err := cfg.check(true); err != nil {
		return err
	}
	needsName := cfg.PinsAlone != PinnedKeyOnly || len(cfg.PinnedKeys) == 0
	if cfg.ServerName == "" && name == "" && needsName {
		return newError(ErrConfig, "a client needs the name of the server; set ServerName")
	}
	if host, _, err := net.SplitHostPort(cfg.ServerName); err == nil {
		return newError(ErrConfig, "ServerName is %q, and no certificate has such a name; set it to %q, without the port", cfg.ServerName, host)
	}
	if cfg.Trust == nil && !cfg.pinsAlone() {
		return cfg.noTrust("")
	}
	return nil
}

// CheckServer returns an error that matches [ErrConfig] if the Config can't work for a server,
// saying what to change. [Server] and [Listen] call it.
func (cfg *Config) CheckServer() error {
	if err := cfg.checkWrapped(); err != nil {
		return err
	}
	if cfg.Identity == nil && cfg.GetIdentity == nil {
		return newError(ErrConfig, "a server needs an identity; set Identity or GetIdentity")
	}
	return nil
}

// checkWrapped is CheckServer for a connection whose certificate was someone else's business.
func (cfg *Config) checkWrapped() error {
	if err := cfg.check(false); err != nil {
		return err
	}
	if cfg.Trust == nil && !cfg.pinsAlone() && (!cfg.AnonymousClients || len(cfg.PinnedKeys) > 0) {
		return cfg.noTrust(", or AnonymousClients for a server that asks for no certificate")
	}
	return nil
}

func (cfg *Config) pinsAlone() bool {
	return len(cfg.PinnedKeys) > 0 && cfg.PinsAlone != PinnedWithChain
}

func (cfg *Config) noTrust(also string) error {
	if len(cfg.PinnedKeys) > 0 {
		return newError(ErrConfig, "pins without trust; set Trust, or PinsAlone for self-signed peers%s", also)
	}
	return newError(ErrConfig, "no trust and no pins, so that no peer can be authenticated; set Trust, or PinnedKeys and PinsAlone%s", also)
}

// check checks what does not depend on the role.
func (cfg *Config) check(client bool) error {
	if cfg == nil {
		return newError(ErrConfig, "no Config")
	}
	switch cfg.PinsAlone {
	case PinnedWithChain:
	case PinnedWithoutChain, PinnedKeyOnly:
		if len(cfg.PinnedKeys) == 0 {
			return newError(ErrConfig, "PinsAlone without pins; set PinnedKeys")
		}
	default:
		return newError(ErrConfig, "unknown PinsAlone %d", cfg.PinsAlone)
	}
	if cfg.MaxAge < 0 {
		return newError(ErrConfig, "MaxAge is %v, want 0 for none or more", cfg.MaxAge)
	}
	if cfg.MaxHandshakes < 0 || cfg.MaxHandshakesPerAddress < 0 {
		return newError(ErrConfig, "MaxHandshakes and MaxHandshakesPerAddress are %d and %d, want 0 for the defaults or more",
			cfg.MaxHandshakes, cfg.MaxHandshakesPerAddress)
	}
	for _, name := range cfg.ALPN {
		if len(name) == 0 || len(name) > 255 {
			return newError(ErrConfig, "ALPN has a name of %d bytes, want 1 to 255", len(name))
		}
	}
	rules, err := cfg.Policy.rules()
	if err != nil {
		return err
	}
	if cfg.PolicyFor != nil {
		return nil // Policy may never be used; each choice is checked.
	}
	return cfg.checkPolicy(rules, cfg.Identity, client)
}

// checkPolicy refuses a policy that the configuration can't meet.
func (cfg *Config) checkPolicy(rules *Rules, identity *Identity, client bool) error {
	if !rules.PostQuantumAuthentication {
		return nil
	}
	anonymous := !client && cfg.AnonymousClients
	switch {
	case !hasMLDSA:
		return newError(ErrConfig, "%s needs ML-DSA authentication, and so a program built with Go 1.27 or newer; use %s or build with Go 1.27",
			rules.Policy, Hybrid2026)
	case identity != nil && !isMLDSAKey(identity.info):
		return newError(ErrConfig, "%s needs an ML-DSA identity, and this one is of %s; use an ML-DSA identity, or %s",
			rules.Policy, identity.info.Algorithm, Hybrid2026)
	case len(cfg.PinnedKeys) == 0 && cfg.Trust != nil && !cfg.Trust.mldsa && !anonymous:
		return newError(ErrConfig, "%s needs a quantum-safe chain, and no trust anchor is of ML-DSA; trust one, pin the peer's key, or use %s",
			rules.Policy, Hybrid2026)
	}
	return nil
}
