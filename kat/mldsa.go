package main

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"errors"
	"fmt"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mldsa/mldsatest"
)

// A dsa is one parameter set of ML-DSA, as functions of encodings.
type dsa struct{ mldsa.Parameters }

var dsas = []dsa{{mldsa.MLDSA44()}, {mldsa.MLDSA65()}, {mldsa.MLDSA87()}}

// dsaNamed returns the parameter set with the standard's name for it.
func dsaNamed(name string) (dsa, error) {
	for _, d := range dsas {
		if d.String() == name {
			return d, nil
		}
	}
	return dsa{}, fmt.Errorf("unknown parameter set %q", name)
}

// fromSeed and fromExpanded parse a private key, which must then encode to the bytes
// that were parsed, as must the public key that publicKey parses.
func (d dsa) fromSeed(seed []byte) (*mldsa.PrivateKey, error) {
	sk, err := mldsa.NewPrivateKey(d.Parameters, seed)
	if err == nil && !bytes.Equal(sk.Bytes(), seed) {
		err = errRoundTrip
	}
	return sk, err
}

func (d dsa) fromExpanded(b []byte) (*mldsa.PrivateKey, error) {
	sk, err := mldsa.NewPrivateKeyFromExpanded(d.Parameters, b)
	if err == nil && !bytes.Equal(sk.ExpandedBytes(), b) {
		err = errRoundTrip
	}
	return sk, err
}

func (d dsa) publicKey(b []byte) (*mldsa.PublicKey, error) {
	pk, err := mldsa.NewPublicKey(d.Parameters, b)
	if err == nil && !bytes.Equal(pk.Bytes(), b) {
		err = errRoundTrip
	}
	return pk, err
}

// A messageForm is one of the forms in which FIPS 204 takes what is signed.
type messageForm int

const (
	pureMessage       messageForm = iota // a message with a context (Algorithm 2)
	preHashMessage                       // the same, signed by its digest (Algorithm 4)
	internalMessage                      // M′, which has been formatted (Algorithm 7)
	externalMuMessage                    // μ, in place of M′ (Algorithm 7, line 6)
)

func (f messageForm) String() string {
	return [...]string{"pure", "preHash", "internal", "external μ"}[f]
}

// A message is what is signed. context is of the first two forms, hash of the second.
type message struct {
	form    messageForm
	body    []byte
	context []byte
	hash    preHash
}

func (m message) options() *mldsa.Options { return &mldsa.Options{Context: string(m.context)} }

// mu returns the message representative. That of a message with a context is the
// package's, the others are computed here.
func (m message) mu(pk *mldsa.PublicKey) (mu [mldsa.MuSize]byte, err error) {
	switch m.form {
	case pureMessage:
		h, err := pk.NewMu(string(m.context))
		if err != nil {
			return mu, err
		}
		h.Write(m.body)
		return h.Sum(), nil
	case externalMuMessage:
		if len(m.body) != len(mu) {
			return mu, fmt.Errorf("μ of %d bytes", len(m.body))
		}
		return [mldsa.MuSize]byte(m.body), nil
	}
	tr, err := mldsatest.TR(pk)
	if err != nil {
		return mu, err
	}
	h := sha3.NewSHAKE256()
	h.Write(tr)
	if m.form == preHashMessage {
		h.Write([]byte{1, byte(len(m.context))})
		h.Write(m.context)
		h.Write(m.hash.oid())
		h.Write(m.hash.sum(m.body))
	} else {
		h.Write(m.body)
	}
	h.Read(mu[:])
	return mu, nil
}

// signMessage signs m with the randomness rnd, nil for a deterministic signature, through
// the package's function for that if it has one. The signature must verify, and so must the
// one of SignPreHash, which has no deterministic form.
func signMessage(sk *mldsa.PrivateKey, m message, rnd []byte) (signature []byte, err error) {
	if m.form == preHashMessage {
		hedged, err := mldsa.SignPreHash(sk, m.hash.id, m.hash.sum(m.body), m.options())
		if err != nil {
			return nil, err
		}
		if err := verifyMessage(sk.PublicKey(), m, hedged); err != nil {
			return nil, fmt.Errorf("%w: a hedged signature: %w", errInconsistent, err)
		}
	}
	mu, err := m.mu(sk.PublicKey())
	if err != nil {
		return nil, err
	}
	const muHash = crypto.Hash(20) // crypto.MLDSAMu of Go 1.27
	switch {
	case rnd == nil && m.form == pureMessage:
		signature, err = sk.SignDeterministic(m.body, m.options())
	case rnd == nil && m.form == externalMuMessage:
		signature, err = sk.SignDeterministic(m.body, muHash)
	case rnd == nil:
		signature, err = mldsatest.SignMu(sk, mu[:], make([]byte, 32))
	default:
		signature, err = mldsatest.SignMu(sk, mu[:], rnd)
	}
	if err != nil {
		return nil, err
	}
	if err := verifyMessage(sk.PublicKey(), m, signature); err != nil {
		return nil, fmt.Errorf("%w: the signature: %w", errInconsistent, err)
	}
	return signature, nil
}

