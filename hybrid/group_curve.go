package hybrid

import (
	"crypto/ecdh"
	"crypto/rand"
)

// A curve is the classical part of a group. Sizes are in bytes.
type curve struct {
	ecdh.Curve
	name                  string
	pointSize, secretSize int
}

var (
	noCurve = new(curve)
	x25519  = &curve{ecdh.X25519(), "X25519", 32, 32}
	p256    = &curve{ecdh.P256(), "P-256", 65, 32}
	p384    = &curve{ecdh.P384(), "P-384", 97, 48}
)

// encoded reports whether a share encodes a point, which may be wrong, and not 32 bytes of
// any content as in X25519.
func (c *curve) encoded() bool { return c == p256 || c == p384 }

// generate returns a new key, or nil if there is no curve.
func (c *curve) generate() (*ecdh.PrivateKey, error) {
	if c == noCurve {
		return nil, nil
	}
	return c.GenerateKey(rand.Reader)
}

// parse returns the key that point encodes, or nil if there is no curve.
func (c *curve) parse(point []byte) (*ecdh.PublicKey, error) {
	if c == noCurve {
		return nil, nil
	}
	return c.NewPublicKey(point)
}

// agree returns the shared secret, which the caller wipes, or nil if there is no curve.
// The error says that the secret is zero: on the other curves there is none.
func (c *curve) agree(private *ecdh.PrivateKey, peer *ecdh.PublicKey) ([]byte, error) {
	if c == noCurve {
		return nil, nil
	}
	return private.ECDH(peer)
}

// putPoint writes the public half of private to dst, which has its size.
func (c *curve) putPoint(dst []byte, private *ecdh.PrivateKey) {
	if c != noCurve {
		copy(dst, private.PublicKey().Bytes())
	}
}
