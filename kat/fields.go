package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// fields is a JSON object whose values are read one at a time, so that an error
// names the field and its case.
type fields map[string]json.RawMessage

func (f fields) has(name string) bool { _, ok := f[name]; return ok }

func (f fields) read(name string, v any) error {
	raw, ok := f[name]
	if !ok {
		return fmt.Errorf("%s: missing", name)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// integer returns the named number, which has to be there.
func (f fields) integer(name string) (int, error) {
	var n *int
	if err := f.read(name, &n); err != nil {
		return 0, err
	}
	if n == nil {
		return 0, fmt.Errorf("%s: null", name)
	}
	return *n, nil
}

// boolean returns the named true or false, which has to be there.
func (f fields) boolean(name string) (bool, error) {
	var b *bool
	if err := f.read(name, &b); err != nil {
		return false, err
	}
	if b == nil {
		return false, fmt.Errorf("%s: null", name)
	}
	return *b, nil
}

// text returns the named string, or "" if there is none.
func (f fields) text(name string) (string, error) {
	var s string
	if !f.has(name) {
		return "", nil
	}
	err := f.read(name, &s)
	return s, err
}

// bytes returns the named hex string, which has to be there.
func (f fields) bytes(name string) ([]byte, error) {
	var s *string
	if err := f.read(name, &s); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%s: null", name)
	}
	b, err := hex.DecodeString(*s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// inputs decodes several hex strings.
func (f fields) inputs(names ...string) (map[string][]byte, error) {
	in := make(map[string][]byte, len(names))
	for _, name := range names {
		b, err := f.bytes(name)
		if err != nil {
			return nil, err
		}
		in[name] = b
	}
	return in, nil
}

// objects returns the named array of objects, which must not be empty: a file
// without cases would pass without having tested anything.
func (f fields) objects(name string) ([]fields, error) {
	var list []fields
	if err := f.read(name, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: %w", name, errEmpty)
	}
	return list, nil
}

var errEmpty = errors.New("empty")
