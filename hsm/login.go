package hsm

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync"
)

// A login is that of a user to a slot of a module, which all sessions of the process share. It
// stays after the last token is closed, because it knows the PINs that were wrong.
type login struct {
	lock chan struct{} // held by the one login that runs
	key  [32]byte      // of digests of wrong PINs

	mu    sync.Mutex
	users int
	pin   []byte // nil while nobody has logged in
	wrong map[[32]byte]bool
}

type loginKey struct {
	module string
	slot   uint
}

var logins = struct {
	sync.Mutex
	of map[loginKey]*login
}{of: map[loginKey]*login{}}

func useLogin(m *module, slot uint) *login {
	logins.Lock()
	defer logins.Unlock()
	l := logins.of[loginKey{m.key, slot}]
	if l == nil {
		l = &login{lock: make(chan struct{}, 1), wrong: map[[32]byte]bool{}}
		rand.Read(l.key[:])
		logins.of[loginKey{m.key, slot}] = l
	}
	l.mu.Lock()
	l.users++
	l.mu.Unlock()
	return l
}

// release undoes one use; after the last the PIN is wiped.
func (l *login) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users == 0 {
		clear(l.pin)
		l.pin = nil
	}
}

// wanted reports whether a PIN is known, and so sessions are to be logged in.
func (l *login) wanted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pin != nil
}

// first logs in with a PIN, which it keeps if it is right.
func (l *login) first(ctx context.Context, m cryptoki, slot, session uint, pin []byte, finalTry bool) error {
	if err := acquire(ctx, l.lock); err != nil {
		return err
	}
	defer func() { <-l.lock }()
	l.mu.Lock()
	known := l.pin
	l.mu.Unlock()
	if known != nil && subtle.ConstantTimeCompare(known, pin) != 1 {
		return ErrPINMismatch
	}
	if err := l.try(m, slot, session, pin, finalTry); err != nil {
		return err
	}
	if known == nil {
		l.mu.Lock()
		l.pin = append(make([]byte, 0, len(pin)), pin...)
		l.mu.Unlock()
	}
	return nil
}

// again logs in with the PIN that was right before.
func (l *login) again(ctx context.Context, m cryptoki, slot, session uint, finalTry bool) error {
	if err := acquire(ctx, l.lock); err != nil {
		return err
	}
	defer func() { <-l.lock }()
	l.mu.Lock()
	pin := append([]byte(nil), l.pin...)
	wanted := l.pin != nil
	l.mu.Unlock()
	if !wanted {
		return nil
	}
	defer clear(pin)
	return l.try(m, slot, session, pin, finalTry)
}

// try does C_Login at most once, and never with a PIN that was wrong before.
func (l *login) try(m cryptoki, slot, session uint, pin []byte, finalTry bool) error {
	mac := hmac.New(sha256.New, l.key[:])
	mac.Write(pin)
	digest := [32]byte(mac.Sum(nil))
	l.mu.Lock()
	wrong := l.wrong[digest]
	l.mu.Unlock()
	if wrong {
		return fmt.Errorf("%w: the token has refused it before, and it is not tried again", ErrPIN)
	}
	if state, err := m.SessionState(session); err == nil && loggedIn(state) {
		return nil
	}
	info, err := m.TokenInfo(slot)
	if err != nil {
		return err
	}
	if info.PINLocked {
		return ErrPINLocked
	}
	if info.PINFinalTry && !finalTry {
		return ErrPINFinalTry
	}
	err = m.Login(session, pin)
	switch code(err) {
	case ckrUserAlreadyLoggedIn:
		return nil
	case ckrPINIncorrect, ckrPINInvalid, ckrPINLenRange:
		l.mu.Lock()
		l.wrong[digest] = true
		l.mu.Unlock()
	}
	return err
}
