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

var _ crypto.MessageSigner = handshakeSigner{}

// Sign signs a digest, which TLS 1.3 never asks for: crypto/tls calls SignMessage.
func (s handshakeSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return nil, s.h.failed(newError(ErrSigner, "TLS 1.3 signs messages, and this is a digest"))
}

// SignMessage signs a message, which is hashed first if opts says so.
func (s handshakeSigner) SignMessage(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	h := s.h
	h.shown = true
	began := time.Now()
	defer func() { h.signing.Add(int64(time.Since(began))) }()
	id := h.identity
	if !id.foreign {
		signature, err := crypto.SignMessage(id.key, random, message, opts)
		if err != nil {
			return nil, h.failed(wrapError(ErrSigner, err, ""))
		}
		return signature, nil
	}
	signature, err := signWithin(h.ctx, id.key, random, message, opts)
	if err != nil {
		return nil, h.failed(wrapError(ErrSigner, err, ""))
	}
	if err := checkSignature(id.public, message, signature, opts); err != nil {
		return nil, h.failed(wrapError(ErrSigner, err, "it signed, but not what it was given"))
	}
	return signature, nil
}

// signWithin signs and gives up when ctx ends. A key that does not take a context keeps its goroutine
// until it returns.
func signWithin(ctx context.Context, key crypto.Signer, random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	type result struct {
		signature []byte
		err       error
	}
	done := make(chan result, 1)
	message = bytes.Clone(message)
	go func() {
		var r result
		if c, ok := key.(ContextSigner); ok {
			r.signature, r.err = c.SignContext(ctx, message, opts)
		} else {
			r.signature, r.err = crypto.SignMessage(key, random, message, opts)
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

func checkSignature(public crypto.PublicKey, message, signature []byte, opts crypto.SignerOpts) error {
	if known, err := verifyMLDSA(public, message, signature); known {
		return err
	}
	digest := message
	if hash := opts.HashFunc(); hash != 0 {
		h := hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	ok := false
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(public, digest, signature)
	case ed25519.PublicKey:
		ok = ed25519.Verify(public, message, signature)
	case *rsa.PublicKey:
		// TLS 1.3 signs with PSS alone (RFC 8446, Section 4.2.3).
		return rsa.VerifyPSS(public, opts.HashFunc(), digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if !ok {
		return errWrongSignature
	}
	return nil
}
