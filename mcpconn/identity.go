package mcpconn

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"slices"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// A ContextSigner is a key that can give up: a token's, which may be slow or away. SignContext is
// [crypto.MessageSigner]'s SignMessage for a caller that stops waiting when ctx ends: it signs a
// message, which it hashes first by opts.HashFunc() if that is not zero. Handshakes pass their
// context. hsm.Signer is one.
type ContextSigner interface {
	crypto.Signer
	SignContext(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error)
}

// An Identity is a certificate chain and the key of its leaf. It is safe for concurrent use.
type Identity struct {
	chain  []*x509.Certificate
	raw    [][]byte
	public crypto.PublicKey // of the key, in the standard library's types
	id     [sha256.Size]byte
	info   KeyInfo

	// foreign is a key of unknown make: it may hang, and its signatures are checked.
	foreign bool

	*identityKey
}

// An identityKey is behind two pointers, of which package fmt follows one at most: some keys are
// their bytes.
type identityKey struct{ *signers }

type signers struct {
	source crypto.Signer // as it was given
	key    crypto.Signer // signs for crypto/tls
}

// NewIdentity makes an identity of a certificate chain, leaf first, and the leaf's key.
//
// The key is an *[mldsa.PrivateKey] of this module, a key of the standard library, a
// [ContextSigner] such as hsm's, or any other [crypto.Signer]. Those other than the first two
// are given up when the handshake's context ends, and what they sign is verified before it
// is sent.
//
// The error matches [ErrConfig]: the key is not the leaf's, can't sign in TLS, or is of ML-DSA
// and the program was built with Go 1.26.
func NewIdentity(chain []*x509.Certificate, key crypto.Signer) (*Identity, error) {
	if len(chain) == 0 || chain[0] == nil || key == nil {
		return nil, newError(ErrConfig, "identity without certificate or key")
	}
	id := &Identity{chain: chain, identityKey: &identityKey{&signers{source: key}}}
	h := sha256.New()
	for i, cert := range chain {
		if cert == nil {
			return nil, newError(ErrConfig, "certificate %d of the identity is nil", i)
		}
		id.raw = append(id.raw, cert.Raw)
		h.Write(cert.Raw)
	}
	h.Sum(id.id[:0])
	leaf, err := hybrid.PublicKeyOf(chain[0])
	if err != nil {
		return nil, wrapError(ErrConfig, err, "identity")
	}
	id.info = keyInfo(chain[0])
	for _, cert := range chain {
		id.info.Chain = append(id.info.Chain, signedWith(cert))
	}
	switch key.(type) {
	case *mldsa.PrivateKey, *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey:
	default:
		id.foreign = !isStandardMLDSA(key)
	}
	if _, ok := leaf.(*mldsa.PublicKey); ok {
		id.key, err = standardSigner(key)
		if err != nil {
			return nil, err
		}
	} else {
		switch leaf := leaf.(type) {
		case *ecdsa.PublicKey:
			if bits := leaf.Params().BitSize; bits < 256 {
				return nil, newError(ErrConfig, "TLS 1.3 has no signatures of %s; want an identity of P-256, P-384 or P-521", leaf.Params().Name)
			}
		case *rsa.PublicKey, ed25519.PublicKey:
		default:
			return nil, newError(ErrConfig, "TLS has no signatures of a %T; want an identity of ML-DSA, ECDSA, RSA or Ed25519", leaf)
		}
		id.key = key
	}
	id.public = id.key.Public()
	comparable, ok := id.public.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !comparable.Equal(chain[0].PublicKey) {
		return nil, newError(ErrConfig, "the key is not that of the identity's certificate")
	}
	return id, nil
}

// ParseIdentity makes an identity of a certificate chain, leaf first, and a private key, both in
// PEM. The key may have any form that [hybrid.ParsePrivateKey] reads: for ML-DSA the seed, the
// expanded key or both. Other blocks are skipped, and both may be in the same file. Errors
// match [ErrConfig].
func ParseIdentity(certPEM, keyPEM []byte) (*Identity, error) {
	chain, err := certificatesIn(certPEM)
	if err != nil {
		return nil, err
	}
	if len(chain) == 0 {
		return nil, newError(ErrConfig, "no CERTIFICATE in the PEM of the identity")
	}
	key, err := keyIn(keyPEM)
	if err != nil {
		return nil, err
	}
	return NewIdentity(chain, key)
}

// LoadIdentity is [ParseIdentity] of two files, which may be the same. What was read is wiped.
func LoadIdentity(certFile, keyFile string) (*Identity, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return nil, wrapError(ErrConfig, err, "identity")
	}
	defer clear(certPEM) // The key may be in it.
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, wrapError(ErrConfig, err, "identity")
	}
	defer clear(keyPEM)
	return ParseIdentity(certPEM, keyPEM)
}

// Certificates returns the chain, leaf first.
func (id *Identity) Certificates() []*x509.Certificate {
	return slices.Clone(id.chain)
}

// Key describes the key and its certificates.
func (id *Identity) Key() KeyInfo {
	k := id.info
	k.Names, k.Chain = slices.Clone(k.Names), slices.Clone(k.Chain)
	return k
}

// Pin returns the pin of the key, for the [Config.PinnedKeys] of peers.
func (id *Identity) Pin() Pin { return PinOf(id.chain[0]) }

// String returns the algorithm of the key and the subject.
func (id *Identity) String() string { return id.info.Algorithm + " of " + id.info.Subject }

func certificatesIn(data []byte) (certs []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return certs, nil
		}
		if block.Type != "CERTIFICATE" {
			clear(block.Bytes) // It may be the key.
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "certificate %d in PEM", len(certs)+1)
		}
		certs = append(certs, cert)
	}
}

// keyIn reads the first private key in PEM.
func keyIn(data []byte) (crypto.Signer, error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, newError(ErrConfig, "no private key in the PEM of the identity")
		}
		switch block.Type {
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		default:
			continue
		}
		encoded := pem.EncodeToMemory(block)
		clear(block.Bytes)
		defer clear(encoded)
		key, err := hybrid.ParsePrivateKey(encoded)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "private key of the identity")
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, newError(ErrConfig, "a %T does not sign; want a key of ML-DSA, ECDSA, RSA or Ed25519", key)
		}
		return signer, nil
	}
}
