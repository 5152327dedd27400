package hsm

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"fmt"
	"reflect"
	"slices"

	"github.com/pqlane/pqlane/mldsa"
)

// hashMu is crypto.MLDSAMu, which Go 1.26 lacks.
const hashMu crypto.Hash = 20

const maxContext = 255

// mldsaOptions returns the options of a signature, and whether it is of μ.
func mldsaOptions(opts crypto.SignerOpts) (o SignOptions, mu bool, err error) {
	switch opts := opts.(type) {
	case nil:
	case *SignOptions:
		if opts != nil {
			o = *opts
		}
	case *mldsa.Options:
		if opts != nil {
			o.Context = opts.Context
		}
	case crypto.Hash:
		if opts != 0 && opts != hashMu {
			return o, false, fmt.Errorf("%w: ML-DSA signs messages, not digests of %v", ErrOptions, uint(opts))
		}
		mu = opts == hashMu
	default:
		if v := reflect.ValueOf(opts); v.Kind() == reflect.Pointer && v.IsNil() || opts.HashFunc() != hashMu {
			return o, false, fmt.Errorf("%w: %T", ErrOptions, opts)
		}
		mu = true
	}
	switch {
	case len(o.Context) > maxContext:
		return o, false, fmt.Errorf("%w: %d", ErrContext, len(o.Context))
	case o.Hedge > Deterministic:
		return o, false, fmt.Errorf("%w: %d", ErrHedge, o.Hedge)
	case o.PreHash != 0 && o.PreHash.Size() == 0:
		return o, false, fmt.Errorf("%w: no such hash function: %d", ErrOptions, o.PreHash)
	}
	return o, mu, nil
}

// number returns CKH_HEDGE_PREFERRED, CKH_HEDGE_REQUIRED or CKH_DETERMINISTIC_REQUIRED.
func (h Hedge) number() uint {
	return [...]uint{HedgeRequired: 1, HedgePreferred: 0, Deterministic: 2}[h]
}

// mldsaJob prepares an ML-DSA signature of content, a message or what crypto.Signer takes.
func (s *Signer) mldsaJob(j *job, content []byte, opts crypto.SignerOpts, message bool) error {
	o, mu, err := mldsaOptions(opts)
	if err != nil {
		return err
	}
	j.mechanism = mechanism{number: s.numbers.MLDSA, parameter: signContext, a: o.Hedge.number(), context: o.Context}
	j.input, j.size = content, parametersOf(s.info.Algorithm).SignatureSize()
	j.verify = o.Hedge != HedgeRequired
	switch {
	case mu && !message: // of a message it is what ML-DSA does anyway
		return s.muJob(j)
	case o.PreHash != 0:
		return s.preHashJob(j, o, message)
	}
	return nil
}

func (s *Signer) mldsaVerifier() *mldsa.Verifier {
	v := s.verifier.Load()
	if v == nil {
		v = s.info.Public.(*mldsa.PublicKey).Precompute()
		s.verifier.Store(v)
	}
	return v
}

func (s *Signer) muJob(j *job) error {
	if len(j.input) != mldsa.MuSize {
		return fmt.Errorf("%w: a μ of %d bytes, expected %d", ErrSize, len(j.input), mldsa.MuSize)
	}
	if !s.capabilities.Mu {
		return &UnsupportedError{"external μ", "PKCS #11 3.2 has no mechanism for it, and Mechanisms.MLDSAMu is not one of the token's"}
	}
	j.mechanism.number = s.numbers.MLDSAMu
	mu := [mldsa.MuSize]byte(j.input)
	j.check = func(signature []byte) error { return s.mldsaVerifier().VerifyMu(&mu, signature) }
	return nil
}

// preHashJob prepares a HashML-DSA signature: of the digest, if the token signs digests, else with
// the mechanism in which the token hashes the message.
func (s *Signer) preHashJob(j *job, o SignOptions, message bool) error {
	numbers := hashMechanism(o.PreHash)
	digest := j.input
	if message {
		digest = digestOf(o.PreHash, j.input)
	}
	if len(digest) != o.PreHash.Size() {
		return fmt.Errorf("%w: a digest of %d bytes, expected %d of %v", ErrSize, len(digest), o.PreHash.Size(), o.PreHash)
	}
	switch {
	case s.capabilities.PreHash && numbers.digest != 0:
		j.input = digest
		j.mechanism.number, j.mechanism.parameter, j.mechanism.b = s.numbers.HashMLDSA, hashSignContext, numbers.digest
	case message && slices.Contains(s.capabilities.TokenHash, o.PreHash.String()):
		j.mechanism.number = numbers.combined
	default:
		return &UnsupportedError{"HashML-DSA with " + o.PreHash.String(), "it lacks the mechanism"}
	}
	digest = slices.Clone(digest)
	j.check = func(signature []byte) error {
		return mldsa.VerifyPreHash(s.info.Public.(*mldsa.PublicKey), o.PreHash, digest, signature, &mldsa.Options{Context: o.Context})
	}
	return nil
}

// digestOf hashes a message as HashML-DSA does.
func digestOf(h mldsa.PreHash, message []byte) []byte {
	switch h {
	case mldsa.SHA224:
		d := sha256.Sum224(message)
		return d[:]
	case mldsa.SHA256:
		d := sha256.Sum256(message)
		return d[:]
	case mldsa.SHA384:
		d := sha512.Sum384(message)
		return d[:]
	case mldsa.SHA512:
		d := sha512.Sum512(message)
		return d[:]
	case mldsa.SHA512_224:
		d := sha512.Sum512_224(message)
		return d[:]
	case mldsa.SHA512_256:
		d := sha512.Sum512_256(message)
		return d[:]
	case mldsa.SHA3_224:
		d := sha3.Sum224(message)
		return d[:]
	case mldsa.SHA3_256:
		d := sha3.Sum256(message)
		return d[:]
	case mldsa.SHA3_384:
		d := sha3.Sum384(message)
		return d[:]
	case mldsa.SHA3_512:
		d := sha3.Sum512(message)
		return d[:]
	case mldsa.SHAKE128:
		return sha3.SumSHAKE128(message, h.Size())
	case mldsa.SHAKE256:
		return sha3.SumSHAKE256(message, h.Size())
	}
	return nil
}
