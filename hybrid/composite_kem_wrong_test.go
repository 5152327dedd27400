package hybrid

import (
	"bytes"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mlkem"
)

// smallOrder are the X25519 points of small order: 0, 1, two of order 8, and p−1, p, p+1
// (RFC 7748, Section 6.1; the list is that of the libsodium project). The highest bit is
// ignored.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestWrongCompositeCiphertexts(t *testing.T) {
	onEveryKEM(t, func(t *testing.T, d draftKEM) {
		dk, other := d.key(t), d.key(t)
		_, n := d.mlkemSizes()
		sharedKey, good := dk.EncapsulationKey().Encapsulate()
		second := good[n:]
		_, isRSA := d.classical.(int)

		for _, size := range []int{0, 1, n, len(good) - 1, len(good) + 1, 2 * len(good)} {
			_, err := dk.Decapsulate(make([]byte, size))
			assert.ErrorIs(t, err, ErrSize)
		}
		_, err := dk.Decapsulate(nil)
		assert.ErrorIs(t, err, ErrSize)

		// ML-KEM rejects implicitly.
		seen := map[string]bool{string(sharedKey): true}
		for _, at := range []int{0, 1, n / 2, n - 1} {
			bad := bytes.Clone(good)
			bad[at] ^= 1
			got, err := dk.Decapsulate(bad)
			require.NoError(t, err)
			again, err := dk.Decapsulate(bad)
			require.NoError(t, err)
			require.Equal(t, got, again)
			assert.False(t, seen[string(got)])
			seen[string(got)] = true
		}

		// A classical half for another key, or of another ciphertext.
		_, foreign := other.EncapsulationKey().Encapsulate()
		replaced := append(bytes.Clone(good[:n]), foreign[n:]...)
		if got, err := dk.Decapsulate(replaced); !isRSA || err == nil { // RSA keys of a size are the same
			require.NoError(t, err)
			assert.NotEqual(t, sharedKey, got)
		}
		swapped := append(bytes.Clone(second), good[:n]...)
		if got, err := dk.Decapsulate(swapped); err == nil {
			assert.NotEqual(t, sharedKey, got)
		} else {
			assert.ErrorIs(t, err, ErrCiphertext)
		}

		refused := func(what string, second []byte) {
			got, err := dk.Decapsulate(append(bytes.Clone(good[:n]), second...))
			assert.ErrorIs(t, err, ErrCiphertext, what)
			assert.Nil(t, got, what)
		}
		switch c := d.classical.(type) {
		case int:
			flipped := bytes.Clone(second)
			flipped[len(flipped)-1] ^= 1
			refused("a flipped bit", flipped)
			refused("zeros", make([]byte, len(second)))
			refused("a number above the modulus", bytes.Repeat([]byte{0xff}, len(second)))
			pk := &rsaTestKey(c).PublicKey
			for _, size := range []int{0, 31, 33} {
				ct, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, pk, make([]byte, size), nil)
				require.NoError(t, err)
				refused("a secret of another size", ct)
			}
			ct, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, pk, make([]byte, 32), []byte("label"))
			require.NoError(t, err)
			refused("another label", ct)
			ct, err = rsa.EncryptPKCS1v15(rand.Reader, pk, make([]byte, 32))
			require.NoError(t, err)
			refused("PKCS #1 v1.5", ct)
		case ecdh.Curve:
			if c == ecdh.X25519() {
				for _, s := range smallOrder {
					point, err := hex.DecodeString(s)
					require.NoError(t, err)
					refused("small order "+s, point)
					point[31] ^= 0x80
					refused("small order, highest bit "+s, point)
				}
				return
			}
			flipped := bytes.Clone(second)
			flipped[len(flipped)-1] ^= 1
			refused("off the curve", flipped)
			refused("infinity, padded", make([]byte, len(second)))
			for _, form := range []byte{0, 2, 3, 5, 6, 7} {
				bad := bytes.Clone(second)
				bad[0] = form
				refused("another form", bad)
			}
		}
	})
}

