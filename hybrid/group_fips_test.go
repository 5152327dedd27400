//go:build !purego

// crypto/internal/fips140 panics with the tag purego in the mode that this test is about.

package hybrid

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mlkem"
)

// TestCurveThatCryptoECDHRefuses runs itself in the mode of crypto/ecdh that has no X25519.
func TestCurveThatCryptoECDHRefuses(t *testing.T) {
	if !fips140.Enforced() {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	for _, g := range []Group{X25519MLKEM768, X25519} {
		dst := []byte("kept")
		_, share, err := g.AppendShare(dst)
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorContains(t, err, "hybrid: "+g.String()+": X25519: ")
		require.Equal(t, dst, share)
		_, _, err = g.Accept(make([]byte, g.ClientShareSize()))
		require.ErrorIs(t, err, ErrUnavailable)
	}
	e, share, err := SecP256r1MLKEM768.GenerateShare()
	require.NoError(t, err)
	share, want, err := SecP256r1MLKEM768.Accept(share)
	require.NoError(t, err)
	secret, err := e.Finish(share)
	require.NoError(t, err)
	require.Equal(t, want, secret)

	_, err = GenerateXWingKey()
	require.ErrorIs(t, err, ErrUnavailable)
	dk, err := mlkem.GenerateKey768()
	require.NoError(t, err)
	_, err = NewXWingEncapsulationKey(append(dk.EncapsulationKey().Bytes(), make([]byte, 32)...))
	require.ErrorIs(t, err, ErrUnavailable)
}
