package hsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errCrash = errors.New("crash")

// A crashingStore is a token that outlives its process, which ends before or after a call
// to it. It keeps what NSS keeps.
type crashingStore struct {
	keys    []KeyInfo
	signers map[string]*Signer
	steps   int // calls that change the token, or publish, so far
	crash   int // the half step at which the process ends: 2n before step n, 2n+1 after
	fixed   bool
}

func newStore(first ...KeyInfo) *crashingStore {
	return &crashingStore{keys: first, signers: map[string]*Signer{}, crash: -1}
}

// step makes a change unless the process ends before, or fails after it if it ends then.
func (s *crashingStore) step(change func()) error {
	n := s.steps
	s.steps++
	if s.crash == 2*n {
		return errCrash
	}
	change()
	if s.crash == 2*n+1 {
		return errCrash
	}
	return nil
}

func (s *crashingStore) Keys(_ context.Context, key Key) (all []KeyInfo, err error) {
	for _, k := range s.keys {
		if key.matches(&k) {
			all = append(all, k)
		}
	}
	return all, nil
}

func (s *crashingStore) Generate(_ context.Context, a Algorithm, o GenerateOptions) (KeyInfo, error) {
	key := KeyInfo{Label: o.Label, ID: o.ID, Algorithm: a, Sign: !a.IsMLKEM(), Decapsulate: a.IsMLKEM()}
	return key, s.step(func() { s.keys = append(s.keys, key) })
}

func (s *crashingStore) at(id []byte) int {
	return slices.IndexFunc(s.keys, func(k KeyInfo) bool { return bytes.Equal(k.ID, id) })
}

func (s *crashingStore) Delete(_ context.Context, key Key, confirm []byte) error {
	i := s.at(key.ID)
	if i < 0 {
		return ErrKeyNotFound
	}
	if !bytes.Equal(confirm, key.ID) {
		return ErrConfirm
	}
	return s.step(func() { s.keys = slices.Delete(s.keys, i, i+1) })
}

func (s *crashingStore) Signer(_ context.Context, key Key) (*Signer, error) {
	id := string(key.ID)
	if s.signers[id] == nil {
		s.signers[id] = new(Signer)
	}
	return s.signers[id], nil
}

func (s *crashingStore) Decapsulator(context.Context, Key) (*Decapsulator, error) {
	return new(Decapsulator), nil
}

func (s *crashingStore) disable(_ context.Context, key KeyInfo) error {
	if s.fixed {
		return &UnsupportedError{Operation: "disabling", Reason: "read-only"}
	}
	return s.step(func() { s.keys[s.at(key.ID)].Sign, s.keys[s.at(key.ID)].Decapsulate = false, false })
}

var firstKey = KeyInfo{Label: "issuer", ID: []byte("first"), Algorithm: MLDSA65, Sign: true}

// published returns a Publish that notes ids, as a step of the store's process.
func (s *crashingStore) publisher(ids *[]string) func(context.Context, KeyInfo) error {
	return func(_ context.Context, key KeyInfo) error {
		return s.step(func() { *ids = append(*ids, string(key.ID)) })
	}
}