func TestWrongEncapsulationKeys(t *testing.T) {
	onEveryKEM(t, func(t *testing.T, d draftKEM) {
		ek := d.key(t).EncapsulationKey().Bytes()
		n, _ := d.mlkemSizes()
		refused := func(want error, what string, b []byte) {
			_, err := NewCompositeEncapsulationKey(d.get(), b)
			assert.ErrorIs(t, err, want, what)
		}
		coefficient := bytes.Clone(ek)
		coefficient[0], coefficient[1] = 0xff, coefficient[1]|0x0f
		refused(ErrCoefficient, "a coefficient above q", coefficient)
		swapped := append(bytes.Clone(ek[n:]), ek[:n]...)
		_, err := NewCompositeEncapsulationKey(d.get(), swapped)
		assert.Error(t, err, "swapped halves") // 384·k random bytes have a coefficient above q

		with := func(classical []byte) []byte { return append(bytes.Clone(ek[:n]), classical...) }
		switch c := d.classical.(type) {
		case int:
			if c == 2048 {
				for what, b := range wrongRSAPublic(t) {
					_, err := NewCompositeEncapsulationKey(d.get(), with(b))
					assert.Error(t, err, what)
				}
			}
			other := map[int]int{2048: 3072, 3072: 2048, 4096: 3072}[c]
			refused(ErrSize, "another size", with(x509.MarshalPKCS1PublicKey(&rsaTestKey(other).PublicKey)))
		case ecdh.Curve:
			if c == ecdh.X25519() {
				for _, s := range smallOrder {
					point, err := hex.DecodeString(s)
					require.NoError(t, err)
					refused(ErrEncoding, "small order "+s, with(point))
					point[31] ^= 0x80
					refused(ErrEncoding, "small order, highest bit "+s, with(point))
				}
				return
			}
			flipped := bytes.Clone(ek)
			flipped[len(flipped)-1] ^= 1
			refused(ErrEncoding, "off the curve", flipped)
			compressed := bytes.Clone(ek[n : n+(len(ek)-n+1)/2])
			compressed[0] = 2 | ek[len(ek)-1]&1
			refused(ErrSize, "compressed", with(compressed))
			for _, form := range []byte{0, 2, 3, 5, 6, 7} {
				bad := bytes.Clone(ek)
				bad[n] = form
				refused(ErrEncoding, "another form", bad)
			}
			refused(ErrSize, "infinity", with([]byte{0}))
		}
	})
}

func TestWrongDecapsulationKeys(t *testing.T) {
	seed := make([]byte, mlkem.SeedSize)
	with := func(classical []byte) []byte { return append(bytes.Clone(seed), classical...) }
	order := elliptic.P256().Params().N.Bytes()
	for what, c := range map[string]struct {
		a    KEMAlgorithm
		b    []byte
		want error
	}{
		"no X25519 half":           {MLKEM768X25519SHA3_256(), seed, ErrSize},
		"X25519 too long":          {MLKEM768X25519SHA3_256(), with(make([]byte, 33)), ErrSize},
		"part of the seed":         {MLKEM768X25519SHA3_256(), seed[:63], ErrSize},
		"a scalar alone":           {MLKEM768ECDHP256SHA3_256(), with(make([]byte, 32)), ErrEncoding},
		"a zero scalar":            {MLKEM768ECDHP256SHA3_256(), with(curveP256.marshalScalar(make([]byte, 32))), ErrEncoding},
		"a scalar not below order": {MLKEM768ECDHP256SHA3_256(), with(curveP256.marshalScalar(order)), ErrEncoding},
		"another curve":            {MLKEM768ECDHP384SHA3_256(), with(curveP256.marshalScalar(make([]byte, 32))), ErrEncoding},
		"another size of RSA":      {MLKEM768RSA2048SHA3_256(), with(x509.MarshalPKCS1PrivateKey(rsaTestKey(3072))), ErrSize},
		"RSA public key":           {MLKEM768RSA2048SHA3_256(), with(x509.MarshalPKCS1PublicKey(&rsaTestKey(2048).PublicKey)), ErrEncoding},
		"no RSA half":              {MLKEM768RSA2048SHA3_256(), seed, ErrEncoding},
	} {
		_, err := NewCompositeDecapsulationKey(c.a, c.b)
		assert.ErrorIs(t, err, c.want, what)
	}
}

