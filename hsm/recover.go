package hsm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// States of a session in which the user is logged in (CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS).
func loggedIn(state uint) bool { return state == 1 || state == 3 }

// recoverable reports whether err says that the token has lost sessions, the login or
// handles. Tokens use different codes for one cause, and so after a code that could mean
// anything the session is asked whether it still is what it was.
func (c *core) recoverable(s *session, err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Code {
	case ckrSessionHandleInvalid, ckrSessionClosed, ckrDeviceRemoved, ckrDeviceError, ckrTokenNotPresent,
		ckrUserNotLoggedIn, ckrKeyHandleInvalid, ckrObjectHandleInvalid, ckrCryptokiNotInitialized,
		ckrSlotIDInvalid, ckrTokenNotRecognized:
		return true
	case ckrPINIncorrect, ckrPINInvalid, ckrPINLenRange, ckrPINLocked, ckrSessionCount:
		return false
	}
	if s == nil {
		return false
	}
	state, err := c.module.cryptoki.SessionState(s.handle)
	return err != nil || c.login != nil && c.login.wanted() && !loggedIn(state)
}

// acquire takes a lock that is waited for under ctx.
func acquire(ctx context.Context, lock chan struct{}) error {
	select {
	case lock <- struct{}{}:
		return nil
	default:
	}
	select {
	case lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// recover begins a new epoch, with new sessions and a login, unless one has begun since the
// given one.
func (c *core) recover(ctx context.Context, epoch uint64) error {
	if err := acquire(ctx, c.recovering); err != nil {
		return err
	}
	defer func() { <-c.recovering }()
	c.mu.Lock()
	current := c.epoch
	c.mu.Unlock()
	if current != epoch {
		return nil
	}
	m := c.module.cryptoki
	slot, err := c.findAgain()
	if code(err) == ckrCryptokiNotInitialized || errors.Is(err, ErrTokenNotFound) { // some then have no slots
		if err = c.module.reinitialize(); err == nil {
			slot, err = c.findAgain()
		}
	}
	if err != nil {
		return err
	}
	made := c.module.generation.Load()
	c.mu.Lock()
	c.epoch++
	before := c.made
	c.made = made
	idle := c.idle
	c.idle = nil
	c.open -= len(idle)
	c.mu.Unlock()
	for _, s := range idle {
		c.module.closeSession(s.handle, s.made)
	}

	anchor := c.anchor
	state, err := m.SessionState(anchor)
	if err != nil || made != before || slot != uint(c.slot.Load()) {
		c.module.closeSession(anchor, before)
		if anchor, err = m.OpenSession(slot, false); err != nil {
			return err
		}
		state = 0
		c.mu.Lock()
		c.anchor = anchor
		c.mu.Unlock()
		c.slot.Store(uint64(slot))
	}
	if loggedIn(state) {
		return nil
	}
	return c.login.again(ctx, m, slot, anchor, c.config.AllowFinalTry)
}

// findAgain returns the slot in which the token is now.
func (c *core) findAgain() (uint, error) {
	m := c.module.cryptoki
	slots, err := m.Slots()
	if err != nil {
		return 0, err
	}
	for _, slot := range slots {
		info, err := m.TokenInfo(slot)
		if err != nil {
			if code(err) == ckrCryptokiNotInitialized {
				return 0, err
			}
			continue
		}
		if info.Label == c.identity.Label && info.Serial == c.identity.Serial && info.Model == c.identity.Model &&
			(info.Serial != "" || slot == c.identity.Slot) {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("%w: label %q, serial %q is gone", ErrTokenNotFound, c.identity.Label, c.identity.Serial)
}

func (c *core) logRecovery(ctx context.Context, cause, failed error) {
	logger := c.config.Logger
	if logger == nil {
		return
	}
	if failed != nil {
		logger.LogAttrs(ctx, slog.LevelError, "hsm: recovery failed", slog.String("token", c.identity.Label),
			slog.String("cause", cause.Error()), slog.String("error", failed.Error()))
		return
	}
	logger.LogAttrs(ctx, slog.LevelWarn, "hsm: recovered", slog.String("token", c.identity.Label),
		slog.String("cause", cause.Error()))
}
