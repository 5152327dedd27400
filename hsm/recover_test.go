package hsm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// recoveries counts what a guard is told of.
type recoveries struct {
	n     int
	cause error
}

func (*recoveries) before(context.Context, *use) error { return nil }
func (*recoveries) after(context.Context, *use, error) {}
func (r *recoveries) recovered(_ context.Context, _ *use, cause, _ error) {
	r.n++
	r.cause = cause
}

// TestRecovery: from each code that tokens use, once.
func TestRecovery(t *testing.T) {
	token := openNSS(t)
	f := makeFaulty(t, token)
	watched := &recoveries{}
	token = &Token{core: token.core, guard: watched}
	signer := signerOf(t, token)
	d, err := token.Decapsulator(background, KeyByID(generate(t, token, MLKEM512).ID))
	require.NoError(t, err)
	want, ciphertext := d.Encapsulator().Encapsulate()
	message := []byte("message")
	for _, rv := range []uint{
		ckrSessionHandleInvalid, ckrSessionClosed, ckrDeviceRemoved, ckrDeviceError, ckrTokenNotPresent,
		ckrUserNotLoggedIn, ckrKeyHandleInvalid, ckrObjectHandleInvalid, ckrCryptokiNotInitialized,
	} {
		before := watched.n
		f.failing("C_Sign", rv)
		signature, err := signer.SignMessage(nil, message, nil)
		require.NoError(t, err, "%#x", rv)
		verified(t, signer, message, signature)
		f.failing("C_DecapsulateKey", rv)
		got, err := d.Decapsulate(ciphertext)
		require.NoError(t, err, "%#x", rv)
		require.Equal(t, want, got)
		require.Equal(t, before+2, watched.n)
		require.Equal(t, rv, code(watched.cause))

		f.failing("C_Sign", rv, 0, rv) // the second is the proof
		_, err = signer.SignMessage(nil, message, nil)
		require.Error(t, err, "%#x twice", rv)
		require.Equal(t, rv, code(err))
	}
}

// TestNoRecovery: not from errors that would come again; after an odd one the session is asked.
func TestNoRecovery(t *testing.T) {
	token := openNSS(t)
	f := makeFaulty(t, token)
	watched := &recoveries{}
	token = &Token{core: token.core, guard: watched}
	signer := signerOf(t, token)
	signs := f.count("C_Sign")
	for _, rv := range []uint{ckrGeneralError, ckrFunctionFailed, 0x21, 0x70, 0x71, 0x90} {
		f.failing("C_Sign", rv)
		_, err := signer.SignMessage(nil, []byte("message"), nil)
		require.Equal(t, rv, code(err))
		signs++
		require.Equal(t, signs, f.count("C_Sign"), "%#x is not tried again", rv)
	}
	require.Zero(t, watched.n)
	f.failing("C_Sign", ckrGeneralError)
	f.failing("C_GetSessionInfo", ckrSessionHandleInvalid)
	_, err := signer.SignMessage(nil, []byte("message"), nil)
	require.NoError(t, err)
	require.Equal(t, 1, watched.n)
}

// TestDiscardedSession: after any error the session is closed.
func TestDiscardedSession(t *testing.T) {
	token := openNSS(t)
	f := makeFaulty(t, token)
	signer := signerOf(t, token)
	for range 10 {
		_, err := signer.SignMessage(nil, nil, nil)
		require.NoError(t, err)
		open := f.sessions()
		f.failing("C_Sign", ckrFunctionFailed)
		_, err = signer.SignMessage(nil, nil, nil)
		require.Error(t, err)
		require.Equal(t, open-1, f.sessions())
	}
}

// TestReplacedKey: a key of the same label and id, but another key, is never used.
func TestReplacedKey(t *testing.T) {
	token := openNSS(t, func(c *Config) { c.AllowImport = true })
	f := makeFaulty(t, token)
	id := []byte("0123456789abcdef")
	options := GenerateOptions{Label: t.Name(), ID: id}
	_, err := token.Generate(background, MLDSA44, options)
	require.NoError(t, err)
	signer, err := token.Signer(background, KeyByLabel(t.Name()))
	require.NoError(t, err)

	require.NoError(t, token.Delete(background, KeyByID(id), id))
	_, err = signer.SignMessage(nil, nil, nil)
	require.ErrorIs(t, err, ErrKeyNotFound)
	_, err = token.Generate(background, MLDSA44, options)
	require.NoError(t, err)
	f.failing("C_Sign", ckrKeyHandleInvalid)
	_, err = signer.SignMessage(nil, nil, nil)
	require.ErrorIs(t, err, ErrKeyChanged)
	_, err = signer.SignMessage(nil, nil, nil)
	require.ErrorIs(t, err, ErrKeyChanged)
	require.NoError(t, token.Delete(background, KeyByID(id), id))
}

// TestProofOfPossession: after a recovery a private key that does not sign for its public key is refused.
func TestProofOfPossession(t *testing.T) {
	token := openNSS(t)
	f := makeFaulty(t, token)
	signer := signerOf(t, token)
	f.failing("C_Sign", ckrKeyHandleInvalid)
	f.spoil = func(signature []byte) int { signature[0] ^= 1; return len(signature) }
	_, err := signer.SignMessage(nil, nil, nil)
	require.ErrorIs(t, err, ErrKeyChanged)
	f.spoil = nil
	_, err = signer.SignMessage(nil, nil, nil)
	require.NoError(t, err)
}

// TestFaultySignatures are not returned, and not tried again.
func TestFaultySignatures(t *testing.T) {
	token := openNSS(t)
	f := makeFaulty(t, token)
	signer := signerOf(t, token)
	signs := func() int { return f.count("C_Sign") }
	once := func(err error, before int) {
		t.Helper()
		require.ErrorIs(t, err, ErrFaulty)
		require.Equal(t, before+1, signs())
	}
	f.spoil = func(signature []byte) int { return len(signature) - 1 }
	before := signs()
	_, err := signer.SignMessage(nil, nil, nil)
	once(err, before)
	f.spoil = func(signature []byte) int { signature[7] ^= 1; return len(signature) }
	before = signs()
	_, err = signer.SignMessage(nil, nil, &SignOptions{Hedge: Deterministic})
	once(err, before)
	signature, err := signer.SignMessage(nil, nil, nil)
	require.NoError(t, err, "hedged, and not verified")
	assert.Error(t, mldsa.Verify(signer.Public().(*mldsa.PublicKey), nil, signature, nil))
	token.config.VerifyAfterSign = true
	before = signs()
	_, err = signer.SignMessage(nil, nil, nil)
	once(err, before)
}

// TestModuleIsInitialisedAgain: two tokens of a module that was finalised under them recover, and
// neither uses or closes a session of the other's.
func TestModuleIsInitialisedAgain(t *testing.T) {
	first, second := openNSS(t), openNSS(t)
	signers := []*Signer{signerOf(t, first), signerOf(t, second)}
	for range 3 {
		for _, signer := range signers {
			_, err := signer.SignMessage(nil, []byte("message"), nil)
			require.NoError(t, err)
		}
		require.NoError(t, first.module.cryptoki.Finalize())
	}
	for _, signer := range signers {
		signature, err := signer.SignMessage(nil, []byte("message"), nil)
		require.NoError(t, err)
		verified(t, signer, []byte("message"), signature)
	}
}
