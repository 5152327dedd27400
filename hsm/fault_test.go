//go:build cgo && unix

package hsm

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hsm/internal/proxy"
	"github.com/pqlane/pqlane/internal/nss"
	"github.com/pqlane/pqlane/mldsa"
)

// newProxy returns a proxy of NSS, and how to open it.
func newProxy(t *testing.T) (*proxy.Proxy, Config) {
	t.Helper()
	config := nssConfig(t)
	p, err := proxy.New(nss.Module(t), t.TempDir())
	require.NoError(t, err)
	config.Module = p.Path
	t.Cleanup(p.Clear)
	return p, config
}

// openProxy opens NSS through a proxy until the test ends.
func openProxy(t *testing.T, change ...func(*Config)) (*proxy.Proxy, *Token) {
	t.Helper()
	p, config := newProxy(t)
	for _, c := range change {
		c(&config)
	}
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Clear()
		require.NoError(t, token.Close())
		assert.Zero(t, p.Sessions(), "sessions are left open")
		assert.Zero(t, p.Objects(), "objects are left")
	})
	return p, token
}

// directly returns the binding's handle of NSS, with a session that is logged in as the process is.
func directly(t *testing.T) (*pkcs11.Ctx, pkcs11.SessionHandle) {
	t.Helper()
	ctx := pkcs11.New(nss.Module(t))
	require.NotNil(t, ctx)
	session, err := ctx.OpenSession(2, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx.CloseSession(session)
		ctx.Destroy()
	})
	return ctx, session
}

func newSigner(t *testing.T, token *Token, a Algorithm) *Signer {
	t.Helper()
	signer, err := token.Signer(t.Context(), generate(t, token, a).Key())
	require.NoError(t, err)
	return signer
}

var message = []byte("message")

func requireSigns(t *testing.T, signer *Signer) {
	t.Helper()
	signature, err := signer.SignContext(t.Context(), message, nil)
	require.NoError(t, err)
	require.NoError(t, mldsa.Verify(signer.Public().(*mldsa.PublicKey), message, signature, nil))
}

func TestWrongPINIsTriedOnce(t *testing.T) {
	p, config := newProxy(t)
	wrong := config
	wrong.PIN = PINValue("not the PIN 1")
	for range 3 {
		_, err := Open(t.Context(), wrong)
		require.ErrorIs(t, err, ErrPIN)
		assert.NotContains(t, err.Error(), "not the PIN")
		assert.Equal(t, 1, p.Calls("C_Login"), "tried again")
	}
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	assert.Equal(t, 2, p.Calls("C_Login"))
	_, err = Open(t.Context(), wrong)
	require.ErrorIs(t, err, ErrPINMismatch)
	assert.Equal(t, 2, p.Calls("C_Login"))
	require.NoError(t, token.Close())
	assert.Zero(t, p.Sessions())
}

func TestOpenersAtOnceTryAWrongPINOnce(t *testing.T) {
	p, config := newProxy(t)
	config.PIN = PINValue("not the PIN 2")
	p.Set("C_Login", proxy.Fault{Delay: 20 * time.Millisecond})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := Open(t.Context(), config)
			assert.ErrorIs(t, err, ErrPIN)
		})
	}
	all.Wait()
	assert.Equal(t, 1, p.Calls("C_Login"))
	assert.Zero(t, p.Sessions())
}

func TestLockedPIN(t *testing.T) {
	p, config := newProxy(t)
	p.SetFlags(pkcs11.CKF_USER_PIN_LOCKED)
	_, err := Open(t.Context(), config)
	require.ErrorIs(t, err, ErrPINLocked)
	p.SetFlags(pkcs11.CKF_USER_PIN_FINAL_TRY)
	_, err = Open(t.Context(), config)
	require.ErrorIs(t, err, ErrPINFinalTry)
	assert.Zero(t, p.Calls("C_Login"), "a PIN was tried")

	p.SetFlags(0)
	p.Set("C_Login", proxy.Fault{Code: pkcs11.CKR_PIN_LOCKED, Count: 1})
	_, err = Open(t.Context(), config)
	require.ErrorIs(t, err, ErrPINLocked)
	assert.Zero(t, p.Sessions())

	p.SetFlags(pkcs11.CKF_USER_PIN_FINAL_TRY)
	config.AllowFinalTry = true
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	require.NoError(t, token.Close())
}

// lostCodes are those after which the token is opened anew.
var lostCodes = []uint{
	ckrSessionHandleInvalid, ckrSessionClosed, ckrDeviceRemoved, ckrDeviceError, ckrTokenNotPresent, ckrUserNotLoggedIn,
	ckrKeyHandleInvalid, ckrObjectHandleInvalid, ckrGeneralError, ckrFunctionFailed, ckrOperationActive,
}

