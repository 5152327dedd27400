package mcpconn_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
	"github.com/pqlane/pqlane/mldsa"
)

// secrets are the forms of those of a test, by name.
type secrets map[string][]string

// forms are how b begins when it is printed or encoded, alone or in a larger value.
func forms(b []byte) []string {
	list := func(b []byte) string { return strings.Trim(fmt.Sprint(b), "[]") }
	goList := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}")
	quoted := fmt.Sprintf("%q", b)
	digits := hex.EncodeToString(b)
	all := []string{
		string(b), quoted[1 : len(quoted)-1], list(b), strings.ReplaceAll(list(b), " ", ","), goList,
		digits, strings.ToUpper(digits), list([]byte(digits)), new(big.Int).SetBytes(b).String(),
	}
	for before := range 3 { // bytes of the same group of Base64
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, before), b...))
			all = append(all, text[(before*8+5)/6:(before+len(b))*8/6])
		}
	}
	for i, form := range all {
		all[i] = form[:min(len(form), 60)] // more is slower to find
	}
	return all
}

var lineEnds = strings.NewReplacer("\n", "", `\n`, "")

// found returns the names of secrets in text, whatever its lines.
func (s secrets) found(text string) (names []string) {
	joined := lineEnds.Replace(text)
	for name, forms := range s {
		for _, form := range forms {
			if strings.Contains(text, form) || strings.Contains(joined, form) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// addKey adds the private part of a key.
func (s secrets) addKey(name string, key crypto.Signer) {
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		b, err := key.Bytes()
		if err != nil {
			panic(err)
		}
		s[name] = forms(b)
	case ed25519.PrivateKey:
		s[name] = forms(key.Seed())
	case *mldsa.PrivateKey:
		s[name] = forms(key.Bytes())
		s[name+", expanded"] = forms(key.ExpandedBytes()[32:64]) // K of FIPS 204
	}
}

// addLog adds the secrets of a key log, whose lines are a label, a random, and the secret.
func (s secrets) addLog(t *testing.T, keyLog string) {
	for _, line := range strings.Split(strings.TrimSpace(keyLog), "\n") {
		fields := strings.Fields(line)
		require.Len(t, fields, 3)
		b, err := hex.DecodeString(fields[2])
		require.NoError(t, err)
		s[fmt.Sprint(fields[0], " ", len(s))] = forms(b)
	}
}

// texts is what a program may write to a log of v.
func texts(v any) (all []string) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t"} {
		all = append(all, fmt.Sprintf(verb, v))
	}
	if b, err := json.Marshal(v); err == nil {
		all = append(all, string(b))
	} else {
		all = append(all, err.Error())
	}
	var lines bytes.Buffer
	slog.New(slog.NewTextHandler(&lines, nil)).Info("text", "v", v)
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("json", "v", v)
	return append(all, lines.String())
}

// TestSecretsAreFound is a test of the test below.
func TestSecretsAreFound(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s := secrets{}
	s.addKey("key", key)
	type wrapped struct{ inner any }
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	keyPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, v := range []any{key, wrapped{key}, []byte(key), string(key), errors.New(hex.EncodeToString(key)), keyPEM, der, wrapped{keyPEM}} {
		assert.NotEmpty(t, s.found(strings.Join(texts(v), "\n")), "%T", v)
	}
	ec, err := mcpconntest.GenerateKey(mcpconntest.ECDSA)
	require.NoError(t, err)
	s.addKey("ec", ec)
	assert.Equal(t, []string{"ec"}, s.found(strings.Join(texts(*ec.(*ecdsa.PrivateKey)), "\n")))
}

// keyInItself is a signer of elsewhere that has the key in its own memory, not behind a pointer.
type keyInItself struct{ ed25519.PrivateKey }

