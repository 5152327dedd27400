package mlkem

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"errors"

	"github.com/pqlane/pqlane/internal/pkcs"
)

// Errors of the key formats, beside those of the keys in them.
var (
	// ErrEncoding is a key that is not in DER, or not in the format asked for.
	ErrEncoding = errors.New("mlkem: malformed encoding")

	// ErrAlgorithm is a key of another algorithm than ML-KEM. Such an error is an
	// [*AlgorithmError].
	ErrAlgorithm = errors.New("mlkem: not an ML-KEM key")

	// ErrInconsistent is a private key whose parts don't belong together.
	ErrInconsistent = errors.New("mlkem: inconsistent private key")

	// ErrNoSeed is the seed of a key that was made from an expanded key.
	ErrNoSeed = errors.New("mlkem: key without a seed")
)

// An AlgorithmError is a key of another algorithm than ML-KEM. It matches [ErrAlgorithm].
type AlgorithmError struct {
	OID string // of the algorithm, in dotted form
}

func (e *AlgorithmError) Error() string { return ErrAlgorithm.Error() + ", but of algorithm " + e.OID }
func (e *AlgorithmError) Unwrap() error { return ErrAlgorithm }

// A PrivateKeyForm is a form in which RFC 9935, Section 6, stores a private key.
type PrivateKeyForm int

const (
	// SeedForm is the seed of [SeedSize] bytes, the recommended form, and the only one
	// that every implementation should read.
	SeedForm PrivateKeyForm = iota

	// ExpandedForm is the decapsulation key of FIPS 203.
	ExpandedForm

	// BothForm is the seed and the decapsulation key.
	BothForm
)

// anyDecapsulationKey has the methods that all decapsulation keys share.
type anyDecapsulationKey interface {
	crypto.Decapsulator
	AppendEncapsulationKey(b []byte) ([]byte, error)
	Bytes() []byte
	ExpandedBytes() []byte
	Destroy()
	check(op string) error
}

// A pkixSet is a parameter set as RFC 9935 identifies it.
type pkixSet struct {
	*params
	oid         pkcs.OID
	newPublic   func(b []byte) (crypto.Encapsulator, error)
	newSeed     func(b []byte) (anyDecapsulationKey, error)
	newExpanded func(b []byte) (anyDecapsulationKey, error)
}

func newPKIXSet[E crypto.Encapsulator, D anyDecapsulationKey](
	p *params, arc uint, newPublic func([]byte) (E, error), newSeed, newExpanded func([]byte) (D, error),
) pkixSet {
	return pkixSet{
		p, pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 4, arc),
		func(b []byte) (crypto.Encapsulator, error) { return newPublic(b) },
		func(b []byte) (anyDecapsulationKey, error) { return newSeed(b) },
		func(b []byte) (anyDecapsulationKey, error) { return newExpanded(b) },
	}
}

var (
	pkix512  = newPKIXSet(&params512, 1, NewEncapsulationKey512, NewDecapsulationKey512, NewDecapsulationKey512FromExpanded)
	pkix768  = newPKIXSet(&params768, 2, NewEncapsulationKey768, NewDecapsulationKey768, NewDecapsulationKey768FromExpanded)
	pkix1024 = newPKIXSet(&params1024, 3, NewEncapsulationKey1024, NewDecapsulationKey1024, NewDecapsulationKey1024FromExpanded)
)

// pkixSetOf returns the parameter set that a identifies (RFC 9935, Section 3).
func pkixSetOf(op string, a pkcs.Algorithm) (*pkixSet, error) {
	for _, s := range []*pkixSet{&pkix512, &pkix768, &pkix1024} {
		if a.OID != s.oid {
			continue
		}
		if err := a.Bare(); err != nil {
			return nil, newError(ErrEncoding, "%s: %v", op, err)
		}
		return s, nil
	}
	return nil, &AlgorithmError{a.OID.String()}
}

// ParsePKIXPublicKey parses an encapsulation key in SubjectPublicKeyInfo form (RFC 9935,
// Section 4), in DER. It returns an *[EncapsulationKey512], *[EncapsulationKey768] or
// *[EncapsulationKey1024].
//
// Errors match [ErrEncoding], [ErrAlgorithm], [ErrSize] or [ErrCoefficient].
func ParsePKIXPublicKey(der []byte) (crypto.Encapsulator, error) {
	const op = "ParsePKIXPublicKey"
	k, err := pkcs.ParsePublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	s, err := pkixSetOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	ek, err := s.newPublic(k.Key)
	if err != nil {
		return nil, err // without the typed nil
	}
	return ek, nil
}

// MarshalPKIXPublicKey returns an encapsulation key of this package in SubjectPublicKeyInfo
// form, in DER. The error matches [ErrNoKey], or [ErrAlgorithm] if the key is of another
// type.
func MarshalPKIXPublicKey(key crypto.Encapsulator) ([]byte, error) {
	const op = "MarshalPKIXPublicKey"
	var s *pkixSet
	var err error
	switch key := key.(type) {
	case *EncapsulationKey512:
		s, err = &pkix512, key.check(op)
	case *EncapsulationKey768:
		s, err = &pkix768, key.check(op)
	case *EncapsulationKey1024:
		s, err = &pkix1024, key.check(op)
	default:
		err = newError(ErrAlgorithm, "%s: a %T is not an encapsulation key of this package", op, key)
	}
	if err != nil {
		return nil, err
	}
	return pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: s.oid}, Key: key.Bytes()}.Marshal(), nil
}

