package mlkem

import (
	"crypto"
	stdmlkem "crypto/mlkem"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The shapes of crypto/mlkem's types. That the standard library's types and ours both
// instantiate them is what makes this package a drop-in; the compiler checks it.
type (
	decapsulationKey[EK any] interface {
		Bytes() []byte
		Decapsulate(ciphertext []byte) (sharedKey []byte, err error)
		EncapsulationKey() EK
		Encapsulator() crypto.Encapsulator
	}
	encapsulationKey interface {
		Bytes() []byte
		Encapsulate() (sharedKey, ciphertext []byte)
	}
)

// dropIn is a user of crypto/mlkem, written against its functions' types.
func dropIn[DK decapsulationKey[EK], EK encapsulationKey](
	t *testing.T,
	generate func() (DK, error),
	newDecapsulationKey func(seed []byte) (DK, error),
	newEncapsulationKey func(encapsulationKey []byte) (EK, error),
) {
	dk, err := generate()
	require.NoError(t, err)
	dk, err = newDecapsulationKey(dk.Bytes())
	require.NoError(t, err)
	ek, err := newEncapsulationKey(dk.EncapsulationKey().Bytes())
	require.NoError(t, err)
	sharedKey, ciphertext := ek.Encapsulate()
	got, err := dk.Decapsulate(ciphertext)
	require.NoError(t, err)
	assert.Equal(t, sharedKey, got)

	var d crypto.Decapsulator = dk
	sharedKey, ciphertext = d.Encapsulator().Encapsulate()
	got, err = d.Decapsulate(ciphertext)
	require.NoError(t, err)
	assert.Equal(t, sharedKey, got)
	assert.Equal(t, ek.Bytes(), d.Encapsulator().Bytes())
}

func TestDropInForCryptoMLKEM(t *testing.T) {
	dropIn(t, stdmlkem.GenerateKey768, stdmlkem.NewDecapsulationKey768, stdmlkem.NewEncapsulationKey768)
	dropIn(t, GenerateKey768, NewDecapsulationKey768, NewEncapsulationKey768)
	dropIn(t, stdmlkem.GenerateKey1024, stdmlkem.NewDecapsulationKey1024, stdmlkem.NewEncapsulationKey1024)
	dropIn(t, GenerateKey1024, NewDecapsulationKey1024, NewEncapsulationKey1024)
	dropIn(t, GenerateKey512, NewDecapsulationKey512, NewEncapsulationKey512)
}

const (
	_ = uint(SharedKeySize-stdmlkem.SharedKeySize) + uint(stdmlkem.SharedKeySize-SharedKeySize)
	_ = uint(SeedSize-stdmlkem.SeedSize) + uint(stdmlkem.SeedSize-SeedSize)
	_ = uint(CiphertextSize768-stdmlkem.CiphertextSize768) + uint(stdmlkem.CiphertextSize768-CiphertextSize768)
	_ = uint(EncapsulationKeySize768-stdmlkem.EncapsulationKeySize768) + uint(stdmlkem.EncapsulationKeySize768-EncapsulationKeySize768)
	_ = uint(CiphertextSize1024-stdmlkem.CiphertextSize1024) + uint(stdmlkem.CiphertextSize1024-CiphertextSize1024)
	_ = uint(EncapsulationKeySize1024-stdmlkem.EncapsulationKeySize1024) + uint(stdmlkem.EncapsulationKeySize1024-EncapsulationKeySize1024)
)
