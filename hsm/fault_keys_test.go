//go:build cgo && unix

package hsm

import (
	"context"
	"crypto"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hsm/internal/proxy"
	"github.com/pqlane/pqlane/mldsa"
)

func TestDeletedKey(t *testing.T) {
	_, token := openProxy(t)
	other := openNSS(t)
	info, err := token.Generate(t.Context(), MLDSA44, GenerateOptions{Label: t.Name()})
	require.NoError(t, err)
	signer, err := token.Signer(t.Context(), info.Key())
	require.NoError(t, err)
	requireSigns(t, signer)
	require.NoError(t, other.Delete(t.Context(), info.Key(), info.ID))
	for range 3 {
		_, err = signer.SignContext(t.Context(), message, nil)
		require.ErrorIs(t, err, ErrKeyNotFound)
	}
}

// TestReplacedKeyIsNotUsed has another key take the label and the id of one that is open.
func TestReplacedKeyIsNotUsed(t *testing.T) {
	for _, a := range []Algorithm{MLDSA44, MLKEM768} {
		t.Run(a.String(), func(t *testing.T) {
			p, token := openProxy(t)
			other := openNSS(t)
			info, err := token.Generate(t.Context(), a, GenerateOptions{Label: t.Name()})
			require.NoError(t, err)
			var again func() error
			if a.IsMLKEM() {
				d, err := token.Decapsulator(t.Context(), info.Key())
				require.NoError(t, err)
				_, ciphertext := d.Encapsulator().Encapsulate()
				again = func() error { _, err := d.DecapsulateContext(t.Context(), ciphertext); return err }
			} else {
				signer, err := token.Signer(t.Context(), info.Key())
				require.NoError(t, err)
				again = func() error { _, err := signer.SignContext(t.Context(), message, nil); return err }
			}
			require.NoError(t, again())
			require.NoError(t, other.Delete(t.Context(), info.Key(), info.ID))
			_, err = other.Generate(t.Context(), a, GenerateOptions{Label: info.Label, ID: info.ID})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, other.Delete(context.Background(), info.Key(), info.ID)) })
			require.ErrorIs(t, again(), ErrKeyChanged)
			p.Set("C_OpenSession", proxy.Fault{Action: proxy.Reset, Code: ckrDeviceRemoved, Count: 1})
			require.ErrorIs(t, again(), ErrKeyChanged)
		})
	}
}

func TestDuplicateLabelsAndIDs(t *testing.T) {
	token := openNSS(t)
	f := makeFaulty(t, token)
	one, two := generate(t, token, MLDSA44), generate(t, token, MLDSA44)
	_, err := token.Signer(t.Context(), KeyByLabel(one.Label))
	require.ErrorIs(t, err, ErrAmbiguous)
	var ambiguous *AmbiguityError
	require.ErrorAs(t, err, &ambiguous)
	require.Len(t, ambiguous.Candidates, 2)
	for _, key := range []KeyInfo{one, two} {
		assert.Contains(t, err.Error(), fmt.Sprintf("%x", key.ID))
	}
	_, err = token.Generate(t.Context(), MLDSA44, GenerateOptions{Label: "another", ID: one.ID})
	require.ErrorIs(t, err, ErrKeyExists)
	_, err = token.Signer(t.Context(), KeyByID(one.ID))
	require.NoError(t, err)

	// A pair of another type can have the same id and label.
	ctx, session := directly(t)
	both := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, one.ID), pkcs11.NewAttribute(pkcs11.CKA_LABEL, one.Label),
	}
	public, private, err := ctx.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)},
		append(both[:3:3], pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oidP256)),
		append(both[:3:3], pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
			pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true)))
	require.NoError(t, err)
	defer ctx.DestroyObject(session, public)
	defer ctx.DestroyObject(session, private)
	_, err = token.Signer(t.Context(), KeyByID(one.ID))
	require.ErrorIs(t, err, ErrAmbiguous)
	for _, a := range []Algorithm{MLDSA44, ECDSAP256} {
		signer, err := token.Signer(t.Context(), Key{ID: one.ID, Algorithm: a})
		require.NoError(t, err, a)
		assert.Equal(t, a, signer.Info().Algorithm)
		f.failing("C_Sign", ckrKeyHandleInvalid)
		_, err = signer.SignMessage(nil, message, map[Algorithm]crypto.Hash{ECDSAP256: crypto.SHA256}[a])
		require.NoError(t, err, "%v: not found again", a)
	}
}