// ParsePKCS8PrivateKey parses a decapsulation key in PKCS #8 form (RFC 5958), in DER, as
// a seed, as an expanded key, or as both (RFC 9935, Section 6). It returns a
// *[DecapsulationKey512], *[DecapsulationKey768] or *[DecapsulationKey1024].
//
// It refuses, with an error that matches [ErrInconsistent], an expanded key that is not that
// of the seed, one that does not decapsulate what its encapsulation key encapsulates, and a
// public key beside the private key that is not its own. Other errors match [ErrEncoding],
// [ErrAlgorithm], [ErrSize], [ErrCoefficient] or [ErrHash]. der is secret, and the caller's
// to wipe.
func ParsePKCS8PrivateKey(der []byte) (crypto.Decapsulator, error) {
	const op = "ParsePKCS8PrivateKey"
	k, err := pkcs.ParsePrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	s, err := pkixSetOf(op, k.Algorithm)
	if err != nil {
		return nil, err
	}
	forms, err := pkcs.ParseForms(k.Key)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	var dk anyDecapsulationKey
	if forms.Seed != nil {
		dk, err = s.newSeed(forms.Seed)
	} else {
		dk, err = s.newExpanded(forms.Expanded)
	}
	if err != nil {
		return nil, err
	}
	if err := s.consistent(op, dk, forms, k.PublicKey); err != nil {
		dk.Destroy()
		return nil, err
	}
	return dk, nil
}

// consistent returns an error if dk, made from one of the forms, is not all of them, or
// public is not nil and not its encapsulation key.
func (s *pkixSet) consistent(op string, dk anyDecapsulationKey, forms pkcs.Forms, public []byte) error {
	switch {
	case forms.Expanded == nil:
	case forms.Seed == nil:
		// FIPS 203, Section 7.1, pair-wise consistency: no check of the encoding sees an ŝ
		// that does not belong to t̂.
		sharedKey, ciphertext := dk.Encapsulator().Encapsulate()
		decapsulated, err := dk.Decapsulate(ciphertext)
		same := err == nil && publicCheck(subtle.ConstantTimeCompare(sharedKey, decapsulated) == 1)
		clear(sharedKey)
		clear(decapsulated)
		if !same {
			return newError(ErrInconsistent, "%s: %s private key does not decapsulate what its encapsulation key encapsulates", op, s.name)
		}
	default:
		if err := checkSize(op, s.name, "expanded decapsulation key", len(forms.Expanded), s.expandedKeySize()); err != nil {
			return err
		}
		expanded := dk.ExpandedBytes()
		same := publicCheck(subtle.ConstantTimeCompare(expanded, forms.Expanded) == 1)
		clear(expanded)
		if !same {
			return newError(ErrInconsistent, "%s: %s private key: the expanded key is not that of the seed", op, s.name)
		}
	}
	if public != nil && !bytes.Equal(public, dk.Encapsulator().Bytes()) {
		return newError(ErrInconsistent, "%s: %s private key with the public key of another", op, s.name)
	}
	return nil
}

// MarshalPKCS8PrivateKey returns a decapsulation key of this package in PKCS #8 form, in
// DER, as a seed. The result is secret. The error matches [ErrNoKey], [ErrDestroyed],
// [ErrAlgorithm] if the key is of another type, or [ErrNoSeed] if it was made from an
// expanded key: readers of seeds alone are common, and [MarshalPKCS8PrivateKeyForm] writes
// such a key as what it is.
func MarshalPKCS8PrivateKey(key crypto.Decapsulator) ([]byte, error) {
	return marshalPKCS8("MarshalPKCS8PrivateKey", key, SeedForm)
}

// MarshalPKCS8PrivateKeyForm is [MarshalPKCS8PrivateKey] in the given form. A form that
// there is not is an error that matches [ErrEncoding].
func MarshalPKCS8PrivateKeyForm(key crypto.Decapsulator, form PrivateKeyForm) ([]byte, error) {
	return marshalPKCS8("MarshalPKCS8PrivateKeyForm", key, form)
}

func marshalPKCS8(op string, key crypto.Decapsulator, form PrivateKeyForm) ([]byte, error) {
	var s *pkixSet
	switch key.(type) {
	case *DecapsulationKey512:
		s = &pkix512
	case *DecapsulationKey768:
		s = &pkix768
	case *DecapsulationKey1024:
		s = &pkix1024
	default:
		return nil, newError(ErrAlgorithm, "%s: a %T is not a decapsulation key of this package", op, key)
	}
	dk := key.(anyDecapsulationKey)
	if err := dk.check(op); err != nil {
		return nil, err
	}
	if form < SeedForm || form > BothForm {
		return nil, newError(ErrEncoding, "%s: no form %d of a private key", op, int(form))
	}
	var forms pkcs.Forms
	if form != ExpandedForm {
		if forms.Seed = dk.Bytes(); forms.Seed == nil {
			return nil, newError(ErrNoSeed, "%s: the key was made from an expanded key and has no seed; ExpandedForm writes it", op)
		}
		defer clear(forms.Seed)
	}
	if form != SeedForm {
		forms.Expanded = dk.ExpandedBytes()
		defer clear(forms.Expanded)
	}
	return pkcs.MarshalForms(s.oid, forms), nil
}
