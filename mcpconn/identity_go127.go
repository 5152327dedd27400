//go:build go1.27

package mcpconn

import (
	"context"
	"crypto"
	stdmldsa "crypto/mldsa"
	"io"

	"github.com/pqlane/pqlane/mldsa"
)

// hasMLDSA says whether crypto/tls and crypto/x509 know ML-DSA.
const hasMLDSA = true

// standardSigner returns the key as one whose Public is a *crypto/mldsa.PublicKey.
func standardSigner(key crypto.Signer) (crypto.Signer, error) {
	switch public := key.Public().(type) {
	case *stdmldsa.PublicKey:
		return key, nil
	case *mldsa.PublicKey:
		if own, ok := key.(*mldsa.PrivateKey); ok {
			return own.StdSigner(), nil
		}
		std, err := standardPublicKey(public)
		if err != nil {
			return nil, wrapError(ErrConfig, err, "identity")
		}
		if withContext, ok := key.(ContextSigner); ok {
			return contextSigner{foreignSigner{key, std}, withContext}, nil
		}
		return foreignSigner{key, std}, nil
	}
	return nil, newError(ErrConfig, "the certificate has an ML-DSA key, but the key is a %T", key)
}

func standardPublicKey(pk *mldsa.PublicKey) (*stdmldsa.PublicKey, error) {
	p := stdmldsa.MLDSA65()
	switch pk.Parameters() {
	case mldsa.MLDSA44():
		p = stdmldsa.MLDSA44()
	case mldsa.MLDSA87():
		p = stdmldsa.MLDSA87()
	}
	return stdmldsa.NewPublicKey(p, pk.Bytes())
}

func isStandardMLDSA(key crypto.Signer) bool {
	_, ok := key.(*stdmldsa.PrivateKey)
	return ok
}

// A foreignSigner is an ML-DSA key of elsewhere with the public key that crypto/tls asks for.
type foreignSigner struct {
	key    crypto.Signer
	public *stdmldsa.PublicKey
}

func (s foreignSigner) Public() crypto.PublicKey { return s.public }

func (s foreignSigner) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.key.Sign(rand, message, opts)
}

type contextSigner struct {
	foreignSigner
	withContext ContextSigner
}

func (s contextSigner) SignContext(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.withContext.SignContext(ctx, message, opts)
}

// verifyMLDSA verifies a signature, if the key is of ML-DSA.
func verifyMLDSA(key crypto.PublicKey, message, signature []byte) (known bool, err error) {
	pk, ok := key.(*stdmldsa.PublicKey)
	if !ok {
		return false, nil
	}
	return true, stdmldsa.Verify(pk, message, signature, nil)
}
