package hybrid

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// Errors of reading keys, beside [ErrSize], [ErrEncoding], [ErrAlgorithm] and
// [ErrInconsistent].
var (
	// ErrEncrypted is a private key that is encrypted with a password. This package does
	// not decrypt; openssl pkey does.
	ErrEncrypted = errors.New("hybrid: private key is encrypted")

	// ErrTooLarge is input that is larger than any key is, and was not looked at.
	ErrTooLarge = errors.New("hybrid: input too large")
)

const (
	// maxKeyFile is the size in bytes of the largest input that is looked at. The largest
	// keys have about 10 KB; PEM files may have text before.
	maxKeyFile = 64 << 10

	// maxRSABits is the size of the largest RSA modulus, and maxClassicalKey that in bytes of
	// the largest private key: RSAPrivateKey with such a modulus. Work with RSA grows with
	// the cube of its size.
	maxRSABits      = 16384
	maxClassicalKey = maxRSABits / 8 * 5
)

// The algorithms whose keys crypto/x509 reads and this package leaves to it.
var (
	oidRSA     = pkcs.NewOID(1, 2, 840, 113549, 1, 1, 1)
	oidEC      = pkcs.NewOID(1, 2, 840, 10045, 2, 1)
	oidEd25519 = pkcs.NewOID(1, 3, 101, 112)
	oidX25519  = pkcs.NewOID(1, 3, 101, 110)

	classical = map[pkcs.OID]bool{oidRSA: true, oidEC: true, oidEd25519: true, oidX25519: true}
)

// ParsePublicKey parses a public key in SubjectPublicKeyInfo form, in DER or as the one PEM
// block (PUBLIC KEY) of a file. By its algorithm it returns
//
//   - an *[mldsa.PublicKey],
//   - an *[mlkem.EncapsulationKey512], 768 or 1024,
//   - an [*XWingEncapsulationKey], [*CompositePublicKey] or [*CompositeEncapsulationKey],
//   - what [x509.ParsePKIXPublicKey] returns for RSA, ECDSA, Ed25519 and X25519.
//
// Errors match [ErrEncoding], [ErrTooLarge], [ErrAlgorithm], which names the algorithm, or
// are those of the key's own parser, such as [mldsa.ParsePKIXPublicKey].
func ParsePublicKey(data []byte) (crypto.PublicKey, error) {
	const op = "ParsePublicKey"
	der, _, err := keyDER(op, data, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	return parsePublicKey(op, der)
}

func parsePublicKey(op string, der []byte) (crypto.PublicKey, error) {
	k, err := pkcs.ParsePublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if f, ok := formats[k.OID]; ok {
		return f.parsePublic(der)
	}
	if !classical[k.OID] {
		return nil, &AlgorithmError{k.OID.String()}
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if key, ok := key.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSABits {
		return nil, newError(ErrTooLarge, "%s: RSA modulus of %d bits, want %d at most", op, key.N.BitLen(), maxRSABits)
	}
	return key, nil
}

// ParsePrivateKey parses a private key in PKCS #8 form (RFC 5958), in DER or as the one PEM
// block (PRIVATE KEY) of a file, in the clear. By its algorithm it returns
//
//   - an *[mldsa.PrivateKey],
//   - an *[mlkem.DecapsulationKey512], 768 or 1024,
//   - an [*XWingDecapsulationKey], [*CompositePrivateKey] or [*CompositeDecapsulationKey],
//   - what [x509.ParsePKCS8PrivateKey] returns for RSA, ECDSA, Ed25519 and X25519.
//
// PEM blocks of the older types RSA PRIVATE KEY and EC PRIVATE KEY are read too.
//
// Errors match [ErrEncoding], [ErrEncrypted], [ErrTooLarge], [ErrInconsistent],
// [ErrAlgorithm], which names the algorithm, or are those of the key's own parser, such as
// [mldsa.ParsePKCS8PrivateKey]. data is secret, and the caller's to wipe.
func ParsePrivateKey(data []byte) (crypto.PrivateKey, error) {
	const op = "ParsePrivateKey"
	der, blockType, err := keyDER(op, data, "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	if blockType != "" {
		defer clear(der)
	}
	if blockType == "" || blockType == "PRIVATE KEY" {
		return parsePrivateKey(op, der)
	}
	if err := checkClassicalKey(op, der); err != nil {
		return nil, err
	}
	var key crypto.PrivateKey
	if blockType == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(der)
	} else {
		key, err = x509.ParseECPrivateKey(der)
	}
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	return key, nil
}

func parsePrivateKey(op string, der []byte) (crypto.PrivateKey, error) {
	if isEncrypted(der) {
		return nil, newError(ErrEncrypted, "%s: the key is encrypted with a password", op)
	}
	k, err := pkcs.ParsePrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if f, ok := formats[k.OID]; ok {
		return f.parsePrivate(der)
	}
	if !classical[k.OID] {
		return nil, &AlgorithmError{k.OID.String()}
	}
	if err := checkClassicalKey(op, k.Key); err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: %v", op, err)
	}
	if k.PublicKey == nil {
		return key, nil
	}
	// crypto/x509 ignores the public key beside the private key.
	public, err := publicKeyBytes(op, key)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(public, k.PublicKey) {
		return nil, newError(ErrInconsistent, "%s: private key with the public key of another", op)
	}
	return key, nil
}

