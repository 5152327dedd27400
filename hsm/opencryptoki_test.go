//go:build cgo && linux

package hsm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/pkcs11"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

const (
	strictSO  = "76543210"
	firstPIN  = "23456701" // of the SO, which the user changes
	strictPIN = "12345670"
)

// strict is how the soft token is opened, once it was initialised.
var strict *Config

// strictConfig initialises the soft token of opencryptoki, and returns how to open it.
func strictConfig(t *testing.T) Config {
	t.Helper()
	if os.Getenv("OPENCRYPTOKI") == "" {
		t.Skip("opencryptoki's token needs a root file system of its own; .ci/opencryptoki runs this test there")
	}
	if strict != nil {
		return *strict
	}
	found, err := filepath.Glob("/usr/lib/*/pkcs11/libopencryptoki.so")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	ctx := pkcs11.New(found[0])
	require.NotNil(t, ctx)
	defer ctx.Destroy()
	require.NoError(t, ctx.Initialize())
	defer ctx.Finalize()
	slots, err := ctx.GetSlotList(true)
	require.NoError(t, err)
	for _, slot := range slots {
		info, err := ctx.GetTokenInfo(slot)
		require.NoError(t, err)
		if info.Model != "Soft" {
			continue
		}
		require.NoError(t, ctx.InitToken(slot, "87654321", "strict"))
		session, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		require.NoError(t, err)
		require.NoError(t, ctx.Login(session, pkcs11.CKU_SO, "87654321"))
		require.NoError(t, ctx.SetPIN(session, "87654321", strictSO))
		require.NoError(t, ctx.InitPIN(session, firstPIN))
		require.NoError(t, ctx.Logout(session))
		require.NoError(t, ctx.Login(session, pkcs11.CKU_USER, firstPIN))
		require.NoError(t, ctx.SetPIN(session, firstPIN, strictPIN))
		require.NoError(t, ctx.CloseSession(session))
		strict = &Config{Module: found[0], Token: "strict", PIN: PINValue(strictPIN)}
		return *strict
	}
	t.Fatal("no soft token")
	return Config{}
}

// TestOpencryptoki does on the strict token what other tests do on NSS's, and what that lacks.
func TestOpencryptoki(t *testing.T) {
	config := strictConfig(t)
	token, err := Open(t.Context(), config)
	require.NoError(t, err)
	capabilities := token.Capabilities()
	t.Logf("%+v", capabilities)
	var keys []KeyInfo
	for _, a := range Algorithms() {
		if !slices.Contains(capabilities.Generate, a) {
			t.Logf("%v: not generated", a)
			continue
		}
		info, err := token.Generate(t.Context(), a, GenerateOptions{Label: a.String()})
		if !assert.NoError(t, err, a) {
			continue
		}
		keys = append(keys, info)
	}
	for _, info := range keys {
		t.Run(info.Algorithm.String(), func(t *testing.T) {
			if info.Algorithm.IsMLKEM() {
				d, err := token.Decapsulator(t.Context(), info.Key())
				require.NoError(t, err)
				want, ciphertext := d.Encapsulator().Encapsulate()
				got, err := d.Decapsulate(ciphertext)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(want, got))
				return
			}
			signer, err := token.Signer(t.Context(), info.Key())
			require.NoError(t, err)
			public, ok := signer.Public().(*mldsa.PublicKey)
			if !ok {
				return
			}
			for _, o := range []SignOptions{{}, {Context: "c"}, {Hedge: HedgePreferred}, {Hedge: Deterministic, Context: string(make([]byte, 255))}} {
				signature, err := signer.SignContext(t.Context(), message, &o)
				require.NoError(t, err)
				require.NoError(t, mldsa.Verify(public, message, signature, &mldsa.Options{Context: o.Context}))
			}
			for h := mldsa.SHA224; h <= mldsa.SHAKE256; h++ {
				if !capabilities.PreHash && !slices.Contains(capabilities.TokenHash, h.String()) {
					continue
				}
				signature, err := signer.SignContext(t.Context(), message, &SignOptions{PreHash: h, Context: "c"})
				if assert.NoError(t, err, h) {
					assert.NoError(t, mldsa.VerifyPreHash(public, h, digestOf(h, message), signature, &mldsa.Options{Context: "c"}), h)
				}
			}
		})
	}
	demanding := config
	demanding.Strict = true
	local, err := Open(t.Context(), demanding)
	require.NoError(t, err)
	for _, info := range keys {
		if !info.Algorithm.IsMLKEM() {
			_, err = local.Signer(t.Context(), info.Key())
			assert.NoError(t, err, "%v: %+v", info.Algorithm, info)
		}
	}
	require.NoError(t, local.Close())
	for _, info := range keys {
		require.NoError(t, token.Delete(context.Background(), info.Key(), info.ID))
	}
	require.NoError(t, token.Close())

	// Wrong PINs are tried once each, and none that would lock the token.
	refused := false
	for i := range 6 {
		wrong := config
		wrong.PIN = PINValue(fmt.Sprintf("9999999%d", i))
		_, err := Open(t.Context(), wrong)
		require.Error(t, err)
		info := func() TokenInfo {
			config := config
			config.PIN = PIN{}
			token, err := Open(t.Context(), config)
			require.NoError(t, err)
			defer token.Close()
			info, err := token.Info(t.Context())
			require.NoError(t, err)
			return info
		}()
		require.False(t, info.PINLocked, "locked by try %d", i+1)
		if info.PINFinalTry {
			refused = true
			_, err = Open(t.Context(), wrong)
			assert.Error(t, err)
		}
	}
	assert.True(t, refused, "no final try was announced")
	_, err = Open(t.Context(), config)
	require.ErrorIs(t, err, ErrPINFinalTry)
	config.AllowFinalTry = true
	token, err = Open(t.Context(), config)
	require.NoError(t, err)
	require.NoError(t, token.Close())
}

// TestOpencryptokiDaemonRestarted kills the daemon under an open token.
func TestOpencryptokiDaemonRestarted(t *testing.T) {
	token, err := Open(t.Context(), strictConfig(t))
	require.NoError(t, err)
	info, err := token.Generate(t.Context(), MLDSA44, GenerateOptions{Label: t.Name()})
	require.NoError(t, err)
	signer, err := token.Signer(t.Context(), info.Key())
	require.NoError(t, err)
	requireSigns(t, signer)
	pid, err := os.ReadFile("/run/opencryptoki/pkcsslotd.pid")
	require.NoError(t, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(n, syscall.SIGKILL))
	_, err = signer.SignContext(t.Context(), message, nil)
	t.Logf("without the daemon: %v", err)
	stale, err := filepath.Glob("/run/opencryptoki/pkcsslotd.*")
	require.NoError(t, err)
	for _, file := range stale {
		require.NoError(t, os.Remove(file))
	}
	out, err := exec.Command("pkcsslotd").CombinedOutput()
	require.NoError(t, err, string(out))
	requireSigns(t, signer)
	require.NoError(t, token.Delete(t.Context(), info.Key(), info.ID))
	require.NoError(t, token.Close())
}
