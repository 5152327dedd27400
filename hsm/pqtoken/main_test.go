//go:build cgo && unix

package main

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hsm/internal/proxy"
	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/internal/nss"
)

func TestMain(m *testing.M) { nss.Main(m) }

// setURI sets PQTOKEN_URI to NSS's token by a module.
func setURI(t *testing.T, module string) {
	t.Helper()
	pin := filepath.Join(t.TempDir(), "pin")
	require.NoError(t, os.WriteFile(pin, []byte(nss.PIN+"\n"), 0o600))
	t.Setenv("PQTOKEN_URI", fmt.Sprintf("pkcs11:token=%s?module-path=%s&pin-source=%s", url.PathEscape(nss.Token), module, pin))
}

// pqtoken runs the command in this process.
func pqtoken(args ...string) (stdout, stderr string, status int) {
	var out, err strings.Builder
	status = run(context.Background(), args, &out, &err)
	return out.String(), err.String(), status
}

func requireRuns(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, status := pqtoken(args...)
	require.Zero(t, status, stderr)
	return stdout
}

func requireFails(t *testing.T, status int, want string, args ...string) {
	t.Helper()
	_, stderr, got := pqtoken(args...)
	require.Equal(t, status, got, stderr)
	assert.Contains(t, stderr, want)
}

func TestInfo(t *testing.T) {
	setURI(t, nss.Module(t))
	out := requireRuns(t, "info")
	for _, want := range []string{nss.Token, "interface 3.2", "ML-DSA-65", "ML-KEM-768", "external μ"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, nss.PIN)
}

var idPattern = regexp.MustCompile(`id ([0-9a-f]{32})`)

// generateKey makes a key, and returns its id.
func generateKey(t *testing.T, label, algorithm string) string {
	t.Helper()
	out := requireRuns(t, "generate", "-alg", algorithm, "-label", label, "-out", filepath.Join(t.TempDir(), "public.pem"))
	id := idPattern.FindStringSubmatch(out)
	require.NotNil(t, id, out)
	return id[1]
}

func TestKeysSignFilesAndRequests(t *testing.T) {
	setURI(t, nss.Module(t))
	folder := t.TempDir()
	message, signature := filepath.Join(folder, "message"), filepath.Join(folder, "signature")
	require.NoError(t, os.WriteFile(message, []byte("message"), 0o600))
	for _, algorithm := range []string{"ML-DSA-44", "ml-dsa-65", "RSA-2048", "ECDSA-P384", "Ed25519"} {
		t.Run(algorithm, func(t *testing.T) {
			id := generateKey(t, t.Name(), algorithm)
			assert.Regexp(t, "(?i)"+algorithm+`.*`+id+`.*sign, sensitive`, requireRuns(t, "list", "-label", t.Name()))
			os.Remove(signature)
			requireRuns(t, "sign", "-id", id, "-in", message, "-out", signature)
			assert.Contains(t, requireRuns(t, "verify", "-id", id, "-in", message, "-signature", signature), "valid")
			requireFails(t, 1, "invalid signature", "verify", "-id", generateKey(t, "other", "ML-DSA-44"), "-in", message, "-signature", signature)
			requireFails(t, 1, "exists", "sign", "-id", id, "-in", message, "-out", signature)

			block, rest := pem.Decode([]byte(requireRuns(t, "csr", "-id", id, "-cn", "example.com", "-o", "Us", "-host", "example.com,192.0.2.1")))
			require.NotNil(t, block)
			assert.Empty(t, rest)
			request, err := x509.ParseCertificateRequest(block.Bytes)
			require.NoError(t, err)
			assert.Equal(t, "example.com", request.Subject.CommonName)
			assert.Len(t, request.IPAddresses, 1)
			require.NoError(t, hybrid.CheckRequestSignature(request))
		})
	}
	id := generateKey(t, t.Name(), "ML-DSA-44")
	os.Remove(signature)
	requireRuns(t, "sign", "-id", id, "-in", message, "-out", signature, "-context", "c", "-deterministic")
	requireRuns(t, "verify", "-id", id, "-in", message, "-signature", signature, "-context", "c")
	requireFails(t, 1, "invalid signature", "verify", "-id", id, "-in", message, "-signature", signature)
}

