package hybrid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
)

// A classicalSignature is the classical half of a composite signature algorithm: what
// Section 4 of draft-ietf-lamps-pq-composite-sigs says of its encodings, and Section 6 of
// its parameters. op begins error messages.
type classicalSignature interface {
	generate() (crypto.Signer, error)
	parsePrivate(op string, b []byte) (crypto.Signer, error)
	marshalPrivate(sk crypto.Signer) []byte                    // nil if sk keeps its key to itself
	parsePublic(op string, b []byte) (crypto.PublicKey, error) // of publicKeySize bytes
	marshalPublic(op string, pk crypto.PublicKey) ([]byte, error)
	publicKeySize() int

	options() crypto.SignerOpts // with which a Signer makes such signatures
	verify(pk crypto.PublicKey, message, signature []byte) bool
	maxSignatureSize() int
	fixedSize() bool // whether all signatures have the maximum size
}

// An rsaSignature is RSASSA-PSS or RSASSA-PKCS1-v1_5 (RFC 8017, Section 8).
type rsaSignature struct {
	rsaKeys
	hash crypto.Hash
	pss  *rsa.PSSOptions // nil for PKCS #1 v1.5
}

// rsaPSS is PSS with a salt as long as the hash, which also generates the mask (Section 6.1).
func rsaPSS(bits int, hash crypto.Hash) rsaSignature {
	return rsaSignature{rsaKeys{bits}, hash, &rsa.PSSOptions{SaltLength: hash.Size(), Hash: hash}}
}

func rsaPKCS1v15(bits int, hash crypto.Hash) rsaSignature {
	return rsaSignature{rsaKeys{bits}, hash, nil}
}

func (s rsaSignature) generate() (crypto.Signer, error) { return s.rsaKeys.generate() }

func (s rsaSignature) parsePrivate(op string, b []byte) (crypto.Signer, error) {
	return s.rsaKeys.parsePrivate(op, b)
}

func (s rsaSignature) marshalPrivate(sk crypto.Signer) []byte {
	if sk, ok := sk.(*rsa.PrivateKey); ok {
		return s.rsaKeys.marshalPrivate(sk)
	}
	return nil
}

func (s rsaSignature) parsePublic(op string, b []byte) (crypto.PublicKey, error) {
	return s.rsaKeys.parsePublic(op, b)
}

func (s rsaSignature) marshalPublic(op string, pk crypto.PublicKey) ([]byte, error) {
	rsaPK, ok := pk.(*rsa.PublicKey)
	if !ok || rsaPK == nil {
		return nil, newError(ErrAlgorithm, "%s: a %T is not an RSA public key", op, pk)
	}
	return s.rsaKeys.marshalPublic(op, rsaPK)
}

func (s rsaSignature) options() crypto.SignerOpts {
	if s.pss != nil {
		return s.pss
	}
	return s.hash
}

func (s rsaSignature) verify(pk crypto.PublicKey, message, signature []byte) bool {
	var buf [maxHashSize]byte
	digest := appendHash(buf[:0], s.hash, message)
	if s.pss != nil {
		return rsa.VerifyPSS(pk.(*rsa.PublicKey), s.hash, digest, signature, s.pss) == nil
	}
	return rsa.VerifyPKCS1v15(pk.(*rsa.PublicKey), s.hash, digest, signature) == nil
}

func (s rsaSignature) maxSignatureSize() int { return s.modulusSize() }
func (s rsaSignature) fixedSize() bool       { return true }

// An ecdsaSignature is ECDSA (FIPS 186-5, Section 6) with signatures in DER.
type ecdsaSignature struct {
	*namedCurve
	elliptic elliptic.Curve
	hash     crypto.Hash
}

var (
	ecdsaP256 = ecdsaSignature{&curveP256, elliptic.P256(), crypto.SHA256}
	ecdsaP384 = ecdsaSignature{&curveP384, elliptic.P384(), crypto.SHA384}
	ecdsaP521 = ecdsaSignature{&curveP521, elliptic.P521(), crypto.SHA512}
)

func (s ecdsaSignature) generate() (crypto.Signer, error) {
	return ecdsa.GenerateKey(s.elliptic, rand.Reader)
}

func (s ecdsaSignature) parsePrivate(op string, b []byte) (crypto.Signer, error) {
	scalar, err := s.parseScalar(op, b)
	if err != nil {
		return nil, err
	}
	sk, err := ecdsa.ParseRawPrivateKey(s.elliptic, scalar)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: not a private key of %s", op, s.name)
	}
	return sk, nil
}

