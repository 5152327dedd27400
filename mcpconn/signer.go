package mcpconn

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"io"
	"time"
)

// A handshakeSigner signs for one handshake: it measures, and gives a key that may hang the
// handshake's context.
type handshakeSigner struct{ h *handshake }

func (s handshakeSigner) Public() crypto.PublicKey { return s.h.identity.public }

// Sign takes a digest, or the message where opts has no hash, as crypto.SignMessage gives to
// a signer of this form.
func (s handshakeSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	h := s.h
	began := time.Now()
	defer func() { h.signing.Add(int64(time.Since(began))) }()
	id := h.identity
	if !id.foreign {
		signature, err := id.key.Sign(random, digest, opts)
		if err != nil {
			return nil, h.failed(wrapError(ErrSigner, err, ""))
		}
		return signature, nil
	}
	signature, err := signWithin(h.ctx, id.key, random, digest, opts)
	if err != nil {
		return nil, h.failed(wrapError(ErrSigner, err, ""))
	}
	if err := checkSignature(id.public, digest, signature, opts); err != nil {
		return nil, h.failed(wrapError(ErrSigner, err, "it signed, but not what it was given"))
	}
	return signature, nil
}

// signWithin signs and gives up when ctx ends. A key that does not take a context keeps its goroutine
// until it returns.
func signWithin(ctx context.Context, key crypto.Signer, random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	type result struct {
		signature []byte
		err       error
	}
	done := make(chan result, 1)
	digest = bytes.Clone(digest)
	go func() {
		var r result
		if c, ok := key.(ContextSigner); ok {
			r.signature, r.err = c.SignContext(ctx, digest, opts)
		} else {
			r.signature, r.err = key.Sign(random, digest, opts)
		}
		done <- r
	}()
	select {
	case r := <-done:
		return r.signature, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var errWrongSignature = errors.New("the signature is not valid")

func checkSignature(public crypto.PublicKey, digest, signature []byte, opts crypto.SignerOpts) error {
	if known, err := verifyMLDSA(public, digest, signature); known {
		return err
	}
	ok := false
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(public, digest, signature)
	case ed25519.PublicKey:
		ok = ed25519.Verify(public, digest, signature)
	case *rsa.PublicKey:
		// TLS 1.3 signs with PSS alone (RFC 8446, Section 4.2.3).
		return rsa.VerifyPSS(public, opts.HashFunc(), digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if !ok {
		return errWrongSignature
	}
	return nil
}
