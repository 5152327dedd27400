package hybrid

import (
	"crypto"
	"crypto/hpke"
	stdmlkem "crypto/mlkem"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mlkem"
)

// hpkeRoundTrip seals to public and opens with private.
func hpkeRoundTrip(t *testing.T, public hpke.PublicKey, private hpke.PrivateKey) {
	info, message := []byte("info"), []byte("message")
	sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES128GCM(), info, message)
	require.NoError(t, err)
	opened, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.AES128GCM(), info, sealed)
	require.NoError(t, err)
	assert.Equal(t, message, opened)
}

func TestHPKEWithXWing(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		dk, err := GenerateXWingKey()
		require.NoError(t, err)
		private, err := HPKEPrivateKey(dk)
		require.NoError(t, err)
		public, err := HPKEPublicKey(dk.EncapsulationKey())
		require.NoError(t, err)
		assert.Equal(t, hpke.MLKEM768X25519().ID(), private.KEM().ID())
		assert.Equal(t, dk.EncapsulationKey().Bytes(), public.Bytes())
		assert.Equal(t, public.Bytes(), private.PublicKey().Bytes())
		hpkeRoundTrip(t, public, private)
		hpkeRoundTrip(t, private.PublicKey(), private)
		_, err = private.Bytes()
		require.Error(t, err)

		// crypto/hpke's own key of the same seed.
		standard, err := hpke.MLKEM768X25519().NewPrivateKey(dk.Bytes())
		require.NoError(t, err)
		assert.Equal(t, public.Bytes(), standard.PublicKey().Bytes())
		hpkeRoundTrip(t, public, standard)
		hpkeRoundTrip(t, standard.PublicKey(), private)

		sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES128GCM(), nil, nil)
		require.NoError(t, err)
		dk.Destroy()
		_, err = hpke.Open(private, hpke.HKDFSHA256(), hpke.AES128GCM(), nil, sealed)
		require.ErrorIs(t, err, mlkem.ErrDestroyed, "our ML-KEM decapsulates")
		_, err = HPKEPrivateKey(dk)
		require.ErrorIs(t, err, ErrDestroyed)
	})
}

func TestHPKEWithMLKEM(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		dk768, err := mlkem.GenerateKey768()
		require.NoError(t, err)
		dk1024, err := mlkem.GenerateKey1024()
		require.NoError(t, err)
		for _, x := range []struct {
			dk interface {
				crypto.Decapsulator
				Bytes() []byte
				Destroy()
			}
			kem hpke.KEM
		}{{dk768, hpke.MLKEM768()}, {dk1024, hpke.MLKEM1024()}} {
			private, err := HPKEPrivateKey(x.dk)
			require.NoError(t, err)
			public, err := HPKEPublicKey(x.dk.Encapsulator())
			require.NoError(t, err)
			assert.Equal(t, x.kem.ID(), private.KEM().ID())
			hpkeRoundTrip(t, public, private)
			seed, err := private.Bytes()
			require.NoError(t, err)
			assert.Equal(t, x.dk.Bytes(), seed)
			standard, err := x.kem.NewPrivateKey(seed)
			require.NoError(t, err)
			hpkeRoundTrip(t, public, standard)
			hpkeRoundTrip(t, standard.PublicKey(), private)

			sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES128GCM(), nil, nil)
			require.NoError(t, err)
			x.dk.Destroy()
			_, err = hpke.Open(private, hpke.HKDFSHA256(), hpke.AES128GCM(), nil, sealed)
			require.ErrorIs(t, err, mlkem.ErrDestroyed, "our ML-KEM decapsulates")
			_, err = HPKEPrivateKey(x.dk)
			require.ErrorIs(t, err, mlkem.ErrDestroyed)
		}

		dk, err := mlkem.GenerateKey768()
		require.NoError(t, err)
		expanded, err := mlkem.NewDecapsulationKey768FromExpanded(dk.ExpandedBytes())
		require.NoError(t, err)
		private, err := HPKEPrivateKey(expanded)
		require.NoError(t, err)
		hpkeRoundTrip(t, private.PublicKey(), private)
		_, err = private.Bytes()
		require.Error(t, err, "no seed")
	})
}

// TestHPKELimits holds what the documentation says that crypto/hpke does not allow. If it
// fails, crypto/hpke takes more, and HPKEPrivateKey and HPKEPublicKey can be simpler.
func TestHPKELimits(t *testing.T) {
	dk, err := GenerateXWingKey()
	require.NoError(t, err)
	_, err = hpke.NewMLKEMPublicKey(dk.ek.m)
	require.Error(t, err)
	_, err = hpke.NewMLKEMPrivateKey(dk.m)
	require.Error(t, err)
	_, err = hpke.NewHybridPublicKey(dk.ek.m, dk.ek.x)
	require.Error(t, err)
	_, err = hpke.NewHybridPrivateKey(dk.m, dk.x)
	require.Error(t, err)
	_, err = hpke.NewMLKEMPrivateKey(dk)
	require.Error(t, err)
}

func TestHPKEWrongKeys(t *testing.T) {
	dk512, err := mlkem.GenerateKey512()
	require.NoError(t, err)
	standard, err := stdmlkem.GenerateKey768()
	require.NoError(t, err)
	for _, key := range []crypto.Decapsulator{nil, dk512, standard} {
		_, err := HPKEPrivateKey(key)
		require.ErrorIs(t, err, ErrHPKE)
	}
	for _, key := range []crypto.Encapsulator{nil, dk512.EncapsulationKey(), standard.EncapsulationKey()} {
		_, err := HPKEPublicKey(key)
		require.ErrorIs(t, err, ErrHPKE)
	}
	for _, key := range []crypto.Decapsulator{(*XWingDecapsulationKey)(nil), new(XWingDecapsulationKey)} {
		_, err := HPKEPrivateKey(key)
		require.ErrorIs(t, err, ErrNoKey)
	}
	for _, key := range []crypto.Decapsulator{(*mlkem.DecapsulationKey768)(nil), new(mlkem.DecapsulationKey1024)} {
		_, err := HPKEPrivateKey(key)
		require.ErrorIs(t, err, mlkem.ErrNoKey)
	}
	for _, key := range []crypto.Encapsulator{(*XWingEncapsulationKey)(nil), new(mlkem.EncapsulationKey768), (*mlkem.EncapsulationKey1024)(nil)} {
		_, err := HPKEPublicKey(key)
		require.ErrorIs(t, err, ErrNoKey)
	}
}
