package suite

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/hsm"
)

// Operations of a token are measured one after another, and from as many goroutines as
// sessions. Hedged signatures differ in their attempts; a call makes several, for a mean.
const (
	hsmLabel      = "pqlane bench"
	hsmTogether   = 16
	hsmGoroutines = 16
)

// A rawSession uses one key of a token by calls of the module with nothing between.
type rawSession interface {
	Sign(message, signature []byte) error
	Decapsulate(ciphertext []byte, sharedKey *[32]byte) error
	Close() error
}

// A Token is a token whose keys are measured. They are made for that.
type Token struct {
	token  *hsm.Token
	module string
	slot   uint
	keys   []hsm.KeyInfo
	raw    []rawSession
}

// OpenToken opens the token that a PKCS #11 URI names.
func OpenToken(ctx context.Context, uri string) (*Token, error) {
	parsed, err := hsm.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	config := parsed.Config()
	config.MaxSessions = hsmGoroutines
	token, err := hsm.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	info, err := token.Info(ctx)
	if err != nil {
		return nil, errors.Join(err, token.Close())
	}
	return &Token{token: token, module: config.Module, slot: info.Slot}, nil
}

// Close deletes the keys that were made, and closes the token.
func (t *Token) Close() error {
	var errs []error
	for _, s := range t.raw {
		errs = append(errs, s.Close())
	}
	for _, k := range t.keys {
		errs = append(errs, t.token.Delete(context.Background(), k.Key(), k.ID))
	}
	return errors.Join(append(errs, t.token.Close())...)
}

// Comparisons are ML-DSA and ML-KEM in the token through package hsm, beside raw calls of
// its module.
func (t *Token) Comparisons(ctx context.Context, filter Filter) ([]measure.Comparison, error) {
	var out []measure.Comparison
	for _, a := range hsm.Algorithms() {
		if c := t.token.Capabilities(); !a.IsMLDSA() && !a.IsMLKEM() || !slices.Contains(c.Algorithms, a) || !slices.Contains(c.Generate, a) {
			continue
		}
		group := a.String() + " in the token"
		comparisons, err := t.algorithm(ctx, a, group)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		out = append(out, comparisons...)
	}
	return filter.apply(out), nil
}

// tokenComparison is a comparison of one operation.
func tokenComparison(group, op string, ours, raw func(int) error) measure.Comparison {
	return measure.Comparison{Group: group, Contestants: []measure.Contestant{
		{Op: op, Impl: "pqlane/hsm", Call: ours},
		{Op: op, Impl: "raw C calls", Call: raw, Baseline: true},
	}}
}

func (t *Token) algorithm(ctx context.Context, a hsm.Algorithm, group string) ([]measure.Comparison, error) {
	key, err := t.token.Generate(ctx, a, hsm.GenerateOptions{Label: hsmLabel})
	if err != nil {
		return nil, err
	}
	t.keys = append(t.keys, key)
	sessions, err := rawSessions(t.module, t.slot, key.ID, hsmGoroutines)
	t.raw = append(t.raw, sessions...)
	if err != nil {
		return nil, err
	}

	var ours func() error
	var raw func(rawSession) error
	op := "sign"
	if a.IsMLKEM() {
		op = "decaps"
		ours, raw, err = t.decapsulations(ctx, key)
	} else {
		ours, raw, err = t.signatures(ctx, key)
	}
	if err != nil {
		return nil, err
	}
	return []measure.Comparison{
		tokenComparison(group, fmt.Sprintf("%s %d", op, hsmTogether),
			func(int) error { return repeat(hsmTogether, ours) },
			func(int) error {
				return repeat(hsmTogether, func() error { return raw(sessions[0]) })
			}),
		tokenComparison(group, fmt.Sprintf("%s %d, %d at once", op, hsmTogether*hsmGoroutines, hsmGoroutines),
			func(int) error { return together(func(int) error { return ours() }) },
			func(int) error { return together(func(i int) error { return raw(sessions[i]) }) }),
	}, nil
}

func repeat(n int, f func() error) error {
	for range n {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// together calls f from all goroutines, each with its number.
func together(f func(i int) error) error {
	var all sync.WaitGroup
	var errs [hsmGoroutines]error
	for i := range hsmGoroutines {
		all.Go(func() { errs[i] = repeat(hsmTogether, func() error { return f(i) }) })
	}
	all.Wait()
	return errors.Join(errs[:]...)
}

func (t *Token) signatures(ctx context.Context, key hsm.KeyInfo) (ours func() error, raw func(rawSession) error, err error) {
	signer, err := t.token.Signer(ctx, key.Key())
	if err != nil {
		return nil, nil, err
	}
	message := []byte("a message of the bench")
	signature, err := signer.SignContext(ctx, message, crypto.Hash(0))
	if err != nil {
		return nil, nil, err
	}
	return func() error {
			_, err := signer.SignContext(ctx, message, crypto.Hash(0))
			return err
		}, func(s rawSession) error {
			return s.Sign(message, make([]byte, len(signature)))
		}, nil
}

func (t *Token) decapsulations(ctx context.Context, key hsm.KeyInfo) (ours func() error, raw func(rawSession) error, err error) {
	d, err := t.token.Decapsulator(ctx, key.Key())
	if err != nil {
		return nil, nil, err
	}
	_, ciphertext := d.Encapsulator().Encapsulate()
	return func() error {
			_, err := d.DecapsulateContext(ctx, ciphertext)
			return err
		}, func(s rawSession) error {
			return s.Decapsulate(ciphertext, new([32]byte))
		}, nil
}
