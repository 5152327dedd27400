package hsm

import (
	"context"
	"fmt"
	"time"
)

// Codes of tokens that don't let an attribute be changed.
const (
	ckrAttributeReadOnly = 0x10
	ckrActionProhibited  = 0x1b
)

// one returns what the token says of the one key that matches.
func (t *Token) one(ctx context.Context, key Key) (KeyInfo, error) {
	var found foundKey
	err := t.do(ctx, t.guard, &use{key: &KeyInfo{Label: key.Label, ID: key.ID, Algorithm: key.Algorithm}, start: time.Now()}, false,
		func(ctx context.Context, s *session) (err error) {
			found, err = t.findOne(ctx, s, key)
			return err
		})
	if err != nil {
		return KeyInfo{}, err
	}
	return found.info, nil
}

// disable takes from a key in the token what it is for. A policy must allow its deletion. The
// error matches ErrUnsupported if the token doesn't let that be changed.
func (t *Token) disable(ctx context.Context, key KeyInfo) error {
	u := &use{purpose: Delete, key: &key}
	return t.change(ctx, u, func(ctx context.Context, s *session) error {
		found, err := t.findOne(ctx, s, key.Key())
		if err != nil {
			return err
		}
		kind := uint(ckaSign)
		if key.Algorithm.IsMLKEM() {
			kind = t.numbers.Decapsulate
		}
		err = t.module.cryptoki.SetAttribute(s.handle, found.handle, attribute{kind, boolean(false)})
		switch code(err) {
		case ckrAttributeReadOnly, ckrActionProhibited, ckrAttributeTypeInvalid, ckrTemplateInconsistent, ckrFunctionNotSupported:
			return &UnsupportedError{"disabling a key", fmt.Sprint(err)}
		}
		return err
	})
}
