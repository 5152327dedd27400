package hybrid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// writePEM makes a file of one block and returns its name.
func (o openssl) writePEM(name, block string, der []byte) string {
	o.t.Helper()
	return o.write(name, pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}))
}

// TestOpenSSLVerifiesOurCertificates: a root, a server's and an ML-KEM certificate under it,
// a request and a revocation list, for ML-DSA and for a classical root.
func TestOpenSSLVerifiesOurCertificates(t *testing.T) {
	o := newOpenSSL(t)
	for name, generate := range map[string]func() (crypto.Signer, error){
		"ML-DSA-44": func() (crypto.Signer, error) { return mldsa.GenerateKey(mldsa.MLDSA44()) },
		"ML-DSA-65": func() (crypto.Signer, error) { return mldsa.GenerateKey(mldsa.MLDSA65()) },
		"ML-DSA-87": func() (crypto.Signer, error) { return mldsa.GenerateKey(mldsa.MLDSA87()) },
		"P-256":     func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	} {
		t.Run(name, func(t *testing.T) {
			o := openssl{t, o.command, t.TempDir()}
			root, err := generate()
			require.NoError(t, err)
			validity := func(c x509.Certificate) *x509.Certificate {
				c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
				return &c
			}
			create := func(template, parent *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
				der, err := hybrid.CreateCertificate(template, parent, pub, root)
				require.NoError(t, err)
				cert, err := x509.ParseCertificate(der)
				require.NoError(t, err)
				return cert
			}
			template := validity(x509.Certificate{
				SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
				KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			})
			ca := create(template, template, root.Public())
			o.writePEM("root", "CERTIFICATE", ca.Raw)

			leaf, err := mldsa.GenerateKey(mldsa.MLDSA65())
			require.NoError(t, err)
			server := create(validity(x509.Certificate{
				SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, DNSNames: []string{"pq.example"},
				KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			}), ca, leaf.PublicKey())
			o.writePEM("server", "CERTIFICATE", server.Raw)
			verify := []string{"verify", "-x509_strict", "-CAfile", "root"}
			o.run(append(verify, "-check_ss_sig", "root")...)
			o.run(append(verify, "-purpose", "sslserver", "-verify_hostname", "pq.example", "server")...)
			changed := append([]byte(nil), server.Raw...)
			changed[len(changed)-1] ^= 1
			o.writePEM("changed", "CERTIFICATE", changed)
			_, err = o.try(append(verify, "changed")...)
			assert.Error(t, err, "a changed signature")

			dk, err := mlkem.GenerateKey768()
			require.NoError(t, err)
			encryption := create(validity(x509.Certificate{
				SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "kem"}, KeyUsage: x509.KeyUsageKeyEncipherment,
			}), ca, dk.EncapsulationKey())
			o.writePEM("kem", "CERTIFICATE", encryption.Raw)
			o.run(append(verify, "kem")...)

			der, err := hybrid.CreateCertificateRequest(&x509.CertificateRequest{Subject: pkix.Name{CommonName: "request"}}, root)
			require.NoError(t, err)
			o.writePEM("request", "CERTIFICATE REQUEST", der)
			o.run("req", "-in", "request", "-verify", "-noout")

			der, err = hybrid.CreateRevocationList(&x509.RevocationList{
				Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
				RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(2), RevocationTime: time.Now()}},
			}, ca, root)
			require.NoError(t, err)
			o.writePEM("crl", "X509 CRL", der)
			o.run("crl", "-in", "crl", "-CAfile", "root", "-noout", "-verify")
			out, err := o.try(append(verify, "-crl_check", "-CRLfile", "crl", "server")...)
			assert.Error(t, err)
			assert.Contains(t, string(out), "certificate revoked")
		})
	}
}

// TestOpenSSLCertificatesAreVerified: those that it makes with ML-DSA, and its requests.
func TestOpenSSLCertificatesAreVerified(t *testing.T) {
	o := newOpenSSL(t)
	for _, algorithm := range []string{"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		t.Run(algorithm, func(t *testing.T) {
			o := openssl{t, o.command, t.TempDir()}
			decode := func(name string) []byte {
				block, _ := pem.Decode(o.read(name))
				require.NotNil(t, block)
				return block.Bytes
			}
			o.write("config", []byte("[req]\ndistinguished_name = name\n[name]\n"))
			o.run("req", "-x509", "-config", "config", "-newkey", algorithm, "-noenc", "-keyout", "root.key", "-out", "root", "-subj", "/CN=root",
				"-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
			o.run("req", "-config", "config", "-newkey", algorithm, "-noenc", "-keyout", "leaf.key", "-out", "request", "-subj", "/CN=leaf")
			o.run("x509", "-req", "-in", "request", "-CA", "root", "-CAkey", "root.key", "-out", "leaf")

			root, err := x509.ParseCertificate(decode("root"))
			require.NoError(t, err)
			leaf, err := x509.ParseCertificate(decode("leaf"))
			require.NoError(t, err)
			assert.NoError(t, hybrid.CheckCertificateSignature(root, root))
			assert.NoError(t, hybrid.CheckCertificateSignature(leaf, root))
			assert.Error(t, hybrid.CheckCertificateSignatureByKey(leaf, mustPublicKeyOf(t, leaf)), "the key of another")
			request, err := x509.ParseCertificateRequest(decode("request"))
			require.NoError(t, err)
			assert.NoError(t, hybrid.CheckRequestSignature(request))

			key, err := hybrid.ParsePrivateKey(o.read("leaf.key"))
			require.NoError(t, err)
			assert.True(t, key.(*mldsa.PrivateKey).PublicKey().Equal(mustPublicKeyOf(t, leaf)))
		})
	}
}

func mustPublicKeyOf(t *testing.T, cert *x509.Certificate) crypto.PublicKey {
	t.Helper()
	key, err := hybrid.PublicKeyOf(cert)
	require.NoError(t, err)
	return key
}
