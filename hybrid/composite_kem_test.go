package hybrid

import (
	"bytes"
	"crypto/ecdh"
	stdmlkem "crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/x509"
	"encoding/asn1"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mlkem"
)

// A draftKEM is what draft-ietf-lamps-pq-composite-kem says of an algorithm in Section 6
// and Appendix A: an account of its own beside the package's table.
type draftKEM struct {
	get                         func() KEMAlgorithm
	arc                         int
	name, label                 string
	set                         int // of ML-KEM
	classical                   any // bits of RSA, or a curve
	public, private, ciphertext int
}

var draftKEMs = []draftKEM{
	{MLKEM768RSA2048SHA3_256, 55, "MLKEM768-RSA2048-SHA3-256", "MLKEM768-RSAOAEP2048", 768, 2048, 1454, 1258, 1344},
	{MLKEM768RSA3072SHA3_256, 56, "MLKEM768-RSA3072-SHA3-256", "MLKEM768-RSAOAEP3072", 768, 3072, 1582, 1834, 1472},
	{MLKEM768RSA4096SHA3_256, 57, "MLKEM768-RSA4096-SHA3-256", "MLKEM768-RSAOAEP4096", 768, 4096, 1710, 2415, 1600},
	{MLKEM768X25519SHA3_256, 58, "MLKEM768-X25519-SHA3-256", "\x5c\x2e\x2f\x2f\x5e\x5c", 768, ecdh.X25519(), 1216, 96, 1120},
	{MLKEM768ECDHP256SHA3_256, 59, "MLKEM768-ECDH-P256-SHA3-256", "MLKEM768-P256", 768, ecdh.P256(), 1249, 115, 1153},
	{MLKEM768ECDHP384SHA3_256, 60, "MLKEM768-ECDH-P384-SHA3-256", "MLKEM768-P384", 768, ecdh.P384(), 1281, 128, 1185},
	{MLKEM1024RSA3072SHA3_256, 62, "MLKEM1024-RSA3072-SHA3-256", "MLKEM1024-RSAOAEP3072", 1024, 3072, 1966, 1834, 1952},
	{MLKEM1024ECDHP384SHA3_256, 63, "MLKEM1024-ECDH-P384-SHA3-256", "MLKEM1024-P384", 1024, ecdh.P384(), 1665, 128, 1665},
	{MLKEM1024ECDHP521SHA3_256, 66, "MLKEM1024-ECDH-P521-SHA3-256", "MLKEM1024-P521", 1024, ecdh.P521(), 1701, 146, 1701},
}

// mlkemSizes returns the sizes of the ML-KEM half.
func (d draftKEM) mlkemSizes() (public, ciphertext int) {
	if d.set == 768 {
		return 1184, 1088
	}
	return 1568, 1568
}

// key returns a decapsulation key whose RSA half, if it has one, has fixed primes.
func (d draftKEM) key(t testing.TB) *CompositeDecapsulationKey {
	bits, ok := d.classical.(int)
	if !ok {
		dk, err := GenerateCompositeDecapsulationKey(d.get())
		require.NoError(t, err)
		return dk
	}
	seed := make([]byte, 64)
	rand.Read(seed)
	dk, err := NewCompositeDecapsulationKey(d.get(), append(seed, x509.MarshalPKCS1PrivateKey(rsaTestKey(bits))...))
	require.NoError(t, err)
	return dk
}

// sharedKey combines the halves' secrets, independently of the package.
func (d draftKEM) sharedKey(mlkemSecret, secret, ciphertext, public []byte) []byte {
	all := bytes.Join([][]byte{mlkemSecret, secret, ciphertext, public, []byte(d.label)}, nil)
	sum := sha3.Sum256(all)
	return sum[:]
}

// onEveryKEM runs f for every composite KEM.
func onEveryKEM(t *testing.T, f func(t *testing.T, d draftKEM)) {
	for _, d := range draftKEMs {
		t.Run(d.name, func(t *testing.T) { f(t, d) })
	}
}

func TestKEMAlgorithmsAreThoseOfTheDraft(t *testing.T) {
	all := KEMAlgorithms()
	require.Len(t, all, len(draftKEMs))
	for i, d := range draftKEMs {
		a := d.get()
		assert.Equal(t, all[i], a)
		assert.Equal(t, d.name, a.String())
		assert.Equal(t, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, d.arc}, a.OID())
		assert.Equal(t, a.OID().String(), a.oid().String())
		assert.Equal(t, d.public, a.EncapsulationKeySize())
		assert.Equal(t, d.ciphertext, a.CiphertextSize())
	}
	var zero KEMAlgorithm
	assert.Equal(t, "no composite KEM", zero.String())
	assert.Nil(t, zero.OID())
	assert.Zero(t, zero.EncapsulationKeySize())
	assert.Zero(t, zero.CiphertextSize())
	_, err := GenerateCompositeDecapsulationKey(zero)
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = NewCompositeDecapsulationKey(zero, make([]byte, 96))
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = NewCompositeEncapsulationKey(zero, make([]byte, 1216))
	assert.ErrorIs(t, err, ErrAlgorithm)
}