func TestRotate(t *testing.T) {
	setURI(t, nss.Module(t))
	folder := t.TempDir()
	first := generateKey(t, "rotated", "ML-DSA-44")
	flags := []string{"-label", "rotated", "-alg", "ML-DSA-44", "-publish", folder, "-grace", "0s", "-delete"}
	out := requireRuns(t, append([]string{"rotate", "-at", "1h"}, flags...)...)
	assert.Contains(t, out, "published")
	assert.Contains(t, out, "rotate -resume at")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1)
	requireFails(t, 1, "has not switched", append([]string{"rotate"}, flags...)...)
	assert.Contains(t, requireRuns(t, append([]string{"rotate", "-resume"}, flags...)...), "rotate -resume at")
	assert.Contains(t, requireRuns(t, "list", "-label", "rotated"), first)

	generateKey(t, "at once", "ML-DSA-44")
	flags[1] = "at once"
	out = requireRuns(t, append([]string{"rotate"}, flags...)...)
	assert.Contains(t, out, "done")
	assert.Equal(t, 2, strings.Count(requireRuns(t, "list", "-label", "at once"), "\n"), "more than a heading and a key")
}

func TestDoctor(t *testing.T) {
	setURI(t, nss.Module(t))
	out, stderr, status := pqtoken("doctor")
	t.Log("\n" + out)
	require.Zero(t, status, stderr)
	for _, want := range []string{`ML-DSA-87 +sign hedged +works`, `ML-KEM-1024 +decapsulate +works`, `Ed25519 +sign +works`, `ML-DSA-44 +HashML-DSA +not claimed`} {
		assert.Regexp(t, want, out)
	}
	assert.NotContains(t, requireRuns(t, "list"), doctorLabel)
}

func TestDoctorFindsWhatDoesNotWork(t *testing.T) {
	p, err := proxy.New(nss.Module(t), t.TempDir())
	require.NoError(t, err)
	setURI(t, p.Path)
	p.Set("C_DecapsulateKey", proxy.Fault{Code: 0x54})
	p.Set("C_Sign", proxy.Fault{Action: proxy.Corrupt, Count: 1})
	out, stderr, status := pqtoken("doctor")
	require.Equal(t, 1, status)
	assert.Contains(t, stderr, errDoctor.Error())
	assert.Regexp(t, `ML-KEM-768 +decapsulate +FAILS: C_DecapsulateKey: FUNCTION_NOT_SUPPORTED`, out)
	assert.Regexp(t, `ML-DSA-44 +sign hedged +FAILS: .*wrong result`, out)
	p.Clear()
	assert.NotContains(t, requireRuns(t, "list"), doctorLabel)
	assert.Zero(t, p.Sessions())
}

func TestWrongUsage(t *testing.T) {
	requireFails(t, 2, "Usage")
	requireFails(t, 0, "doctor", "help")
	requireFails(t, 2, "no command", "frobnicate")
	t.Setenv("PQTOKEN_URI", "")
	requireFails(t, 2, "no -uri", "info")
	requireFails(t, 2, "flag provided but not defined", "info", "-frobnicate")
	requireFails(t, 0, "CKA_ID", "info", "-help")
	requireFails(t, 2, "malformed PKCS #11 URI", "info", "-uri", "https://example.com")
	requireFails(t, 1, "cannot open shared object", "info", "-uri", "pkcs11:?module-path=/nonexistent.so")
	setURI(t, nss.Module(t))
	requireFails(t, 2, "is no flag", "info", "more")
	requireFails(t, 2, "hexadecimal", "sign", "-id", "xyz")
	requireFails(t, 2, "want one of", "generate", "-alg", "ROT13", "-label", "l")
	requireFails(t, 2, "no -label", "generate")
	requireFails(t, 2, "no -label", "rotate")
	requireFails(t, 2, "no time", "rotate", "-label", "l", "-at", "noon")
	requireFails(t, 2, "no -signature", "verify")
	requireFails(t, 2, "no -cn", "csr")
	requireFails(t, 1, "no such key", "csr", "-cn", "c", "-label", "none")
	requireFails(t, 1, "no such key", "rotate", "-label", "none")
	a, b := generateKey(t, "twice", "ML-DSA-44"), generateKey(t, "twice", "ML-DSA-44")
	requireFails(t, 1, "ambiguous", "sign", "-label", "twice", "-in", os.DevNull)
	requireFails(t, 1, "ambiguous", "verify", "-label", "twice", "-in", os.DevNull, "-signature", os.DevNull)
	requireFails(t, 1, "id in use", "generate", "-label", "again", "-id", a)
	_, err := hex.DecodeString(b)
	require.NoError(t, err)
	kem := generateKey(t, "kem", "ML-KEM-512")
	requireFails(t, 1, "wrong type", "sign", "-id", kem, "-in", os.DevNull)
	requireFails(t, 2, "are for ML-DSA", "sign", "-id", generateKey(t, "curve", "ECDSA-P256"), "-in", os.DevNull, "-context", "c")
}
