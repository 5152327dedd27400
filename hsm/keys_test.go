package hsm

import (
	"crypto"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// TestImport: seeds and expanded keys, which then sign and decapsulate for their public keys.
func TestImport(t *testing.T) {
	token := openNSS(t, func(c *Config) { c.AllowImport = true })
	for _, a := range []Algorithm{MLDSA44, MLDSA65, MLDSA87} {
		t.Run(a.String(), func(t *testing.T) {
			seeded, err := mldsa.GenerateKey(parametersOf(a))
			require.NoError(t, err)
			expanded, err := mldsa.NewPrivateKeyFromExpanded(parametersOf(a), seeded.ExpandedBytes())
			require.NoError(t, err)
			for _, key := range []*mldsa.PrivateKey{seeded, expanded} {
				info, err := token.Import(background, key, GenerateOptions{Label: t.Name()})
				require.NoError(t, err)
				require.Equal(t, a, info.Algorithm)
				require.True(t, info.Sensitive && !info.Extractable)
				signer, err := token.Signer(background, info.Key())
				require.NoError(t, err)
				require.True(t, seeded.PublicKey().Equal(signer.Public()))
				opts := &SignOptions{Hedge: Deterministic, Context: "context"}
				got, err := signer.SignMessage(nil, []byte("message"), opts)
				require.NoError(t, err)
				want, err := seeded.SignDeterministic([]byte("message"), &mldsa.Options{Context: "context"})
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.NoError(t, token.Delete(background, KeyByID(info.ID), info.ID))
			}
			require.NotNil(t, seeded.Bytes(), "the caller's key is left alone")
			require.NoError(t, mldsa.Verify(seeded.PublicKey(), nil, must(seeded.Sign(nil, nil, nil)), nil))
		})
	}
	t.Run("ML-KEM", func(t *testing.T) {
		dk, err := mlkem.GenerateKey768()
		require.NoError(t, err)
		expanded, err := mlkem.NewDecapsulationKey768FromExpanded(dk.ExpandedBytes())
		require.NoError(t, err)
		for _, key := range []*mlkem.DecapsulationKey768{dk, expanded} {
			info, err := token.Import(background, key, GenerateOptions{Label: t.Name()})
			require.NoError(t, err)
			d, err := token.Decapsulator(background, info.Key())
			require.NoError(t, err)
			want, ciphertext := dk.EncapsulationKey().Encapsulate()
			got, err := d.Decapsulate(ciphertext)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.NoError(t, token.Delete(background, KeyByID(info.ID), info.ID))
		}
	})
	for _, bad := range []any{nil, "key", (*mldsa.PrivateKey)(nil), new(mldsa.PrivateKey), (*mlkem.DecapsulationKey512)(nil), new(mlkem.DecapsulationKey1024)} {
		_, err := token.Import(background, bad, GenerateOptions{})
		assert.ErrorIs(t, err, ErrKeyType, "%T", bad)
	}
	key, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	_, err = openNSS(t).Import(background, key, GenerateOptions{})
	require.ErrorIs(t, err, ErrImport)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestFindingKeys: by label, id, URI and algorithm; two that match are an error that lists them.
func TestFindingKeys(t *testing.T) {
	token := openNSS(t)
	first, second := generate(t, token, MLDSA44), generate(t, token, MLDSA44)
	kem := generate(t, token, MLKEM512)
	require.Len(t, first.ID, 16)
	keys, err := token.Keys(background, KeyByLabel(t.Name()))
	require.NoError(t, err)
	require.Len(t, keys, 3)
	_, err = token.Signer(background, Key{Label: t.Name(), Algorithm: MLDSA44})
	var ambiguous *AmbiguityError
	require.ErrorAs(t, err, &ambiguous)
	require.Len(t, ambiguous.Candidates, 2)
	_, err = token.Decapsulator(background, Key{Label: t.Name(), Algorithm: MLKEM512})
	require.NoError(t, err)
	signer, err := token.Signer(background, KeyByID(second.ID))
	require.NoError(t, err)
	require.Equal(t, second.ID, signer.Info().ID)
	var uri strings.Builder
	uri.WriteString("pkcs11:object=" + t.Name() + ";id=")
	for _, b := range first.ID {
		const digits = "0123456789abcdef"
		uri.WriteString("%" + digits[b>>4:b>>4+1] + digits[b&15:b&15+1])
	}
	u, err := ParseURI(uri.String())
	require.NoError(t, err)
	signer, err = token.Signer(background, u.Key())
	require.NoError(t, err)
	require.Equal(t, first.ID, signer.Info().ID)

	_, err = token.Signer(background, KeyByLabel("no such"))
	require.ErrorIs(t, err, ErrKeyNotFound)
	_, err = token.Signer(background, KeyByID(kem.ID))
	require.ErrorIs(t, err, ErrKeyType)
	_, err = token.Decapsulator(background, KeyByID(first.ID))
	require.ErrorIs(t, err, ErrKeyType)
	_, err = token.Signer(background, Key{ID: first.ID, Algorithm: MLDSA65})
	require.ErrorIs(t, err, ErrKeyNotFound)
	_, err = token.Generate(background, MLDSA65, GenerateOptions{ID: first.ID})
	require.ErrorIs(t, err, ErrKeyExists, "NSS would delete the key that has the id")
	_, err = token.Generate(background, 0, GenerateOptions{})
	require.ErrorIs(t, err, ErrOptions)
	require.ErrorIs(t, token.Delete(background, KeyByID(first.ID), second.ID), ErrConfirm)
	require.ErrorIs(t, token.Delete(background, KeyByID(first.ID), nil), ErrConfirm)
	_, err = token.Signer(background, KeyByID(first.ID))
	require.NoError(t, err)
}

// TestStrict: NSS does not say that its keys are local, and so none is opened.
func TestStrict(t *testing.T) {
	token := openNSS(t)
	info := generate(t, token, MLDSA44)
	strict := openNSS(t, func(c *Config) { c.Strict = true })
	_, err := strict.Signer(background, info.Key())
	require.ErrorIs(t, err, ErrKeyPolicy)
	require.Contains(t, err.Error(), "CKA_LOCAL")
	for _, change := range []struct {
		name string
		f    func(*KeyInfo)
	}{
		{"SENSITIVE", func(k *KeyInfo) { k.Sensitive = false }},
		{"EXTRACTABLE", func(k *KeyInfo) { k.Extractable = true }},
		{"SIGN", func(k *KeyInfo) { k.Sign = false }},
	} {
		changed := info
		change.f(&changed)
		err := token.check(&changed, Sign)
		require.ErrorIs(t, err, ErrKeyPolicy, change.name)
		require.Contains(t, err.Error(), change.name)
	}
	require.NoError(t, token.check(&info, Sign))
}

type otherOptions struct{ hash crypto.Hash }

func (o *otherOptions) HashFunc() crypto.Hash { return o.hash }

// TestWrongOptions: each is an error of its kind, and the token is not asked.
func TestWrongOptions(t *testing.T) {
	token := openNSS(t)
	signer := signerOf(t, token)
	f := makeFaulty(t, token)
	for _, test := range []struct {
		opts   crypto.SignerOpts
		digest []byte
		want   error
	}{
		{&SignOptions{Context: strings.Repeat("c", 256)}, nil, ErrContext},
		{&mldsa.Options{Context: strings.Repeat("c", 256)}, nil, ErrContext},
		{&SignOptions{Hedge: 3}, nil, ErrHedge},
		{&SignOptions{Hedge: 255}, nil, ErrHedge},
		{&SignOptions{PreHash: 99}, nil, ErrOptions},
		{&SignOptions{PreHash: mldsa.SHA256}, make([]byte, 31), ErrSize},
		{&SignOptions{PreHash: mldsa.SHA256}, make([]byte, 32), ErrUnsupported},
		{crypto.SHA256, make([]byte, 32), ErrOptions},
		{hashMu, make([]byte, 63), ErrSize},
		{hashMu, make([]byte, 64), ErrUnsupported},
		{&otherOptions{hashMu}, make([]byte, 64), ErrUnsupported},
		{&otherOptions{}, nil, ErrOptions},
		{(*otherOptions)(nil), nil, ErrOptions},
		{&rsa.PSSOptions{Hash: crypto.SHA256}, make([]byte, 32), ErrOptions},
	} {
		_, err := signer.Sign(nil, test.digest, test.opts)
		assert.ErrorIs(t, err, test.want, "%T %v", test.opts, test.opts)
	}
	require.Zero(t, f.count("C_Sign"))
	for _, opts := range []crypto.SignerOpts{nil, (*SignOptions)(nil), (*mldsa.Options)(nil), crypto.Hash(0), hashMu} {
		signature, err := signer.SignMessage(nil, []byte("message"), opts)
		require.NoError(t, err)
		verified(t, signer, []byte("message"), signature)
	}
	for _, a := range []Algorithm{RSA2048, ECDSAP256, Ed25519} {
		classical, err := token.Signer(background, KeyByID(generate(t, token, a).ID))
		require.NoError(t, err)
		for _, opts := range []crypto.SignerOpts{&SignOptions{}, &mldsa.Options{}, (*rsa.PSSOptions)(nil), crypto.Hash(99), &otherOptions{crypto.SHA256}} {
			_, err := classical.Sign(nil, make([]byte, 32), opts)
			assert.ErrorIs(t, err, ErrOptions, "%s %T", a, opts)
		}
		if a != Ed25519 {
			_, err = classical.Sign(nil, make([]byte, 31), crypto.SHA256)
			assert.ErrorIs(t, err, ErrSize)
		}
	}
}
