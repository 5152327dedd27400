package hsm

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/pqlane/pqlane/mldsa"
)

// A Hedge says whether an ML-DSA signature is mixed with fresh random bytes.
type Hedge uint8

const (
	HedgeRequired  Hedge = iota // the token must use random bytes
	HedgePreferred              // the token may decide; the signature is verified before it is returned
	Deterministic               // no random bytes; the signature is verified before it is returned
)

// SignOptions are what an ML-DSA signature depends on beside the message. *mldsa.Options do
// where the context is all.
type SignOptions struct {
	Context string // at most 255 bytes
	Hedge   Hedge

	// PreHash, if not 0, makes HashML-DSA signatures, which mldsa.VerifyPreHash verifies.
	PreHash mldsa.PreHash
}

// HashFunc returns zero. It implements crypto.SignerOpts.
func (*SignOptions) HashFunc() crypto.Hash { return 0 }

// A Signer signs with a private key in a token. It is safe for concurrent use. It lasts as long as
// its token is open.
type Signer struct {
	privateKey
	verifier atomic.Pointer[mldsa.Verifier] // made by the first verification
}

var _ crypto.MessageSigner = (*Signer)(nil)

// Signer returns a signer with the one key that matches. Errors match ErrKeyNotFound, ErrAmbiguous,
// ErrKeyType or ErrKeyPolicy, or are those of the token.
func (t *Token) Signer(ctx context.Context, key Key) (*Signer, error) {
	s := new(Signer)
	s.prove = s.proveSigning
	if err := s.init(ctx, t, key, Sign); err != nil {
		return nil, err
	}
	return s, nil
}

// Public returns the public key, a *mldsa.PublicKey, *rsa.PublicKey, *ecdsa.PublicKey or
// ed25519.PublicKey.
func (s *Signer) Public() crypto.PublicKey { return s.info.Public }

// Info describes the key as it was when the signer was made.
func (s *Signer) Info() KeyInfo { return s.info.clone() }

func (k KeyInfo) clone() KeyInfo {
	k.ID = slices.Clone(k.ID)
	k.AllowedMechanisms = slices.Clone(k.AllowedMechanisms)
	return k
}

// Sign implements crypto.Signer: it is SignDigestContext without a context. The io.Reader is ignored.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.SignDigestContext(context.Background(), digest, opts)
}

// SignMessage implements crypto.MessageSigner: it is SignContext without a context. The io.Reader is ignored.
func (s *Signer) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.SignContext(context.Background(), message, opts)
}

// SignContext signs a message, which is hashed first if opts says so: for RSA and ECDSA by
// opts.HashFunc(), for ML-DSA by SignOptions.PreHash. Errors match ErrOptions, ErrContext, ErrHedge,
// ErrUnsupported, ErrKeyNotFound, ErrKeyChanged, ErrFaulty or ErrClosed, or are those of ctx or
// of the token.
func (s *Signer) SignContext(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(ctx, message, opts, true)
}

// SignDigestContext signs what crypto.Signer does: the digest for RSA and ECDSA, and the message for
// ML-DSA and Ed25519. With SignOptions.PreHash it is the digest for ML-DSA too, and if opts.HashFunc() is
// crypto.MLDSAMu (20), it is the 64-byte μ. Errors match ErrSize and those of SignContext.
func (s *Signer) SignDigestContext(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(ctx, digest, opts, false)
}

// A job is a signature to be made.
type job struct {
	mechanism mechanism
	input     []byte // of the token
	size      int    // of what the token returns
	verify    bool
	check     func(signature []byte) error     // nil: an ML-DSA signature of input
	encode    func(raw []byte) ([]byte, error) // nil: the signature is what the token returns
}

func (s *Signer) sign(ctx context.Context, content []byte, opts crypto.SignerOpts, message bool) ([]byte, error) {
	if s.guard == nil {
		return s.signAs(ctx, nil, content, opts, message)
	}
	u := &use{purpose: Sign, key: &s.info, message: content}
	switch o := opts.(type) {
	case *SignOptions:
		if o != nil {
			u.options = *o
		}
	case *mldsa.Options:
		if o != nil {
			u.options.Context = o.Context
		}
	}
	var signature []byte
	err := guarded(ctx, s.guard, u, func() (err error) {
		signature, err = s.signAs(ctx, u, content, opts, message)
		return err
	})
	return signature, err
}

func (s *Signer) signAs(ctx context.Context, u *use, content []byte, opts crypto.SignerOpts, message bool) ([]byte, error) {
	j := new(job)
	var err error
	if s.info.Algorithm.IsMLDSA() {
		err = s.mldsaJob(j, content, opts, message)
	} else {
		err = s.classicalJob(j, content, opts, message)
	}
	if err != nil {
		return nil, err
	}
	// What the token reads and writes is not the caller's memory: a call that is abandoned
	// goes on with it.
	if ctx.Done() != nil {
		j.input = slices.Clone(j.input)
	}
	signature := make([]byte, j.size)
	err = s.do(ctx, s.guard, u, false, func(ctx context.Context, session *session) error {
		handle, err := s.handle(ctx, session, Sign)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return s.signOnce(session, handle, j, signature)
	})
	if err != nil {
		return nil, err
	}
	result := signature
	if j.encode != nil {
		if result, err = j.encode(signature); err != nil {
			return nil, err
		}
	}
	if j.verify || s.config.VerifyAfterSign {
		if err := s.checkSignature(j, result); err != nil {
			return nil, fmt.Errorf("%w: a signature that does not verify", ErrFaulty)
		}
	}
	return result, nil
}

func (s *Signer) signOnce(session *session, handle uint, j *job, signature []byte) error {
	n, err := s.module.cryptoki.Sign(session.handle, handle, &j.mechanism, j.input, signature)
	if code(err) == ckrBufferTooSmall {
		return fmt.Errorf("%w: a signature of more than %d bytes", ErrFaulty, len(signature))
	}
	if err == nil && n != len(signature) {
		return fmt.Errorf("%w: a signature of %d bytes, expected %d", ErrFaulty, n, len(signature))
	}
	return err
}

// checkSignature verifies what a job has made.
func (s *Signer) checkSignature(j *job, signature []byte) error {
	if j.check != nil {
		return j.check(signature)
	}
	return s.mldsaVerifier().Verify(j.input, signature, &mldsa.Options{Context: j.mechanism.context})
}

// proveSigning has the key sign a random message, and verifies the signature.
func (s *Signer) proveSigning(session *session, handle uint) error {
	var challenge [32]byte
	rand.Read(challenge[:])
	var j job
	var err error
	switch a := s.info.Algorithm; {
	case a.IsMLDSA():
		err = s.mldsaJob(&j, challenge[:], nil, true)
	case a == Ed25519:
		err = s.classicalJob(&j, challenge[:], crypto.Hash(0), true)
	default:
		err = s.classicalJob(&j, challenge[:], crypto.SHA256, true)
	}
	if err != nil {
		return err
	}
	signature := make([]byte, j.size)
	if err := s.signOnce(session, handle, &j, signature); err != nil {
		return err
	}
	if j.encode != nil {
		if signature, err = j.encode(signature); err != nil {
			return err
		}
	}
	if s.checkSignature(&j, signature) != nil {
		return fmt.Errorf("%w: %s does not sign for its public key", ErrKeyChanged, s.info.Key())
	}
	return nil
}

var errVerify = errors.New("hsm: invalid signature")
