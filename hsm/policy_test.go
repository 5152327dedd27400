package hsm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	issuer = &KeyInfo{Label: "issuer", ID: []byte{1}, Algorithm: MLDSA65}
	kem    = &KeyInfo{Label: "kem", ID: []byte{2}, Algorithm: MLKEM768}
)

// tried asks a token's guard for a use, and reports whether the token was asked.
func tried(ctx context.Context, token *Token, u use) (asked bool, err error) {
	err = guarded(ctx, token.guard, &u, func() error { asked = true; return nil })
	return asked, err
}

func withPolicy(t *testing.T, rules ...Rule) *Token {
	token, err := new(Token).WithPolicy(rules...)
	require.NoError(t, err)
	return token
}

func requireRefused(t *testing.T, token *Token, u use, reason Reason) {
	t.Helper()
	asked, err := tried(t.Context(), token, u)
	require.ErrorIs(t, err, ErrRefused)
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, reason, refused.Reason)
	assert.Equal(t, u.purpose, refused.Purpose)
	assert.Equal(t, u.key.Key(), refused.Key)
	assert.False(t, asked, "the token was asked")
}

func requireAllowed(t *testing.T, token *Token, u use) {
	t.Helper()
	asked, err := tried(t.Context(), token, u)
	require.NoError(t, err)
	require.True(t, asked)
}

func TestPolicyAllowsWhatTheFirstMatchingRuleAllows(t *testing.T) {
	token := withPolicy(t,
		Rule{Key: KeyByID([]byte{1}), Purposes: []Purpose{Sign}, Contexts: []string{"a", ""}},
		Rule{Key: KeyByLabel("issuer"), Purposes: []Purpose{Delete}},
		Rule{Key: Key{Algorithm: MLKEM768}, Purposes: []Purpose{Decapsulate}, Contexts: []string{}},
	)
	requireAllowed(t, token, use{purpose: Sign, key: issuer, options: SignOptions{Context: "a"}})
	requireAllowed(t, token, use{purpose: Sign, key: issuer})
	requireAllowed(t, token, use{purpose: Decapsulate, key: kem})
	requireRefused(t, token, use{purpose: Sign, key: issuer, options: SignOptions{Context: "b"}}, ReasonContext)
	requireRefused(t, token, use{purpose: Delete, key: issuer}, ReasonPurpose)
	requireRefused(t, token, use{purpose: Sign, key: kem}, ReasonPurpose)
	requireRefused(t, token, use{purpose: Sign, key: &KeyInfo{Label: "other", ID: []byte{3}, Algorithm: MLDSA44}}, ReasonNoRule)
	requireRefused(t, withPolicy(t), use{purpose: Sign, key: issuer}, ReasonNoRule)
}

func TestPoliciesOfATokenMustAllAllow(t *testing.T) {
	both := withPolicy(t, Rule{Purposes: []Purpose{Sign, Delete}})
	both, err := both.WithPolicy(Rule{Purposes: []Purpose{Sign, Decapsulate}})
	require.NoError(t, err)
	requireAllowed(t, both, use{purpose: Sign, key: issuer})
	requireRefused(t, both, use{purpose: Delete, key: issuer}, ReasonPurpose)
	requireRefused(t, both, use{purpose: Decapsulate, key: kem}, ReasonPurpose)
}

func TestPolicyBoundsOperationsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sign := use{purpose: Sign, key: issuer}
		token := withPolicy(t, Rule{Purposes: []Purpose{Sign}, PerSecond: 3})
		for range 3 {
			requireAllowed(t, token, sign)
		}
		requireRefused(t, token, sign, ReasonRate)
		time.Sleep(300 * time.Millisecond)
		requireRefused(t, token, sign, ReasonRate)
		time.Sleep(40 * time.Millisecond)
		requireAllowed(t, token, sign)
		requireRefused(t, token, sign, ReasonRate)
		time.Sleep(time.Hour)
		for range 3 {
			requireAllowed(t, token, sign)
		}
		requireRefused(t, token, sign, ReasonRate)

		slow := withPolicy(t, Rule{Purposes: []Purpose{Sign}, PerSecond: 0.1})
		requireAllowed(t, slow, sign)
		time.Sleep(9 * time.Second)
		requireRefused(t, slow, sign, ReasonRate)
		time.Sleep(time.Second + time.Millisecond)
		requireAllowed(t, slow, sign)
	})
}

