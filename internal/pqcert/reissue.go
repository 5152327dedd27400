package pqcert

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// The extensions that a certificate takes over: subjectAltName and extKeyUsage (RFC 5280,
// Sections 4.2.1.6 and 4.2.1.12). They are taken as they are, with names of any kind.
var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidExtKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// encipherment are the uses of a key that does not sign.
const encipherment = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement |
	x509.KeyUsageEncipherOnly | x509.KeyUsageDecipherOnly

// reissue makes a certificate with the names in a file.
func (p *pki) reissue(file string) error {
	der, err := readPEM(file, "CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if name == "root" || name == "" {
		return errors.New("the file's name would be that of the root")
	}
	if cert, err := x509.ParseCertificate(der); err == nil {
		return p.reissueCertificate(name, cert)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return errors.New("neither a certificate nor a certificate request")
	}
	return p.answerRequest(name, request)
}

func (p *pki) reissueCertificate(name string, cert *x509.Certificate) error {
	if cert.IsCA {
		return errors.New("the certificate of an authority, which is not re-issued: its successor is the root")
	}
	template := p.template("")
	template.RawSubject = cert.RawSubject
	template.ExtraExtensions = takenOver(cert.Extensions)
	if cert.KeyUsage&^encipherment != 0 || cert.KeyUsage == 0 {
		return p.issueNew(name, template, p.signature)
	}
	kem, err := p.kemAlgorithm()
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageKeyEncipherment
	return p.issueNew(name, template, kem)
}

// answerRequest makes a certificate for the key of a request, or a new one if that is
// classical.
func (p *pki) answerRequest(name string, request *x509.CertificateRequest) error {
	if err := hybrid.CheckRequestSignature(request); err != nil {
		return err
	}
	public, err := hybrid.ParsePublicKey(request.RawSubjectPublicKeyInfo)
	if err != nil {
		return err
	}
	template := p.template("")
	template.RawSubject = request.RawSubject
	template.ExtraExtensions = takenOver(request.Extensions)
	if !postQuantum(public) {
		return p.issueNew(name, template, p.signature)
	}
	_, err = p.issue(name, template, public, nil)
	return err
}

func (p *pki) kemAlgorithm() (algorithm, error) {
	if p.kem != nil {
		return *p.kem, nil
	}
	return named(kems(), "ML-KEM-768")
}

// postQuantum reports whether a key that signs withstands a quantum computer.
func postQuantum(public crypto.PublicKey) bool {
	switch public.(type) {
	case *mldsa.PublicKey, *hybrid.CompositePublicKey:
		return true
	}
	return false
}

// takenOver returns the extensions that a new certificate has too.
func takenOver(extensions []pkix.Extension) []pkix.Extension {
	return slices.DeleteFunc(slices.Clone(extensions), func(e pkix.Extension) bool {
		return !e.Id.Equal(oidSubjectAltName) && !e.Id.Equal(oidExtKeyUsage)
	})
}
