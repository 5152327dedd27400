//go:build go1.27

package hsm

import (
	"crypto"
	stdmldsa "crypto/mldsa"

	"github.com/pqlane/pqlane/mldsa"
)

// StdSigner returns a signer with s whose Public is a *crypto/mldsa.PublicKey, as crypto/tls and
// crypto/x509 ask for. It implements crypto.MessageSigner too. Signers of other algorithms than
// ML-DSA return themselves. It needs Go 1.27.
func (s *Signer) StdSigner() crypto.Signer {
	public, ok := s.info.Public.(*mldsa.PublicKey)
	if !ok {
		return s
	}
	set := stdmldsa.MLDSA44()
	switch s.info.Algorithm {
	case MLDSA65:
		set = stdmldsa.MLDSA65()
	case MLDSA87:
		set = stdmldsa.MLDSA87()
	}
	key, err := stdmldsa.NewPublicKey(set, public.Bytes())
	if err != nil { // every string of the right length is a key
		panic("hsm: " + err.Error())
	}
	return &stdSigner{s, key}
}

type stdSigner struct {
	*Signer
	public *stdmldsa.PublicKey
}

var _ crypto.MessageSigner = (*stdSigner)(nil)

func (s *stdSigner) Public() crypto.PublicKey { return s.public }
