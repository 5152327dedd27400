package mcpconn

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
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
// date. Certificates whose issuer has no list are not checked. The error matches
// [ErrConfig].
func (t *Trust) SetRevocationLists(lists ...*x509.RevocationList) error {
	r := &revocations{byIssuer: map[string][]*revocationList{}}
	for _, list := range lists {
		if list == nil {
			return newError(ErrConfig, "revocation list is nil")
		}
		l := &revocationList{RevocationList: list, serials: make(map[string]bool, len(list.RevokedCertificateEntries))}
		for _, e := range list.RevokedCertificateEntries {
			if e.SerialNumber == nil {
				return newError(ErrConfig, "revocation list of %q has an entry without serial number", list.Issuer)
			}
			l.serials[string(e.SerialNumber.Bytes())] = true
		}
		name := string(list.RawIssuer)
		r.byIssuer[name] = append(r.byIssuer[name], l)
	}
	t.lists.Store(r)
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
