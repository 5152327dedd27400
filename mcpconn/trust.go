package mcpconn

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
	"sync/atomic"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// Trust is the set of authorities that may certify a peer, and their revocation lists. It is
// safe for concurrent use.
type Trust struct {
	pool       *x509.CertPool // nil for the system's
	generation uint64
	mldsa      bool                         // some authority has a key of ML-DSA
	anchors    map[string]*x509.Certificate // of pool by raw subject, for issuerOf
	lists      atomic.Pointer[revocations]
}

// generations counts Trusts, so that what one has verified is never taken for another's.
var generations atomic.Uint64

// NewTrust returns the trust in the given authorities. The error matches [ErrConfig]: there is
// none, one has a key that crypto/x509 can't use, such as one of ML-DSA if the program was built with Go 1.26.
func NewTrust(roots ...*x509.Certificate) (*Trust, error) {
	if len(roots) == 0 {
		return nil, newError(ErrConfig, "trust in no authority; give at least one certificate")
	}
	t := &Trust{pool: x509.NewCertPool(), generation: generations.Add(1)}
	for _, root := range roots {
		if root == nil {
			return nil, newError(ErrConfig, "trust anchor is nil")
		}
		key, err := hybrid.PublicKeyOf(root)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "trust anchor %q", root.Subject)
		}
		switch key.(type) {
		case *mldsa.PublicKey:
			if !hasMLDSA {
				return nil, newError(ErrConfig, "the ML-DSA trust anchor %q needs a program built with Go 1.27 or newer", root.Subject)
			}
			t.mldsa = true
		case *ecdsa.PublicKey, *rsa.PublicKey, ed25519.PublicKey:
		default:
			return nil, newError(ErrConfig, "crypto/x509 does not verify signatures of a %T, which the trust anchor %q has; want ML-DSA, ECDSA, RSA or Ed25519", key, root.Subject)
		}
		t.pool.AddCert(root)
		t.addAnchor(root, key)
	}
	t.lists.Store(&revocations{})
	return t, nil
}

// SystemTrust returns the trust in the authorities of the operating system.
func SystemTrust() *Trust {
	t := &Trust{generation: generations.Add(1)}
	t.lists.Store(&revocations{})
	return t
}

// ParseTrust returns the trust in the certificates in PEM, with the revocation lists (X509 CRL)
// that are among them. Other blocks are skipped. Errors match [ErrConfig].
func ParseTrust(data []byte) (*Trust, error) {
	certs, err := certificatesIn(data)
	if err != nil {
		return nil, err
	}
	t, err := NewTrust(certs...)
	if err != nil {
		return nil, err
	}
	var lists []*x509.RevocationList
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			continue
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "revocation list in PEM")
		}
		lists = append(lists, list)
	}
	if err := t.SetRevocationLists(lists...); err != nil {
		return nil, err
	}
	return t, nil
}

// LoadTrust is [ParseTrust] of files, as one.
func LoadTrust(files ...string) (*Trust, error) {
	var all []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "trust")
		}
		all = append(append(all, data...), '\n')
	}
	return ParseTrust(all)
}

// A Pin is the SHA-256 hash of a public key, as a SubjectPublicKeyInfo in DER.
type Pin [sha256.Size]byte

// PinMode says what beside a pinned key counts.
type PinMode int

const (
	// PinnedWithChain checks the chain as without pins, and then that the key is pinned.
	PinnedWithChain PinMode = iota

	// PinnedWithoutChain takes a pinned key whoever certified it, and checks expiry, key
	// usage and name of the certificate.
	PinnedWithoutChain

	// PinnedKeyOnly takes a pinned key whatever the certificate says.
	PinnedKeyOnly
)

// PinOf returns the pin of a certificate's key.
func PinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// String returns "sha256/" and the hash in Base64.
func (p Pin) String() string { return "sha256/" + base64.StdEncoding.EncodeToString(p[:]) }

// MarshalText returns String.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is [ParsePin].
func (p *Pin) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePin(string(text))
	return err
}

// ParsePin parses what [Pin.String] returns. The error matches [ErrConfig].
func ParsePin(s string) (Pin, error) {
	encoded, ok := strings.CutPrefix(s, "sha256/")
	hash, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(hash) != sha256.Size {
		return Pin{}, newError(ErrConfig, "pin %q, want sha256/ and 32 bytes in Base64", s)
	}
	return Pin(hash), nil
}