func TestExtractableKeyIsRefused(t *testing.T) {
	token := openNSS(t)
	ctx, session := directly(t)
	id := make([]byte, 16)
	rand.Read(id)
	both := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, id), pkcs11.NewAttribute(pkcs11.CKA_LABEL, t.Name()),
	}
	public, private, err := ctx.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(0x1c, nil)},
		append(both[:3:3], pkcs11.NewAttribute(0x61d, 1)),
		append(both[:3:3], pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
			pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true)))
	require.NoError(t, err)
	defer ctx.DestroyObject(session, public)
	defer ctx.DestroyObject(session, private)
	_, err = token.Signer(t.Context(), KeyByID(id))
	require.ErrorIs(t, err, ErrKeyPolicy)
	assert.ErrorContains(t, err, "CKA_EXTRACTABLE")
	key := generate(t, token, MLDSA44).Key()
	strict := openNSS(t, func(c *Config) { c.Strict = true })
	_, err = strict.Signer(t.Context(), key)
	require.ErrorIs(t, err, ErrKeyPolicy)
	assert.ErrorContains(t, err, "CKA_LOCAL")
	local, err := token.WithPolicy(Rule{Purposes: []Purpose{Sign}, Local: true})
	require.NoError(t, err)
	seen := &recorder{}
	_, err = local.WithObserver(seen).Signer(t.Context(), key)
	require.ErrorIs(t, err, ErrRefused)
	require.Len(t, seen.all(), 1)
	event := seen.all()[0]
	assert.Equal(t, Refused, event.Outcome)
	assert.Equal(t, key, event.Key)
	assert.Less(t, event.Latency, time.Minute)
}

func TestWrongTypeOfKey(t *testing.T) {
	token := openNSS(t)
	signs, decapsulates := generate(t, token, MLDSA44), generate(t, token, MLKEM512)
	_, err := token.Signer(t.Context(), decapsulates.Key())
	require.ErrorIs(t, err, ErrKeyType)
	_, err = token.Decapsulator(t.Context(), signs.Key())
	require.ErrorIs(t, err, ErrKeyType)
	_, err = token.Signer(t.Context(), Key{ID: signs.ID, Algorithm: MLDSA65})
	require.ErrorIs(t, err, ErrKeyNotFound)
}

func TestOlderInterfaces(t *testing.T) {
	for _, c := range []struct {
		is   proxy.Interface
		want Version
	}{
		{proxy.Interface30, Version{3, 0}}, {proxy.InterfaceNull, Version{3, 2}}, {proxy.InterfaceNone, Version{2, 40}},
	} {
		t.Run(fmt.Sprint(c.is), func(t *testing.T) {
			p, config := newProxy(t)
			p.SetInterface(c.is)
			token, err := Open(t.Context(), config)
			require.NoError(t, err)
			defer token.Close()
			assert.Equal(t, c.want, token.Capabilities().Interface)
			assert.NotContains(t, token.Capabilities().Algorithms, MLKEM768)
			kem := generateIn(t, token, MLKEM768)
			_, err = token.Decapsulator(t.Context(), kem.Key())
			require.ErrorIs(t, err, ErrUnsupported)
			signer, err := token.Signer(t.Context(), generateIn(t, token, MLDSA44).Key())
			require.NoError(t, err)
			requireSigns(t, signer)
		})
	}
}

// generateIn makes a pair that stays.
func generateIn(t *testing.T, token *Token, a Algorithm) KeyInfo {
	t.Helper()
	info, err := token.Generate(t.Context(), a, GenerateOptions{Label: t.Name()})
	require.NoError(t, err)
	return info
}

