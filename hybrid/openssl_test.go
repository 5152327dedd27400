package hybrid_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// An openssl is OpenSSL 3.5 or newer, which knows ML-KEM and ML-DSA, and a folder for the
// files that go between it and us.
type openssl struct {
	t       *testing.T
	command string
	dir     string
}

// newOpenSSL returns the OpenSSL that the environment variable OPENSSL names, as .ci/run
// sets it. Without it the test is skipped.
func newOpenSSL(t *testing.T) openssl {
	command := os.Getenv("OPENSSL")
	if command == "" {
		t.Skip("OPENSSL does not name an OpenSSL of version 3.5 or newer; .ci/openssl unpacks one")
	}
	o := openssl{t, command, t.TempDir()}
	version := o.run("version")
	parts := regexp.MustCompile(`^OpenSSL (\d+)\.(\d+)`).FindSubmatch(version)
	require.NotNil(t, parts, "%s", version)
	major, _ := strconv.Atoi(string(parts[1]))
	minor, _ := strconv.Atoi(string(parts[2]))
	require.True(t, major > 3 || major == 3 && minor >= 5, "%s knows no ML-KEM and ML-DSA", version)
	return o
}

// try runs a command of OpenSSL in the folder and returns what it says.
func (o openssl) try(args ...string) ([]byte, error) {
	command := exec.Command(o.command, args...)
	command.Dir = o.dir
	return command.CombinedOutput()
}

// run is try of a command that has to succeed.
func (o openssl) run(args ...string) []byte {
	o.t.Helper()
	out, err := o.try(args...)
	require.NoError(o.t, err, "openssl %q:\n%s", args, out)
	return out
}

// write makes a file and returns its name.
func (o openssl) write(name string, content []byte) string {
	o.t.Helper()
	require.NoError(o.t, os.WriteFile(filepath.Join(o.dir, name), content, 0o600))
	return name
}

func (o openssl) read(name string) []byte {
	o.t.Helper()
	b, err := os.ReadFile(filepath.Join(o.dir, name))
	require.NoError(o.t, err)
	return b
}

// The forms of private keys, as OpenSSL's parameter output_formats calls them.
var opensslForms = []string{"seed-only", "priv-only", "seed-priv"}

// TestOpenSSLKeysOfMLDSA: each reads the private keys of the other in all three forms, and
// its public keys, and verifies its signatures.
func TestOpenSSLKeysOfMLDSA(t *testing.T) {
	o := newOpenSSL(t)
	message := make([]byte, 100)
	rand.Read(message)
	o.write("message", message)
	const context = "a context"
	opts := &mldsa.Options{Context: context}

	// check takes a private key that both hold, theirs in the file private.
	check := func(t *testing.T, sk *mldsa.PrivateKey, private string) {
		o := openssl{t, o.command, o.dir}
		public, err := mldsa.MarshalPKIXPublicKey(sk.PublicKey())
		require.NoError(t, err)
		o.run("pkey", "-in", private, "-pubout", "-outform", "DER", "-out", "public")
		assert.Equal(t, public, o.read("public"))
		pk, err := mldsa.ParsePKIXPublicKey(o.read("public"))
		require.NoError(t, err)

		signature, err := sk.Sign(nil, message, opts)
		require.NoError(t, err)
		o.write("ours", signature)
		verify := []string{"pkeyutl", "-verify", "-rawin", "-in", "message", "-pubin", "-inkey", "public", "-sigfile", "ours"}
		o.run(append(verify, "-pkeyopt", "context-string:"+context)...)
		_, err = o.try(verify...)
		assert.Error(t, err, "without its context")

		o.run("pkeyutl", "-sign", "-rawin", "-in", "message", "-inkey", private, "-out", "theirs", "-pkeyopt", "context-string:"+context)
		assert.NoError(t, mldsa.Verify(pk, message, o.read("theirs"), opts))
		assert.ErrorIs(t, mldsa.Verify(pk, message, o.read("theirs"), nil), mldsa.ErrInvalidSignature)
	}
	for _, p := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		for form, name := range opensslForms {
			t.Run(p.String()+"/"+name+"/theirs", func(t *testing.T) {
				o := openssl{t, o.command, o.dir}
				o.run("genpkey", "-algorithm", p.String(), "-provparam", "ml-dsa.output_formats="+name, "-outform", "DER", "-out", "private")
				sk, err := mldsa.ParsePKCS8PrivateKey(o.read("private"))
				require.NoError(t, err)
				assert.Equal(t, name == "priv-only", sk.Bytes() == nil)
				check(t, sk, "private")
			})
			t.Run(p.String()+"/"+name+"/ours", func(t *testing.T) {
				sk, err := mldsa.GenerateKey(p)
				require.NoError(t, err)
				der, err := mldsa.MarshalPKCS8PrivateKeyForm(sk, []mldsa.PrivateKeyForm{mldsa.SeedForm, mldsa.ExpandedForm, mldsa.BothForm}[form])
				require.NoError(t, err)
				check(t, sk, o.write("private", der))
			})
		}
	}
}

