package hybrid

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// fuzzSignatures and fuzzKEMs are the algorithms to fuzz: one of each classical half.
var (
	fuzzSignatures = []draftSignature{draftSignatures[0], draftSignatures[1], draftSignatures[2], draftSignatures[3], draftSignatures[14]}
	fuzzKEMs       = []draftKEM{draftKEMs[0], draftKEMs[3], draftKEMs[4], draftKEMs[8]}
)

// fuzzKey returns the same key in every process: a fuzzing worker gets its inputs from
// another one.
func fuzzKey(f *testing.F, d draftSignature) *CompositePrivateKey {
	classical := make([]byte, 32)
	switch c := d.classical.(type) {
	case int:
		classical = x509.MarshalPKCS1PrivateKey(rsaTestKey(c))
	case elliptic.Curve:
		named := d.get().classical.(ecdsaSignature)
		classical = named.marshalScalar(bytes.Repeat([]byte{1}, named.scalarSize))
	}
	sk, err := NewCompositePrivateKey(d.get(), append(make([]byte, mldsa.PrivateKeySize), classical...))
	require.NoError(f, err)
	return sk
}

func fuzzDecapsulationKey(f *testing.F, d draftKEM) *CompositeDecapsulationKey {
	classical := make([]byte, 32)
	if c, ok := d.classical.(int); ok {
		classical = x509.MarshalPKCS1PrivateKey(rsaTestKey(c))
	} else if named := d.get().classical.(ecdhKEM).named; named != nil {
		classical = named.marshalScalar(bytes.Repeat([]byte{1}, named.scalarSize))
	}
	dk, err := NewCompositeDecapsulationKey(d.get(), append(make([]byte, mlkem.SeedSize), classical...))
	require.NoError(f, err)
	return dk
}

// FuzzCompositeKeys: what parses encodes as the same bytes, whatever the algorithm.
func FuzzCompositeKeys(f *testing.F) {
	for i, d := range fuzzSignatures {
		sk := fuzzKey(f, d)
		spki, _ := sk.PublicKey().MarshalPKIX()
		pkcs8, _ := sk.MarshalPKCS8()
		for _, b := range [][]byte{sk.Bytes(), sk.PublicKey().Bytes(), spki, pkcs8} {
			f.Add(uint8(i), b)
		}
	}
	for i, d := range fuzzKEMs {
		dk := fuzzDecapsulationKey(f, d)
		spki, _ := dk.EncapsulationKey().MarshalPKIX()
		pkcs8, _ := dk.MarshalPKCS8()
		for _, b := range [][]byte{dk.Bytes(), dk.EncapsulationKey().Bytes(), spki, pkcs8} {
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		input := bytes.Clone(b)
		same := func(encoded []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, input, encoded)
		}
		a, k := fuzzSignatures[int(which)%len(fuzzSignatures)].get(), fuzzKEMs[int(which)%len(fuzzKEMs)].get()
		if sk, err := NewCompositePrivateKey(a, b); err == nil {
			same(sk.Bytes(), nil)
		}
		if pk, err := NewCompositePublicKey(a, b); err == nil {
			same(pk.Bytes(), nil)
		}
		if pk, err := ParseCompositePublicKey(b); err == nil {
			same(pk.MarshalPKIX())
		}
		if sk, err := ParseCompositePrivateKey(b); err == nil {
			again, err := ParseCompositePrivateKey(must(t, sk.MarshalPKCS8)) // b may have attributes
			require.NoError(t, err)
			require.True(t, sk.Equal(again))
		}
		if dk, err := NewCompositeDecapsulationKey(k, b); err == nil {
			same(dk.Bytes(), nil)
		}
		if ek, err := NewCompositeEncapsulationKey(k, b); err == nil {
			same(ek.Bytes(), nil)
			ek.Encapsulate()
		}
		if ek, err := ParseCompositeEncapsulationKey(b); err == nil {
			same(ek.MarshalPKIX())
			ek.Encapsulate()
		}
		if dk, err := ParseCompositeDecapsulationKey(b); err == nil {
			again, err := ParseCompositeDecapsulationKey(must(t, dk.MarshalPKCS8))
			require.NoError(t, err)
			require.Equal(t, dk.Bytes(), again.Bytes())
		}
		require.Equal(t, input, b, "the input is left as it is")
	})
}

func must(t *testing.T, f func() ([]byte, error)) []byte {
	b, err := f()
	require.NoError(t, err)
	return b
}

// FuzzVerifyComposite: no message but the one that was signed has a signature, and nothing
// but the one error is returned.
func FuzzVerifyComposite(f *testing.F) {
	type pair struct {
		pk        *CompositePublicKey
		signature []byte
	}
	var pairs []pair
	message := []byte("message")
	for i, d := range fuzzSignatures[:3] {
		sk := fuzzKey(f, d)
		signature, err := sk.Sign(nil, message, nil)
		require.NoError(f, err)
		pairs = append(pairs, pair{sk.PublicKey(), signature})
		f.Add(uint8(i), message, signature, "", 0, byte(1))
	}
	f.Fuzz(func(t *testing.T, which uint8, m, signature []byte, context string, at int, mask byte) {
		p := pairs[int(which)%len(pairs)]
		err := VerifyComposite(p.pk, m, signature, &mldsa.Options{Context: context})
		switch {
		case len(context) > 255:
			require.ErrorIs(t, err, ErrContext)
		case err != nil:
			require.True(t, err == ErrInvalidSignature)
		default:
			require.Equal(t, message, m)
			require.Empty(t, context)
		}
		if mask != 0 && at >= 0 {
			flipped := bytes.Clone(p.signature)
			flipped[at%len(flipped)] ^= mask
			require.True(t, VerifyComposite(p.pk, message, flipped, nil) == ErrInvalidSignature)
		}
	})
}

// FuzzCompositeDecapsulate: there is a shared key or one of two errors.
func FuzzCompositeDecapsulate(f *testing.F) {
	var keys []*CompositeDecapsulationKey
	for i, d := range fuzzKEMs {
		keys = append(keys, fuzzDecapsulationKey(f, d))
		_, ciphertext := keys[i].EncapsulationKey().Encapsulate()
		f.Add(uint8(i), ciphertext)
	}
	f.Fuzz(func(t *testing.T, which uint8, ciphertext []byte) {
		dk := keys[int(which)%len(keys)]
		sharedKey, err := dk.Decapsulate(ciphertext)
		switch {
		case len(ciphertext) != dk.Algorithm().CiphertextSize():
			require.ErrorIs(t, err, ErrSize)
		case err != nil:
			require.ErrorIs(t, err, ErrCiphertext)
		default:
			require.Len(t, sharedKey, 32)
		}
	})
}
