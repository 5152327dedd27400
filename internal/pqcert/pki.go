package pqcert

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pqlane/pqlane/hybrid"
)

// A pki is a folder with a root that signs.
type pki struct {
	dir       string
	signature algorithm
	kem       *algorithm // nil if none was asked for
	notBefore time.Time
	notAfter  time.Time
	root      *x509.Certificate
	rootKey   crypto.Signer
	out       io.Writer
}

// openPKI reads the root in the folder, or makes one.
func openPKI(dir, alg, kem string, days int, out io.Writer) (*pki, error) {
	now := time.Now().UTC().Truncate(time.Second)
	p := &pki{dir: dir, out: out, notBefore: now.Add(-time.Hour), notAfter: now.AddDate(0, 0, days)}
	var err error
	if p.signature, err = named(signatures(), alg); err != nil {
		return nil, fmt.Errorf("-alg: %w", err)
	}
	if kem != "" {
		a, err := named(kems(), kem)
		if err != nil {
			return nil, fmt.Errorf("-kem: %w", err)
		}
		p.kem = &a
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	der, err := readPEM(p.path("root.crt"), "CERTIFICATE")
	if errors.Is(err, fs.ErrNotExist) {
		return p, p.makeRoot(now.AddDate(0, 0, 10*days))
	}
	if err == nil {
		err = p.readRoot(der)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.path("root.crt"), err)
	}
	return p, nil
}

func (p *pki) path(name string) string { return filepath.Join(p.dir, name) }

func (p *pki) makeRoot(notAfter time.Time) error {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "pqcert root"},
		NotBefore: p.notBefore, NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	key, public, err := p.signature.generate()
	if err != nil {
		return err
	}
	p.root, p.rootKey = template, key.(crypto.Signer)
	p.root, err = p.issue("root", template, public, key)
	return err
}

// readRoot takes the root of a certificate and the key beside it.
func (p *pki) readRoot(der []byte) error {
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(p.path("root.key"))
	if err != nil {
		return err
	}
	defer clear(data)
	key, err := hybrid.ParsePrivateKey(data)
	if err != nil {
		return fmt.Errorf("root.key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return fmt.Errorf("root.key: a %T does not sign", key)
	}
	if err := hybrid.CheckCertificateSignature(root, root); err != nil {
		return err
	}
	public, err := hybrid.MarshalPKIXPublicKey(signer.Public())
	switch {
	case err != nil:
		return err
	case !bytes.Equal(public, root.RawSubjectPublicKeyInfo):
		return errors.New("the key in root.key is not that of the certificate")
	case root.NotAfter.Before(p.notAfter):
		return fmt.Errorf("the root is valid until %s, and what it would sign until %s: choose fewer -days or another -dir",
			root.NotAfter.Format(time.DateOnly), p.notAfter.Format(time.DateOnly))
	}
	p.root, p.rootKey = root, signer
	return nil
}

// testCertificates makes the server's, the client's and, if asked for, the recipient's.
func (p *pki) testCertificates(hosts []string) error {
	names, addresses, err := splitHosts(hosts)
	if err != nil {
		return err
	}
	server := p.template(append(names, "server")[0])
	server.DNSNames, server.IPAddresses = names, addresses
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if err := p.issueNew("server", server, p.signature); err != nil {
		return err
	}
	client := p.template("client")
	client.DNSNames = []string{"client"}
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if err := p.issueNew("client", client, p.signature); err != nil {
		return err
	}
	if p.kem == nil {
		return nil
	}
	recipient := p.template("recipient")
	recipient.KeyUsage = x509.KeyUsageKeyEncipherment
	return p.issueNew("kem", recipient, *p.kem)
}

// template returns a template for a key that signs.
func (p *pki) template(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: p.notBefore, NotAfter: p.notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
}

// issueNew issues a certificate for a new key.
func (p *pki) issueNew(name string, template *x509.Certificate, a algorithm) error {
	key, public, err := a.generate()
	if err != nil {
		return err
	}
	_, err = p.issue(name, template, public, key)
	return err
}

// issue writes the files of a certificate and, if it is not nil, its key.
func (p *pki) issue(name string, template *x509.Certificate, public crypto.PublicKey, key crypto.PrivateKey) (*x509.Certificate, error) {
	der, err := hybrid.CreateCertificate(template, p.root, public, p.rootKey)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	file := p.path(name + ".crt")
	if _, err := os.Lstat(file); err == nil {
		return nil, fmt.Errorf("%s: %w", file, fs.ErrExist)
	}
	if key != nil {
		private, err := hybrid.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		defer clear(private)
		if err := writePEM(p.path(name+".key"), "PRIVATE KEY", private, 0o600); err != nil {
			return nil, err
		}
	}
	if err := writePEM(file, "CERTIFICATE", der, 0o644); err != nil {
		return nil, err
	}
	fmt.Fprintf(p.out, "%s  %s, %s, until %s\n", file, nameOf(public), cert.Subject, cert.NotAfter.Format(time.DateOnly))
	return cert, nil
}

// writePEM writes a new file.
func writePEM(name, blockType string, der []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = pem.Encode(f, &pem.Block{Type: blockType, Bytes: der})
	return errors.Join(err, f.Close())
}

// readPEM returns the first block of a file, which must be of one of the given types, or all
// of it if it is not PEM.
func readPEM(name string, types ...string) ([]byte, error) {
	const largest = 1 << 20
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > largest {
		return nil, fmt.Errorf("%d bytes, want %d at most", info.Size(), largest)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return data, nil
	}
	for _, t := range types {
		if block.Type == t {
			return block.Bytes, nil
		}
	}
	return nil, fmt.Errorf("PEM block of type %q, want %q", block.Type, types)
}
