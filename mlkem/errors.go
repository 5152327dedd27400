package mlkem

import (
	"errors"
	"fmt"
)

// Errors, to be matched with [errors.Is]. What the functions of this package return
// says, beyond these, which operation failed and what was expected.
var (
	// ErrSize is a key, seed or ciphertext of the wrong length.
	ErrSize = errors.New("mlkem: wrong size")

	// ErrCoefficient is an encoded key with a coefficient that is not below q = 3329
	// (FIPS 203, Section 7.2, modulus check).
	ErrCoefficient = errors.New("mlkem: coefficient out of range")

	// ErrHash is an expanded decapsulation key whose H(ek) is not the hash of its
	// encapsulation key (FIPS 203, Section 7.3, hash check).
	ErrHash = errors.New("mlkem: wrong hash of the encapsulation key")

	// ErrNoKey is the use of a key that is nil, was never set, or failed to parse.
	ErrNoKey = errors.New("mlkem: no key")

	// ErrDestroyed is the use of a key after Destroy.
	ErrDestroyed = errors.New("mlkem: key destroyed")

	// ErrShared is SetBytes of an encapsulation key that is part of a decapsulation key.
	ErrShared = errors.New("mlkem: encapsulation key belongs to a decapsulation key")
)

// An opError is one of the errors above with the operation and the circumstances.
type opError struct {
	kind   error
	detail string
}

func (e *opError) Error() string { return "mlkem: " + e.detail }
func (e *opError) Unwrap() error { return e.kind }

func newError(kind error, format string, args ...any) error {
	return &opError{kind, fmt.Sprintf(format, args...)}
}

// checkSize returns an error unless the part called what has the size wanted.
func checkSize(op, set, what string, got, want int) error {
	if got == want {
		return nil
	}
	return newError(ErrSize, "%s: %s %s of %d bytes, want %d", op, set, what, got, want)
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