func TestWrongSignatures(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	_, config := p, token.config
	config.VerifyAfterSign = true
	verifying, err := Open(t.Context(), config)
	require.NoError(t, err)
	defer verifying.Close()
	careful, err := verifying.Signer(t.Context(), signer.Info().Key())
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		signer *Signer
		action proxy.Action
		opts   crypto.SignerOpts
	}{
		{"short", signer, proxy.Shorten, nil},
		{"wrong, verified", careful, proxy.Corrupt, nil},
		{"wrong, deterministic", signer, proxy.Corrupt, &SignOptions{Hedge: Deterministic}},
		{"wrong, hedged or not", signer, proxy.Corrupt, &SignOptions{Hedge: HedgePreferred}},
		{"wrong, Ed25519", newSigner(t, token, Ed25519), proxy.Corrupt, crypto.Hash(0)},
		{"wrong, RSA", newSigner(t, token, RSA2048), proxy.Corrupt, crypto.SHA256},
		{"short, verified", careful, proxy.Shorten, nil},
	} {
		before := p.Calls("C_Sign")
		p.Set("C_Sign", proxy.Fault{Action: c.action, Count: 1})
		signature, err := c.signer.SignContext(t.Context(), message, c.opts)
		require.ErrorIs(t, err, ErrFaulty, c.name)
		assert.Nil(t, signature, c.name)
		assert.Equal(t, 1, p.Calls("C_Sign")-before, "%s: tried again", c.name)
	}
	requireSigns(t, signer)
	requireSigns(t, careful)
}

func TestWrongOptionsDoNotReachTheToken(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	before := p.Calls("C_SignInit")
	for _, c := range []struct {
		opts *SignOptions
		want error
	}{
		{&SignOptions{Context: strings.Repeat("c", 256)}, ErrContext},
		{&SignOptions{Context: strings.Repeat("c", 1<<20)}, ErrContext},
		{&SignOptions{Hedge: 3}, ErrHedge},
		{&SignOptions{Hedge: 7}, ErrHedge},
		{&SignOptions{Hedge: 255}, ErrHedge},
		{&SignOptions{PreHash: 99}, ErrOptions},
		{&SignOptions{PreHash: mldsa.SHA256}, ErrUnsupported},
	} {
		_, err := signer.SignContext(t.Context(), message, c.opts)
		require.ErrorIs(t, err, c.want)
	}
	_, err := signer.SignDigestContext(t.Context(), make([]byte, 64), hashMu)
	require.ErrorIs(t, err, ErrUnsupported)
	_, err = signer.SignDigestContext(t.Context(), make([]byte, 63), hashMu)
	require.ErrorIs(t, err, ErrSize)
	assert.Equal(t, before, p.Calls("C_SignInit"))
}

func TestNoModule(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text.so")
	require.NoError(t, os.WriteFile(text, []byte("text"), 0o600))
	for path, want := range map[string]string{
		filepath.Join(folder, "none.so"): "none.so: cannot open shared object file",
		text:                             "file too short",
		"libm.so.6":                      "C_GetFunctionList",
		folder:                           folder,
	} {
		_, err := Open(t.Context(), Config{Module: path})
		require.ErrorIs(t, err, ErrModule)
		assert.ErrorContains(t, err, want)
	}
}

// TestFunctionListWithEmptyPlaces opens modules whose function list fails, or has a NULL pointer.
func TestFunctionListWithEmptyPlaces(t *testing.T) {
	const source = `typedef unsigned long W;
static W unsupported(void) { return 0x54; }
static struct { unsigned char version[2]; W (*f[68])(void); } list = {{2, 40}, {0}};
W C_GetFunctionList(void **p) {
	for (int i = 0; i < 68; i++)
		if (i != EMPTY) list.f[i] = unsupported;
	*p = &list;
	return CODE;
}`
	open := func(empty, code int) error {
		folder := t.TempDir()
		file, module := filepath.Join(folder, "list.c"), filepath.Join(folder, "list.so")
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		out, err := exec.Command("gcc", "-shared", "-fPIC", fmt.Sprintf("-DEMPTY=%d", empty), fmt.Sprintf("-DCODE=%d", code),
			"-o", module, file).CombinedOutput()
		require.NoError(t, err, string(out))
		_, err = Open(t.Context(), Config{Module: module})
		return err
	}
	for _, place := range []int{0, 18, 25, 43, 59} { // of C_Initialize, C_Login, C_SetAttributeValue, C_Sign and C_GenerateKeyPair
		require.ErrorIs(t, open(place, 0), ErrModule, place)
	}
	require.ErrorIs(t, open(-1, ckrGeneralError), ErrModule)
	var e *Error
	require.ErrorAs(t, open(-1, 0), &e)
	assert.Equal(t, Error{"C_Initialize", ckrFunctionNotSupported}, *e)
}
