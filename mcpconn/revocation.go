package mcpconn

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"sync"
	"time"

	"github.com/pqlane/pqlane/hybrid"
)

// revocations are the revocation lists of a Trust, by issuer. Signatures are checked when an
// issuer is at hand, which is when a chain is, and once.
type revocations struct {
	byIssuer map[string][]*revocationList
}

type revocationList struct {
	*x509.RevocationList
	serials map[string]bool
	checked sync.Map // hash of the issuer's certificate → checkResult
}

// SetRevocationLists replaces the revocation lists, from the next handshake on, also for chains
// that were verified before. A chain with a certificate that is on its issuer's list is
// refused, and so is one whose issuer has lists of which none is signed by it and in
// date; one without a next update stays so. Certificates whose issuer has no list are not checked.
//
// Lists are whole ones, of what their issuer itself has certified: one with a critical extension, such as
// for a part of the certificates (RFC 5280, Section 5.2), is refused. The error matches
// [ErrConfig], and the old lists then stay.
func (t *Trust) SetRevocationLists(lists ...*x509.RevocationList) error {
	r := &revocations{byIssuer: map[string][]*revocationList{}}
	for _, list := range lists {
		if list == nil {
			return newError(ErrConfig, "revocation list is nil")
		}
		if id := criticalExtension(list.Extensions); id != nil {
			return newError(ErrConfig, "revocation list of %q has the critical extension %v; want one of all that its issuer has certified", list.Issuer, id)
		}
		l := &revocationList{RevocationList: list, serials: make(map[string]bool, len(list.RevokedCertificateEntries))}
		for _, e := range list.RevokedCertificateEntries {
			if e.SerialNumber == nil {
				return newError(ErrConfig, "revocation list of %q has an entry without serial number", list.Issuer)
			}
			if id := criticalExtension(e.Extensions); id != nil {
				return newError(ErrConfig, "revocation list of %q has an entry with the critical extension %v, which is not known", list.Issuer, id)
			}
			l.serials[string(e.SerialNumber.Bytes())] = true
		}
		name := string(list.RawIssuer)
		r.byIssuer[name] = append(r.byIssuer[name], l)
	}
	t.lists.Store(r)
	return nil
}

// criticalExtension returns the identifier of the first critical extension, or nil. None is known here.
func criticalExtension(extensions []pkix.Extension) asn1.ObjectIdentifier {
	for _, e := range extensions {
		if e.Critical {
			return e.Id
		}
	}
	return nil
}

// check returns an error if a certificate of the chain is revoked, or if it can't be told.
func (r *revocations) check(chain []*x509.Certificate, now time.Time) error {
	if len(r.byIssuer) == 0 {
		return nil
	}
	for i, cert := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		lists := r.byIssuer[string(cert.RawIssuer)]
		if lists == nil {
			continue
		}
		var usable bool
		var problem error
		for _, l := range lists {
			switch err := l.signedBy(issuer); {
			case err != nil:
				problem = err
			case now.Before(l.ThisUpdate):
				problem = newError(ErrCertificate, "it is of %v", l.ThisUpdate)
			case !l.NextUpdate.IsZero() && now.After(l.NextUpdate):
				problem = newError(ErrCertificate, "its next update was due at %v", l.NextUpdate)
			default:
				usable = true
			}
			// An entry counts also on a list that is out of date, if the issuer signed it.
			if l.signedBy(issuer) == nil && l.serials[string(cert.SerialNumber.Bytes())] {
				return newError(ErrCertificate, "certificate %v of %q is revoked by %q", cert.SerialNumber, cert.Subject, issuer.Subject)
			}
		}
		if !usable {
			return wrapError(ErrCertificate, problem, "no usable revocation list of %q", issuer.Subject)
		}
	}
	return nil
}

type checkResult struct{ err error }

func (l *revocationList) signedBy(issuer *x509.Certificate) error {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return newError(ErrCertificate, "the list is of another issuer")
	}
	key := sha256.Sum256(issuer.Raw)
	if result, ok := l.checked.Load(key); ok {
		return result.(checkResult).err
	}
	err := hybrid.CheckRevocationListSignature(l.RevocationList, issuer)
	l.checked.Store(key, checkResult{err})
	return err
}
