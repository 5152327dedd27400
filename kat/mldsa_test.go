package main

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// signFile is a Wycheproof file with one case, whose fields are given.
func signFile(t *testing.T, publicKey string, test map[string]any) []*set {
	t.Helper()
	test["tcId"] = 1
	data, err := json.Marshal(map[string]any{
		"algorithm": "ML-DSA-44", "numberOfTests": 1,
		"testGroups": []any{map[string]any{
			"type": "MlDsaSign", "privateSeed": strings.Repeat("00", 32), "publicKey": publicKey, "tests": []any{test},
		}},
	})
	require.NoError(t, err)
	co := &collector{}
	require.NoError(t, wycheproofFile("w")(fstest.MapFS{"w": {Data: data}}, co))
	return co.sets
}

// TestWrongSignatureCasesFail has the runner notice each field of a case that is wrong.
func TestWrongSignatureCasesFail(t *testing.T) {
	sk, err := dsas[0].fromSeed(make([]byte, 32))
	require.NoError(t, err)
	m := message{form: pureMessage, body: []byte("m"), context: []byte("c")}
	signature, err := signMessage(sk, m, nil)
	require.NoError(t, err)
	mu, err := m.mu(sk.PublicKey())
	require.NoError(t, err)
	pk := hex.EncodeToString(sk.PublicKey().Bytes())
	wrong := func(b []byte) string { return "00" + hex.EncodeToString(b)[2:] }
	require.NotZero(t, signature[0])
	require.NotZero(t, mu[0])
	for _, c := range []struct {
		name    string
		pk      string
		changed map[string]any
		want    string // "" if the case passes
	}{
		{"right", pk, nil, ""},
		{"signature", pk, map[string]any{"sig": wrong(signature)}, "sig: byte 0 of 2420 differs"},
		{"public key", wrong(sk.PublicKey().Bytes()), nil, "publicKey: byte 0 of 1312 differs"},
		{"message", pk, map[string]any{"msg": "00"}, "mu: byte"},
		{"context", pk, map[string]any{"ctx": ""}, "mu: byte"},
		{"μ", pk, map[string]any{"mu": wrong(mu[:])}, "mu: byte 0 of 64 differs"},
		{"randomness", pk, map[string]any{"rnd": strings.Repeat("01", 32)}, "sig: byte 0 of 2420 differs"},
		{"said to be invalid", pk, map[string]any{"result": "invalid"}, "accepted, but invalid"},
		{"said to be invalid, with the wrong μ", pk, map[string]any{"result": "invalid", "mu": wrong(mu[:])}, "mu: byte 0 of 64 differs"},
		{"long context", pk, map[string]any{"ctx": strings.Repeat("00", 256)}, "context of 256 bytes, want 255 at most"},
		{"long context, said to be invalid", pk, map[string]any{"result": "invalid", "ctx": strings.Repeat("00", 256)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			test := map[string]any{
				"result": "valid", "msg": hex.EncodeToString(m.body), "ctx": hex.EncodeToString(m.context),
				"mu": hex.EncodeToString(mu[:]), "sig": hex.EncodeToString(signature),
			}
			for name, v := range c.changed {
				test[name] = v
			}
			r := runSets(signFile(t, c.pk, test), full)
			require.Len(t, r, 1)
			if c.want == "" {
				assert.Empty(t, r[0].failures)
				return
			}
			require.Len(t, r[0].failures, 1)
			assert.Contains(t, r[0].failures[0].err.Error(), c.want)
		})
	}
}

// TestEveryFormOfMessage signs and verifies each form, with each hash function, with
// contexts of the least and the greatest size and one beyond.
func TestEveryFormOfMessage(t *testing.T) {
	sk, err := dsas[0].fromSeed(make([]byte, 32))
	require.NoError(t, err)
	other, err := dsas[0].fromSeed([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	check := func(t *testing.T, m message) {
		signature, err := signMessage(sk, m, nil)
		require.NoError(t, err)
		require.NoError(t, verifyMessage(sk.PublicKey(), m, signature))
		assert.Equal(t, mldsa.ErrInvalidSignature, verifyMessage(other.PublicKey(), m, signature))
		hedged, err := signMessage(sk, m, []byte(strings.Repeat("r", 32)))
		require.NoError(t, err)
		assert.NotEqual(t, signature, hedged)
	}
	forms := []message{{form: pureMessage}}
	for _, h := range preHashes {
		assert.Len(t, h.sum(nil), h.id.Size(), h.id)
		forms = append(forms, message{form: preHashMessage, hash: h})
	}
	require.Len(t, forms, 13)
	for _, m := range forms {
		m.body = []byte("message")
		for _, n := range []int{0, 255} {
			m.context = make([]byte, n)
			check(t, m)
		}
		signature, err := signMessage(sk, m, nil)
		require.NoError(t, err)
		m.context = make([]byte, 256)
		_, err = signMessage(sk, m, nil)
		require.ErrorIs(t, err, mldsa.ErrContext)
		require.ErrorIs(t, verifyMessage(sk.PublicKey(), m, signature), mldsa.ErrContext)
	}
	check(t, message{form: internalMessage, body: []byte("message")})
	check(t, message{form: externalMuMessage, body: make([]byte, 64)})
	_, err = signMessage(sk, message{form: externalMuMessage, body: make([]byte, 63)}, nil)
	require.ErrorContains(t, err, "μ of 63 bytes")
}