// publicKeyBytes returns the subjectPublicKey of a private key of crypto/x509.
func publicKeyBytes(op string, key crypto.PrivateKey) ([]byte, error) {
	private, ok := key.(interface{ Public() crypto.PublicKey })
	if !ok {
		return nil, newError(ErrAlgorithm, "%s: a %T has no public key", op, key)
	}
	der, err := MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	k, err := pkcs.ParsePublicKey(der)
	return k.Key, err
}

// checkClassicalKey checks what is inside of a classical private key, before crypto/x509 does:
// not all of that looks at what comes after, or at sizes.
func checkClassicalKey(op string, der []byte) error {
	s := cryptobyte.String(der)
	var element cryptobyte.String
	switch {
	case len(der) > maxClassicalKey:
		return newError(ErrTooLarge, "%s: private key of %d bytes, want %d at most", op, len(der), maxClassicalKey)
	case !s.ReadAnyASN1Element(&element, nil) || !s.Empty():
		return newError(ErrEncoding, "%s: the private key is not one element in DER", op)
	}
	return nil
}

// isEncrypted reports whether der is an EncryptedPrivateKeyInfo (RFC 5958, Section 3): an
// AlgorithmIdentifier and an OCTET STRING.
func isEncrypted(der []byte) bool {
	s := cryptobyte.String(der)
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) {
		return false
	}
	_, err := pkcs.ReadAlgorithm(&body)
	return err == nil && body.SkipASN1(asn1.OCTET_STRING) && body.Empty()
}

// keyDER returns the DER in data, which is DER or a file with one PEM block of one of the
// given types. blockType is "" if data was DER; otherwise der is a copy.
func keyDER(op string, data []byte, types ...string) (der []byte, blockType string, err error) {
	if len(data) > maxKeyFile {
		return nil, "", newError(ErrTooLarge, "%s: %d bytes, want %d at most", op, len(data), maxKeyFile)
	}
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return data, "", nil
	}
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" { // which openssl ecparam writes before a key
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, "", newError(ErrEncoding, "%s: malformed PEM", op)
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, "", newError(ErrEncrypted, "%s: the key is encrypted with a password", op)
	}
	known := false
	for _, t := range types {
		known = known || block.Type == t
	}
	switch {
	case !known:
		err = newError(ErrEncoding, "%s: PEM block of type %q, want %s", op, block.Type, types[0])
	case len(block.Headers) > 0:
		err = newError(ErrEncoding, "%s: PEM block with headers", op)
	case len(bytes.TrimSpace(rest)) > 0:
		err = newError(ErrEncoding, "%s: %d bytes after the PEM block", op, len(rest))
	default:
		return block.Bytes, block.Type, nil
	}
	clear(block.Bytes)
	return nil, "", err
}

// MarshalPKIXPublicKey returns a public key of any type that [ParsePublicKey] returns in
// SubjectPublicKeyInfo form, in DER. For another type the error matches [ErrAlgorithm], and
// for a key that is not usable it is that of the key's package.
func MarshalPKIXPublicKey(key crypto.PublicKey) ([]byte, error) {
	switch key := key.(type) {
	case *mldsa.PublicKey:
		return mldsa.MarshalPKIXPublicKey(key)
	case *mlkem.EncapsulationKey512, *mlkem.EncapsulationKey768, *mlkem.EncapsulationKey1024:
		return mlkem.MarshalPKIXPublicKey(key.(crypto.Encapsulator))
	case pkixMarshaler:
		return key.MarshalPKIX()
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, newError(ErrAlgorithm, "MarshalPKIXPublicKey: %v", err)
	}
	return der, nil
}

// MarshalPKCS8PrivateKey returns a private key of any type that [ParsePrivateKey] returns in
// PKCS #8 form, in DER: keys of ML-DSA and ML-KEM as seeds. The result is secret. For
// another type the error matches [ErrAlgorithm], and for a key that is not usable or has no
// seed it is that of the key's package.
func MarshalPKCS8PrivateKey(key crypto.PrivateKey) ([]byte, error) {
	switch key := key.(type) {
	case *mldsa.PrivateKey:
		return mldsa.MarshalPKCS8PrivateKey(key)
	case *mlkem.DecapsulationKey512, *mlkem.DecapsulationKey768, *mlkem.DecapsulationKey1024:
		return mlkem.MarshalPKCS8PrivateKey(key.(crypto.Decapsulator))
	case pkcs8Marshaler:
		return key.MarshalPKCS8()
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, newError(ErrAlgorithm, "MarshalPKCS8PrivateKey: %v", err)
	}
	return der, nil
}
