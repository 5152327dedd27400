package hsm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A privateKey is a private key in a token: what stays, and the handle that changes with the
// epoch of the sessions.
type privateKey struct {
	*core
	guard   guard
	info    KeyInfo
	located atomic.Pointer[location]
	finding chan struct{} // held by the one search that runs

	// prove has the private key of a handle show that it is that of info.Public.
	prove func(s *session, handle uint) error
}

type location struct {
	handle uint
	epoch  uint64
}

// init finds the key for one purpose and checks it.
func (k *privateKey) init(ctx context.Context, t *Token, key Key, purpose Purpose) error {
	k.core, k.guard, k.finding = t.core, t.guard, make(chan struct{}, 1)
	var found foundKey
	var epoch uint64
	u := &use{purpose: purpose, key: &KeyInfo{Label: key.Label, ID: key.ID, Algorithm: key.Algorithm}, start: time.Now()}
	err := t.do(ctx, t.guard, u, false,
		func(ctx context.Context, s *session) (err error) {
			epoch = s.epoch
			if found, err = t.findOne(ctx, s, key); err != nil {
				return err
			}
			if err := opened(t.guard, &found.info); err != nil {
				return err
			}
			return t.check(&found.info, purpose)
		})
	if errors.Is(err, ErrRefused) {
		u.key = &found.info
		t.guard.after(ctx, u, err)
	}
	if err != nil {
		return err
	}
	k.info = found.info
	k.located.Store(&location{found.handle, epoch})
	return nil
}

// check refuses keys of another kind, or whose attributes don't satisfy the policy.
func (c *core) check(info *KeyInfo, purpose Purpose) error {
	name := info.Key()
	if info.Algorithm == 0 || info.Algorithm.IsMLKEM() != (purpose == Decapsulate) {
		return fmt.Errorf("%w: %s does not %s", ErrKeyType, name, purpose)
	}
	for _, rule := range []struct {
		broken bool
		what   string
	}{
		{!info.Sensitive, "not CKA_SENSITIVE"},
		{info.Extractable, "CKA_EXTRACTABLE"},
		{purpose == Sign && !info.Sign, "not CKA_SIGN"},
		{purpose == Decapsulate && !info.Decapsulate, "not CKA_DECAPSULATE"},
		{c.config.Strict && !info.Local, "not CKA_LOCAL"},
		{c.config.Strict && !info.AlwaysSensitive, "not CKA_ALWAYS_SENSITIVE"},
		{c.config.Strict && !info.NeverExtractable, "not CKA_NEVER_EXTRACTABLE"},
	} {
		if rule.broken {
			return fmt.Errorf("%w: %s is %s", ErrKeyPolicy, name, rule.what)
		}
	}
	if info.Public == nil {
		return fmt.Errorf("%w: %s has no public key in the token", ErrKeyNotFound, name)
	}
	return nil
}

// handle returns the key's handle in the epoch of s. In a new epoch it finds the key by id,
// label and algorithm, compares its public key, and has it prove that it is the same.
func (k *privateKey) handle(ctx context.Context, s *session, purpose Purpose) (uint, error) {
	if at := k.located.Load(); at.epoch == s.epoch {
		return at.handle, nil
	}
	if err := acquire(ctx, k.finding); err != nil {
		return 0, err
	}
	defer func() { <-k.finding }()
	at := k.located.Load()
	if at.epoch == s.epoch {
		return at.handle, nil
	}
	found, err := k.findOne(ctx, s, k.info.Key()) // a key of another type can have the same id and label
	if err != nil {
		return 0, err
	}
	if found.info.Public == nil || !samePublic(k.info.Public, found.info.Public) {
		return 0, fmt.Errorf("%w: %s has another public key", ErrKeyChanged, k.info.Key())
	}
	if err := opened(k.guard, &found.info); err != nil {
		return 0, err
	}
	if err := k.check(&found.info, purpose); err != nil {
		return 0, err
	}
	if err := k.prove(s, found.handle); err != nil {
		return 0, err
	}
	if at.epoch < s.epoch {
		k.located.Store(&location{found.handle, s.epoch})
	}
	return found.handle, nil
}