func (s ecdsaSignature) marshalPrivate(sk crypto.Signer) []byte {
	ecdsaSK, ok := sk.(*ecdsa.PrivateKey)
	if !ok {
		return nil
	}
	scalar, err := ecdsaSK.Bytes()
	if err != nil {
		return nil
	}
	defer clear(scalar)
	return s.marshalScalar(scalar)
}

func (s ecdsaSignature) parsePublic(op string, b []byte) (crypto.PublicKey, error) {
	pk, err := ecdsa.ParseUncompressedPublicKey(s.elliptic, b)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: not an uncompressed point of %s", op, s.name)
	}
	return pk, nil
}

func (s ecdsaSignature) marshalPublic(op string, pk crypto.PublicKey) ([]byte, error) {
	ecdsaPK, ok := pk.(*ecdsa.PublicKey)
	// Bytes would dereference coordinates that are nil.
	if !ok || ecdsaPK == nil || ecdsaPK.Curve != s.elliptic || ecdsaPK.X == nil || ecdsaPK.Y == nil {
		return nil, newError(ErrAlgorithm, "%s: a %T is not an ECDSA public key of %s", op, pk, s.name)
	}
	b, err := ecdsaPK.Bytes()
	if err != nil {
		return nil, newError(ErrEncoding, "%s: not a point of %s", op, s.name)
	}
	return b, nil
}

func (s ecdsaSignature) publicKeySize() int { return s.pointSize() }

func (s ecdsaSignature) options() crypto.SignerOpts { return s.hash }

func (s ecdsaSignature) verify(pk crypto.PublicKey, message, signature []byte) bool {
	var buf [maxHashSize]byte
	return ecdsa.VerifyASN1(pk.(*ecdsa.PublicKey), appendHash(buf[:0], s.hash, message), signature)
}

// maxSignatureSize is that of a SEQUENCE of two INTEGERs, with a leading zero each unless
// the order of the curve, as that of P-521, leaves the highest bit free.
func (s ecdsaSignature) maxSignatureSize() int {
	integer := 2 + s.elliptic.Params().N.BitLen()/8 + 1
	if 2*integer < 128 {
		return 2 + 2*integer
	}
	return 3 + 2*integer
}

func (s ecdsaSignature) fixedSize() bool { return false }

// ed25519Signature is pure Ed25519 (RFC 8032, Section 5.1), whose private key is its seed.
type ed25519Signature struct{}

func (ed25519Signature) generate() (crypto.Signer, error) {
	_, sk, err := ed25519.GenerateKey(nil)
	return sk, err
}

func (ed25519Signature) parsePrivate(op string, b []byte) (crypto.Signer, error) {
	if len(b) != ed25519.SeedSize {
		return nil, newError(ErrSize, "%s: Ed25519 private key of %d bytes, want %d", op, len(b), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(b), nil
}

func (ed25519Signature) marshalPrivate(sk crypto.Signer) []byte {
	if sk, ok := sk.(ed25519.PrivateKey); ok {
		return sk.Seed()
	}
	return nil
}

func (ed25519Signature) parsePublic(_ string, b []byte) (crypto.PublicKey, error) {
	return ed25519.PublicKey(append([]byte(nil), b...)), nil
}

func (ed25519Signature) marshalPublic(op string, pk crypto.PublicKey) ([]byte, error) {
	b, ok := pk.(ed25519.PublicKey)
	if !ok || len(b) != ed25519.PublicKeySize {
		return nil, newError(ErrAlgorithm, "%s: a %T of %d bytes is not an Ed25519 public key", op, pk, len(b))
	}
	return b, nil
}

func (ed25519Signature) publicKeySize() int         { return ed25519.PublicKeySize }
func (ed25519Signature) options() crypto.SignerOpts { return crypto.Hash(0) }

func (ed25519Signature) verify(pk crypto.PublicKey, message, signature []byte) bool {
	return ed25519.Verify(pk.(ed25519.PublicKey), message, signature)
}

func (ed25519Signature) maxSignatureSize() int { return ed25519.SignatureSize }
func (ed25519Signature) fixedSize() bool       { return true }

const maxHashSize = sha512.Size

// appendHash appends the hash of message with one of the draft's functions.
func appendHash(b []byte, h crypto.Hash, message []byte) []byte {
	switch h {
	case crypto.SHA256:
		sum := sha256.Sum256(message)
		return append(b, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(message)
		return append(b, sum[:]...)
	default:
		sum := sha512.Sum512(message)
		return append(b, sum[:]...)
	}
}