func TestTokenResetInTheMiddleOfASignature(t *testing.T) {
	p, token := openProxy(t)
	seen := &recorder{}
	signer := newSigner(t, token.WithObserver(seen), MLDSA44)
	for _, function := range []string{"C_SignInit", "C_Sign"} {
		for _, code := range lostCodes {
			before := len(seen.all())
			p.Set(function, proxy.Fault{Action: proxy.Reset, Code: code, Count: 1})
			requireSigns(t, signer)
			var recovered []Event
			for _, e := range seen.all()[before:] {
				if e.Outcome == Recovered {
					recovered = append(recovered, e)
				}
			}
			require.Len(t, recovered, 1, "%s: %#x", function, code)
			var e *Error
			require.ErrorAs(t, recovered[0].Err, &e)
			assert.Equal(t, Error{Function: function, Code: code}, *e)
			assert.Equal(t, signer.Info().Key(), recovered[0].Key)
		}
	}
}

func TestTokenResetInTheMiddleOfADecapsulation(t *testing.T) {
	p, token := openProxy(t)
	d, err := token.Decapsulator(t.Context(), generate(t, token, MLKEM768).Key())
	require.NoError(t, err)
	for _, function := range []string{"C_DecapsulateKey", "C_GetAttributeValue", "C_DestroyObject"} {
		for _, code := range lostCodes {
			p.Set(function, proxy.Fault{Action: proxy.Reset, Code: code, Count: 1})
			want, ciphertext := d.Encapsulator().Encapsulate()
			got, err := d.DecapsulateContext(t.Context(), ciphertext)
			require.NoError(t, err, "%s: %#x", function, code)
			require.Equal(t, want, got)
		}
	}
}

func TestTokenResetWhileItIsSearched(t *testing.T) {
	p, token := openProxy(t)
	key := generate(t, token, MLDSA44).Key()
	for _, function := range []string{"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue"} {
		for _, code := range []uint{ckrDeviceRemoved, ckrTokenNotPresent, ckrSessionHandleInvalid} {
			p.Set(function, proxy.Fault{Action: proxy.Reset, Code: code, Count: 1})
			signer, err := token.Signer(t.Context(), key)
			require.NoError(t, err, "%s: %#x", function, code)
			requireSigns(t, signer)
		}
	}
}

func TestARecoveryIsTriedOnce(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	before := p.Calls("C_SignInit")
	p.Set("C_SignInit", proxy.Fault{Code: ckrDeviceError})
	_, err := signer.SignContext(t.Context(), message, nil)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.EqualValues(t, ckrDeviceError, e.Code)
	assert.Equal(t, 2, p.Calls("C_SignInit")-before)
	p.Clear()
	requireSigns(t, signer)
}

func TestOtherErrorsAreNotTriedAgain(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	for _, code := range []uint{ckrMechanismInvalid, ckrGeneralError, ckrFunctionFailed, ckrOperationActive, 0x21, 0x80000001} {
		before := p.Calls("C_Sign")
		sessions := p.Calls("C_CloseSession")
		p.Set("C_Sign", proxy.Fault{Code: code, Count: 1})
		_, err := signer.SignContext(t.Context(), message, nil)
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, Error{"C_Sign", code}, *e)
		assert.Equal(t, 1, p.Calls("C_Sign")-before)
		assert.Equal(t, 1, p.Calls("C_CloseSession")-sessions, "the session of a failed operation is kept")
	}
	requireSigns(t, signer)
}

func TestRemovedTokenComesBack(t *testing.T) {
	p, token := openProxy(t)
	seen := &recorder{}
	signer := newSigner(t, token.WithObserver(seen), MLDSA44)
	for _, code := range []uint{ckrDeviceRemoved, ckrTokenNotPresent, ckrDeviceError} {
		p.SetDead(code)
		for range 3 {
			_, err := signer.SignContext(t.Context(), message, nil)
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, code, e.Code)
		}
		p.SetDead(0)
		p.Set("C_OpenSession", proxy.Fault{Action: proxy.Reset, Code: code, Count: 1})
		requireSigns(t, signer)
	}
	lost := 0
	for _, e := range seen.all() {
		if e.Outcome == Lost {
			lost++
		}
	}
	assert.NotZero(t, lost)
}

// TestDaemonRestarted has the module forget everything, as that of a daemon does, which then is initialised anew.
func TestDaemonRestarted(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	ctx := pkcs11.New(nss.Module(t))
	require.NotNil(t, ctx)
	defer ctx.Destroy()
	for range 3 {
		require.NoError(t, ctx.Finalize())
		logins := p.Calls("C_Login")
		requireSigns(t, signer)
		assert.Equal(t, 1, p.Calls("C_Login")-logins)
	}
}

