//go:build cgo && unix

package hsm

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hsm/internal/proxy"
	"github.com/pqlane/pqlane/mldsa"
)

func deleteAll(t *testing.T, token *Token, label string) {
	t.Helper()
	keys, err := token.Keys(context.Background(), KeyByLabel(label))
	require.NoError(t, err)
	for _, k := range keys {
		require.NoError(t, token.Delete(context.Background(), k.Key(), k.ID))
	}
}

func TestRotationInAToken(t *testing.T) {
	token := openNSS(t)
	defer deleteAll(t, token, t.Name())
	first := generateIn(t, token, MLDSA44)
	var published []KeyInfo
	config := RotatorConfig{Label: t.Name(), Algorithm: MLDSA44, Grace: 300 * time.Millisecond, Publish: func(_ context.Context, key KeyInfo) error {
		published = append(published, key)
		return nil
	}}
	r, err := token.NewRotator(t.Context(), config)
	require.NoError(t, err)
	old := r.Signer()
	require.Equal(t, first.ID, old.Info().ID)
	next, err := r.Rotate(t.Context(), time.Now().Add(300*time.Millisecond))
	require.NoError(t, err)
	require.Len(t, published, 1)
	require.IsType(t, &mldsa.PublicKey{}, published[0].Public)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	require.Eventually(t, func() bool { return bytes.Equal(r.Signer().Info().ID, next.ID) }, 10*time.Second, time.Millisecond)
	requireSigns(t, r.Signer())
	requireSigns(t, old)
	require.Eventually(t, func() bool {
		keys, err := token.Keys(t.Context(), KeyByID(first.ID))
		return err == nil && len(keys) == 1 && !keys[0].Sign
	}, 10*time.Second, 10*time.Millisecond, "the predecessor is not disabled")
	_, err = token.Signer(t.Context(), first.Key())
	require.ErrorIs(t, err, ErrKeyPolicy)
	assert.Len(t, r.Signers(), 1)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)

	config.Delete = true
	r, err = token.NewRotator(t.Context(), config)
	require.NoError(t, err)
	_, err = r.Step(t.Context())
	require.NoError(t, err)
	keys, err := token.Keys(t.Context(), KeyByLabel(t.Name()))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, next.ID, keys[0].ID)
	assert.Len(t, published, 1, "published again though its predecessor was retired")
}

// TestRotationInATokenResumes ends the rotation at each call that changes the token, before it or after.
func TestRotationInATokenResumes(t *testing.T) {
	for _, c := range []struct {
		function string
		skip     int
	}{{"C_GenerateKeyPair", 0}, {"C_SetAttributeValue", 0}, {"C_DestroyObject", 0}, {"C_DestroyObject", 1}} {
		for _, action := range []proxy.Action{proxy.Before, proxy.After} {
			t.Run(c.function, func(t *testing.T) {
				p, config := newProxy(t)
				var published [][]byte
				rotation := RotatorConfig{Label: t.Name(), Algorithm: MLDSA44, Delete: true, Publish: func(_ context.Context, key KeyInfo) error {
					published = append(published, key.ID)
					return nil
				}}
				// process rotates, unless a rotation was begun, until nothing is due.
				process := func() error {
					token, err := Open(t.Context(), config)
					require.NoError(t, err)
					defer func() { require.NoError(t, token.Close()) }()
					r, err := token.NewRotator(t.Context(), rotation)
					require.NoError(t, err)
					if rotationStart(r.Signer().Info().ID).IsZero() && len(*r.generations.Load()) == 1 {
						if _, err := r.Rotate(t.Context(), time.Now()); err != nil {
							return err
						}
					}
					_, err = r.Step(t.Context())
					return err
				}
				token, err := Open(t.Context(), config)
				require.NoError(t, err)
				first := generateIn(t, token, MLDSA44)
				require.NoError(t, token.Close())
				p.Set(c.function, proxy.Fault{Skip: c.skip, Action: action, Code: 0x21})
				require.Error(t, process())
				p.Clear()
				require.NoError(t, process())
				require.NoError(t, process())

				token, err = Open(t.Context(), config)
				require.NoError(t, err)
				defer token.Close()
				keys, err := token.Keys(t.Context(), KeyByLabel(t.Name()))
				require.NoError(t, err)
				require.Len(t, keys, 1)
				assert.NotEqual(t, first.ID, keys[0].ID)
				assert.True(t, slices.ContainsFunc(published, func(id []byte) bool { return bytes.Equal(id, keys[0].ID) }))
				signer, err := token.Signer(t.Context(), keys[0].Key())
				require.NoError(t, err)
				requireSigns(t, signer)
				deleteAll(t, token, t.Name())
			})
		}
	}
}

func TestPolicyStandsBeforeTheToken(t *testing.T) {
	p, plain := openProxy(t)
	signs, decapsulates := generate(t, plain, MLDSA44), generate(t, plain, MLKEM512)
	seen := &recorder{}
	token, err := plain.WithPolicy(
		Rule{Key: KeyByID(signs.ID), Purposes: []Purpose{Sign}, Contexts: []string{"tls"}},
		Rule{Key: KeyByID(decapsulates.ID)},
		Rule{Purposes: []Purpose{Delete}},
	)
	require.NoError(t, err)
	token = token.WithObserver(seen)
	signer, err := token.Signer(t.Context(), signs.Key())
	require.NoError(t, err)
	d, err := token.Decapsulator(t.Context(), decapsulates.Key())
	require.NoError(t, err)
	_, ciphertext := d.Encapsulator().Encapsulate()
	_, err = signer.SignContext(t.Context(), message, &SignOptions{Context: "tls"})
	require.NoError(t, err)

	calls := p.Calls("C_SignInit") + p.Calls("C_DecapsulateKey") + p.Calls("C_GenerateKeyPair") + p.Calls("C_DestroyObject")
	for _, refused := range []error{
		func() error { _, err := signer.SignContext(t.Context(), message, nil); return err }(),
		func() error {
			_, err := signer.Sign(nil, message, &mldsa.Options{Context: "mail"})
			return err
		}(),
		func() error { _, err := d.Decapsulate(ciphertext); return err }(),
		func() error { _, err := token.Generate(t.Context(), MLDSA44, GenerateOptions{}); return err }(),
		token.Delete(t.Context(), Key{Algorithm: MLKEM512, Label: decapsulates.Label}, decapsulates.ID),
	} {
		require.ErrorIs(t, refused, ErrRefused)
	}
	assert.Equal(t, calls, p.Calls("C_SignInit")+p.Calls("C_DecapsulateKey")+p.Calls("C_GenerateKeyPair")+p.Calls("C_DestroyObject"))
	events := seen.all()
	require.Len(t, events, 6)
	assert.Equal(t, Done, events[0].Outcome)
	assert.Equal(t, signs.Key(), events[0].Key)
	assert.NotZero(t, events[0].Latency)
	for _, e := range events[1:] {
		assert.Equal(t, Refused, e.Outcome)
	}
}
