package hybrid

import (
	"fmt"
	"slices"
)

// A Group is a key exchange of TLS 1.3, by its number in the registry of supported groups
// (RFC 8446, Section 4.2.7). It converts to and from crypto/tls.CurveID.
//
// In a hybrid group, a share is the concatenation of the two parts' shares, and the secret
// that of their secrets (draft-ietf-tls-ecdhe-mlkem); [X25519MLKEM768] has ML-KEM first,
// the other two the curve. The client's share carries an encapsulation key, the server's a
// ciphertext. Sizes in bytes:
//
//	group               client  server  secret
//	X25519MLKEM768        1216    1120      64
//	SecP256r1MLKEM768     1249    1153      64
//	SecP384r1MLKEM1024    1665    1665      80
//	MLKEM512               800     768      32
//	MLKEM768              1184    1088      32
//	MLKEM1024             1568    1568      32
//	X25519                  32      32      32
//	P256                    65      65      32
//
// All methods are safe for concurrent use. What a method appends to must not overlap what
// else it appends to, but may overlap the peer's share, which is read before.
type Group uint16

const (
	X25519MLKEM768     Group = 0x11EC // X25519 and ML-KEM-768
	SecP256r1MLKEM768  Group = 0x11EB // P-256 and ML-KEM-768
	SecP384r1MLKEM1024 Group = 0x11ED // P-384 and ML-KEM-1024
	MLKEM512           Group = 0x0200 // ML-KEM-512 alone (draft-ietf-tls-mlkem)
	MLKEM768           Group = 0x0201 // ML-KEM-768 alone
	MLKEM1024          Group = 0x0202 // ML-KEM-1024 alone
	X25519             Group = 0x001D // X25519 alone, for policies that allow classical groups
	P256               Group = 0x0017 // P-256 alone (secp256r1), likewise
)

// A group is what a Group stands for: its parts, of which one may be noCurve or noKEM, and
// their order.
type group struct {
	id       Group
	name     string
	curve    *curve
	kem      *kem
	kemFirst bool
}

// groups is in the order of Groups.
var groups = [...]group{
	{X25519MLKEM768, "X25519MLKEM768", x25519, mlkem768, true},
	{SecP256r1MLKEM768, "SecP256r1MLKEM768", p256, mlkem768, false},
	{SecP384r1MLKEM1024, "SecP384r1MLKEM1024", p384, mlkem1024, false},
	{MLKEM768, "MLKEM768", noCurve, mlkem768, true},
	{MLKEM1024, "MLKEM1024", noCurve, mlkem1024, true},
	{MLKEM512, "MLKEM512", noCurve, mlkem512, true},
	{X25519, "X25519", x25519, noKEM, false},
	{P256, "P-256", p256, noKEM, false},
}

// Groups returns all groups: the hybrid ones, then ML-KEM alone, then the classical ones.
func Groups() []Group {
	ids := make([]Group, len(groups))
	for i := range groups {
		ids[i] = groups[i].id
	}
	return ids
}

// GroupByID returns the group with the given number, and whether this package has it.
func GroupByID(id uint16) (Group, bool) {
	_, err := Group(id).lookup()
	return Group(id), err == nil
}

// lookup returns the group, or an error that matches ErrGroup.
func (g Group) lookup() (*group, error) {
	for i := range groups {
		if groups[i].id == g {
			return &groups[i], nil
		}
	}
	return nil, newError(ErrGroup, "unknown group %#04x", uint16(g))
}

// known returns the group, or one without parts.
func (g Group) known() *group {
	if known, err := g.lookup(); err == nil {
		return known
	}
	return &group{curve: noCurve, kem: noKEM}
}

// ID returns the group's number.
func (g Group) ID() uint16 { return uint16(g) }

// String returns the group's name, such as "X25519MLKEM768" or "P-256".
func (g Group) String() string {
	if known, err := g.lookup(); err == nil {
		return known.name
	}
	return fmt.Sprintf("Group(%#04x)", uint16(g))
}

// PostQuantum reports whether the secret stays secret from a quantum computer, that is,
// whether the group has an ML-KEM part.
func (g Group) PostQuantum() bool { return g.known().kem != noKEM }

// ClientShareSize returns the size in bytes of a client's share, or 0 for an unknown group.
func (g Group) ClientShareSize() int { return g.known().shareSize(client) }

// ServerShareSize returns the size in bytes of a server's share, or 0 for an unknown group.
func (g Group) ServerShareSize() int { return g.known().shareSize(server) }

// SecretSize returns the size in bytes of the secret, or 0 for an unknown group.
func (g Group) SecretSize() int { return g.known().secretSize() }

// A role is who sends a share.
type role int

const (
	client role = iota
	server
)

func (r role) String() string { return [...]string{"client", "server"}[r] }

// kemSize returns the size of the post-quantum part of a share.
func (g *group) kemSize(r role) int {
	if r == client {
		return g.kem.encapsulationKeySize
	}
	return g.kem.ciphertextSize
}

func (g *group) shareSize(r role) int { return g.curve.pointSize + g.kemSize(r) }

func (g *group) secretSize() int { return g.curve.secretSize + g.kem.secretSize }

// split returns the classical and the post-quantum part of b, a share or a secret whose
// post-quantum part has kemSize bytes.
func (g *group) split(b []byte, kemSize int) (classical, postQuantum []byte) {
	if g.kemFirst {
		return b[kemSize:], b[:kemSize]
	}
	n := len(b) - kemSize
	return b[:n], b[n:]
}

// extend returns dst with n more bytes, and those bytes alone.
func extend(dst []byte, n int) (all, tail []byte) {
	all = slices.Grow(dst, n)[:len(dst)+n]
	return all, all[len(dst):]
}

// appendSecret appends the group's secret, made of those of its parts.
func (g *group) appendSecret(dst, classical, postQuantum []byte) []byte {
	all, secret := extend(dst, g.secretSize())
	c, pq := g.split(secret, g.kem.secretSize)
	copy(c, classical)
	copy(pq, postQuantum)
	return all
}
