package hsm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // digests of messages
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// digestInfos are the prefixes of digests in PKCS #1 v1.5 signatures (RFC 8017, Section 9.2), and the
// numbers of CKM_* and CKG_MGF1_*.
var digestInfos = map[crypto.Hash]struct {
	prefix    []byte
	hash, mgf uint
}{
	crypto.SHA224: {[]byte{0x30, 0x2d, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4, 5, 0, 4, 28}, 0x255, 5},
	crypto.SHA256: {[]byte{0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32}, 0x250, 2},
	crypto.SHA384: {[]byte{0x30, 0x41, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 48}, 0x260, 3},
	crypto.SHA512: {[]byte{0x30, 0x51, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 64}, 0x270, 4},
}

// classicalJob prepares an RSA, ECDSA or Ed25519 signature.
func (s *Signer) classicalJob(j *job, content []byte, opts crypto.SignerOpts, message bool) error {
	if opts == nil {
		opts = crypto.Hash(0)
	}
	switch o := opts.(type) {
	case *rsa.PSSOptions:
		if o == nil {
			return fmt.Errorf("%w: nil %T", ErrOptions, opts)
		}
	case *ed25519.Options:
		if o == nil || o.Hash != 0 || o.Context != "" {
			return fmt.Errorf("%w: Ed25519 with a hash function or a context", ErrOptions)
		}
	case crypto.Hash:
	default:
		return fmt.Errorf("%w: %T for %s", ErrOptions, opts, s.info.Algorithm)
	}
	hash := opts.HashFunc()
	if public, ok := s.info.Public.(ed25519.PublicKey); ok {
		if hash != 0 {
			return fmt.Errorf("%w: Ed25519 signs messages, not digests", ErrOptions)
		}
		j.mechanism, j.input, j.size, j.verify = mechanism{number: ckmEdDSA}, content, ed25519.SignatureSize, true
		j.check = func(signature []byte) error {
			if !ed25519.Verify(public, j.input, signature) {
				return errVerify
			}
			return nil
		}
		return nil
	}
	if hash == 0 || !hash.Available() {
		return fmt.Errorf("%w: %s needs a hash function, not %d", ErrOptions, s.info.Algorithm, uint(hash))
	}
	digest := content
	if message {
		h := hash.New()
		h.Write(content)
		digest = h.Sum(nil)
	}
	if len(digest) != hash.Size() {
		return fmt.Errorf("%w: a digest of %d bytes, expected %d of %v", ErrSize, len(digest), hash.Size(), hash)
	}
	digest = bytes.Clone(digest)
	switch public := s.info.Public.(type) {
	case *rsa.PublicKey:
		return rsaJob(j, public, hash, digest, opts)
	case *ecdsa.PublicKey:
		size := (public.Curve.Params().BitSize + 7) / 8
		j.mechanism, j.input, j.size = mechanism{number: ckmECDSA}, digest[:min(len(digest), size)], 2*size
		j.encode = encodeECDSA
		j.check = func(signature []byte) error {
			if !ecdsa.VerifyASN1(public, digest, signature) {
				return errVerify
			}
			return nil
		}
		return nil
	}
	return fmt.Errorf("%w: %T", ErrKeyType, s.info.Public)
}

func rsaJob(j *job, public *rsa.PublicKey, hash crypto.Hash, digest []byte, opts crypto.SignerOpts) error {
	numbers, ok := digestInfos[hash]
	if !ok {
		return fmt.Errorf("%w: RSA with %v", ErrOptions, hash)
	}
	j.size, j.verify = public.Size(), true // one wrong signature can give the modulus's factors away
	pss, ok := opts.(*rsa.PSSOptions)
	if !ok {
		j.mechanism = mechanism{number: ckmRSAPKCS}
		j.input = append(numbers.prefix[:len(numbers.prefix):len(numbers.prefix)], digest...)
		j.check = func(signature []byte) error { return rsa.VerifyPKCS1v15(public, hash, digest, signature) }
		return nil
	}
	salt := pss.SaltLength
	switch {
	case salt == rsa.PSSSaltLengthAuto:
		salt = (public.N.BitLen()-1+7)/8 - 2 - hash.Size()
	case salt == rsa.PSSSaltLengthEqualsHash:
		salt = hash.Size()
	case salt < 0:
		return fmt.Errorf("%w: a salt of %d bytes", ErrOptions, salt)
	}
	j.mechanism = mechanism{number: ckmRSAPSS, parameter: pssParameter, a: numbers.hash, b: numbers.mgf, c: uint(salt)}
	j.input = digest
	j.check = func(signature []byte) error {
		return rsa.VerifyPSS(public, hash, digest, signature, &rsa.PSSOptions{SaltLength: salt})
	}
	return nil
}

// encodeECDSA returns r ‖ s in DER.
func encodeECDSA(raw []byte) ([]byte, error) {
	return asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(raw[:len(raw)/2]), new(big.Int).SetBytes(raw[len(raw)/2:]),
	})
}
