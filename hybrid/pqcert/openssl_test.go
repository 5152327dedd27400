package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pqcert"
)

// TestOpenSSLAcceptsThePKI: the chains of each ML-DSA set, and those re-issued from a
// classical certificate and a classical request of OpenSSL's.
func TestOpenSSLAcceptsThePKI(t *testing.T) {
	command := os.Getenv("OPENSSL")
	if command == "" {
		t.Skip("OPENSSL does not name an OpenSSL of version 3.5 or newer; .ci/openssl unpacks one")
	}
	for _, algorithm := range []string{"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		t.Run(algorithm, func(t *testing.T) {
			dir := t.TempDir()
			openssl := func(args ...string) {
				t.Helper()
				c := exec.Command(command, args...)
				c.Dir = dir
				out, err := c.CombinedOutput()
				require.NoError(t, err, "openssl %q:\n%s", args, out)
			}
			issue := func(args ...string) {
				t.Helper()
				require.Zero(t, pqcert.Run(append([]string{"-dir", dir, "-alg", algorithm}, args...), io.Discard, os.Stderr), args)
			}
			issue("-host", "pq.example,192.0.2.1", "-kem", "ML-KEM-768")
			verify := []string{"verify", "-x509_strict", "-CAfile", "root.crt"}
			openssl(append(verify, "-purpose", "sslserver", "-verify_hostname", "pq.example", "server.crt")...)
			openssl(append(verify, "-purpose", "sslserver", "-verify_ip", "192.0.2.1", "server.crt")...)
			openssl(append(verify, "-purpose", "sslclient", "client.crt")...)
			openssl(append(verify, "kem.crt")...)

			config := "[req]\ndistinguished_name = name\n[name]\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
			old := []string{"req", "-config", "config", "-newkey", "rsa:2048", "-noenc", "-keyout", "old.key",
				"-subj", "/CN=old.example", "-addext", "subjectAltName=DNS:old.example"}
			openssl(append(old, "-x509", "-addext", "extendedKeyUsage=serverAuth", "-out", "www.pem")...)
			openssl(append(old, "-out", "api.csr")...)
			issue(filepath.Join(dir, "www.pem"), filepath.Join(dir, "api.csr"))
			for _, name := range []string{"www.crt", "api.crt"} {
				openssl(append(verify, "-purpose", "sslserver", "-verify_hostname", "old.example", name)...)
			}
		})
	}
}
