// Package hybrid joins post-quantum keys to the classical ones that the world has: in
// key exchange, in encryption, in signatures, and in the formats that carry keys.
//
// A [Group] is a key exchange of TLS 1.3: [X25519MLKEM768], [SecP256r1MLKEM768] and
// [SecP384r1MLKEM1024] keep their secrecy as long as either half does. The client calls
// GenerateShare and later Finish, the server Accept. X-Wing ([XWingDecapsulationKey]) is
// the same idea as a KEM with keys of its own, for HPKE and sealed files.
//
// Composite signatures and composite KEMs put an ML-DSA or ML-KEM key and a classical key
// into one key of one algorithm, for certificates and CMS.
//
// Keys of all of these, of packages mlkem and mldsa, and classical ones are read from PEM
// or DER and written back; certificates and requests are made and checked for algorithms
// that crypto/x509 does not know.
//
// Use X25519MLKEM768 for key exchange unless a policy asks for another group.
//
// Elliptic curves and RSA are the standard library's (crypto/ecdh and others). What those
// packages hold of a secret, such as the scalar in an [crypto/ecdh.PrivateKey], is theirs
// and stays in memory until it is collected; what this package holds is wiped after use.
package hybrid

import (
	"errors"
	"fmt"
)

// Errors, to be matched with [errors.Is]. What the functions of this package return
// says, beyond these, which operation failed and what was expected.
var (
	// ErrSize is a key, seed, share or ciphertext of the wrong length.
	ErrSize = errors.New("hybrid: wrong size")

	// ErrCoefficient is an ML-KEM encapsulation key with a coefficient that is not below
	// q = 3329 (FIPS 203, Section 7.2, modulus check).
	ErrCoefficient = errors.New("hybrid: coefficient out of range")

	// ErrNoKey is the use of a key or an ephemeral that is nil, was never set, or failed
	// to parse.
	ErrNoKey = errors.New("hybrid: no key")

	// ErrDestroyed is the use of a key after Destroy.
	ErrDestroyed = errors.New("hybrid: key destroyed")
)

// An opError is one of this package's errors with the operation and the circumstances.
type opError struct {
	kind   error
	detail string
}

func (e *opError) Error() string { return "hybrid: " + e.detail }
func (e *opError) Unwrap() error { return e.kind }

func newError(kind error, format string, args ...any) error {
	return &opError{kind, fmt.Sprintf(format, args...)}
}
