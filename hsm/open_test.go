package hsm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/nss"
)

// TestPINIsNeverShown: not by fmt with any verb, not by slog, not by JSON, not in an error.
func TestPINIsNeverShown(t *testing.T) {
	const secret = "s3cret-pin"
	uri, err := ParseURI("pkcs11:token=t?module-path=/m&pin-value=" + secret)
	require.NoError(t, err)
	config := uri.Config()
	type private struct{ config Config }
	var out bytes.Buffer
	for _, v := range []any{config.PIN, config, &config, uri, *uri, private{config}, &private{config}, []Config{config}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("config", "config", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
	}
	for _, s := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%d", []byte(secret))} {
		assert.NotContains(t, out.String(), s)
	}
	for _, bad := range []string{
		"pkcs11:?pin-value=" + secret + "%zz", "pkcs11:?pin-value=" + secret + "&pin-value=" + secret,
		"pkcs11:?pin-value=" + secret + "&pin-source=/x", "pkcs11:pin-value=" + secret, "pkcs11:?" + secret, "pkcs11:" + secret + "=1",
		"pkcs11:?PIN" + secret + "=1", secret,
	} {
		_, err := ParseURI(bad)
		require.ErrorIs(t, err, ErrURI, bad)
		assert.NotContains(t, err.Error(), secret)
	}
}

func TestParseURI(t *testing.T) {
	u, err := ParseURI("pkcs11:token=My%20token;serial=12;manufacturer=M;model=X;slot-id=3;object=k%3b;id=%00%ff;type=private?module-path=/a%20b.so&pin-source=file:///run/pin")
	require.NoError(t, err)
	slot := uint(3)
	pin := u.PIN
	u.PIN = PIN{}
	assert.Equal(t, &URI{Module: "/a b.so", Token: "My token", Serial: "12", Manufacturer: "M", Model: "X", Slot: &slot, Object: "k;", ID: []byte{0, 255}}, u)
	assert.False(t, pin.IsZero())
	assert.Equal(t, Key{Label: "k;", ID: []byte{0, 255}}, u.Key())
	for _, bad := range []string{
		"", "pkcs11", "http:x", "pkcs11:token", "pkcs11:token=a;token=b", "pkcs11:token=%2", "pkcs11:nonsense=1", "pkcs11:slot-id=x",
		"pkcs11:slot-id=-1", "pkcs11:type=cert", "pkcs11:?pin-source=|/bin/sh", "pkcs11:?pin-source=", "pkcs11:?token=a", "pkcs11:;", "pkcs11:?&",
	} {
		_, err := ParseURI(bad)
		assert.ErrorIs(t, err, ErrURI, bad)
	}
	u, err = ParseURI("pkcs11:")
	require.NoError(t, err)
	assert.Equal(t, &URI{}, u)
}

func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=a;id=%01?module-path=b&pin-value=c")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if (u == nil) == (err == nil) {
			t.Fatal(u, err)
		}
		if err != nil && !errors.Is(err, ErrURI) {
			t.Fatal(err)
		}
	})
}

// TestPINSources: a value, a file, a callback, each asked once.
func TestPINSources(t *testing.T) {
	config := nssConfig(t)
	path := filepath.Join(t.TempDir(), "pin")
	require.NoError(t, os.WriteFile(path, []byte(nss.PIN+"\n"), 0o600))
	asked := 0
	for _, pin := range []PIN{config.PIN, PINFile(path), PINCallback(func(_ context.Context, info TokenInfo) (string, error) {
		asked++
		assert.Equal(t, config.Token, info.Label)
		return nss.PIN, nil
	})} {
		config.PIN = pin
		token, err := Open(background, config)
		require.NoError(t, err)
		_, err = token.Keys(background, Key{})
		require.NoError(t, err)
		require.NoError(t, token.Close())
	}
	require.Equal(t, 1, asked)
	config.PIN = PINFile(path + "x")
	_, err := Open(background, config)
	require.ErrorIs(t, err, os.ErrNotExist)
	refused := errors.New("refused")
	config.PIN = PINCallback(func(context.Context, TokenInfo) (string, error) { return "", refused })
	_, err = Open(background, config)
	require.ErrorIs(t, err, refused)
}

