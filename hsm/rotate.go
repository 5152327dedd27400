package hsm

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrRotating is a rotation that begins before the last one has switched.
var ErrRotating = errors.New("hsm: the last rotation has not switched yet")

// ErrRotator is a configuration of a Rotator that lacks something.
var ErrRotator = errors.New("hsm: malformed configuration of a rotator")

// A RotatorConfig says which keys a Rotator is for.
type RotatorConfig struct {
	Label     string    // of all the keys, one after another
	Algorithm Algorithm // of all the keys

	// Publish makes a successor's public key known, before it is used. It is called again after an error, and
	// after a restart, even if it has returned before: it must not matter how often.
	Publish func(context.Context, KeyInfo) error

	// Grace is how long a predecessor stays usable after the switch.
	Grace time.Duration

	// Delete has retired keys deleted; to a policy, retiring is a use for that purpose in any case. Without, they
	// are disabled, by CKA_SIGN or CKA_DECAPSULATE where the token lets that be changed; where it doesn't, they
	// are disabled in this process alone.
	Delete bool

	// Failed, if not nil, is told of the errors that Run tries again after.
	Failed func(error)
}

// A Rotator replaces a key by a successor of the same label and a new id. What the successor's use begins at
// is in its CKA_ID, so that the token holds all that is to be known of a rotation: a Rotator that begins
// after a crash, and those of other processes, go on from there.
//
// The methods can be called concurrently. Two processes must not call Rotate at the same time.
type Rotator struct {
	store  keyStore
	config RotatorConfig

	mu          sync.Mutex    // serializes what is asked of the token
	wake        chan struct{} // for Run, after Rotate
	generations atomic.Pointer[[]generation]
}

// A keyStore is what a Rotator asks of a Token.
type keyStore interface {
	Keys(context.Context, Key) ([]KeyInfo, error)
	Generate(context.Context, Algorithm, GenerateOptions) (KeyInfo, error)
	Delete(ctx context.Context, key Key, confirm []byte) error
	Signer(context.Context, Key) (*Signer, error)
	Decapsulator(context.Context, Key) (*Decapsulator, error)
	disable(context.Context, KeyInfo) error
}

// A generation is a key between its predecessor and its successor.
type generation struct {
	key          KeyInfo
	signer       *Signer
	decapsulator *Decapsulator
	from         time.Time // when its use begins; the zero time for a key that no rotation made
	made         bool      // by this Rotator
	published    bool
	switched     time.Time // from, or later if it was published later; the zero time before it is published
	until        time.Time // when its grace period ends; the zero time while that is not known
	retired      bool
}

// Bytes of the CKA_ID of a successor: 4 that mark it, 6 of the time that its use
// begins at, in milliseconds since 1970, big-endian, and 6 random ones.
const (
	rotationMark   = "\xffrot"
	rotationIDSize = 16
)

func rotationID(from time.Time) []byte {
	id := binary.BigEndian.AppendUint64(make([]byte, 0, rotationIDSize+2), uint64(from.UnixMilli()))
	id = append([]byte(rotationMark), id[2:]...)
	id = id[:rotationIDSize]
	rand.Read(id[len(rotationMark)+6:])
	return id
}

// rotationStart returns the time in a CKA_ID, or the zero time if the id is another kind.
func rotationStart(id []byte) time.Time {
	if len(id) != rotationIDSize || string(id[:len(rotationMark)]) != rotationMark {
		return time.Time{}
	}
	var ms [8]byte
	copy(ms[2:], id[len(rotationMark):])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:])))
}

// NewRotator returns a Rotator of the keys that the token holds. There must be one at least. Call Run, or Step
// when it says, so that what is due is done.
func (t *Token) NewRotator(ctx context.Context, config RotatorConfig) (*Rotator, error) {
	return newRotator(ctx, t, config)
}

