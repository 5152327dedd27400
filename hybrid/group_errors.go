package hybrid

import "errors"

// Errors of groups, to be matched with [errors.Is], beside [ErrSize], [ErrCoefficient]
// and [ErrNoKey].
var (
	// ErrGroup is a group that this package does not have.
	ErrGroup = errors.New("hybrid: unknown group")

	// ErrCompressed is a share with a compressed point, which TLS 1.3 does not allow.
	ErrCompressed = errors.New("hybrid: compressed point")

	// ErrInfinity is a share with the point at infinity.
	ErrInfinity = errors.New("hybrid: point at infinity")

	// ErrOffCurve is a share with bytes that are no uncompressed point of the curve.
	ErrOffCurve = errors.New("hybrid: no point of the curve")

	// ErrZeroSecret is a share whose X25519 part has a small order, so that the secret
	// would be zero whatever the other side's key (RFC 8446, Section 7.4.2).
	ErrZeroSecret = errors.New("hybrid: zero X25519 secret")

	// ErrSwapped is a share with the classical and the post-quantum part in the order of
	// another group.
	ErrSwapped = errors.New("hybrid: parts of the share in the wrong order")

	// ErrUsed is the use of an ephemeral that was used or destroyed before.
	ErrUsed = errors.New("hybrid: ephemeral used before")

	// ErrUnavailable is a curve that crypto/ecdh refuses, as it does X25519 in its
	// FIPS 140-only mode.
	ErrUnavailable = errors.New("hybrid: curve unavailable")
)

// unavailable is the error of a curve that crypto/ecdh refuses.
func (g *group) unavailable(cause error) error {
	return newError(ErrUnavailable, "%s: %s: %v", g.name, g.curve.name, cause)
}

// zeroSecret is the error of a sender's X25519 share of small order.
func (g *group) zeroSecret(r role) error {
	return newError(ErrZeroSecret, "%s: %v share: its X25519 part makes a zero secret", g.name, r)
}

// wrongSize is the error of a share of the wrong length, which that of a curve's point in
// another encoding may explain.
func (g *group) wrongSize(r role, share []byte) error {
	want := g.shareSize(r)
	detail := func(kind error, why string) error {
		return newError(kind, "%s: %v share of %d bytes, want %d%s", g.name, r, len(share), want, why)
	}
	if g.curve.encoded() && len(share) > 0 {
		// In these groups the point is first.
		switch missing := want - len(share); {
		case missing == g.curve.pointSize/2 && (share[0] == 2 || share[0] == 3):
			return detail(ErrCompressed, ": its point is compressed")
		case missing == g.curve.pointSize-1 && share[0] == 0:
			return detail(ErrInfinity, ": its point is at infinity")
		}
	}
	return detail(ErrSize, "")
}

// wrongPoint is the error of a share of the right length whose point does not parse.
func (g *group) wrongPoint(r role, share []byte, cause error) error {
	if !g.curve.encoded() {
		return g.unavailable(cause)
	}
	if g.swapped(r, share) {
		return g.wrongOrder(r)
	}
	point, _ := g.split(share, g.kemSize(r))
	switch {
	case point[0] == 2 || point[0] == 3:
		return newError(ErrCompressed, "%s: %v share: its point is compressed, want an uncompressed one", g.name, r)
	case point[0] == 0 || point[0] == 4 && isZero(point[1:]):
		return newError(ErrInfinity, "%s: %v share: its point is at infinity", g.name, r)
	}
	return newError(ErrOffCurve, "%s: %v share: %d bytes that are no uncompressed point of %s", g.name, r, len(point), g.curve.name)
}

// wrongKey is the error of a client's share whose encapsulation key does not parse.
func (g *group) wrongKey(share []byte) error {
	if g.swapped(client, share) {
		return g.wrongOrder(client)
	}
	return newError(ErrCoefficient, "%s: client share: %s key with coefficients that are not all below 3329", g.name, g.kem.name)
}

func (g *group) wrongOrder(r role) error {
	first := "its point"
	if g.kemFirst {
		first = "ML-KEM"
	}
	return newError(ErrSwapped, "%s: %v share: its parts are swapped, want %s first", g.name, r, first)
}

// swapped reports whether the share, which does not parse, does so with its parts in the
// other order. A point tells by itself, 32 bytes of X25519 by the key beside them.
func (g *group) swapped(r role, share []byte) bool {
	if g.curve == noCurve || g.kem == noKEM {
		return false
	}
	other := *g
	other.kemFirst = !g.kemFirst
	point, ek := other.split(share, g.kemSize(r))
	if g.curve.encoded() {
		_, err := g.curve.parse(point)
		return err == nil
	}
	return g.kem.parses(ek)
}

func isZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
