package hsm

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"
)

// An Outcome is what became of a use.
type Outcome string

const (
	Done      Outcome = "done"
	Failed    Outcome = "failed"
	Refused   Outcome = "refused"   // by a policy
	Recovered Outcome = "recovered" // the token was opened anew; the use goes on
	Lost      Outcome = "lost"      // the token could not be opened anew
)

// An Event is a use of a key, a refusal or a recovery. It has no secrets, and no message.
type Event struct {
	Outcome Outcome
	Purpose Purpose
	Key     Key               // of a pair that is made: what is known before
	Context string            // of an ML-DSA signature
	Start   time.Time         // of the use
	Latency time.Duration     // since Start, waiting for a session and approval included
	Err     error             // of Failed, Refused and Lost; of Recovered, why it was necessary
	Caller  map[string]string // what WithCaller put into the context; not to be changed
}

// An Observer is told of each use of a key when it is over, of refusals and recoveries. Observe is called
// concurrently, and the operation waits for it.
type Observer interface {
	Observe(context.Context, Event)
}

// WithObserver returns the token with an observer of what is done through it, beside those that t has already.
func (t *Token) WithObserver(o Observer) *Token { return t.with(observed{o}) }

// LogObserver returns an observer that writes to a log: what was done at level Info, the rest at Warn.
func LogObserver(logger *slog.Logger) Observer { return logObserver{logger} }

type logObserver struct{ logger *slog.Logger }

func (l logObserver) Observe(ctx context.Context, e Event) {
	level := slog.LevelWarn
	if e.Outcome == Done {
		level = slog.LevelInfo
	}
	if !l.logger.Enabled(ctx, level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("key", hexID(e.Key.ID)), slog.String("label", e.Key.Label), slog.String("algorithm", e.Key.Algorithm.String()),
		slog.String("purpose", e.Purpose.String()), slog.String("outcome", string(e.Outcome)), slog.Duration("latency", e.Latency),
	}
	if e.Err != nil {
		attributes = append(attributes, slog.String("error", e.Err.Error()))
	}
	for name, value := range e.Caller {
		attributes = append(attributes, slog.String("caller."+name, value))
	}
	l.logger.LogAttrs(ctx, level, "hsm", attributes...)
}

// observed is a guard that allows everything and tells an observer.
type observed struct{ observer Observer }

func (observed) before(context.Context, *use) error { return nil }

func (o observed) after(ctx context.Context, u *use, err error) {
	outcome := Done
	switch {
	case errors.Is(err, ErrRefused):
		outcome = Refused
	case err != nil:
		outcome = Failed
	}
	o.tell(ctx, u, outcome, err)
}

func (o observed) recovered(ctx context.Context, u *use, cause, err error) {
	if err != nil {
		o.tell(ctx, u, Lost, err)
		return
	}
	o.tell(ctx, u, Recovered, cause)
}

func (o observed) tell(ctx context.Context, u *use, outcome Outcome, err error) {
	key := u.key.Key()
	key.ID = bytes.Clone(key.ID)
	o.observer.Observe(ctx, Event{
		Outcome: outcome, Purpose: u.purpose, Key: key, Context: u.options.Context,
		Start: u.start, Latency: time.Since(u.start), Err: err, Caller: Caller(ctx),
	})
}
