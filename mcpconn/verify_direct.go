package mcpconn

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// The plainest chain is a leaf that a trust anchor has signed itself. crypto/x509 takes ten times as
// long as mldsa to verify an ML-DSA signature, a quarter of a handshake for the two of a
// first contact. So where no more than that signature joins the leaf to the anchor, it is
// verified here, and crypto/x509 checks the leaf by itself, as if it were an anchor: dates,
// name, usages and critical extensions.
//
// The rest of path validation (RFC 5280, Section 6.1) is about what authorities say of those below
// them: constraints of names, policies, usages and lengths. plainAuthority and plainLeaf
// leave nothing of it, and crypto/x509 decides whatever is not so plain, or not valid.

// Extensions of X.509, of which the identifier is 2.5.29 and this (RFC 5280, Section 4.2.1).
const (
	extSubjectKeyID     = 14
	extKeyUsage         = 15
	extSubjectAltName   = 17
	extBasicConstraints = 19
	extAuthorityKeyID   = 35
	extExtendedKeyUsage = 37
)

// plainAuthority reports whether all that a certificate says is that its ML-DSA key is an authority's.
func plainAuthority(cert *x509.Certificate, key any) bool {
	_, ok := key.(*mldsa.PublicKey)
	return ok && cert.Version == 3 && cert.BasicConstraintsValid && cert.IsCA &&
		cert.KeyUsage&x509.KeyUsageCertSign != 0 &&
		onlyExtensions(cert, extSubjectKeyID, extKeyUsage, extBasicConstraints, extAuthorityKeyID)
}

// plainLeaf reports whether a certificate has nothing but names and usages.
func plainLeaf(cert *x509.Certificate) bool {
	return onlyExtensions(cert, extSubjectKeyID, extKeyUsage, extSubjectAltName, extBasicConstraints, extAuthorityKeyID, extExtendedKeyUsage)
}

func onlyExtensions(cert *x509.Certificate, known ...int) bool {
	for _, e := range cert.Extensions {
		if len(e.Id) != 4 || e.Id[0] != 2 || e.Id[1] != 5 || e.Id[2] != 29 || !slices.Contains(known, e.Id[3]) {
			return false
		}
	}
	return len(cert.UnhandledCriticalExtensions) == 0
}

// addAnchor notes a trust anchor for issuerOf.
func (t *Trust) addAnchor(cert *x509.Certificate, key any) {
	if t.anchors == nil {
		t.anchors = map[string]*x509.Certificate{}
	}
	name := string(cert.RawSubject)
	if other, ok := t.anchors[name]; ok && (other == nil || !bytes.Equal(other.Raw, cert.Raw)) || !plainAuthority(cert, key) {
		cert = nil
	}
	t.anchors[name] = cert
}

// issuerOf returns the one trust anchor that can have issued a leaf, or nil if it is not plain, there are
// others of its name, or the leaf has the name of an anchor.
func (t *Trust) issuerOf(leaf *x509.Certificate) *x509.Certificate {
	if _, ok := t.anchors[string(leaf.RawSubject)]; ok {
		return nil
	}
	return t.anchors[string(leaf.RawIssuer)]
}

// verifyDirect returns the chain of a leaf and the trust anchor that issued it, or nil, if it is not as plain
// as that, or not valid.
func (t *Trust) verifyDirect(certs []*x509.Certificate, usage x509.ExtKeyUsage, name string, now time.Time) chain {
	leaf := certs[0]
	issuer := t.issuerOf(leaf)
	if len(certs) > 1 || issuer == nil || !plainLeaf(leaf) {
		return nil
	}
	found := chain{leaf, issuer}
	if inDate(found, now) != nil || verifyAlone(leaf, usage, name, now) != nil || maySign(leaf) != nil {
		return nil
	}
	if hybrid.CheckCertificateSignature(leaf, issuer) != nil {
		return nil
	}
	return found
}