func newRotator(ctx context.Context, store keyStore, config RotatorConfig) (*Rotator, error) {
	switch {
	case config.Label == "":
		return nil, fmt.Errorf("%w: no label", ErrRotator)
	case config.Algorithm == 0:
		return nil, fmt.Errorf("%w: no algorithm", ErrRotator)
	case config.Publish == nil:
		return nil, fmt.Errorf("%w: no Publish", ErrRotator)
	case config.Grace < 0:
		return nil, fmt.Errorf("%w: negative grace period", ErrRotator)
	}
	r := &Rotator{store: store, config: config, wake: make(chan struct{}, 1)}
	r.generations.Store(new([]generation))
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.load(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Signer returns the signer of the key to use now; nil if the keys don't sign.
func (r *Rotator) Signer() *Signer {
	g := *r.generations.Load()
	return g[current(g, time.Now())].signer
}

// Decapsulator returns the decapsulator of the key to publish now; nil if the keys don't decapsulate.
func (r *Rotator) Decapsulator() *Decapsulator {
	g := *r.generations.Load()
	return g[current(g, time.Now())].decapsulator
}

// Signers returns the signer of the key to use now, and then those whose grace period lasts, the youngest first.
func (r *Rotator) Signers() []*Signer {
	var all []*Signer
	r.usable(func(g *generation) { all = append(all, g.signer) })
	return all
}

// Decapsulators returns the decapsulators of all keys that a ciphertext can be for: a published successor's, that of
// the key to use now, and those whose grace period lasts, the youngest first.
func (r *Rotator) Decapsulators() []*Decapsulator {
	var all []*Decapsulator
	g := *r.generations.Load()
	if g[0].published && current(g, time.Now()) > 0 {
		all = append(all, g[0].decapsulator)
	}
	r.usable(func(g *generation) { all = append(all, g.decapsulator) })
	return all
}

// Pending returns the successor that is not used yet, and when it will be.
func (r *Rotator) Pending() (key KeyInfo, from time.Time, ok bool) {
	g := *r.generations.Load()
	if current(g, time.Now()) == 0 {
		return KeyInfo{}, time.Time{}, false
	}
	return g[0].key, g[0].from, true
}

// current returns the place of the generation to use: the youngest that is published and whose time has come.
// Generations are sorted, the youngest first.
func current(generations []generation, now time.Time) int {
	for i := range generations {
		if g := &generations[i]; g.published && !now.Before(g.from) {
			return i
		}
	}
	return len(generations) - 1
}

// usable calls yield for the generation to use and its predecessors in their grace period.
func (r *Rotator) usable(yield func(*generation)) {
	g, now := *r.generations.Load(), time.Now()
	i := current(g, now)
	yield(&g[i])
	for i++; i < len(g); i++ {
		if !g[i].retired && (g[i].until.IsZero() || now.Before(g[i].until)) {
			yield(&g[i])
		}
	}
}

// Rotate generates a successor, publishes it, and has it used from the time at, or now if that is past. If
// publishing fails the successor is in the token, and Step and Run try again; it is used
// when it is published. Errors match ErrRotating or are the token's and Publish's.
func (r *Rotator) Rotate(ctx context.Context, at time.Time) (KeyInfo, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.load(ctx); err != nil {
		return KeyInfo{}, err
	}
	if g := *r.generations.Load(); !g[0].published || time.Now().Before(g[0].from) {
		return KeyInfo{}, fmt.Errorf("%w: to %s, at %s", ErrRotating, g[0].key.Key(), g[0].from.UTC().Format(time.RFC3339))
	}
	if now := time.Now(); at.Before(now) {
		at = now
	}
	key, err := r.store.Generate(ctx, r.config.Algorithm, GenerateOptions{Label: r.config.Label, ID: rotationID(at)})
	if err != nil {
		return KeyInfo{}, err
	}
	defer func() {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}()
	if _, err := r.load(ctx); err != nil {
		return key, err
	}
	(*r.generations.Load())[0].made = true // nobody else writes it, or reads it
	return key, r.publish(ctx)
}

// Step does what is due: it looks for keys that another process made, publishes, and retires predecessors. It
// returns when something is due next, or the zero time.
func (r *Rotator) Step(ctx context.Context) (next time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	retired, err := r.load(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if err := r.publish(ctx); err != nil {
		return time.Time{}, err
	}
	generations, now := slices.Clone(*r.generations.Load()), time.Now()
	if now.Before(generations[0].from) {
		next = generations[0].from
	}
	for i := range generations {
		g := &generations[i]
		switch {
		case g.retired:
			retired = append(retired, g.key)
		case g.until.IsZero():
		case now.Before(g.until):
			if next.IsZero() || g.until.Before(next) {
				next = g.until
			}
		default:
			// Where the token does not let it be disabled, it is by being left out here.
			if err := r.store.disable(ctx, g.key); err != nil && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrKeyNotFound) {
				return time.Time{}, err
			}
			g.retired = true
			retired = append(retired, g.key)
		}
	}
	r.generations.Store(&generations)
	if !r.config.Delete {
		return next, nil
	}
	for _, key := range retired {
		if err := r.store.Delete(ctx, key.Key(), key.ID); err != nil && !errors.Is(err, ErrKeyNotFound) {
			return time.Time{}, err
		}
	}
	return next, nil
}

// How long Run waits after an error, and how often it looks for keys that another process made.
const (
	rotatorRetry = 5 * time.Second
	rotatorPoll  = time.Minute
)

// Run does what is due until ctx ends, whose error it returns.
func (r *Rotator) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		next, err := r.Step(ctx)
		wait := rotatorPoll
		switch {
		case err != nil:
			if r.config.Failed != nil && ctx.Err() == nil {
				r.config.Failed(err)
			}
			wait = rotatorRetry
		case !next.IsZero():
			wait = max(0, min(wait, time.Until(next)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-r.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return ctx.Err()
}

// publish publishes the successor if it has to be.
func (r *Rotator) publish(ctx context.Context) error {
	generations := slices.Clone(*r.generations.Load())
	successor := &generations[0]
	if successor.published {
		return nil
	}
	if err := r.config.Publish(ctx, successor.key); err != nil {
		return fmt.Errorf("hsm: publishing %s: %w", successor.key.Key(), err)
	}
	// The grace period counts from a late publication if this was the first. After a restart that is not
	// known; then it counts from the time in the id, unless nothing would be left of it.
	now := time.Now()
	successor.published, successor.switched = true, successor.from
	if now.After(successor.from) && (successor.made || now.After(successor.from.Add(r.config.Grace))) {
		successor.switched = now
	}
	graces(generations, r.config.Grace)
	r.generations.Store(&generations)
	return nil
}

// graces notes when the grace periods end.
func graces(generations []generation, grace time.Duration) {
	for i := range generations {
		generations[i].until = time.Time{}
		if i > 0 && generations[i-1].published {
			generations[i].until = generations[i-1].switched.Add(grace)
		}
	}
}

// load reads the generations from the token, and returns those that are retired there.
func (r *Rotator) load(ctx context.Context) (retired []KeyInfo, err error) {
	keys, err := r.store.Keys(ctx, Key{Label: r.config.Label, Algorithm: r.config.Algorithm})
	if err != nil {
		return nil, err
	}
	before := *r.generations.Load()
	var generations []generation
	var first []string
	for _, key := range keys {
		if !key.Sign && !key.Decapsulate {
			retired = append(retired, key)
			continue
		}
		g, err := r.generation(ctx, before, key)
		if err != nil {
			return nil, err
		}
		if g.from.IsZero() {
			first = append(first, key.Key().String())
		}
		generations = append(generations, g)
	}
	switch {
	case len(first) > 1:
		return nil, &AmbiguityError{Name: "the first key of label " + r.config.Label, Candidates: first}
	case len(generations) == 0:
		return nil, fmt.Errorf("%w: label %q, %v", ErrKeyNotFound, r.config.Label, r.config.Algorithm)
	}
	if len(first) == len(generations) {
		retired = nil // nothing was rotated
	}
	slices.SortFunc(generations, func(a, b generation) int { return b.from.Compare(a.from) })
	for i := range generations {
		// Only the youngest can be unpublished, and it is not if its predecessor is gone.
		if g := &generations[i]; !g.published && (i > 0 || len(generations) == 1) {
			g.published, g.switched = true, g.from
		}
	}
	graces(generations, r.config.Grace)
	r.generations.Store(&generations)
	return retired, nil
}

// generation returns what is known of a key, or opens it.
func (r *Rotator) generation(ctx context.Context, before []generation, key KeyInfo) (generation, error) {
	for _, g := range before {
		if bytes.Equal(g.key.ID, key.ID) {
			return g, nil
		}
	}
	g := generation{key: key, from: rotationStart(key.ID)}
	var err error
	if r.config.Algorithm.IsMLKEM() {
		g.decapsulator, err = r.store.Decapsulator(ctx, key.Key())
	} else {
		g.signer, err = r.store.Signer(ctx, key.Key())
	}
	return g, err
}
