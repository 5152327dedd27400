package hsm

import (
	"context"
	"time"
)

// A Purpose is what a key or token is used for.
type Purpose uint8

const (
	Sign Purpose = iota + 1
	Decapsulate
	Generate
	Import
	Delete
)

// String returns the purpose in lower case, for example "sign".
func (p Purpose) String() string {
	switch p {
	case Sign:
		return "sign"
	case Decapsulate:
		return "decapsulate"
	case Generate:
		return "generate"
	case Import:
		return "import"
	case Delete:
		return "delete"
	}
	return "unknown purpose"
}

// A use is one use of a key, as a guard sees it.
type use struct {
	purpose Purpose
	key     *KeyInfo // not to be changed; of a pair to be made: its label, id and algorithm
	message []byte   // to be signed: the message, digest or μ that the caller gave; nil for other purposes
	options SignOptions
	start   time.Time
}

// A guard is asked before each use of a token, and told after it. Its methods are called
// concurrently. It must not keep u.message.
type guard interface {
	// before refuses a use by an error, which is returned to the caller as it is. The token has not been asked.
	before(ctx context.Context, u *use) error

	// after is told of each use that before allowed or refused, and of its outcome; and of keys that may not be opened.
	after(ctx context.Context, u *use, err error)

	// recovered is told that the token was opened anew during u because of cause, and of the outcome.
	recovered(ctx context.Context, u *use, cause, err error)
}

// guarded runs f between what g says before and after it.
func guarded(ctx context.Context, g guard, u *use, f func() error) error {
	if g == nil {
		return f()
	}
	u.start = time.Now()
	err := g.before(ctx, u)
	if err == nil {
		err = f()
	}
	g.after(ctx, u, err)
	return err
}
