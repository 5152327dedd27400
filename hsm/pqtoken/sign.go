package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/pqlane/pqlane/hsm"
	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// publicPEM returns a public key as a PKIX key in PEM.
func publicPEM(key crypto.PublicKey) ([]byte, error) {
	der, err := hybrid.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

func sign(in *invocation) func(context.Context) error {
	input := in.flags.String("in", "-", "sign this `file`")
	out := in.flags.String("out", "-", "write the signature to this `file`")
	contextString := in.flags.String("context", "", "context of ML-DSA, at most 255 bytes")
	deterministic := in.flags.Bool("deterministic", false, "sign with ML-DSA without random bytes")
	return func(ctx context.Context) error {
		message, err := readInput(*input)
		if err != nil {
			return err
		}
		signer, err := in.token.Signer(ctx, in.key)
		if err != nil {
			return err
		}
		opts := classicalOptions(signer.Public())
		if signer.Info().Algorithm.IsMLDSA() {
			o := &hsm.SignOptions{Context: *contextString}
			if *deterministic {
				o.Hedge = hsm.Deterministic
			}
			opts = o
		} else if *contextString != "" || *deterministic {
			return errUsage(fmt.Sprintf("-context and -deterministic are for ML-DSA; the key is of %s", signer.Info().Algorithm))
		}
		signature, err := signer.SignContext(ctx, message, opts)
		if err != nil {
			return err
		}
		return in.writeNew(*out, signature)
	}
}

// classicalOptions are the hash function that pqtoken signs with, and for RSA PSS with a salt of its size.
func classicalOptions(public crypto.PublicKey) crypto.SignerOpts {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return crypto.Hash(0)
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 384:
			return crypto.SHA384
		case 521:
			return crypto.SHA512
		}
	case *rsa.PublicKey:
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	return crypto.SHA256
}

var errSignature = errors.New("the signature is not valid")

// verified checks a signature that sign made.
func verified(public crypto.PublicKey, message, signature []byte, opts *mldsa.Options) error {
	ok := false
	switch k := public.(type) {
	case *mldsa.PublicKey:
		return mldsa.Verify(k, message, signature, opts)
	case ed25519.PublicKey:
		ok = ed25519.Verify(k, message, signature)
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(k, digest(classicalOptions(k).HashFunc(), message), signature)
	case *rsa.PublicKey:
		o := classicalOptions(k).(*rsa.PSSOptions)
		return rsa.VerifyPSS(k, o.Hash, digest(o.Hash, message), signature, o)
	default:
		return fmt.Errorf("no way to verify with a key of type %T", public)
	}
	if !ok {
		return errSignature
	}
	return nil
}

func digest(h crypto.Hash, message []byte) []byte {
	switch h {
	case crypto.SHA384:
		d := sha512.Sum384(message)
		return d[:]
	case crypto.SHA512:
		d := sha512.Sum512(message)
		return d[:]
	}
	d := sha256.Sum256(message)
	return d[:]
}

func verify(in *invocation) func(context.Context) error {
	input := in.flags.String("in", "-", "the `file` that is signed")
	signatureFile := in.flags.String("signature", "", "the `file` of the signature")
	contextString := in.flags.String("context", "", "context of ML-DSA, at most 255 bytes")
	return func(ctx context.Context) error {
		if *signatureFile == "" {
			return errUsage("no -signature")
		}
		message, err := readInput(*input)
		if err != nil {
			return err
		}
		signature, err := readInput(*signatureFile)
		if err != nil {
			return err
		}
		key, err := in.oneKey(ctx)
		if err != nil {
			return err
		}
		if err := verified(key.Public, message, signature, &mldsa.Options{Context: *contextString}); err != nil {
			return err
		}
		fmt.Fprintf(in.stdout, "valid, by %s, label %q, id %x\n", key.Algorithm, key.Label, key.ID)
		return nil
	}
}

// oneKey returns what is known of the one key that is named.
func (in *invocation) oneKey(ctx context.Context) (hsm.KeyInfo, error) {
	keys, err := in.token.Keys(ctx, in.key)
	switch {
	case err != nil:
		return hsm.KeyInfo{}, err
	case len(keys) == 0:
		return hsm.KeyInfo{}, fmt.Errorf("%w: %s", hsm.ErrKeyNotFound, in.key)
	case len(keys) > 1:
		e := &hsm.AmbiguityError{Name: in.key.String()}
		for _, k := range keys {
			e.Candidates = append(e.Candidates, k.Key().String())
		}
		return hsm.KeyInfo{}, e
	case keys[0].Public == nil:
		return hsm.KeyInfo{}, fmt.Errorf("the token has no public key for %s", keys[0].Key())
	}
	return keys[0], nil
}

func csr(in *invocation) func(context.Context) error {
	name := in.flags.String("cn", "", "common `name` of the subject")
	organization := in.flags.String("o", "", "`organization` of the subject")
	hosts := in.flags.String("host", "", "names and addresses, separated by commas")
	out := in.flags.String("out", "-", "write the request to this `file`, in PEM")
	return func(ctx context.Context) error {
		if *name == "" {
			return errUsage("no -cn")
		}
		template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: *name}}
		if *organization != "" {
			template.Subject.Organization = []string{*organization}
		}
		for host := range strings.SplitSeq(*hosts, ",") {
			host = strings.TrimSpace(host)
			if ip := net.ParseIP(host); ip != nil {
				template.IPAddresses = append(template.IPAddresses, ip)
			} else if host != "" {
				template.DNSNames = append(template.DNSNames, host)
			}
		}
		signer, err := in.token.Signer(ctx, in.key)
		if err != nil {
			return err
		}
		der, err := hybrid.CreateCertificateRequest(template, signer)
		if err != nil {
			return err
		}
		return in.writeNew(*out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	}
}
