//go:build go1.27

package mldsa

import (
	"crypto"
	"crypto/mldsa"
	"io"
)

// StdSigner returns a signer with sk whose Public is a *crypto/mldsa.PublicKey, as crypto/tls
// and crypto/x509 ask for. It implements [crypto.MessageSigner] too. Public is nil, and
// signing fails, if sk is not usable. It needs Go 1.27.
func (sk *PrivateKey) StdSigner() crypto.Signer {
	s := &stdSigner{sk: sk}
	if sk.check("") == nil {
		s.public, _ = mldsa.NewPublicKey(stdParameters(sk.pk.p), sk.pk.encoded)
	}
	return s
}

type stdSigner struct {
	sk     *PrivateKey
	public *mldsa.PublicKey
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
	if s.public == nil {
		return nil
	}
	return s.public
}

func (s *stdSigner) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sk.Sign(rand, message, opts)
}

func (s *stdSigner) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sk.SignMessage(rand, message, opts)
}