func TestCompositeKEMIdentifiersAreStrict(t *testing.T) {
	dk := draftKEMs[3].key(t)
	for _, parse := range []func(pkcs.Algorithm) error{
		func(id pkcs.Algorithm) error {
			_, err := ParseCompositeEncapsulationKey(pkcs.PublicKey{Algorithm: id, Key: dk.EncapsulationKey().Bytes()}.Marshal())
			return err
		},
		func(id pkcs.Algorithm) error {
			_, err := ParseCompositeDecapsulationKey(pkcs.PrivateKey{Algorithm: id, Key: dk.Bytes()}.Marshal())
			return err
		},
	} {
		assert.NoError(t, parse(pkcs.Algorithm{OID: dk.Algorithm().oid()}))
		assert.ErrorIs(t, parse(pkcs.Algorithm{OID: dk.Algorithm().oid(), Parameters: []byte{5, 0}}), ErrEncoding)
		for _, arc := range []uint{48, 61, 65} { // a signature, a brainpool curve, X448
			oid := pkcs.NewOID(1, 3, 6, 1, 5, 5, 7, 6, arc)
			var unknown *AlgorithmError
			if assert.ErrorAs(t, parse(pkcs.Algorithm{OID: oid}), &unknown) {
				assert.Equal(t, oid.String(), unknown.OID)
			}
		}
	}
}

func TestDestroyedDecapsulationKeys(t *testing.T) {
	onEveryKEM(t, func(t *testing.T, d draftKEM) {
		dk := d.key(t)
		same, err := NewCompositeDecapsulationKey(d.get(), dk.Bytes())
		require.NoError(t, err)
		_, ciphertext := dk.EncapsulationKey().Encapsulate()
		pq, classical := dk.mlkem, dk.classical
		dk.Destroy()
		dk.Destroy()
		_, err = dk.Decapsulate(ciphertext)
		assert.ErrorIs(t, err, ErrDestroyed)
		_, err = dk.MarshalPKCS8()
		assert.ErrorIs(t, err, ErrDestroyed)
		assert.Nil(t, dk.Bytes())
		assert.Nil(t, pq.Bytes(), "the ML-KEM half")
		if sk, ok := classical.(rsaPrivate); ok {
			for _, word := range sk.D.Bits() {
				assert.Zero(t, word)
			}
		}
		sharedKey, ciphertext := dk.EncapsulationKey().Encapsulate()
		got, err := same.Decapsulate(ciphertext)
		require.NoError(t, err)
		assert.Equal(t, sharedKey, got, "the encapsulation key stays usable")
	})
}

func TestUnusableKEMKeys(t *testing.T) {
	for _, ek := range []*CompositeEncapsulationKey{nil, {}} {
		assert.Panics(t, func() { ek.Encapsulate() })
		assert.Nil(t, ek.Bytes())
		assert.False(t, ek.Equal(ek))
		assert.Equal(t, KEMAlgorithm{}, ek.Algorithm())
		_, err := ek.MarshalPKIX()
		assert.ErrorIs(t, err, ErrNoKey)
	}
	for _, dk := range []*CompositeDecapsulationKey{nil, {}} {
		_, err := dk.Decapsulate(make([]byte, 1120))
		assert.ErrorIs(t, err, ErrNoKey)
		_, err = dk.MarshalPKCS8()
		assert.ErrorIs(t, err, ErrNoKey)
		assert.Nil(t, dk.Bytes())
		assert.Nil(t, dk.EncapsulationKey())
		assert.Equal(t, KEMAlgorithm{}, dk.Algorithm())
		dk.Destroy()
	}
}
