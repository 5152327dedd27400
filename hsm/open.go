package hsm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pqlane/pqlane/mldsa"
)

// Open opens the token that config names and logs in. ctx is for opening alone: when it ends,
// Open returns at once, and what the module still does is undone when it is done. Errors match
// ErrNoCgo, ErrModule, ErrTokenNotFound, ErrAmbiguous, ErrPIN, ErrPINMismatch, ErrPINLocked or
// ErrPINFinalTry, or are those of the token, of type *Error.
func Open(ctx context.Context, config Config) (*Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if config.Module == "" {
		return nil, fmt.Errorf("%w: no path of one", ErrModule)
	}
	type outcome struct {
		token *Token
		err   error
	}
	opened := make(chan outcome)
	go func() {
		t, err := open(ctx, config)
		select {
		case opened <- outcome{t, err}:
		case <-ctx.Done():
			if err == nil {
				t.Close()
			}
		}
	}()
	select {
	case o := <-opened:
		return o.token, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func open(ctx context.Context, config Config) (*Token, error) {
	m, err := useModule(config.Module)
	if err != nil {
		return nil, err
	}
	c := &core{
		config: config, module: m, numbers: config.Mechanisms.orStandard(),
		slots:      make(chan struct{}, config.maxSessions()),
		returned:   make(chan struct{}, 1),
		recovering: make(chan struct{}, 1),
		changing:   make(chan struct{}, 1),
	}
	c.ended = sync.NewCond(&c.mu)
	if err := c.begin(ctx); err != nil {
		if c.login != nil {
			c.login.release()
		}
		m.release()
		return nil, err
	}
	return &Token{core: c}, nil
}

// begin chooses the token, opens the session for the login, and logs in.
func (c *core) begin(ctx context.Context) error {
	m := c.module.cryptoki
	info, err := choose(m, &c.config)
	if err != nil {
		return err
	}
	info.Module = c.module.path
	c.identity = info
	c.slot.Store(uint64(info.Slot))
	c.login = useLogin(c.module, info.Slot)
	var pin []byte
	if !c.config.PIN.IsZero() {
		if pin, err = c.config.PIN.read(ctx, info); err != nil {
			return err
		}
		defer clear(pin)
		if len(pin) == 0 || len(pin) > maxPIN {
			return fmt.Errorf("%w: it is empty or longer than %d bytes", ErrPIN, maxPIN)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.made = c.module.generation.Load()
	if c.anchor, err = m.OpenSession(info.Slot, false); err != nil {
		return err
	}
	if pin != nil {
		err = c.login.first(ctx, m, info.Slot, c.anchor, pin, c.config.AllowFinalTry)
	}
	if err == nil {
		c.capabilities, err = capabilities(m, info.Slot, &c.numbers, c.config.Mechanisms.MLDSAMu)
	}
	if err != nil {
		m.CloseSession(c.anchor)
	}
	return err
}

// choose returns the one token that config names.
func choose(m cryptoki, config *Config) (TokenInfo, error) {
	slots, err := m.Slots()
	if err != nil {
		return TokenInfo{}, err
	}
	var all, found []TokenInfo
	for _, slot := range slots {
		info, err := m.TokenInfo(slot)
		if err != nil {
			continue // another token's trouble, unless none is found
		}
		all = append(all, info)
		if matches(config.Token, info.Label) && matches(config.Serial, info.Serial) &&
			matches(config.Manufacturer, info.Manufacturer) && matches(config.Model, info.Model) &&
			(config.Slot == nil || *config.Slot == slot) {
			found = append(found, info)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return TokenInfo{}, fmt.Errorf("%w as %s; there are: %s", ErrTokenNotFound, config.name(), strings.Join(names(all), "; "))
	}
	return TokenInfo{}, &AmbiguityError{Name: config.name(), Candidates: names(found)}
}

func matches(asked, is string) bool { return asked == "" || asked == is }

func names(tokens []TokenInfo) []string {
	var s []string
	for _, t := range tokens {
		s = append(s, fmt.Sprintf("token %q, serial %q, slot %d", t.Label, t.Serial, t.Slot))
	}
	return s
}

// name returns what config asks for, in words.
func (c *Config) name() string {
	var s []string
	for _, part := range []struct{ name, value string }{
		{"token", c.Token}, {"serial", c.Serial}, {"manufacturer", c.Manufacturer}, {"model", c.Model},
	} {
		if part.value != "" {
			s = append(s, fmt.Sprintf("%s %q", part.name, part.value))
		}
	}
	if c.Slot != nil {
		s = append(s, fmt.Sprintf("slot %d", *c.Slot))
	}
	if s == nil {
		return "any token"
	}
	return strings.Join(s, ", ")
}

// capabilities asks what the token in slot can do.
func capabilities(m cryptoki, slot uint, n *Mechanisms, mu uint) (Capabilities, error) {
	c := Capabilities{Interface: m.Interface()}
	list, err := m.Mechanisms(slot)
	if err != nil {
		return c, err
	}
	slices.Sort(list)
	c.Mechanisms = slices.Compact(list)
	has := func(number uint) bool {
		_, found := slices.BinarySearch(c.Mechanisms, number)
		return found
	}
	for _, a := range Algorithms() {
		t := n.typeOf(a)
		if has(t.mechanism) && (!a.IsMLKEM() || m.HasDecapsulate()) && inRange(m, slot, a, t, t.mechanism) {
			c.Algorithms = append(c.Algorithms, a)
		}
		if has(t.generate) && inRange(m, slot, a, t, t.generate) {
			c.Generate = append(c.Generate, a)
		}
	}
	c.PreHash = has(n.HashMLDSA)
	for h := mldsa.SHA224; h <= mldsa.SHAKE256; h++ {
		if number := hashMechanism(h); number.combined != 0 && has(number.combined) {
			c.TokenHash = append(c.TokenHash, h.String())
		}
	}
	c.Mu = mu != 0 && has(mu)
	return c, nil
}

// inRange reports whether a mechanism's sizes of keys, or parameter sets, have the algorithm's. A
// module that gives none, or sizes where PKCS #11 has parameter sets, is taken to have all.
func inRange(m cryptoki, slot uint, a Algorithm, t keyType, mechanism uint) bool {
	info, err := m.MechanismInfo(slot, mechanism)
	if err != nil || info.maxKeySize == 0 || info.minKeySize > info.maxKeySize {
		return true
	}
	wanted := t.bits
	if a.IsMLDSA() || a.IsMLKEM() {
		if info.maxKeySize > 3 {
			return true
		}
		wanted = t.set
	}
	if a == Ed25519 {
		return true // 255 bits to some, 256 to others
	}
	return info.minKeySize <= wanted && wanted <= info.maxKeySize
}
