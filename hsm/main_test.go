package hsm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/nss"
)

func TestMain(m *testing.M) { nss.Main(m) }

func nssConfig(t testing.TB) Config {
	t.Helper()
	return Config{Module: nss.Module(t), Token: nss.Token, PIN: PINValue(nss.PIN)}
}

// openNSS opens NSS's token as change says, until the test ends.
func openNSS(t testing.TB, change ...func(*Config)) *Token {
	t.Helper()
	config := nssConfig(t)
	for _, c := range change {
		c(&config)
	}
	token, err := Open(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, token.Close()) })
	return token
}

// generate makes a pair and has it deleted at the end.
func generate(t testing.TB, token *Token, a Algorithm) KeyInfo {
	t.Helper()
	info, err := token.Generate(context.Background(), a, GenerateOptions{Label: t.Name()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, token.Delete(context.Background(), KeyByID(info.ID), info.ID)) })
	return info
}
