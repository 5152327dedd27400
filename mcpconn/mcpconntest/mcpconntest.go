// Package mcpconntest makes authorities and certificates for tests and demonstrations of
// mcpconn, as net/http/httptest makes servers. Their keys live in memory, and nobody should
// trust them.
package mcpconntest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// The algorithms of keys. Those of ML-DSA need Go 1.27 in mcpconn; here they do not.
const (
	ECDSA   = "ECDSA P-256"
	MLDSA44 = "ML-DSA-44"
	MLDSA65 = "ML-DSA-65"
	MLDSA87 = "ML-DSA-87"
)

// GenerateKey makes a key of the named algorithm.
func GenerateKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case MLDSA44:
		return mldsa.GenerateKey(mldsa.MLDSA44())
	case MLDSA65:
		return mldsa.GenerateKey(mldsa.MLDSA65())
	case MLDSA87:
		return mldsa.GenerateKey(mldsa.MLDSA87())
	}
	return nil, fmt.Errorf("mcpconntest: unknown algorithm %q, want %q, %q, %q or %q", algorithm, ECDSA, MLDSA44, MLDSA65, MLDSA87)
}

// An Authority issues certificates.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer

	above []*x509.Certificate // intermediate certificates, from this authority's own upwards
}

// A Leaf is a certificate with its chain, leaf first and without the root, and its key.
type Leaf struct {
	Chain []*x509.Certificate
	Key   crypto.Signer
}

// NewAuthority makes a root with a key of the named algorithm.
func NewAuthority(algorithm string) (*Authority, error) {
	template := authority("mcpconntest root " + algorithm)
	key, err := GenerateKey(algorithm)
	if err != nil {
		return nil, err
	}
	cert, err := create(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &Authority{Certificate: cert, Key: key}, nil
}

// Authority makes an intermediate authority below a.
func (a *Authority) Authority(algorithm string) (*Authority, error) {
	key, err := GenerateKey(algorithm)
	if err != nil {
		return nil, err
	}
	cert, err := create(authority("mcpconntest authority "+algorithm), a.Certificate, key.Public(), a.Key)
	if err != nil {
		return nil, err
	}
	return &Authority{cert, key, append([]*x509.Certificate{cert}, a.above...)}, nil
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// Server issues a certificate of a server with the given names and IP addresses.
func (a *Authority) Server(algorithm string, hosts ...string) (*Leaf, error) {
	if len(hosts) == 0 {
		return nil, errors.New("mcpconntest: a server without a name")
	}
	return a.Issue(algorithm, Template(x509.ExtKeyUsageServerAuth, hosts...))
}

// Client issues a certificate of a client.
func (a *Authority) Client(algorithm, name string) (*Leaf, error) {
	return a.Issue(algorithm, Template(x509.ExtKeyUsageClientAuth, name))
}

// Template is a certificate for Issue, valid for a day, with names and IP addresses. The first
// is also the common name.
func Template(usage x509.ExtKeyUsage, hosts ...string) *x509.Certificate {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: hosts[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 1),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// Issue issues a certificate for a new key of the named algorithm.
func (a *Authority) Issue(algorithm string, template *x509.Certificate) (*Leaf, error) {
	key, err := GenerateKey(algorithm)
	if err != nil {
		return nil, err
	}
	cert, err := create(template, a.Certificate, key.Public(), a.Key)
	if err != nil {
		return nil, err
	}
	return &Leaf{append([]*x509.Certificate{cert}, a.above...), key}, nil
}

func create(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := hybrid.CreateCertificate(template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Write writes the chain to the file name.crt and the key to name.key of a folder, which must
// not have them.
func (l *Leaf) Write(dir, name string) error {
	if err := write(dir, name+".crt", 0o644, "CERTIFICATE", raw(l.Chain)...); err != nil {
		return err
	}
	private, err := hybrid.MarshalPKCS8PrivateKey(l.Key)
	if err != nil {
		return err
	}
	defer clear(private)
	return write(dir, name+".key", 0o600, "PRIVATE KEY", private)
}

// Write writes the authority's certificate to the file name.crt of a folder. Its key stays in
// memory.
func (a *Authority) Write(dir, name string) error {
	return write(dir, name+".crt", 0o644, "CERTIFICATE", a.Certificate.Raw)
}

func raw(chain []*x509.Certificate) (ders [][]byte) {
	for _, cert := range chain {
		ders = append(ders, cert.Raw)
	}
	return ders
}

func write(dir, name string, mode os.FileMode, blockType string, ders ...[]byte) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	for _, der := range ders {
		err = errors.Join(err, pem.Encode(f, &pem.Block{Type: blockType, Bytes: der}))
	}
	return errors.Join(err, f.Close())
}
