package hsm

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A URI is a PKCS #11 URI (RFC 7512).
type URI struct {
	Module                             string // module-path
	Token, Serial, Manufacturer, Model string
	Slot                               *uint // slot-id
	Object                             string
	ID                                 []byte
	PIN                                PIN // pin-value or pin-source
}

// ParseURI parses a URI. It knows the attributes token, serial, manufacturer, model, slot-id,
// object, id, type (private alone), module-path, pin-source (the path of a file, or a file: URL) and
// pin-value; any other is an error, and so is an attribute that comes twice. Errors match
// ErrURI, and quote no value.
func ParseURI(s string) (*URI, error) {
	rest, ok := strings.CutPrefix(s, "pkcs11:")
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with pkcs11:", ErrURI)
	}
	u := new(URI)
	seen := map[string]bool{}
	path, query, _ := strings.Cut(rest, "?")
	for _, part := range []struct {
		attributes, separator string
		set                   func(*URI, string, string) error
	}{{path, ";", (*URI).setPath}, {query, "&", (*URI).setQuery}} {
		if part.attributes == "" {
			continue
		}
		for attribute := range strings.SplitSeq(part.attributes, part.separator) {
			name, encoded, ok := strings.Cut(attribute, "=")
			if !ok {
				return nil, fmt.Errorf("%w: an attribute without a value", ErrURI)
			}
			if seen[name] {
				return nil, fmt.Errorf("%w: %s twice", ErrURI, printable(name))
			}
			seen[name] = true
			value, err := url.PathUnescape(encoded)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: percent-encoding", ErrURI, printable(name))
			}
			if err := part.set(u, name, value); err != nil {
				return nil, err
			}
		}
	}
	return u, nil
}

// printable returns an attribute's name, or a stand-in for what can't be one and may be anything.
func printable(name string) string {
	if len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "an attribute"
	}
	return name
}

func (u *URI) setPath(name, value string) error {
	switch name {
	case "token":
		u.Token = value
	case "serial":
		u.Serial = value
	case "manufacturer":
		u.Manufacturer = value
	case "model":
		u.Model = value
	case "object":
		u.Object = value
	case "id":
		u.ID = []byte(value)
	case "type":
		if value != "private" {
			return fmt.Errorf("%w: type is not private", ErrURI)
		}
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, strconv.IntSize)
		if err != nil {
			return fmt.Errorf("%w: slot-id is not a number", ErrURI)
		}
		slot := uint(n)
		u.Slot = &slot
	default:
		return fmt.Errorf("%w: %s is not known before the ?", ErrURI, printable(name))
	}
	return nil
}

func (u *URI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.Module = value
	case "pin-value", "pin-source":
		if !u.PIN.IsZero() {
			return fmt.Errorf("%w: pin-value and pin-source", ErrURI)
		}
		if name == "pin-value" {
			u.PIN = PINValue(value)
			return nil
		}
		path, isURL := strings.CutPrefix(value, "file:")
		if isURL {
			path = strings.TrimPrefix(path, "//")
		}
		if path == "" || path[0] == '|' {
			return fmt.Errorf("%w: pin-source is not a file", ErrURI)
		}
		u.PIN = PINFile(path)
	default:
		return fmt.Errorf("%w: %s is not known after the ?", ErrURI, printable(name))
	}
	return nil
}

// Config returns what the URI says of a token.
func (u *URI) Config() Config {
	return Config{
		Module: u.Module, Token: u.Token, Serial: u.Serial, Manufacturer: u.Manufacturer, Model: u.Model, Slot: u.Slot, PIN: u.PIN,
	}
}

// Key returns what the URI says of a key.
func (u *URI) Key() Key { return Key{Label: u.Object, ID: u.ID} }