// TestSecretsNeverReachLogs: neither keys nor the secrets of a connection are in what can be printed of
// it, of its configuration, report or error, or in a log, with a KeyLogWriter or without.
func TestSecretsNeverReachLogs(t *testing.T) {
	var logged output
	oldSlog, oldLog := slog.Default(), log.Writer()
	defer func() { slog.SetDefault(oldSlog); log.SetOutput(oldLog) }()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(&logged)

	algorithms := []string{"Ed25519", "Ed25519 of elsewhere", mcpconntest.ECDSA}
	if hasMLDSA {
		algorithms = append(algorithms, mcpconntest.MLDSA44)
	}
	for _, algorithm := range algorithms {
		for _, keyLog := range []string{"none", "the client's", "both"} {
			t.Run(algorithm+", key log "+keyLog, func(t *testing.T) {
				logged.Reset()
				s := secrets{}
				var mu sync.Mutex
				var everything []any
				note := func(v ...any) {
					mu.Lock()
					defer mu.Unlock()
					everything = append(everything, v...)
				}
				issuer := mcpconntest.ECDSA
				if strings.HasPrefix(algorithm, "ML-DSA") {
					issuer = algorithm
				}
				w := newWorld(t, issuer)
				identity := func(usage x509.ExtKeyUsage, name string) *mcpconn.Identity {
					var key crypto.Signer
					if strings.HasPrefix(algorithm, "Ed25519") {
						_, private, err := ed25519.GenerateKey(rand.Reader)
						require.NoError(t, err)
						key = private
					} else {
						var err error
						key, err = mcpconntest.GenerateKey(algorithm)
						require.NoError(t, err)
					}
					s.addKey(name, key)
					der, err := hybrid.CreateCertificate(mcpconntest.Template(usage, name), w.root.Certificate, key.Public(), w.root.Key)
					require.NoError(t, err)
					cert, err := x509.ParseCertificate(der)
					require.NoError(t, err)
					if algorithm == "Ed25519 of elsewhere" {
						key = keyInItself{key.(ed25519.PrivateKey)}
					}
					id, err := mcpconn.NewIdentity([]*x509.Certificate{cert}, key)
					require.NoError(t, err)
					note(id, *id, id.Key())
					return id
				}
				var clientLog, serverLog bytes.Buffer
				memory, err := mcpconn.OpenMemory(filepath.Join(t.TempDir(), "memory"))
				require.NoError(t, err)
				observe := func(state mcpconn.State, err error) {
					slog.Info("observed", "state", state, "error", err)
					note(state, &state, string(state.JSON()))
					if err != nil {
						note(err)
					}
				}
				client := &mcpconn.Config{Identity: identity(x509.ExtKeyUsageClientAuth, "client.example"), Trust: w.trust,
					ServerName: "server.example", Memory: memory, Observer: observe}
				server := &mcpconn.Config{Identity: identity(x509.ExtKeyUsageServerAuth, "server.example"), Trust: w.trust, Observer: observe}
				if keyLog != "none" {
					client.KeyLogWriter = &clientLog
				}
				if keyLog == "both" {
					server.KeyLogWriter = &serverLog
				}
				wrongName := &mcpconn.Config{Identity: client.Identity, Trust: w.trust, ServerName: "another.example", Observer: observe, KeyLogWriter: client.KeyLogWriter}
				stranger := &mcpconn.Config{Identity: client.Identity, Trust: newWorld(t, mcpconntest.ECDSA).trust, ServerName: "server.example", Observer: observe}
				for _, client := range []*mcpconn.Config{client, client, wrongName, stranger} { // full and resumed, and two that fail
					note(client, server)
					a, b := network(nil)
					c, err := mcpconn.Client(a, client)
					require.NoError(t, err)
					d, err := mcpconn.Server(b, server)
					require.NoError(t, err)
					ended := make(chan error, 1)
					go func() {
						defer d.Close()
						_, err := io.Copy(d, d)
						ended <- err
					}()
					_, err = io.WriteString(c, "hello")
					if err == nil {
						_, err = io.ReadFull(c, make([]byte, 5))
					}
					if err == nil {
						exported, err := c.ExportKeyingMaterial("test", nil, 32)
						require.NoError(t, err)
						s[fmt.Sprint("exported ", len(s))] = forms(exported)
					} else {
						note(err)
					}
					note(c, d, c.State(), mcpconn.ConnContext(t.Context(), c))
					c.Close()
					if err := <-ended; err != nil {
						note(err)
					}
				}
				note(memory)
				if keyLog != "none" {
					s.addLog(t, clientLog.String())
					require.GreaterOrEqual(t, len(s), 2+2+2*4)
				}
				require.GreaterOrEqual(t, len(s), 2+2)
				for _, v := range everything {
					for i, text := range texts(v) {
						assert.Empty(t, s.found(text), "%T, form %d", v, i)
					}
				}
				assert.Contains(t, logged.String(), "observed")
				assert.Empty(t, s.found(logged.String()))
			})
		}
	}
}

// TestSecretsAreNotInErrors about a private key that is no key, or not that of the certificate.
func TestSecretsAreNotInErrors(t *testing.T) {
	for _, algorithm := range leafAlgorithms {
		w := newWorld(t, algorithm)
		leaf, err := w.root.Server(algorithm, "server.example")
		require.NoError(t, err)
		other, err := w.root.Server(algorithm, "server.example")
		require.NoError(t, err)
		certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Chain[0].Raw})
		s := secrets{}
		s.addKey("key", leaf.Key)
		s.addKey("other", other.Key)
		private, err := hybrid.MarshalPKCS8PrivateKey(leaf.Key)
		require.NoError(t, err)
		check := func(kind string, der []byte) (failed bool) {
			keyPEM := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
			_, err := mcpconn.ParseIdentity(certPEM, keyPEM)
			if err == nil {
				return false
			}
			assert.ErrorIs(t, err, mcpconn.ErrConfig)
			assert.Empty(t, s.found(strings.Join(texts(err), "\n")))
			for _, swapped := range [][2][]byte{{keyPEM, keyPEM}, {keyPEM, certPEM}, {append(keyPEM, certPEM...), nil}} {
				_, err = mcpconn.ParseIdentity(swapped[0], swapped[1])
				assert.ErrorIs(t, err, mcpconn.ErrConfig)
				assert.Empty(t, s.found(strings.Join(texts(err), "\n")))
			}
			return true
		}
		assert.False(t, check("PRIVATE KEY", private))
		failures := 0
		for i := range private {
			changed := bytes.Clone(private)
			changed[i] ^= 1
			if check("PRIVATE KEY", changed) {
				failures++
			}
			check("PRIVATE KEY", private[:i])
		}
		assert.Greater(t, failures, 10)
		for _, kind := range []string{"EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "CERTIFICATE", "PUBLIC KEY"} {
			assert.True(t, check(kind, private), kind)
		}
		otherDER, err := hybrid.MarshalPKCS8PrivateKey(other.Key)
		require.NoError(t, err)
		assert.True(t, check("PRIVATE KEY", otherDER))
	}
}
