package mcpconn

import (
	"crypto/tls"
	"slices"
	"time"
)

// A Policy is the name of one of this package's policies. A policy never changes once it is
// released: a stricter or laxer one gets another name, with another year. The zero Policy is
// [Hybrid2026].
type Policy string

const (
	// PQCStrict2026 wants a post-quantum key exchange, and of each peer that is identified
	// an ML-DSA key, certified by a chain signed with ML-DSA throughout or pinned. Sessions
	// are not resumed. It needs Go 1.27.
	PQCStrict2026 Policy = "PQCStrict2026"

	// Hybrid2026, the default, wants a post-quantum key exchange, and takes classical
	// authentication: recorded today, a classical signature is of no use to a later quantum
	// computer, whereas a classical key exchange is.
	Hybrid2026 Policy = "Hybrid2026"

	// Transition2026 takes a classical key exchange too, from peers that offer nothing
	// better, and reports it.
	Transition2026 Policy = "Transition2026"
)

// Rules are what a [Policy] says.
type Rules struct {
	Policy Policy `json:"policy"`
	Date   string `json:"date"` // of the policy's release, as 2026-11-01

	// Groups are the key exchanges that are offered and taken, in the order of preference
	// that crypto/tls has.
	Groups []tls.CurveID `json:"groups"`

	// PostQuantumExchange and PostQuantumAuthentication say what a connection must have.
	// Authentication is that of the peer, key and chain, and of one's own identity.
	PostQuantumExchange       bool `json:"post_quantum_exchange"`
	PostQuantumAuthentication bool `json:"post_quantum_authentication"`

	// Resumption allows sessions to be resumed for SessionLifetime after the peer was
	// authenticated.
	Resumption      bool          `json:"resumption"`
	SessionLifetime time.Duration `json:"session_lifetime"`

	// MaxChain is the largest number of certificates that a peer may send.
	MaxChain int `json:"max_chain"`

	// MemoryRequired refuses connections while a [Config.Memory] is damaged or can't be
	// written.
	MemoryRequired bool `json:"memory_required"`
}

var postQuantumGroups = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}

var policies = []Rules{
	{
		Policy:                    PQCStrict2026,
		Date:                      "2026-11-01",
		Groups:                    postQuantumGroups,
		PostQuantumExchange:       true,
		PostQuantumAuthentication: true,
		MaxChain:                  4,
		MemoryRequired:            true,
	},
	{
		Policy:              Hybrid2026,
		Date:                "2026-11-01",
		Groups:              postQuantumGroups,
		PostQuantumExchange: true,
		Resumption:          true,
		SessionLifetime:     12 * time.Hour,
		MaxChain:            4,
	},
	{
		Policy:          Transition2026,
		Date:            "2026-11-01",
		Groups:          append(slices.Clone(postQuantumGroups), tls.X25519, tls.CurveP256, tls.CurveP384),
		Resumption:      true,
		SessionLifetime: 12 * time.Hour,
		MaxChain:        4,
	},
}

// Policies returns all policies, the strictest first.
func Policies() []Policy {
	names := make([]Policy, len(policies))
	for i := range policies {
		names[i] = policies[i].Policy
	}
	return names
}

// Rules returns what the policy says. For an unknown name the error matches [ErrConfig] and
// lists the known ones.
func (p Policy) Rules() (Rules, error) {
	r, err := p.rules()
	if err != nil {
		return Rules{}, err
	}
	rules := *r
	rules.Groups = slices.Clone(r.Groups)
	return rules, nil
}

func (p Policy) rules() (*Rules, error) {
	if p == "" {
		p = Hybrid2026
	}
	for i := range policies {
		if policies[i].Policy == p {
			return &policies[i], nil
		}
	}
	return nil, newError(ErrConfig, "unknown policy %q, want one of %q", string(p), Policies())
}

// isPostQuantum reports whether a key exchange withstands a quantum computer.
func isPostQuantum(g tls.CurveID) bool {
	switch g {
	case tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, groupMLKEM512, groupMLKEM768, groupMLKEM1024:
		return true
	}
	return false
}

// The groups of draft-ietf-tls-mlkem, which this package knows and does not offer.
const (
	groupMLKEM512  tls.CurveID = 0x0200
	groupMLKEM768  tls.CurveID = 0x0201
	groupMLKEM1024 tls.CurveID = 0x0202
)

// kemOf returns the parameter set of ML-KEM in a key exchange, or "".
func kemOf(g tls.CurveID) string {
	switch g {
	case tls.X25519MLKEM768, tls.SecP256r1MLKEM768, groupMLKEM768:
		return "ML-KEM-768"
	case tls.SecP384r1MLKEM1024, groupMLKEM1024:
		return "ML-KEM-1024"
	case groupMLKEM512:
		return "ML-KEM-512"
	}
	return ""
}