func TestRotationSwitchesAtTheChosenTimeAndRetiresAfterTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(firstKey)
		var ids []string
		r, err := newRotator(t.Context(), s, RotatorConfig{Label: "issuer", Algorithm: MLDSA65, Publish: s.publisher(&ids), Grace: time.Hour})
		require.NoError(t, err)
		first := r.Signer()
		assert.Same(t, s.signers["first"], first)
		assert.Len(t, r.Signers(), 1)

		at := time.Now().Add(time.Minute)
		next, err := r.Rotate(t.Context(), at)
		require.NoError(t, err)
		assert.Equal(t, []string{string(next.ID)}, ids)
		assert.Equal(t, "issuer", next.Label)
		pending, from, ok := r.Pending()
		require.True(t, ok)
		assert.Equal(t, next.ID, pending.ID)
		assert.True(t, from.Equal(at))
		_, err = r.Rotate(t.Context(), at.Add(time.Hour))
		require.ErrorIs(t, err, ErrRotating)

		due, err := r.Step(t.Context())
		require.NoError(t, err)
		assert.True(t, due.Equal(at))
		time.Sleep(time.Until(at) - time.Nanosecond)
		assert.Same(t, first, r.Signer())
		time.Sleep(time.Nanosecond)
		second := r.Signer()
		assert.Same(t, s.signers[string(next.ID)], second)
		assert.Equal(t, []*Signer{second, first}, r.Signers())
		due, err = r.Step(t.Context())
		require.NoError(t, err)
		assert.True(t, due.Equal(at.Add(time.Hour)))

		time.Sleep(time.Until(due) - time.Nanosecond)
		assert.Len(t, r.Signers(), 2)
		time.Sleep(time.Nanosecond)
		assert.Len(t, r.Signers(), 1, "usable after the grace period")
		assert.True(t, s.keys[0].Sign)
		due, err = r.Step(t.Context())
		require.NoError(t, err)
		assert.True(t, due.IsZero())
		assert.False(t, s.keys[0].Sign, "not disabled")
		assert.Len(t, s.keys, 2, "deleted without being told")
		_, err = r.Step(t.Context())
		require.NoError(t, err)
		assert.Len(t, r.Signers(), 1)

		third, err := r.Rotate(t.Context(), time.Time{})
		require.NoError(t, err)
		assert.Same(t, s.signers[string(third.ID)], r.Signer(), "a past time is now")
	})
}

// TestRotationResumesFromACrashAtAnyPoint ends the process before and after each change of the token and each
// publication. A new one must end the rotation, with no key used that was not published and none lost that is in use.
func TestRotationResumesFromACrashAtAnyPoint(t *testing.T) {
	const steps = 4 // generate, publish, disable, delete
	for _, algorithm := range []Algorithm{MLDSA65, MLKEM768} {
		for crash := range 2 * steps {
			for _, downtime := range []time.Duration{0, 90 * time.Minute, 48 * time.Hour} {
				t.Run(fmt.Sprintf("%v/%d/%v", algorithm, crash, downtime), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { crashAt(t, algorithm, crash, downtime) })
				})
			}
		}
	}
}

func crashAt(t *testing.T, algorithm Algorithm, crash int, downtime time.Duration) {
	first := firstKey
	first.Algorithm, first.Sign, first.Decapsulate = algorithm, !algorithm.IsMLKEM(), algorithm.IsMLKEM()
	s := newStore(first)
	var ids []string
	config := RotatorConfig{Label: "issuer", Algorithm: algorithm, Publish: s.publisher(&ids), Grace: time.Hour, Delete: true}
	inUse := func(r *Rotator) string {
		g := *r.generations.Load()
		return string(g[current(g, time.Now())].key.ID)
	}
	check := func(r *Rotator) {
		if id := inUse(r); id != "first" {
			require.Contains(t, ids, id, "used before it was published")
			require.GreaterOrEqual(t, s.at([]byte(id)), 0, "used after it was deleted")
		}
	}
	// process rotates if no rotation was begun, and steps until nothing is due.
	process := func() error {
		r, err := newRotator(t.Context(), s, config)
		if err != nil {
			return err
		}
		check(r)
		if len(s.keys) == 1 && s.keys[0].ID[0] == 'f' {
			if _, err := r.Rotate(t.Context(), time.Now().Add(time.Hour)); err != nil {
				return err
			}
		}
		for {
			next, err := r.Step(t.Context())
			if err != nil {
				return err
			}
			check(r)
			if next.IsZero() {
				return nil
			}
			time.Sleep(time.Until(next))
			check(r)
		}
	}
	s.crash = crash
	require.ErrorIs(t, process(), errCrash)
	s.crash = -1
	time.Sleep(downtime)
	require.NoError(t, process())
	require.Len(t, s.keys, 1, "not one key is left")
	assert.NotEqual(t, "first", string(s.keys[0].ID))
	assert.Contains(t, ids, string(s.keys[0].ID))
	assert.Equal(t, s.keys[0].Sign, !algorithm.IsMLKEM())
	r, err := newRotator(t.Context(), s, config)
	require.NoError(t, err)
	assert.Equal(t, string(s.keys[0].ID), inUse(r))
}

