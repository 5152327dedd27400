package mldsa

import (
	"bytes"
	"errors"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// Errors of the key formats, beside those of the keys in them.
var (
	// ErrEncoding is a key that is not in DER, or not in the format asked for.
	ErrEncoding = errors.New("mldsa: malformed encoding")

	// ErrAlgorithm is a key of another algorithm than ML-DSA. Such an error is an
	// [*AlgorithmError].
	ErrAlgorithm = errors.New("mldsa: not an ML-DSA key")

	// ErrNoSeed is the seed of a key that was made from an expanded key.
	ErrNoSeed = errors.New("mldsa: key without a seed")
)

// An AlgorithmError is a key of another algorithm than ML-DSA. It matches [ErrAlgorithm].
type AlgorithmError struct {
	OID string // of the algorithm, in dotted form
}

func (e *AlgorithmError) Error() string { return ErrAlgorithm.Error() + ", but of algorithm " + e.OID }
func (e *AlgorithmError) Unwrap() error { return ErrAlgorithm }

// A PrivateKeyForm is a form in which RFC 9881, Section 6, stores a private key.
type PrivateKeyForm int

const (
	// SeedForm is the seed of [PrivateKeySize] bytes, the recommended form, and the only
	// one that every implementation should read.
	SeedForm PrivateKeyForm = iota

	// ExpandedForm is the private key of FIPS 204.
	ExpandedForm

	// BothForm is the seed and the private key of FIPS 204.
	BothForm
)

// oids of the parameter sets (RFC 9881, Section 2).
var oids = map[*params]pkcs.OID{
	&params44: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 17),
	&params65: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 18),
	&params87: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 19),
}

// parametersOf returns the parameter set that a identifies.
func parametersOf(op string, a pkcs.Algorithm) (Parameters, error) {
	for p, oid := range oids {
		if a.OID != oid {
			continue
		}
		if err := a.Bare(); err != nil {
			return Parameters{}, newError(ErrEncoding, "%s: %v", op, err)
		}
		return Parameters{p}, nil
	}
	return Parameters{}, &AlgorithmError{a.OID.String()}
}

// ParsePKIXPublicKey parses a public key in SubjectPublicKeyInfo form (RFC 9881, Section
// 4), in DER. Errors match [ErrEncoding], [ErrAlgorithm] or [ErrSize].
func ParsePKIXPublicKey(der []byte) (*PublicKey, error) {
	const op = "ParsePKIXPublicKey"
	k, err := pkcs.ParsePublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	p, err := parametersOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	return NewPublicKey(p, k.Key)
}

// MarshalPKIXPublicKey returns a public key in SubjectPublicKeyInfo form, in DER. The error
// matches [ErrNoKey].
func MarshalPKIXPublicKey(pk *PublicKey) ([]byte, error) {
	if err := pk.check("MarshalPKIXPublicKey"); err != nil {
		return nil, err
	}
	return pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: oids[pk.p]}, Key: pk.encoded}.Marshal(), nil
}

// ParsePKCS8PrivateKey parses a private key in PKCS #8 form (RFC 5958), in DER, as a seed,
// as an expanded key, or as both (RFC 9881, Section 6).
//
// It refuses, with an error that matches [ErrInconsistent], what [NewPrivateKeyFromExpanded]
// refuses, an expanded key that is not that of the seed, and a public key beside the private
// key that is not its own. Other errors match [ErrEncoding], [ErrAlgorithm] or [ErrSize]. der
// is secret, and the caller's to wipe.
func ParsePKCS8PrivateKey(der []byte) (*PrivateKey, error) {
	const op = "ParsePKCS8PrivateKey"
	k, err := pkcs.ParsePrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	p, err := parametersOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	forms, err := pkcs.ParseForms(k.Key)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if forms.Expanded != nil {
		if err := checkSize(op, p.name, "expanded private key", len(forms.Expanded), p.expandedKeySize()); err != nil {
			return nil, err
		}
	}
	var sk *PrivateKey
	if forms.Seed != nil {
		sk, err = NewPrivateKey(p, forms.Seed)
	} else {
		sk, err = NewPrivateKeyFromExpanded(p, forms.Expanded)
	}
	if err != nil {
		return nil, err
	}
	what := ""
	switch {
	case forms.Expanded != nil && !publicCheck(sk.expandsTo(forms.Expanded)):
		what = "the expanded key is not that of the seed"
	case k.PublicKey != nil && !bytes.Equal(k.PublicKey, sk.pk.encoded):
		what = "the public key beside it is that of another"
	}
	if what != "" {
		sk.Destroy()
		return nil, newError(ErrInconsistent, "%s: %s private key: %s", op, p.name, what)
	}
	return sk, nil
}

// MarshalPKCS8PrivateKey returns a private key in PKCS #8 form, in DER, as a seed. The
// result is secret. The error matches [ErrNoKey], [ErrDestroyed], or [ErrNoSeed] if the key
// was made from an expanded key: readers of seeds alone are common, crypto/x509 among them,
// and [MarshalPKCS8PrivateKeyForm] writes such a key as what it is.
func MarshalPKCS8PrivateKey(sk *PrivateKey) ([]byte, error) {
	return marshalPKCS8("MarshalPKCS8PrivateKey", sk, SeedForm)
}

// MarshalPKCS8PrivateKeyForm is [MarshalPKCS8PrivateKey] in the given form. A form that
// there is not is an error that matches [ErrEncoding].
func MarshalPKCS8PrivateKeyForm(sk *PrivateKey, form PrivateKeyForm) ([]byte, error) {
	return marshalPKCS8("MarshalPKCS8PrivateKeyForm", sk, form)
}

func marshalPKCS8(op string, sk *PrivateKey, form PrivateKeyForm) ([]byte, error) {
	if err := sk.check(op); err != nil {
		return nil, err
	}
	var forms pkcs.Forms
	switch form {
	case SeedForm:
		forms.Seed = sk.seed[:]
	case ExpandedForm:
		forms.Expanded = sk.ExpandedBytes()
	case BothForm:
		forms.Seed, forms.Expanded = sk.seed[:], sk.ExpandedBytes()
	default:
		return nil, newError(ErrEncoding, "%s: no form %d of a private key", op, int(form))
	}
	defer clear(forms.Expanded)
	if forms.Seed != nil && !sk.seeded {
		return nil, newError(ErrNoSeed, "%s: the key was made from an expanded key and has no seed; ExpandedForm writes it", op)
	}
	return pkcs.MarshalForms(oids[sk.pk.p], forms), nil
}
