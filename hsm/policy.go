package hsm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrRefused is what a policy did not allow. The error is a *RefusedError.
var ErrRefused = errors.New("hsm: refused by policy")

// ErrRule is a rule that makes no sense.
var ErrRule = errors.New("hsm: malformed rule")

// A Reason is why a policy refused a use.
type Reason string

const (
	ReasonNoRule     Reason = "no rule for the key"
	ReasonPurpose    Reason = "purpose not allowed"
	ReasonContext    Reason = "ML-DSA context not allowed"
	ReasonHours      Reason = "outside of the hours"
	ReasonRate       Reason = "too many operations"
	ReasonApproval   Reason = "not approved"
	ReasonAttributes Reason = "the key lacks attributes"
)

// A RefusedError is a use that a policy did not allow. The token was not asked. It matches ErrRefused
// and, of an approval, what the callback returned.
type RefusedError struct {
	Purpose Purpose // 0: the opening of a key
	Key     Key
	Reason  Reason
	Err     error // what Rule.Approve returned, or nil
}

// Error returns the purpose, the key and the reason.
func (e *RefusedError) Error() string {
	what := "use"
	if e.Purpose != 0 {
		what = e.Purpose.String()
	}
	s := fmt.Sprintf("hsm: policy refuses to %s with %s: %s", what, e.Key, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// Unwrap returns what Rule.Approve returned, or nil.
func (e *RefusedError) Unwrap() error { return e.Err }

// A Rule says what keys may be used for.
type Rule struct {
	Key Key // of which keys; the zero Key: of all

	Purposes []Purpose // that are allowed
	Contexts []string  // of ML-DSA that are allowed, "" among them or not; nil: all

	// PerSecond bounds the operations per second of all keys that the rule is for together;
	// 0: no bound. As many can come at once, but at least one.
	PerSecond float64

	Hours *Hours // when the key can be used; nil: always

	// Approve is asked last; its error refuses. It is called concurrently, and
	// not after another condition refused.
	Approve func(context.Context, Request) error

	// Local demands that the key was made in the token and never left it: CKA_LOCAL,
	// CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE. It is checked as the key is opened, as is
	// that all keys are sensitive and not extractable.
	Local bool
}

// Hours are hours of a day, on some days of the week.
type Hours struct {
	From, To time.Duration  // of the clock since midnight; if To is not after From, To is of the next day
	Days     []time.Weekday // on which they begin; nil: all
	Location *time.Location // nil: UTC
}

// A Request is what Rule.Approve sees of a use.
type Request struct {
	Purpose Purpose
	Key     Key
	Options SignOptions       // of an ML-DSA signature
	Digest  []byte            // SHA-256 of what the caller gave to be signed; nil if that is nothing
	Caller  map[string]string // what WithCaller put into the context; not to be changed
}

type callerKey struct{}

// WithCaller returns a context that tells policies and observers who uses a key, in the caller's own terms.
func WithCaller(ctx context.Context, attributes map[string]string) context.Context {
	return context.WithValue(ctx, callerKey{}, attributes)
}

// Caller returns what WithCaller put into the context, or nil.
func Caller(ctx context.Context) map[string]string {
	attributes, _ := ctx.Value(callerKey{}).(map[string]string)
	return attributes
}

// WithPolicy returns the token with a policy: the first rule that matches a key says what it may be used for;
// a key that no rule matches, and what its rule does not allow, is refused by a *RefusedError before
// the token is asked. The policy is for the keys that are opened, made and deleted through the token that is returned,
// beside the policies that t has already. Errors match ErrRule.
func (t *Token) WithPolicy(rules ...Rule) (*Token, error) {
	p := &policy{rules: make([]rule, len(rules))}
	for i, r := range rules {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("%w %d: %w", ErrRule, i, err)
		}
		p.rules[i].Rule = r
		p.rules[i].Purposes = slices.Clone(r.Purposes)
		p.rules[i].Contexts = slices.Clone(r.Contexts)
	}
	return t.with(p), nil
}

// with returns the token with one more guard.
func (t *Token) with(g guard) *Token {
	c := *t
	if t.guard != nil {
		g = guards{t.guard, g}
	}
	c.guard = g
	return &c
}

func (r *Rule) check() error {
	switch {
	case r.PerSecond < 0 || math.IsNaN(r.PerSecond) || math.IsInf(r.PerSecond, 0):
		return fmt.Errorf("%v operations per second", r.PerSecond)
	case r.Hours == nil:
		return nil
	case r.Hours.From < 0 || r.Hours.From >= 24*time.Hour || r.Hours.To < 0 || r.Hours.To > 24*time.Hour:
		return fmt.Errorf("hours from %v to %v, which are not of a day", r.Hours.From, r.Hours.To)
	}
	return nil
}

// matches reports whether all that is set in k is the key's.
func (k Key) matches(key *KeyInfo) bool {
	return (k.Label == "" || k.Label == key.Label) &&
		(k.ID == nil || bytes.Equal(k.ID, key.ID)) &&
		(k.Algorithm == 0 || k.Algorithm == key.Algorithm)
}

// contains reports whether t is within the hours.
func (h *Hours) contains(t time.Time) bool {
	location := h.Location
	if location == nil {
		location = time.UTC
	}
	t = t.In(location)
	clock := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	begins := t.Weekday()
	switch {
	case h.From < h.To:
		if clock < h.From || clock >= h.To {
			return false
		}
	case clock >= h.From:
	case clock < h.To:
		begins = (begins + 6) % 7 // yesterday
	default:
		return false
	}
	return h.Days == nil || slices.Contains(h.Days, begins)
}

// A policy is a guard of rules.
type policy struct{ rules []rule }

type rule struct {
	Rule
	bucket bucket
}

func (p *policy) rule(key *KeyInfo) *rule {
	for i := range p.rules {
		if p.rules[i].Key.matches(key) {
			return &p.rules[i]
		}
	}
	return nil
}

// opened refuses a key whose attributes are not what its rule demands.
func (p *policy) opened(key *KeyInfo) error {
	switch r := p.rule(key); {
	case r == nil:
		return &RefusedError{Key: key.Key(), Reason: ReasonNoRule}
	case r.Local && !(key.Local && key.AlwaysSensitive && key.NeverExtractable):
		return &RefusedError{Key: key.Key(), Reason: ReasonAttributes}
	}
	return nil
}

func (p *policy) before(ctx context.Context, u *use) error {
	refused := func(reason Reason, err error) error {
		return &RefusedError{Purpose: u.purpose, Key: u.key.Key(), Reason: reason, Err: err}
	}
	r := p.rule(u.key)
	switch {
	case r == nil:
		return refused(ReasonNoRule, nil)
	case !slices.Contains(r.Purposes, u.purpose):
		return refused(ReasonPurpose, nil)
	case r.Contexts != nil && u.purpose == Sign && u.key.Algorithm.IsMLDSA() && !slices.Contains(r.Contexts, u.options.Context):
		return refused(ReasonContext, nil)
	case r.Hours != nil && !r.Hours.contains(u.start):
		return refused(ReasonHours, nil)
	case r.PerSecond > 0 && !r.bucket.take(u.start, r.PerSecond):
		return refused(ReasonRate, nil)
	}
	if r.Approve == nil {
		return nil
	}
	request := Request{Purpose: u.purpose, Key: u.key.Key(), Options: u.options, Caller: Caller(ctx)}
	request.Key.ID = bytes.Clone(request.Key.ID)
	if u.message != nil {
		digest := sha256.Sum256(u.message)
		request.Digest = digest[:]
	}
	if err := r.Approve(ctx, request); err != nil {
		return refused(ReasonApproval, err)
	}
	return nil
}

func (*policy) after(context.Context, *use, error)            {}
func (*policy) recovered(context.Context, *use, error, error) {}

// A bucket holds what may be used at once; it fills with time.
type bucket struct {
	mu    sync.Mutex
	full  bool // has been filled once
	have  float64
	since time.Time
}

// take takes one operation out of the bucket if it has one.
func (b *bucket) take(now time.Time, perSecond float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := max(1, perSecond)
	switch elapsed := now.Sub(b.since); {
	case !b.full:
		b.full, b.have, b.since = true, size, now
	case elapsed > 0:
		b.have, b.since = min(size, b.have+elapsed.Seconds()*perSecond), now
	}
	if b.have < 1 {
		return false
	}
	b.have--
	return true
}

// guards are two guards, which must both allow a use.
type guards [2]guard

func (g guards) before(ctx context.Context, u *use) error {
	if err := g[0].before(ctx, u); err != nil {
		return err
	}
	return g[1].before(ctx, u)
}

func (g guards) after(ctx context.Context, u *use, err error) {
	g[0].after(ctx, u, err)
	g[1].after(ctx, u, err)
}

func (g guards) recovered(ctx context.Context, u *use, cause, err error) {
	g[0].recovered(ctx, u, cause, err)
	g[1].recovered(ctx, u, cause, err)
}

func (g guards) opened(key *KeyInfo) error {
	for _, g := range g {
		if err := opened(g, key); err != nil {
			return err
		}
	}
	return nil
}

// opened asks a guard that has an opinion whether a key may be opened.
func opened(g guard, key *KeyInfo) error {
	if o, ok := g.(interface{ opened(*KeyInfo) error }); ok {
		return o.opened(key)
	}
	return nil
}

// hexID returns a CKA_ID as it is written in logs.
func hexID(id []byte) string { return hex.EncodeToString(id) }
