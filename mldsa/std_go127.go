//go:build go1.27

package mldsa

import (
	"bytes"
	"crypto"
	"crypto/mldsa"
	"io"
	"sync/atomic"
)

// StdSigner returns a signer with sk whose Public is a *crypto/mldsa.PublicKey, as crypto/tls
// and crypto/x509 ask for. It implements [crypto.MessageSigner] too. Public is that of the
// key which sk holds when it is called, and so which signs: after sk.Generate it is
// the new one. Public is nil, and signing fails, while sk is not usable. It needs Go 1.27.
func (sk *PrivateKey) StdSigner() crypto.Signer { return &stdSigner{sk: sk} }

type stdSigner struct {
	sk     *PrivateKey
	public atomic.Pointer[stdPublicKey] // the last that was asked for
}

// A stdPublicKey is a public key of the standard library, whose parsing expands Â, and what it
// was parsed from.
type stdPublicKey struct {
	p       *params
	encoded []byte
	key     *mldsa.PublicKey
}

var _ crypto.MessageSigner = (*stdSigner)(nil)

func stdParameters(p *params) mldsa.Parameters {
	switch p {
	case &params44:
		return mldsa.MLDSA44()
	case &params65:
		return mldsa.MLDSA65()
	default:
		return mldsa.MLDSA87()
	}
}

func (s *stdSigner) Public() crypto.PublicKey {
	if s.sk.check("") != nil {
		return nil
	}
	pk := &s.sk.pk
	last := s.public.Load()
	if last == nil || last.p != pk.p || !bytes.Equal(last.encoded, pk.encoded) {
		key, err := mldsa.NewPublicKey(stdParameters(pk.p), pk.encoded)
		if err != nil {
			return nil
		}
		last = &stdPublicKey{p: pk.p, encoded: bytes.Clone(pk.encoded), key: key}
		s.public.Store(last)
	}
	return last.key
}

func (s *stdSigner) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sk.Sign(rand, message, opts)
}

func (s *stdSigner) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sk.SignMessage(rand, message, opts)
}
