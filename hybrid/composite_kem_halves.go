package hybrid

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"sync"

	"github.com/pqlane/pqlane/mlkem"
)

// A compositeMLKEM is a parameter set as half of a composite KEM. Sizes are in bytes.
type compositeMLKEM struct {
	encapsulationKeySize, ciphertextSize int

	newPublic  func(b []byte) (crypto.Encapsulator, error)
	newPrivate func(seed []byte) (mlkemPrivate, error)
}

// mlkemPrivate has the methods that decapsulation keys of all sets share.
type mlkemPrivate interface {
	crypto.Decapsulator
	Bytes() []byte
	Destroy()
}

var (
	compositeMLKEM768 = compositeMLKEM{
		mlkem.EncapsulationKeySize768, mlkem.CiphertextSize768,
		func(b []byte) (crypto.Encapsulator, error) { return mlkem.NewEncapsulationKey768(b) },
		func(seed []byte) (mlkemPrivate, error) { return mlkem.NewDecapsulationKey768(seed) },
	}
	compositeMLKEM1024 = compositeMLKEM{
		mlkem.EncapsulationKeySize1024, mlkem.CiphertextSize1024,
		func(b []byte) (crypto.Encapsulator, error) { return mlkem.NewEncapsulationKey1024(b) },
		func(seed []byte) (mlkemPrivate, error) { return mlkem.NewDecapsulationKey1024(seed) },
	}
)

// A classicalKEM is the classical half of a composite KEM: what Section 4 of
// draft-ietf-lamps-pq-composite-kem says of its encodings, and Section 2 of how it becomes
// a KEM. op begins error messages.
type classicalKEM interface {
	generate() (classicalPrivate, error)
	parsePrivate(op string, b []byte) (classicalPrivate, error)
	parsePublic(op string, b []byte) (classicalPublic, error) // of publicKeySize bytes
	publicKeySize() int
	ciphertextSize() int
}

// A classicalPublic encapsulates to a key that was checked when it was parsed.
type classicalPublic interface {
	encapsulate() (secret, ciphertext []byte, err error)
}

type classicalPrivate interface {
	public() []byte // encoded
	bytes() []byte
	decapsulate(ciphertext []byte) (secret []byte, err error) // ciphertext has the right size
	destroy()
}

// rsaOAEP is RSAES-OAEP with SHA-256, MGF1 with SHA-256 and the empty label, of 32 random
// bytes (Sections 2.1 and 6.1).
type rsaOAEP struct{ rsaKeys }

const oaepSecretSize = 32

type (
	rsaPublic  rsa.PublicKey
	rsaPrivate struct{ *rsa.PrivateKey }
)

func (k rsaOAEP) ciphertextSize() int { return k.modulusSize() }

func (k rsaOAEP) generate() (classicalPrivate, error) {
	sk, err := k.rsaKeys.generate()
	return rsaPrivate{sk}, err
}

func (k rsaOAEP) parsePrivate(op string, b []byte) (classicalPrivate, error) {
	sk, err := k.rsaKeys.parsePrivate(op, b)
	return rsaPrivate{sk}, err
}

func (k rsaOAEP) parsePublic(op string, b []byte) (classicalPublic, error) {
	pk, err := k.rsaKeys.parsePublic(op, b)
	return (*rsaPublic)(pk), err
}

func (pk *rsaPublic) encapsulate() (secret, ciphertext []byte, err error) {
	secret = make([]byte, oaepSecretSize)
	rand.Read(secret)
	ciphertext, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, (*rsa.PublicKey)(pk), secret, nil)
	return secret, ciphertext, err
}

func (sk rsaPrivate) public() []byte {
	b, _ := rsaKeys{sk.N.BitLen()}.marshalPublic("", &sk.PublicKey)
	return b
}

func (sk rsaPrivate) bytes() []byte { return rsaKeys{}.marshalPrivate(sk.PrivateKey) }

func (sk rsaPrivate) decapsulate(ciphertext []byte) ([]byte, error) {
	secret, err := rsa.DecryptOAEP(sha256.New(), nil, sk.PrivateKey, ciphertext, nil)
	if err == nil && len(secret) != oaepSecretSize {
		clear(secret)
		secret, err = nil, rsa.ErrDecryption
	}
	return secret, err
}

