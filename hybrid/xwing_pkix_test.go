package hybrid

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pkcs"
)

func TestXWingKeysSurviveTheirFormats(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		dk, err := GenerateXWingKey()
		require.NoError(t, err)
		der, err := dk.MarshalPKCS8()
		require.NoError(t, err)
		require.Len(t, der, 22+XWingSeedSize)
		parsed, err := ParseXWingDecapsulationKey(der)
		require.NoError(t, err)
		assert.Equal(t, dk.Bytes(), parsed.Bytes())

		der, err = dk.EncapsulationKey().MarshalPKIX()
		require.NoError(t, err)
		ek, err := ParseXWingEncapsulationKey(der)
		require.NoError(t, err)
		assert.Equal(t, dk.EncapsulationKey().Bytes(), ek.Bytes())

		// OneAsymmetricKey of version 2 has the public key too, which must be its own.
		both := pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: xwingOID}, Key: dk.Bytes(), PublicKey: ek.Bytes()}
		parsed, err = ParseXWingDecapsulationKey(both.Marshal())
		require.NoError(t, err)
		assert.Equal(t, dk.Bytes(), parsed.Bytes())
		other, err := GenerateXWingKey()
		require.NoError(t, err)
		for _, wrong := range [][]byte{other.EncapsulationKey().Bytes(), ek.Bytes()[1:], {}} {
			both.PublicKey = wrong
			_, err = ParseXWingDecapsulationKey(both.Marshal())
			require.ErrorIs(t, err, ErrInconsistent)
		}
	})
}

func TestXWingWrongFormats(t *testing.T) {
	dk, err := GenerateXWingKey()
	require.NoError(t, err)
	private, err := dk.MarshalPKCS8()
	require.NoError(t, err)
	public, err := dk.EncapsulationKey().MarshalPKIX()
	require.NoError(t, err)

	parsePrivate := func(der []byte) error { _, err := ParseXWingDecapsulationKey(der); return err }
	parsePublic := func(der []byte) error { _, err := ParseXWingEncapsulationKey(der); return err }
	for n := range private {
		require.ErrorIs(t, parsePrivate(private[:n]), ErrEncoding)
	}
	for n := 0; n < len(public); n += 1 + n/64 {
		require.ErrorIs(t, parsePublic(public[:n]), ErrEncoding)
	}
	require.ErrorIs(t, parsePrivate(append(bytes.Clone(private), 0)), ErrEncoding)
	require.ErrorIs(t, parsePublic(append(bytes.Clone(public), 0)), ErrEncoding)

	id := pkcs.Algorithm{OID: xwingOID}
	withNull := pkcs.Algorithm{OID: xwingOID, Parameters: []byte{5, 0}}
	require.ErrorIs(t, parsePrivate(pkcs.PrivateKey{Algorithm: withNull, Key: dk.Bytes()}.Marshal()), ErrEncoding)
	require.ErrorIs(t, parsePublic(pkcs.PublicKey{Algorithm: withNull, Key: dk.ek.Bytes()}.Marshal()), ErrEncoding)
	require.ErrorIs(t, parsePrivate(pkcs.PrivateKey{Algorithm: id, Key: append(dk.Bytes(), 0)}.Marshal()), ErrSize)
	require.ErrorIs(t, parsePrivate(pkcs.PrivateKey{Algorithm: id, Key: dk.Bytes()[1:]}.Marshal()), ErrSize)
	require.ErrorIs(t, parsePrivate(pkcs.PrivateKey{Algorithm: id, Key: append([]byte{4, 32}, dk.Bytes()...)}.Marshal()), ErrSize)
	require.ErrorIs(t, parsePublic(pkcs.PublicKey{Algorithm: id, Key: append(dk.ek.Bytes(), 0)}.Marshal()), ErrSize)
	high := dk.ek.Bytes()
	high[0], high[1] = 0xff, 0xff
	require.ErrorIs(t, parsePublic(pkcs.PublicKey{Algorithm: id, Key: high}.Marshal()), ErrCoefficient)

	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(edPrivate)
	require.NoError(t, err)
	var unknown *AlgorithmError
	require.ErrorAs(t, parsePrivate(der), &unknown)
	assert.Equal(t, "1.3.101.112", unknown.OID)
	der, err = x509.MarshalPKIXPublicKey(edPublic)
	require.NoError(t, err)
	require.ErrorIs(t, parsePublic(der), ErrAlgorithm)
}

func FuzzParseXWingKeys(f *testing.F) {
	dk, err := GenerateXWingKey()
	require.NoError(f, err)
	private, err := dk.MarshalPKCS8()
	require.NoError(f, err)
	public, err := dk.EncapsulationKey().MarshalPKIX()
	require.NoError(f, err)
	f.Add(private)
	f.Add(public)
	f.Fuzz(func(t *testing.T, der []byte) {
		if ek, err := ParseXWingEncapsulationKey(der); err == nil {
			again, err := ek.MarshalPKIX()
			require.NoError(t, err)
			require.Equal(t, der, again)
		}
		if dk, err := ParseXWingDecapsulationKey(der); err == nil {
			again, err := dk.MarshalPKCS8()
			require.NoError(t, err)
			parsed, err := ParseXWingDecapsulationKey(again)
			require.NoError(t, err)
			require.Equal(t, dk.Bytes(), parsed.Bytes())
		}
	})
}