// TestWrongPIN: the token sees it once, whoever opens; another PIN than the one that is logged in is refused.
func TestWrongPIN(t *testing.T) {
	config := nssConfig(t)
	m, err := useModule(config.Module)
	require.NoError(t, err)
	defer m.release()
	f := &faulty{cryptoki: m.cryptoki, fail: map[string][]uint{}, calls: map[string]int{}}
	m.cryptoki = f
	defer func() { m.cryptoki = f.cryptoki }()
	wrong := config
	wrong.PIN = PINValue("wrong")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := Open(background, wrong)
			assert.ErrorIs(t, err, ErrPIN)
			assert.NotContains(t, err.Error(), "wrong\"")
		})
	}
	all.Wait()
	require.Equal(t, 1, f.count("C_Login"))
	_, err = Open(background, wrong)
	require.ErrorIs(t, err, ErrPIN)
	require.Equal(t, 1, f.count("C_Login"))

	tokens := make([]*Token, 8)
	for i := range tokens {
		all.Go(func() {
			var err error
			tokens[i], err = Open(background, config)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	require.Equal(t, 2, f.count("C_Login"), "one login for all")
	other := config
	other.PIN = PINValue("other")
	_, err = Open(background, other)
	require.ErrorIs(t, err, ErrPINMismatch)
	require.Equal(t, 2, f.count("C_Login"))
	for _, token := range tokens {
		require.NoError(t, token.Close())
	}
	empty := config
	empty.PIN = PINValue("")
	_, err = Open(background, empty)
	require.ErrorIs(t, err, ErrPIN)
	require.Equal(t, 2, f.count("C_Login"))
}

// TestPINFlags: a token that says that it is locked, or about to be, is not asked.
func TestPINFlags(t *testing.T) {
	config := nssConfig(t)
	m, err := useModule(config.Module)
	require.NoError(t, err)
	defer m.release()
	f := &flagged{faulty: faulty{cryptoki: m.cryptoki, fail: map[string][]uint{}, calls: map[string]int{}}}
	real := m.cryptoki
	m.cryptoki = f
	defer func() { m.cryptoki = real }()
	f.locked = true
	_, err = Open(background, config)
	require.ErrorIs(t, err, ErrPINLocked)
	f.locked, f.finalTry = false, true
	_, err = Open(background, config)
	require.ErrorIs(t, err, ErrPINFinalTry)
	require.Zero(t, f.count("C_Login"))
	config.AllowFinalTry = true
	token, err := Open(background, config)
	require.NoError(t, err)
	require.NoError(t, token.Close())
	require.Equal(t, 1, f.count("C_Login"))
}

type flagged struct {
	faulty
	locked, finalTry bool
}

func (f *flagged) TokenInfo(slot uint) (TokenInfo, error) {
	info, err := f.faulty.TokenInfo(slot)
	info.PINLocked, info.PINFinalTry = f.locked, f.finalTry
	return info, err
}

// TestAmbiguousToken: the error lists the candidates.
func TestAmbiguousToken(t *testing.T) {
	config := nssConfig(t)
	config.Token = ""
	_, err := Open(background, config)
	require.ErrorIs(t, err, ErrAmbiguous)
	var ambiguous *AmbiguityError
	require.ErrorAs(t, err, &ambiguous)
	require.Len(t, ambiguous.Candidates, 2)
	require.Contains(t, err.Error(), "NSS Certificate DB")
	slot := uint(2)
	config.Slot = &slot
	token, err := Open(background, config)
	require.NoError(t, err)
	require.NoError(t, token.Close())
	config.Token = "no such"
	_, err = Open(background, config)
	require.ErrorIs(t, err, ErrTokenNotFound)
	require.Contains(t, err.Error(), "NSS Certificate DB")
}

// TestNotAModule: the loader's reason is in the error.
func TestNotAModule(t *testing.T) {
	config := nssConfig(t)
	folder := t.TempDir()
	text := filepath.Join(folder, "text.so")
	require.NoError(t, os.WriteFile(text, []byte("text"), 0o600))
	for path, reason := range map[string]string{
		"":                               "no path",
		filepath.Join(folder, "none.so"): "No such file",
		text:                             "file too short",
		"libm.so.6":                      "C_GetFunctionList",
	} {
		config.Module = path
		_, err := Open(background, config)
		require.ErrorIs(t, err, ErrModule, path)
		require.Contains(t, err.Error(), reason)
	}
	require.Empty(t, modules.byPath[text])
}

// TestOpenUnderContext: a context that has ended opens nothing, and one that ends while the PIN is
// asked for returns at once.
func TestOpenUnderContext(t *testing.T) {
	config := nssConfig(t)
	ctx, cancel := context.WithCancel(background)
	answer := make(chan struct{})
	asked := make(chan struct{})
	config.PIN = PINCallback(func(context.Context, TokenInfo) (string, error) {
		close(asked)
		<-answer
		return nss.PIN, nil
	})
	go func() {
		<-asked
		cancel()
	}()
	_, err := Open(ctx, config)
	require.ErrorIs(t, err, context.Canceled)
	close(answer)
	eventually(t, func() bool { modules.Lock(); defer modules.Unlock(); return len(modules.byPath) == 0 }, "what was opened is closed")
	_, err = Open(ctx, config)
	require.ErrorIs(t, err, context.Canceled)
}