// verifyMessage verifies a signature in each way that the package has, which must agree.
func verifyMessage(pk *mldsa.PublicKey, m message, signature []byte) error {
	type way struct {
		name string
		err  error
	}
	v := pk.Precompute()
	var ways []way
	switch m.form {
	case pureMessage:
		ways = []way{
			{"Verify", mldsa.Verify(pk, m.body, signature, m.options())},
			{"Verifier.Verify", v.Verify(m.body, signature, m.options())},
		}
	case preHashMessage:
		ways = []way{{"VerifyPreHash", mldsa.VerifyPreHash(pk, m.hash.id, m.hash.sum(m.body), signature, m.options())}}
	}
	if len(m.context) <= 255 { // otherwise it has no μ
		mu, err := m.mu(pk)
		if err != nil {
			return err
		}
		ways = append(ways,
			way{"VerifyMu", mldsa.VerifyMu(pk, &mu, signature)},
			way{"Verifier.VerifyMu", v.VerifyMu(&mu, signature)})
	}
	first := ways[0]
	for _, w := range ways {
		if w.err != nil && !errors.Is(w.err, mldsa.ErrInvalidSignature) && !errors.Is(w.err, mldsa.ErrContext) {
			return fmt.Errorf("%w: %s: %w", errInconsistent, w.name, w.err)
		}
		if (w.err == nil) != (first.err == nil) {
			return fmt.Errorf("%w: %s: %v, but %s: %v", errInconsistent, first.name, first.err, w.name, w.err)
		}
	}
	return first.err
}

// A preHash is a hash function of HashML-DSA, computed by the standard library.
type preHash struct {
	id  mldsa.PreHash
	arc byte // the last of its object identifier, 2.16.840.1.101.3.4.2.arc
	sum func(message []byte) []byte
}

var preHashes = []preHash{
	{mldsa.SHA224, 4, func(m []byte) []byte { d := sha256.Sum224(m); return d[:] }},
	{mldsa.SHA256, 1, func(m []byte) []byte { d := sha256.Sum256(m); return d[:] }},
	{mldsa.SHA384, 2, func(m []byte) []byte { d := sha512.Sum384(m); return d[:] }},
	{mldsa.SHA512, 3, func(m []byte) []byte { d := sha512.Sum512(m); return d[:] }},
	{mldsa.SHA512_224, 5, func(m []byte) []byte { d := sha512.Sum512_224(m); return d[:] }},
	{mldsa.SHA512_256, 6, func(m []byte) []byte { d := sha512.Sum512_256(m); return d[:] }},
	{mldsa.SHA3_224, 7, func(m []byte) []byte { d := sha3.Sum224(m); return d[:] }},
	{mldsa.SHA3_256, 8, func(m []byte) []byte { d := sha3.Sum256(m); return d[:] }},
	{mldsa.SHA3_384, 9, func(m []byte) []byte { d := sha3.Sum384(m); return d[:] }},
	{mldsa.SHA3_512, 10, func(m []byte) []byte { d := sha3.Sum512(m); return d[:] }},
	{mldsa.SHAKE128, 11, func(m []byte) []byte { return sha3.SumSHAKE128(m, 32) }},
	{mldsa.SHAKE256, 12, func(m []byte) []byte { return sha3.SumSHAKE256(m, 64) }},
}

// preHashNamed returns the hash function with NIST's name for it.
func preHashNamed(name string) (preHash, error) {
	for _, h := range preHashes {
		if h.id.String() == name {
			return h, nil
		}
	}
	return preHash{}, fmt.Errorf("unknown hashAlg %q", name)
}

// oid returns the object identifier in DER.
func (h preHash) oid() []byte {
	return []byte{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, h.arc}
}
