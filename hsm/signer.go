package hsm

import (
	"context"
	"crypto"
	"io"

	"github.com/pqlane/pqlane/mldsa"
)

// A Hedge says whether an ML-DSA signature is mixed with fresh random bytes.
type Hedge uint8

const (
	HedgeRequired  Hedge = iota // the token must use random bytes
	HedgePreferred              // the token decides
	Deterministic               // no random bytes; the signature is verified before it is returned
)

// SignOptions are what an ML-DSA signature depends on beside the message.
type SignOptions struct {
	Context string // at most 255 bytes
	Hedge   Hedge

	// PreHash, if not 0, makes HashML-DSA signatures: Sign takes the digest, SignMessage and
	// SignContext the message.
	PreHash mldsa.PreHash
}

// HashFunc returns zero. It implements crypto.SignerOpts.
func (*SignOptions) HashFunc() crypto.Hash { return 0 }

// A Signer signs with a private key in a token. It is safe for concurrent use.
type Signer struct{}

var _ crypto.MessageSigner = (*Signer)(nil)

// Public returns the public key: *mldsa.PublicKey, *rsa.PublicKey, *ecdsa.PublicKey or
// ed25519.PublicKey.
func (s *Signer) Public() crypto.PublicKey { return nil }

// Info describes the key.
func (s *Signer) Info() KeyInfo { return KeyInfo{} }

// Sign implements crypto.Signer. It is SignDigestContext without a context.
func (s *Signer) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.SignDigestContext(context.Background(), digest, opts)
}

// SignMessage implements crypto.MessageSigner. It is SignContext without a context.
func (s *Signer) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.SignContext(context.Background(), message, opts)
}

// SignContext signs a message, which it hashes first as opts says.
func (s *Signer) SignContext(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return nil, ErrNoCgo
}

// SignDigestContext signs what crypto.Signer signs: the digest for RSA and ECDSA, the message for
// ML-DSA and Ed25519, for ML-DSA μ with opts.HashFunc() == crypto.MLDSAMu (20), and the digest with SignOptions.PreHash.
func (s *Signer) SignDigestContext(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return nil, ErrNoCgo
}