func TestManyOperationsShareOneRecovery(t *testing.T) {
	p, token := openProxy(t, func(c *Config) { c.MaxSessions = 16 })
	signer := newSigner(t, token, MLDSA44)
	logins := p.Calls("C_Login")
	p.Set("C_SignInit", proxy.Fault{Skip: 100, Action: proxy.Reset, Code: ckrDeviceRemoved, Count: 1})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 20 {
				_, err := signer.SignContext(t.Context(), message, nil)
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, p.Calls("C_Login")-logins, 2)
	assert.GreaterOrEqual(t, p.Calls("C_Login")-logins, 1)
}

func TestTokenWithFewSessions(t *testing.T) {
	p, token := openProxy(t, func(c *Config) { c.MaxSessions = 16 })
	signer := newSigner(t, token, MLDSA44)
	p.SetMaxSessions(3) // the one for the login, and two
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := signer.SignContext(t.Context(), message, nil)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.LessOrEqual(t, p.Sessions(), 3)

	p.Set("C_Sign", proxy.Fault{Code: ckrMechanismInvalid, Count: 2}) // which closes the sessions
	for range 2 {
		_, err := signer.SignContext(t.Context(), message, nil)
		require.Error(t, err)
	}
	require.Equal(t, 1, p.Sessions())
	p.SetMaxSessions(1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := signer.SignContext(ctx, message, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), 5*time.Second)
	p.SetMaxSessions(0)
	requireSigns(t, signer)
}

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

	// A pair of another type can have the same id.
	ctx, session := directly(t)
	both := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, one.ID), pkcs11.NewAttribute(pkcs11.CKA_LABEL, "curve"),
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
	_, err = local.Signer(t.Context(), key)
	require.ErrorIs(t, err, ErrRefused)
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
		opts   *SignOptions
	}{
		{"short", signer, proxy.Shorten, nil},
		{"wrong, verified", careful, proxy.Corrupt, nil},
		{"wrong, deterministic", signer, proxy.Corrupt, &SignOptions{Hedge: Deterministic}},
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

func TestCloseWaitsForATokenThatHangs(t *testing.T) {
	p, config := newProxy(t)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	signer, err := token.Signer(t.Context(), generateIn(t, token, MLDSA44).Key())
	require.NoError(t, err)
	p.Set("C_Sign", proxy.Fault{Action: proxy.Hang, Count: 3})
	results := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := signer.SignContext(t.Context(), message, nil)
			results <- err
		}()
	}
	require.Eventually(t, func() bool { return p.Hanging() == 3 }, 10*time.Second, time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- token.Close() }()
	require.Eventually(t, func() bool {
		_, err := signer.SignContext(t.Context(), message, nil)
		return err == ErrClosed
	}, 10*time.Second, time.Millisecond)
	select {
	case <-closed:
		t.Fatal("closed under operations")
	case <-time.After(50 * time.Millisecond):
	}
	p.Release()
	for range 3 {
		require.NoError(t, <-results)
	}
	require.NoError(t, <-closed)
	require.NoError(t, token.Close())
	assert.Zero(t, p.Sessions())
	_, err = token.Keys(t.Context(), Key{})
	require.ErrorIs(t, err, ErrClosed)
}

// TestAbandonedOperation has the token hang beyond the end of a context, and of the token.
func TestAbandonedOperation(t *testing.T) {
	p, config := newProxy(t)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	signer, err := token.Signer(t.Context(), generateIn(t, token, MLDSA44).Key())
	require.NoError(t, err)
	p.Set("C_Sign", proxy.Fault{Action: proxy.Hang, Count: 2})
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = signer.SignContext(ctx, message, nil)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.Equal(t, 2, p.Hanging())
	requireSigns(t, signer) // beside them
	start := time.Now()
	require.NoError(t, token.Close())
	assert.Less(t, time.Since(start), 5*time.Second)
	assert.NotZero(t, p.Sessions(), "a session was closed under a call")
	p.Release()
	require.Eventually(t, func() bool { return p.Sessions() == 0 }, 10*time.Second, time.Millisecond)
}

func TestLateToken(t *testing.T) {
	p, token := openProxy(t)
	signer := newSigner(t, token, MLDSA44)
	p.Set("C_SignInit", proxy.Fault{Delay: 200 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := signer.SignContext(ctx, message, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), 150*time.Millisecond)
	requireSigns(t, signer)
}

func TestOpenIsAbandonedWithItsContext(t *testing.T) {
	p, config := newProxy(t)
	p.Set("C_Login", proxy.Fault{Action: proxy.Hang, Count: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, config)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	p.Release()
	require.Eventually(t, func() bool { return p.Calls("C_Login") == 1 && p.Sessions() == 0 }, 10*time.Second, time.Millisecond)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	require.NoError(t, token.Close())
}
