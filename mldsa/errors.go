package mldsa

import (
	"errors"
	"fmt"
)

// Errors, to be matched with [errors.Is]. What the functions of this package return
// says, beyond these, which operation failed and what was expected.
var (
	// ErrInvalidSignature is every signature that does not verify, whatever is wrong
	// with it. It is returned as it is.
	ErrInvalidSignature = errors.New("mldsa: invalid signature")

	// ErrParameters is the use of the zero Parameters.
	ErrParameters = errors.New("mldsa: no parameter set")

	// ErrSize is a key, seed, digest or μ of the wrong length.
	ErrSize = errors.New("mldsa: wrong size")

	// ErrInconsistent is an expanded private key whose parts don't belong together, or
	// whose secret vectors are out of range.
	ErrInconsistent = errors.New("mldsa: inconsistent private key")

	// ErrContext is a context of more than 255 bytes.
	ErrContext = errors.New("mldsa: context too long")

	// ErrOptions is a crypto.SignerOpts of a type or with a hash function that ML-DSA
	// does not sign.
	ErrOptions = errors.New("mldsa: unsupported options")

	// ErrNoKey is the use of a key that is nil, was never set, or failed to parse.
	ErrNoKey = errors.New("mldsa: no key")

	// ErrDestroyed is the use of a private key after Destroy.
	ErrDestroyed = errors.New("mldsa: key destroyed")

	// ErrShared is SetBytes of a public key that is part of a private key.
	ErrShared = errors.New("mldsa: public key belongs to a private key")

	// ErrAttempts is a signature that was not found within the number of attempts that
	// FIPS 204, Appendix C, allows. With a sound key it does not happen: the probability
	// is below 2^−256.
	ErrAttempts = errors.New("mldsa: too many signing attempts")
)

// An opError is one of the errors above with the operation and the circumstances.
type opError struct {
	kind   error
	detail string
}

func (e *opError) Error() string { return "mldsa: " + e.detail }
func (e *opError) Unwrap() error { return e.kind }

func newError(kind error, format string, args ...any) error {
	return &opError{kind, fmt.Sprintf(format, args...)}
}

// checkSize returns an error unless the part called what, of a set, has the size wanted.
func checkSize(op, set, what string, got, want int) error {
	if got == want {
		return nil
	}
	if set != "" {
		what = set + " " + what
	}
	return newError(ErrSize, "%s: %s of %d bytes, want %d", op, what, got, want)
}

// state is what has become of a key. The zero value is a key never set.
type state uint8

const (
	unset state = iota
	ready
	destroyed
)

// check returns the error that use of a key in state s for op deserves.
func (s state) check(op string) error {
	switch s {
	case ready:
		return nil
	case destroyed:
		return newError(ErrDestroyed, "%s: the key was destroyed", op)
	default:
		return newError(ErrNoKey, "%s: the key is nil, was never set, or failed to parse", op)
	}
}