func (sk rsaPrivate) destroy() { destroyClassical(sk.PrivateKey) }

// An ecdhKEM is a Diffie-Hellman exchange with an ephemeral key, which is the ciphertext
// (Section 2.2). Private keys are ECPrivateKey, or with X25519 32 bytes.
type ecdhKEM struct {
	ecdh.Curve
	named *namedCurve // nil for X25519
}

var (
	ecdhX25519 = ecdhKEM{ecdh.X25519(), nil}
	ecdhP256   = ecdhKEM{ecdh.P256(), &curveP256}
	ecdhP384   = ecdhKEM{ecdh.P384(), &curveP384}
	ecdhP521   = ecdhKEM{ecdh.P521(), &curveP521}
)

const x25519Size = 32

type ecdhPrivate struct {
	*ecdh.PrivateKey
	curve ecdhKEM
}

type ecdhPublic struct{ *ecdh.PublicKey }

func (k ecdhKEM) publicKeySize() int {
	if k.named == nil {
		return x25519Size
	}
	return k.named.pointSize()
}

func (k ecdhKEM) ciphertextSize() int { return k.publicKeySize() }

func (k ecdhKEM) generate() (classicalPrivate, error) {
	sk, err := k.GenerateKey(rand.Reader)
	return ecdhPrivate{sk, k}, err
}

func (k ecdhKEM) parsePrivate(op string, b []byte) (classicalPrivate, error) {
	scalar := b
	if k.named != nil {
		var err error
		if scalar, err = k.named.parseScalar(op, b); err != nil {
			return nil, err
		}
	} else if len(b) != x25519Size {
		return nil, newError(ErrSize, "%s: X25519 private key of %d bytes, want %d", op, len(b), x25519Size)
	}
	sk, err := k.NewPrivateKey(scalar)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: not a private key of %v", op, k.Curve)
	}
	return ecdhPrivate{sk, k}, nil
}

func (k ecdhKEM) parsePublic(op string, b []byte) (classicalPublic, error) {
	pk, err := k.NewPublicKey(b)
	if err != nil {
		return nil, newError(ErrEncoding, "%s: not an uncompressed point of %v", op, k.Curve)
	}
	if k.named == nil {
		// A point of small order gives the zero secret with every scalar, which ECDH
		// refuses: here, where there is an error to return, and not in encapsulate.
		if _, err := anyX25519Key().ECDH(pk); err != nil {
			return nil, newError(ErrEncoding, "%s: X25519 public key of small order", op)
		}
	}
	return ecdhPublic{pk}, nil
}

// anyX25519Key returns a key that is no secret.
var anyX25519Key = sync.OnceValue(func() *ecdh.PrivateKey {
	sk, err := ecdh.X25519().NewPrivateKey(make([]byte, x25519Size))
	if err != nil {
		panic("hybrid: X25519 is unavailable: " + err.Error()) // but a public key was made
	}
	return sk
})

func (pk ecdhPublic) encapsulate() (secret, ciphertext []byte, err error) {
	ephemeral, err := pk.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	secret, err = ephemeral.ECDH(pk.PublicKey)
	return secret, ephemeral.PublicKey().Bytes(), err
}

func (sk ecdhPrivate) public() []byte { return sk.PublicKey().Bytes() }

func (sk ecdhPrivate) bytes() []byte {
	scalar := sk.Bytes()
	if sk.curve.named == nil {
		return scalar
	}
	defer clear(scalar)
	return sk.curve.named.marshalScalar(scalar)
}

func (sk ecdhPrivate) decapsulate(ciphertext []byte) ([]byte, error) {
	ephemeral, err := sk.Curve().NewPublicKey(ciphertext)
	if err != nil {
		return nil, err
	}
	return sk.ECDH(ephemeral)
}

// destroy leaves the key to the garbage collector: crypto/ecdh has no way to zero it.
func (sk ecdhPrivate) destroy() {}
