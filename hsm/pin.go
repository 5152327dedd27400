package hsm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// A PIN is where a token's PIN comes from. It prints as "[PIN]", however it is printed, logged or
// marshalled. The zero value is no PIN.
type PIN struct {
	// A function, because fmt prints no more of it than an address even inside of other types.
	read func(context.Context, TokenInfo) ([]byte, error)
}

// PINValue returns a PIN that is pin.
func PINValue(pin string) PIN {
	return PIN{func(context.Context, TokenInfo) ([]byte, error) { return []byte(pin), nil }}
}

// PINFile returns a PIN that is read from a file when the token is opened, without the line's end.
func PINFile(path string) PIN {
	return PIN{func(context.Context, TokenInfo) ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("hsm: PIN file: %w", err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxPIN+3))
		if err != nil {
			return nil, fmt.Errorf("hsm: PIN file: %w", err)
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")), nil
	}}
}

// PINCallback returns a PIN that ask is called for when the token is opened. It is called once
// for each Open; a recovery uses what it returned.
func PINCallback(ask func(context.Context, TokenInfo) (string, error)) PIN {
	return PIN{func(ctx context.Context, info TokenInfo) ([]byte, error) {
		pin, err := ask(ctx, info)
		return []byte(pin), err
	}}
}

// IsZero reports whether p is no PIN.
func (p PIN) IsZero() bool { return p.read == nil }

const (
	redacted = "[PIN]"
	maxPIN   = 255
)

// String returns "[PIN]".
func (p PIN) String() string { return redacted }

// GoString returns "[PIN]".
func (p PIN) GoString() string { return redacted }

// Format writes "[PIN]", whatever the verb.
func (p PIN) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue returns "[PIN]", for log/slog.
func (p PIN) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[PIN]", for encoding/json and others.
func (p PIN) MarshalText() ([]byte, error) { return []byte(redacted), nil }
