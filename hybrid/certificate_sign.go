package hybrid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// A certificateSigner signs certificates, requests and revocation lists.
type certificateSigner struct {
	signer    crypto.Signer
	spki      []byte // of the signer's public key
	algorithm pkcs.Algorithm
	opts      crypto.SignerOpts
	known     x509.SignatureAlgorithm // zero if crypto/x509 does not know the algorithm
}

// newCertificateSigner returns a certificateSigner for the algorithm wanted, or zero for
// the usual one of the signer's key.
func newCertificateSigner(op string, signer crypto.Signer, wanted x509.SignatureAlgorithm) (*certificateSigner, error) {
	public := signer.Public()
	spki, err := MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	key, err := pkcs.ParsePublicKey(spki)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	s := &certificateSigner{signer: signer, spki: spki}
	if f, ok := formats[key.OID]; ok {
		switch {
		case f.verify == nil:
			return nil, newError(ErrAlgorithm, "%s: a %T is no key that signs", op, public)
		case wanted != 0:
			return nil, newError(ErrTemplate, "%s: SignatureAlgorithm %v with a %T, want none", op, wanted, public)
		}
		s.algorithm, s.opts = pkcs.Algorithm{OID: key.OID}, crypto.Hash(0)
		return s, nil
	}
	if wanted == 0 {
		wanted = usualAlgorithm(public)
	}
	for _, a := range certificateAlgorithms {
		if a.known == wanted && a.key == key.OID {
			s.algorithm, s.opts, s.known = a.Algorithm, a.opts, a.known
			return s, nil
		}
	}
	return nil, newError(ErrAlgorithm, "%s: no SignatureAlgorithm %v with a %T", op, wanted, public)
}

// usualAlgorithm returns the algorithm with which a classical key signs if nothing else is
// asked for.
func usualAlgorithm(public crypto.PublicKey) x509.SignatureAlgorithm {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA
	case ed25519.PublicKey:
		return x509.PureEd25519
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P384():
			return x509.ECDSAWithSHA384
		case elliptic.P521():
			return x509.ECDSAWithSHA512
		}
		return x509.ECDSAWithSHA256
	}
	return x509.UnknownSignatureAlgorithm
}

// A certificateAlgorithm is an algorithm of crypto/x509, as certificates name it.
type certificateAlgorithm struct {
	known x509.SignatureAlgorithm
	key   pkcs.OID
	pkcs.Algorithm
	opts crypto.SignerOpts
}

// certificateAlgorithms are the algorithms with which classical keys sign (RFC 4055, RFC 5758
// and RFC 8410).
var certificateAlgorithms = []certificateAlgorithm{
	{x509.SHA256WithRSA, oidRSA, pkcs1v15(11), crypto.SHA256},
	{x509.SHA384WithRSA, oidRSA, pkcs1v15(12), crypto.SHA384},
	{x509.SHA512WithRSA, oidRSA, pkcs1v15(13), crypto.SHA512},
	{x509.SHA256WithRSAPSS, oidRSA, pss(1, crypto.SHA256), pssOptions(crypto.SHA256)},
	{x509.SHA384WithRSAPSS, oidRSA, pss(2, crypto.SHA384), pssOptions(crypto.SHA384)},
	{x509.SHA512WithRSAPSS, oidRSA, pss(3, crypto.SHA512), pssOptions(crypto.SHA512)},
	{x509.ECDSAWithSHA256, oidEC, ecdsaWith(2), crypto.SHA256},
	{x509.ECDSAWithSHA384, oidEC, ecdsaWith(3), crypto.SHA384},
	{x509.ECDSAWithSHA512, oidEC, ecdsaWith(4), crypto.SHA512},
	{x509.PureEd25519, oidEd25519, pkcs.Algorithm{OID: oidEd25519}, crypto.Hash(0)},
}

var asn1NULL = []byte{5, 0}

func pkcs1v15(arc uint) pkcs.Algorithm {
	return pkcs.Algorithm{OID: pkcs.NewOID(1, 2, 840, 113549, 1, 1, arc), Parameters: asn1NULL}
}

func ecdsaWith(arc uint) pkcs.Algorithm {
	return pkcs.Algorithm{OID: pkcs.NewOID(1, 2, 840, 10045, 4, 3, arc)}
}

func pssOptions(hash crypto.Hash) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
}

// pss returns RSASSA-PSS with SHA-2 of the OID's last arc for the message and for MGF1, and
// salt as long as the hash (RFC 4055, Section 3.1).
func pss(arc uint, hash crypto.Hash) pkcs.Algorithm {
	sha2 := pkcs.Algorithm{OID: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 2, arc), Parameters: asn1NULL}
	explicit := func(tag asn1.Tag) asn1.Tag { return tag.ContextSpecific().Constructed() }
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { pkcs.AddAlgorithm(b, sha2) })
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				pkcs.AddOID(b, pkcs.NewOID(1, 2, 840, 113549, 1, 1, 8))
				pkcs.AddAlgorithm(b, sha2)
			})
		})
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1Uint64(uint64(hash.Size())) })
	})
	return pkcs.Algorithm{OID: pkcs.NewOID(1, 2, 840, 113549, 1, 1, 10), Parameters: b.BytesOrPanic()}
}

// sign returns der, which crypto/x509 has made with the stand-in key, with what rewrite makes
// of the part that is signed, and the signature over that.
func (s *certificateSigner) sign(op string, der []byte, rewrite func(b *cryptobyte.Builder, tbs cryptobyte.String) error) ([]byte, error) {
	made, err := parseSigned(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	old := cryptobyte.String(made.tbs)
	if !old.ReadASN1(&old, asn1.SEQUENCE) {
		return nil, newError(ErrEncoding, "%s: nothing to sign", op)
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if err := rewrite(b, old); err != nil {
			b.SetError(err)
		}
	})
	tbs, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	signature, err := crypto.SignMessage(s.signer, rand.Reader, tbs, s.opts)
	if err != nil {
		return nil, fmt.Errorf("hybrid: %s: %w", op, err)
	}
	// A signer can be anything: what it returns is checked before it leaves here.
	if err := checkSigned(op, signed{tbs, s.algorithm, signature}, s.known, s.spki); err != nil {
		return nil, fmt.Errorf("hybrid: %s: the signer's signature: %w", op, err)
	}
	b = cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		pkcs.AddAlgorithm(b, s.algorithm)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}