// TestOpenSSLKeysOfMLKEM: each reads the private keys of the other in all three forms, and
// its public keys, and decapsulates what the other has encapsulated.
func TestOpenSSLKeysOfMLKEM(t *testing.T) {
	o := newOpenSSL(t)
	check := func(t *testing.T, dk crypto.Decapsulator, private string) {
		o := openssl{t, o.command, o.dir}
		public, err := mlkem.MarshalPKIXPublicKey(dk.Encapsulator())
		require.NoError(t, err)
		o.run("pkey", "-in", private, "-pubout", "-outform", "DER", "-out", "public")
		assert.Equal(t, public, o.read("public"))
		ek, err := mlkem.ParsePKIXPublicKey(o.read("public"))
		require.NoError(t, err)

		sharedKey, ciphertext := ek.Encapsulate()
		o.write("ciphertext", ciphertext)
		o.run("pkeyutl", "-decap", "-inkey", private, "-in", "ciphertext", "-secret", "secret")
		assert.Equal(t, sharedKey, o.read("secret"))

		o.run("pkeyutl", "-encap", "-pubin", "-inkey", "public", "-out", "ciphertext", "-secret", "secret")
		sharedKey, err = dk.Decapsulate(o.read("ciphertext"))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(sharedKey, o.read("secret")))
	}
	generate := map[string]func() (crypto.Decapsulator, error){
		"ML-KEM-512":  func() (crypto.Decapsulator, error) { return mlkem.GenerateKey512() },
		"ML-KEM-768":  func() (crypto.Decapsulator, error) { return mlkem.GenerateKey768() },
		"ML-KEM-1024": func() (crypto.Decapsulator, error) { return mlkem.GenerateKey1024() },
	}
	for algorithm, generate := range generate {
		for form, name := range opensslForms {
			t.Run(algorithm+"/"+name+"/theirs", func(t *testing.T) {
				o := openssl{t, o.command, o.dir}
				o.run("genpkey", "-algorithm", algorithm, "-provparam", "ml-kem.output_formats="+name, "-outform", "DER", "-out", "private")
				dk, err := mlkem.ParsePKCS8PrivateKey(o.read("private"))
				require.NoError(t, err)
				check(t, dk, "private")
			})
			t.Run(algorithm+"/"+name+"/ours", func(t *testing.T) {
				dk, err := generate()
				require.NoError(t, err)
				der, err := mlkem.MarshalPKCS8PrivateKeyForm(dk, []mlkem.PrivateKeyForm{mlkem.SeedForm, mlkem.ExpandedForm, mlkem.BothForm}[form])
				require.NoError(t, err)
				check(t, dk, o.write("private", der))
			})
		}
	}
}