// TestKEMHalvesAreTheStandardLibrarys decapsulates and encapsulates by crypto/mlkem and
// crypto/ecdh or crypto/rsa, combining the secrets here.
func TestKEMHalvesAreTheStandardLibrarys(t *testing.T) {
	onEveryKEM(t, func(t *testing.T, d draftKEM) {
		dk := d.key(t)
		ek := dk.EncapsulationKey()
		encoded, public := dk.Bytes(), ek.Bytes()
		ekSize, ctSize := d.mlkemSizes()
		tradPK := public[ekSize:]

		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			// We encapsulate, they decapsulate.
			sharedKey, ciphertext := ek.Encapsulate()
			require.Len(t, ciphertext, d.ciphertext)
			secret := classicalDecapsulate(t, d, dk, ciphertext[ctSize:])
			mlkemSecret := stdDecapsulate(t, d, encoded[:64], ciphertext[:ctSize])
			require.Equal(t, d.sharedKey(mlkemSecret, secret, ciphertext[ctSize:], tradPK), sharedKey)
			again, err := dk.Decapsulate(ciphertext)
			require.NoError(t, err)
			require.Equal(t, sharedKey, again)

			// They encapsulate, we decapsulate.
			mlkemSecret, first := stdEncapsulate(t, d, public[:ekSize])
			secret, second := classicalEncapsulate(t, d, tradPK)
			got, err := dk.Decapsulate(append(first, second...))
			require.NoError(t, err)
			require.Equal(t, d.sharedKey(mlkemSecret, secret, second, tradPK), got)
			restore()
		}
	})
}

func stdDecapsulate(t *testing.T, d draftKEM, seed, ciphertext []byte) []byte {
	var sharedKey []byte
	if d.set == 768 {
		dk, err := stdmlkem.NewDecapsulationKey768(seed)
		require.NoError(t, err)
		sharedKey, err = dk.Decapsulate(ciphertext)
		require.NoError(t, err)
	} else {
		dk, err := stdmlkem.NewDecapsulationKey1024(seed)
		require.NoError(t, err)
		sharedKey, err = dk.Decapsulate(ciphertext)
		require.NoError(t, err)
	}
	return sharedKey
}

func stdEncapsulate(t *testing.T, d draftKEM, public []byte) (sharedKey, ciphertext []byte) {
	if d.set == 768 {
		ek, err := stdmlkem.NewEncapsulationKey768(public)
		require.NoError(t, err)
		return ek.Encapsulate()
	}
	ek, err := stdmlkem.NewEncapsulationKey1024(public)
	require.NoError(t, err)
	return ek.Encapsulate()
}

func classicalDecapsulate(t *testing.T, d draftKEM, dk *CompositeDecapsulationKey, ciphertext []byte) []byte {
	private := dk.Bytes()[64:]
	if _, ok := d.classical.(int); ok {
		sk, err := x509.ParsePKCS1PrivateKey(private)
		require.NoError(t, err)
		secret, err := rsa.DecryptOAEP(sha256.New(), nil, sk, ciphertext, nil)
		require.NoError(t, err)
		require.Len(t, secret, 32)
		return secret
	}
	curve := d.classical.(ecdh.Curve)
	var sk *ecdh.PrivateKey
	if curve == ecdh.X25519() {
		var err error
		sk, err = curve.NewPrivateKey(private)
		require.NoError(t, err)
	} else {
		key, err := x509.ParseECPrivateKey(private)
		require.NoError(t, err)
		sk, err = key.ECDH()
		require.NoError(t, err)
	}
	peer, err := curve.NewPublicKey(ciphertext)
	require.NoError(t, err)
	secret, err := sk.ECDH(peer)
	require.NoError(t, err)
	return secret
}

func classicalEncapsulate(t *testing.T, d draftKEM, public []byte) (secret, ciphertext []byte) {
	if _, ok := d.classical.(int); ok {
		pk, err := x509.ParsePKCS1PublicKey(public)
		require.NoError(t, err)
		secret = make([]byte, 32)
		rand.Read(secret)
		ciphertext, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, pk, secret, nil)
		require.NoError(t, err)
		return secret, ciphertext
	}
	curve := d.classical.(ecdh.Curve)
	pk, err := curve.NewPublicKey(public)
	require.NoError(t, err)
	ephemeral, err := curve.GenerateKey(rand.Reader)
	require.NoError(t, err)
	secret, err = ephemeral.ECDH(pk)
	require.NoError(t, err)
	return secret, ephemeral.PublicKey().Bytes()
}

