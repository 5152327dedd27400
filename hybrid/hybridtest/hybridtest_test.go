package hybridtest

import (
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mlkem"
)

var curves = map[hybrid.Group]ecdh.Curve{
	hybrid.X25519MLKEM768: ecdh.X25519(), hybrid.SecP256r1MLKEM768: ecdh.P256(), hybrid.SecP384r1MLKEM1024: ecdh.P384(),
	hybrid.X25519: ecdh.X25519(), hybrid.P256: ecdh.P256(),
}

// TestExchangesAreReproducible makes the same exchange twice, in every group.
func TestExchangesAreReproducible(t *testing.T) {
	for _, g := range hybrid.Groups() {
		t.Run(g.String(), func(t *testing.T) {
			var clientKey, serverKey *ecdh.PrivateKey
			if c := curves[g]; c != nil {
				var err error
				clientKey, err = c.GenerateKey(rand.Reader)
				require.NoError(t, err)
				serverKey, err = c.GenerateKey(rand.Reader)
				require.NoError(t, err)
			}
			exchange := func(seed, random byte) (clientShare, serverShare, secret []byte) {
				e, clientShare, err := GenerateShare(g, clientKey, append(make([]byte, 63), seed))
				require.NoError(t, err)
				serverShare, want, err := Accept(g, clientShare, serverKey, append(make([]byte, 31), random))
				require.NoError(t, err)
				secret, err = e.Finish(serverShare)
				require.NoError(t, err)
				require.Equal(t, want, secret)
				return clientShare, serverShare, secret
			}
			clientShare, serverShare, secret := exchange(1, 2)
			clientAgain, serverAgain, secretAgain := exchange(1, 2)
			assert.Equal(t, clientShare, clientAgain)
			assert.Equal(t, serverShare, serverAgain)
			assert.Equal(t, secret, secretAgain)
			if g.PostQuantum() {
				_, other, _ := exchange(1, 3)
				assert.NotEqual(t, serverShare, other)
			}
		})
	}
}

func TestWrongRandomness(t *testing.T) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	const g = hybrid.X25519MLKEM768
	_, _, err = GenerateShare(g, private, make([]byte, 63))
	require.ErrorIs(t, err, mlkem.ErrSize)
	e, share, err := GenerateShare(g, private, make([]byte, 64))
	require.NoError(t, err)
	e.Destroy()
	_, _, err = Accept(g, share, private, make([]byte, 33))
	require.ErrorIs(t, err, mlkem.ErrSize)
	_, _, err = Accept(0x6399, share, private, make([]byte, 32))
	require.ErrorIs(t, err, hybrid.ErrGroup)
	_, _, err = GenerateShare(0x6399, private, make([]byte, 64))
	require.ErrorIs(t, err, hybrid.ErrGroup)

	dk, err := hybrid.GenerateXWingKey()
	require.NoError(t, err)
	_, _, err = EncapsulateXWing(dk.EncapsulationKey(), make([]byte, 32))
	require.ErrorIs(t, err, hybrid.ErrSize)
	_, _, err = EncapsulateXWing(new(hybrid.XWingEncapsulationKey), make([]byte, 64))
	require.ErrorIs(t, err, hybrid.ErrNoKey)
}
