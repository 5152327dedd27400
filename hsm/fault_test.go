//go:build cgo && unix

package hsm

import (
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
	seen := &recorder{}
	token = token.WithObserver(seen)
	key := generate(t, token, MLDSA44).Key()
	for _, function := range []string{"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue"} {
		for _, code := range []uint{ckrDeviceRemoved, ckrTokenNotPresent, ckrSessionHandleInvalid} {
			p.Set(function, proxy.Fault{Action: proxy.Reset, Code: code, Count: 1})
			signer, err := token.Signer(t.Context(), key)
			require.NoError(t, err, "%s: %#x", function, code)
			requireSigns(t, signer)
		}
	}
	for _, e := range seen.all() {
		assert.Less(t, e.Latency, time.Minute, "%+v", e)
	}
}

// TestLoginAfterASearch: what was found before another session's recovery logged in is not all there is.
func TestLoginAfterASearch(t *testing.T) {
	p, token := openProxy(t)
	key := generate(t, token, MLDSA44).Key()
	p.Set("C_FindObjects", proxy.Fault{Action: proxy.Shorten, Count: 1})
	signer, err := token.Signer(t.Context(), key)
	require.NoError(t, err)
	requireSigns(t, signer)
	key.Label += ", which there is not"
	before := p.Calls("C_FindObjectsInit")
	_, err = token.Signer(t.Context(), key)
	require.ErrorIs(t, err, ErrKeyNotFound)
	assert.Equal(t, 2, p.Calls("C_FindObjectsInit")-before)
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