// TestX25519CompositeIsXWing: the two encapsulate to each other's keys.
func TestX25519CompositeIsXWing(t *testing.T) {
	dk := draftKEMs[3].key(t)
	xwing, err := NewXWingEncapsulationKey(dk.EncapsulationKey().Bytes())
	require.NoError(t, err)
	sharedKey, ciphertext := xwing.Encapsulate()
	got, err := dk.Decapsulate(ciphertext)
	require.NoError(t, err)
	assert.Equal(t, sharedKey, got)

	xwingKey, err := GenerateXWingKey()
	require.NoError(t, err)
	ek, err := NewCompositeEncapsulationKey(MLKEM768X25519SHA3_256(), xwingKey.EncapsulationKey().Bytes())
	require.NoError(t, err)
	sharedKey, ciphertext = ek.Encapsulate()
	got, err = xwingKey.Decapsulate(ciphertext)
	require.NoError(t, err)
	assert.Equal(t, sharedKey, got)
}

// TestRSADecapsulationKeysAreGenerated: the other tests have fixed primes.
func TestRSADecapsulationKeysAreGenerated(t *testing.T) {
	dk, err := GenerateCompositeDecapsulationKey(MLKEM768RSA2048SHA3_256())
	require.NoError(t, err)
	sharedKey, ciphertext := dk.Encapsulator().Encapsulate()
	got, err := dk.Decapsulate(ciphertext)
	require.NoError(t, err)
	assert.Equal(t, sharedKey, got)
}

func TestCompositeDecapsulationKeysEncode(t *testing.T) {
	onEveryKEM(t, func(t *testing.T, d draftKEM) {
		dk := d.key(t)
		a, ek := d.get(), dk.EncapsulationKey()
		assert.Equal(t, a, dk.Algorithm())
		assert.Equal(t, a, ek.Algorithm())
		assert.Len(t, ek.Bytes(), d.public)
		assert.LessOrEqual(t, len(dk.Bytes()), d.private)
		if _, ok := d.classical.(int); !ok {
			assert.Len(t, dk.Bytes(), d.private)
		}
		ekAgain, err := NewCompositeEncapsulationKey(a, ek.Bytes())
		require.NoError(t, err)
		assert.True(t, ek.Equal(ekAgain))
		spki, err := ek.MarshalPKIX()
		require.NoError(t, err)
		ekAgain, err = ParseCompositeEncapsulationKey(spki)
		require.NoError(t, err)
		assert.True(t, ek.Equal(ekAgain))
		assert.False(t, ek.Equal(nil))

		dkAgain, err := NewCompositeDecapsulationKey(a, dk.Bytes())
		require.NoError(t, err)
		assert.Equal(t, dk.Bytes(), dkAgain.Bytes())
		pkcs8, err := dk.MarshalPKCS8()
		require.NoError(t, err)
		dkAgain, err = ParseCompositeDecapsulationKey(pkcs8)
		require.NoError(t, err)
		assert.Equal(t, dk.Bytes(), dkAgain.Bytes())
		assert.Equal(t, ek.Bytes(), dkAgain.Encapsulator().Bytes())

		both := pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: a.oid()}, Key: dk.Bytes(), PublicKey: ek.Bytes()}
		_, err = ParseCompositeDecapsulationKey(both.Marshal())
		assert.NoError(t, err, "with the public key")
		both.PublicKey[len(both.PublicKey)-1] ^= 1
		_, err = ParseCompositeDecapsulationKey(both.Marshal())
		assert.ErrorIs(t, err, ErrInconsistent)

		for n := range 300 {
			_, err := ParseCompositeEncapsulationKey(spki[:len(spki)*n/300])
			assert.ErrorIs(t, err, ErrEncoding)
			_, err = ParseCompositeDecapsulationKey(pkcs8[:len(pkcs8)*n/300])
			assert.ErrorIs(t, err, ErrEncoding)
			_, err = NewCompositeEncapsulationKey(a, ek.Bytes()[:d.public*n/300])
			assert.ErrorIs(t, err, ErrSize)
			encoded := dk.Bytes()
			_, err = NewCompositeDecapsulationKey(a, encoded[:len(encoded)*n/300])
			assert.Error(t, err)
		}
		_, err = NewCompositeEncapsulationKey(a, append(ek.Bytes(), 0))
		assert.ErrorIs(t, err, ErrSize)
		_, err = NewCompositeDecapsulationKey(a, append(dk.Bytes(), 0))
		assert.Error(t, err)
		_, err = ParseCompositeEncapsulationKey(append(spki, 0))
		assert.ErrorIs(t, err, ErrEncoding)
		_, err = ParseCompositeDecapsulationKey(append(pkcs8, 0))
		assert.ErrorIs(t, err, ErrEncoding)
	})
}

func TestConcurrentEncapsulation(t *testing.T) {
	for _, d := range []draftKEM{draftKEMs[0], draftKEMs[3], draftKEMs[7]} {
		dk := d.key(t)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					sharedKey, ciphertext := dk.EncapsulationKey().Encapsulate()
					got, err := dk.Decapsulate(ciphertext)
					assert.NoError(t, err)
					assert.Equal(t, sharedKey, got)
					assert.Len(t, got, mlkem.SharedKeySize)
				}
			})
		}
		wg.Wait()
	}
}
