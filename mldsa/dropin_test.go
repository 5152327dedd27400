//go:build go1.27

package mldsa

import (
	"crypto"
	stdmldsa "crypto/mldsa"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The shapes of crypto/mldsa's types. That the standard library's types and ours both
// instantiate them is what makes this package a drop-in; the compiler checks it.
type (
	parametersShape interface {
		comparable
		PublicKeySize() int
		SignatureSize() int
		String() string
	}
	privateKeyShape[PK any] interface {
		Bytes() []byte
		Equal(x crypto.PrivateKey) bool
		Public() crypto.PublicKey
		PublicKey() PK
		Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) (signature []byte, err error)
		SignDeterministic(message []byte, opts crypto.SignerOpts) (signature []byte, err error)
	}
	publicKeyShape[P any] interface {
		Bytes() []byte
		Equal(x crypto.PublicKey) bool
		Parameters() P
	}
)

// module is what a user of crypto/mldsa finds in the package.
type module[P parametersShape, SK privateKeyShape[PK], PK publicKeyShape[P]] struct {
	sets          [3]func() P
	generateKey   func(P) (SK, error)
	newPrivateKey func(p P, seed []byte) (SK, error)
	newPublicKey  func(p P, encoding []byte) (PK, error)
	verify        func(pk PK, message, signature []byte, opts *stdmldsa.Options) error
}

// dropIn is a user of crypto/mldsa. It returns what depends on the seeds alone.
func dropIn[P parametersShape, SK privateKeyShape[PK], PK publicKeyShape[P]](t *testing.T, m module[P, SK, PK], seed []byte) (out [][]byte) {
	for _, set := range m.sets {
		p := set()
		require.True(t, p == set())
		sk, err := m.newPrivateKey(p, seed)
		require.NoError(t, err)
		assert.Equal(t, seed, sk.Bytes())
		pk, err := m.newPublicKey(p, sk.PublicKey().Bytes())
		require.NoError(t, err)
		assert.True(t, pk.Equal(sk.Public()))
		assert.True(t, pk.Parameters() == p)
		assert.Len(t, pk.Bytes(), p.PublicKeySize())

		opts := &stdmldsa.Options{Context: "context"}
		deterministic, err := sk.SignDeterministic([]byte("message"), opts)
		require.NoError(t, err)
		require.NoError(t, m.verify(pk, []byte("message"), deterministic, opts))
		require.Error(t, m.verify(pk, []byte("message"), deterministic, nil))
		assert.Len(t, deterministic, p.SignatureSize())
		out = append(out, pk.Bytes(), deterministic, []byte(p.String()))

		other, err := m.generateKey(p)
		require.NoError(t, err)
		assert.False(t, other.Equal(sk))
		var signer crypto.Signer = other
		for _, opts := range []crypto.SignerOpts{nil, crypto.Hash(0), &stdmldsa.Options{}} {
			signature, err := signer.Sign(nil, []byte("message"), opts)
			require.NoError(t, err)
			require.NoError(t, m.verify(other.PublicKey(), []byte("message"), signature, nil))
		}
	}
	return out
}

func TestDropInForCryptoMLDSA(t *testing.T) {
	seed := random(PrivateKeySize)
	want := dropIn(t, module[stdmldsa.Parameters, *stdmldsa.PrivateKey, *stdmldsa.PublicKey]{
		[3]func() stdmldsa.Parameters{stdmldsa.MLDSA44, stdmldsa.MLDSA65, stdmldsa.MLDSA87},
		stdmldsa.GenerateKey, stdmldsa.NewPrivateKey, stdmldsa.NewPublicKey, stdmldsa.Verify,
	}, seed)
	got := dropIn(t, module[Parameters, *PrivateKey, *PublicKey]{
		[3]func() Parameters{MLDSA44, MLDSA65, MLDSA87},
		GenerateKey, NewPrivateKey, NewPublicKey, Verify,
	}, seed)
	assert.Equal(t, want, got)
}

const (
	_ = uint(PrivateKeySize-stdmldsa.PrivateKeySize) + uint(stdmldsa.PrivateKeySize-PrivateKeySize)
	_ = uint(MLDSA44PublicKeySize-stdmldsa.MLDSA44PublicKeySize) + uint(stdmldsa.MLDSA44PublicKeySize-MLDSA44PublicKeySize)
	_ = uint(MLDSA65PublicKeySize-stdmldsa.MLDSA65PublicKeySize) + uint(stdmldsa.MLDSA65PublicKeySize-MLDSA65PublicKeySize)
	_ = uint(MLDSA87PublicKeySize-stdmldsa.MLDSA87PublicKeySize) + uint(stdmldsa.MLDSA87PublicKeySize-MLDSA87PublicKeySize)
	_ = uint(MLDSA44SignatureSize-stdmldsa.MLDSA44SignatureSize) + uint(stdmldsa.MLDSA44SignatureSize-MLDSA44SignatureSize)
	_ = uint(MLDSA65SignatureSize-stdmldsa.MLDSA65SignatureSize) + uint(stdmldsa.MLDSA65SignatureSize-MLDSA65SignatureSize)
	_ = uint(MLDSA87SignatureSize-stdmldsa.MLDSA87SignatureSize) + uint(stdmldsa.MLDSA87SignatureSize-MLDSA87SignatureSize)
	_ = uint(mldsaMu-crypto.MLDSAMu) + uint(crypto.MLDSAMu-mldsaMu)
)

func init() {
	standardVerifies = func(p Parameters, publicKey, message, signature []byte, context string) bool {
		for _, s := range stdSets {
			if s.ours == p {
				pk, err := stdmldsa.NewPublicKey(s.std, publicKey)
				return err == nil && stdmldsa.Verify(pk, message, signature, &stdmldsa.Options{Context: context}) == nil
			}
		}
		panic("no such set")
	}
}