func TestGraceAfterALatePublication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(firstKey)
		down := true
		config := RotatorConfig{Label: "issuer", Algorithm: MLDSA65, Grace: time.Hour, Publish: func(context.Context, KeyInfo) error {
			if down {
				return errCrash
			}
			return nil
		}}
		r, err := newRotator(t.Context(), s, config)
		require.NoError(t, err)
		at := time.Now().Add(time.Minute)
		_, err = r.Rotate(t.Context(), at)
		require.ErrorIs(t, err, errCrash)
		first := r.Signer()
		time.Sleep(3 * time.Hour)
		assert.Same(t, first, r.Signer(), "used without having been published")
		_, err = r.Rotate(t.Context(), at)
		require.ErrorIs(t, err, ErrRotating)

		resumed, err := newRotator(t.Context(), s, config)
		require.NoError(t, err)
		down = false
		for _, r := range []*Rotator{r, resumed} {
			due, err := r.Step(t.Context())
			require.NoError(t, err)
			assert.True(t, due.Equal(time.Now().Add(time.Hour)), "the grace period is not whole")
			assert.NotSame(t, first, r.Signer())
			assert.Len(t, r.Signers(), 2)
		}
	})
}

func TestRetirementOnATokenThatDisablesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(firstKey)
		s.fixed = true
		var ids []string
		config := RotatorConfig{Label: "issuer", Algorithm: MLDSA65, Grace: time.Hour, Publish: s.publisher(&ids)}
		r, err := newRotator(t.Context(), s, config)
		require.NoError(t, err)
		_, err = r.Rotate(t.Context(), time.Now())
		require.NoError(t, err)
		time.Sleep(2 * time.Hour)
		_, err = r.Step(t.Context())
		require.NoError(t, err)
		assert.Len(t, r.Signers(), 1)
		assert.Len(t, s.keys, 2)
		r.config.Delete = true
		_, err = r.Step(t.Context())
		require.NoError(t, err)
		assert.Len(t, s.keys, 1)
	})
}

func TestRunDoesWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(firstKey)
		var failures atomic.Int32
		var fail atomic.Bool
		fail.Store(true)
		r, err := newRotator(t.Context(), s, RotatorConfig{
			Label: "issuer", Algorithm: MLDSA65, Grace: time.Hour, Delete: true,
			Publish: func(context.Context, KeyInfo) error {
				if fail.Load() {
					return errCrash
				}
				return nil
			},
			Failed: func(err error) {
				assert.ErrorIs(t, err, errCrash)
				failures.Add(1)
			},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		_, err = r.Rotate(ctx, time.Now().Add(10*time.Minute))
		require.ErrorIs(t, err, errCrash)
		time.Sleep(12 * time.Second)
		assert.GreaterOrEqual(t, failures.Load(), int32(3))
		fail.Store(false)
		time.Sleep(2 * time.Hour)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.Len(t, s.keys, 1)
		assert.False(t, rotationStart(s.keys[0].ID).IsZero())
	})
}

func TestRotatorNeedsOneFirstKey(t *testing.T) {
	config := RotatorConfig{Label: "issuer", Algorithm: MLDSA65, Publish: func(context.Context, KeyInfo) error { return nil }}
	_, err := newRotator(t.Context(), newStore(), config)
	require.ErrorIs(t, err, ErrKeyNotFound)
	other := firstKey
	other.ID = []byte("other")
	_, err = newRotator(t.Context(), newStore(firstKey, other), config)
	require.ErrorIs(t, err, ErrAmbiguous)
	for _, broken := range []func(*RotatorConfig){
		func(c *RotatorConfig) { c.Label = "" }, func(c *RotatorConfig) { c.Algorithm = 0 },
		func(c *RotatorConfig) { c.Publish = nil }, func(c *RotatorConfig) { c.Grace = -1 },
	} {
		c := config
		broken(&c)
		_, err := newRotator(t.Context(), newStore(firstKey), c)
		require.ErrorIs(t, err, ErrRotator)
	}
}

func TestRotationIDHasItsTime(t *testing.T) {
	at := time.UnixMilli(1_900_000_000_123)
	id := rotationID(at)
	assert.Len(t, id, 16)
	assert.True(t, rotationStart(id).Equal(at))
	assert.NotEqual(t, id, rotationID(at))
	assert.True(t, rotationStart(id[:15]).IsZero())
	assert.True(t, rotationStart(make([]byte, 16)).IsZero())
}