func TestPolicyRefusalsTakeNothingFromTheRate(t *testing.T) {
	token := withPolicy(t, Rule{Purposes: []Purpose{Sign}, PerSecond: 1e-9, Contexts: []string{""}})
	for range 5 {
		requireRefused(t, token, use{purpose: Sign, key: issuer, options: SignOptions{Context: "x"}}, ReasonContext)
	}
	requireAllowed(t, token, use{purpose: Sign, key: issuer})
	requireRefused(t, token, use{purpose: Sign, key: issuer}, ReasonRate)
}

func TestHours(t *testing.T) {
	east := time.FixedZone("east", 2*60*60)
	office := Hours{From: 9 * time.Hour, To: 17 * time.Hour, Days: []time.Weekday{time.Monday}, Location: east}
	night := Hours{From: 22 * time.Hour, To: 6 * time.Hour, Days: []time.Weekday{time.Friday}}
	for _, c := range []struct {
		hours Hours
		at    string // 2 January 2023 is a Monday
		want  bool
	}{
		{office, "2023-01-02T09:00:00+02:00", true},
		{office, "2023-01-02T08:59:59+02:00", false},
		{office, "2023-01-02T16:59:59+02:00", true},
		{office, "2023-01-02T17:00:00+02:00", false},
		{office, "2023-01-02T14:59:59Z", true},
		{office, "2023-01-02T15:00:00Z", false},
		{office, "2023-01-03T10:00:00+02:00", false},
		{night, "2023-01-06T21:59:59Z", false},
		{night, "2023-01-06T22:00:00Z", true},
		{night, "2023-01-07T05:59:59Z", true},
		{night, "2023-01-07T06:00:00Z", false},
		{night, "2023-01-07T22:00:00Z", false},
		{night, "2023-01-06T05:00:00Z", false},
		{Hours{To: 24 * time.Hour}, "2023-01-06T23:59:59Z", true},
		{Hours{}, "2023-01-06T12:00:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		assert.Equal(t, c.want, c.hours.contains(at), "%v at %s", c.hours, c.at)
	}

	synctest.Test(t, func(t *testing.T) { // which starts at midnight UTC
		token := withPolicy(t, Rule{Purposes: []Purpose{Sign}, Hours: &Hours{From: time.Hour, To: 2 * time.Hour}})
		requireRefused(t, token, use{purpose: Sign, key: issuer}, ReasonHours)
		time.Sleep(time.Hour)
		requireAllowed(t, token, use{purpose: Sign, key: issuer})
	})
}

func TestApprovalSeesTheDigestAndTheCaller(t *testing.T) {
	no := errors.New("no")
	var seen []Request
	token := withPolicy(t, Rule{Purposes: []Purpose{Sign, Decapsulate}, Contexts: []string{"c"}, Approve: func(ctx context.Context, r Request) error {
		seen = append(seen, r)
		if r.Caller["user"] != "ann" {
			return no
		}
		return nil
	}})
	sign := use{purpose: Sign, key: issuer, message: []byte("message"), options: SignOptions{Context: "c"}}
	asked, err := tried(t.Context(), token, sign)
	require.ErrorIs(t, err, no)
	require.ErrorIs(t, err, ErrRefused)
	require.False(t, asked)
	ann := WithCaller(t.Context(), map[string]string{"user": "ann"})
	asked, err = tried(ann, token, sign)
	require.NoError(t, err)
	require.True(t, asked)
	_, err = tried(ann, token, use{purpose: Decapsulate, key: kem})
	require.NoError(t, err)
	digest := sha256.Sum256([]byte("message"))
	require.Len(t, seen, 3)
	assert.Equal(t, digest[:], seen[1].Digest)
	assert.Equal(t, "c", seen[1].Options.Context)
	assert.Equal(t, issuer.Key(), seen[1].Key)
	assert.Nil(t, seen[2].Digest)

	requireRefused(t, token, use{purpose: Sign, key: issuer}, ReasonContext)
	assert.Len(t, seen, 3, "asked for approval of what is refused")
}

func TestPolicyDemandsAttributesOfKeysAsTheyAreOpened(t *testing.T) {
	token := withPolicy(t, Rule{Key: KeyByLabel("issuer"), Local: true})
	local := *issuer
	require.ErrorIs(t, opened(token.guard, &local), ErrRefused)
	local.Local, local.AlwaysSensitive = true, true
	require.ErrorIs(t, opened(token.guard, &local), ErrRefused)
	local.NeverExtractable = true
	require.NoError(t, opened(token.guard, &local))
	require.ErrorIs(t, opened(token.guard, kem), ErrRefused, "no rule")
	two, err := token.WithObserver(&recorder{}).WithPolicy(Rule{})
	require.NoError(t, err)
	require.NoError(t, opened(two.guard, &local))
	require.ErrorIs(t, opened(two.guard, issuer), ErrRefused)
	require.NoError(t, opened(nil, issuer))
}

func TestMalformedRules(t *testing.T) {
	for _, r := range []Rule{
		{PerSecond: -1}, {PerSecond: math.NaN()}, {PerSecond: math.Inf(1)},
		{Hours: &Hours{From: -1}}, {Hours: &Hours{From: 24 * time.Hour}}, {Hours: &Hours{To: 25 * time.Hour}},
	} {
		_, err := new(Token).WithPolicy(Rule{}, r)
		require.ErrorIs(t, err, ErrRule, "%+v", r)
		assert.ErrorContains(t, err, "rule 1")
	}
}

// A recorder is an observer that keeps what it sees.
type recorder struct {
	mu     sync.Mutex
	events []Event
}

func (r *recorder) Observe(_ context.Context, e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) all() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

func TestObserverSeesUsesRefusalsAndRecoveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		token := withPolicy(t, Rule{Key: KeyByLabel("issuer"), Purposes: []Purpose{Sign}}).WithObserver(seen)
		ctx := WithCaller(t.Context(), map[string]string{"user": "ann"})
		boom, removed := errors.New("boom"), errors.New("removed")

		u := use{purpose: Sign, key: issuer, message: []byte("secret plan"), options: SignOptions{Context: "c"}}
		require.NoError(t, guarded(ctx, token.guard, &u, func() error {
			time.Sleep(time.Millisecond)
			token.guard.recovered(ctx, &u, removed, nil)
			time.Sleep(time.Millisecond)
			return nil
		}))
		_ = guarded(ctx, token.guard, &u, func() error { token.guard.recovered(ctx, &u, removed, boom); return boom })
		_, _ = tried(ctx, token, use{purpose: Decapsulate, key: kem})

		events := seen.all()
		require.Len(t, events, 5)
		for i, want := range []struct {
			outcome Outcome
			latency time.Duration
			err     error
		}{{Recovered, time.Millisecond, removed}, {Done, 2 * time.Millisecond, nil}, {Lost, 0, boom}, {Failed, 0, boom}, {Refused, 0, ErrRefused}} {
			assert.Equal(t, want.outcome, events[i].Outcome)
			assert.Equal(t, want.latency, events[i].Latency)
			assert.ErrorIs(t, events[i].Err, want.err)
			assert.Equal(t, "ann", events[i].Caller["user"])
		}
		assert.Equal(t, issuer.Key(), events[1].Key)
		assert.Equal(t, "c", events[1].Context)
		assert.Equal(t, kem.Key(), events[4].Key)
	})
}

func TestLogHasTheUseAndNoMessage(t *testing.T) {
	var log bytes.Buffer
	observer := LogObserver(slog.New(slog.NewTextHandler(&log, nil)))
	token := withPolicy(t, Rule{Purposes: []Purpose{Sign}}).WithObserver(observer)
	ctx := WithCaller(t.Context(), map[string]string{"user": "ann"})
	_, err := tried(ctx, token, use{purpose: Sign, key: issuer, message: []byte("secret plan")})
	require.NoError(t, err)
	_, err = tried(ctx, token, use{purpose: Decapsulate, key: kem})
	require.Error(t, err)
	for _, want := range []string{"key=01", "label=issuer", "purpose=sign", "outcome=done", "latency=", "caller.user=ann", "level=WARN", "outcome=refused", "key=02"} {
		assert.Contains(t, log.String(), want)
	}
	assert.NotContains(t, log.String(), "secret")
}
