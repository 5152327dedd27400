package hybrid

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// An opaqueSigner is a key in a token: nothing but a crypto.Signer, which signs digests.
type opaqueSigner struct {
	sk       crypto.Signer
	rand     io.Reader
	opts     crypto.SignerOpts
	err      error
	shortBy  int
	overlong []byte
}

func (s *opaqueSigner) Public() crypto.PublicKey { return s.sk.Public() }

func (s *opaqueSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.rand, s.opts = rand, opts
	if s.err != nil {
		return nil, s.err
	}
	signature, err := s.sk.Sign(rand, digest, opts)
	return append(signature[:len(signature)-s.shortBy], s.overlong...), err
}

// An opaqueMessageSigner hashes in the token, too.
type opaqueMessageSigner struct{ opaqueSigner }

func (s *opaqueMessageSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("messages only")
}

func (s *opaqueMessageSigner) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.rand, s.opts = rand, opts
	return crypto.SignMessage(s.sk, rand, message, opts)
}

var dedicated = &ImportOptions{DedicatedKeys: true}

func TestImportNeedsTheCallersWord(t *testing.T) {
	d := draftSignatures[10]
	pq, err := mldsa.GenerateKey(d.mldsa)
	require.NoError(t, err)
	classical := d.classicalKey(t)
	for _, opts := range []*ImportOptions{nil, {}} {
		for _, halves := range [][2]crypto.Signer{{pq, classical}, {pq, nil}, {nil, classical}} {
			_, err := ImportCompositeKey(d.get(), halves[0], halves[1], opts)
			assert.ErrorIs(t, err, ErrKeyReuse)
			assert.ErrorContains(t, err, "serves nowhere else")
		}
	}
	_, err = ImportCompositeKey(d.get(), nil, nil, dedicated)
	assert.ErrorIs(t, err, ErrNoKey)
}

func TestHalvesInTokens(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		pq, err := mldsa.GenerateKey(d.mldsa)
		require.NoError(t, err)
		classical := d.classicalKey(t)
		message, opts := []byte("message"), &mldsa.Options{Context: "context"}
		for _, halves := range []struct {
			pq, classical crypto.Signer
			encodes       bool
		}{
			{pq, classical, true},
			{pq, nil, true},
			{&opaqueSigner{sk: pq}, classical, false},
			{pq, &opaqueSigner{sk: classical}, false},
			{nil, &opaqueSigner{sk: classical}, false},
			{&opaqueMessageSigner{opaqueSigner{sk: pq}}, &opaqueMessageSigner{opaqueSigner{sk: classical}}, false},
		} {
			if _, isRSA := d.classical.(int); isRSA && halves.classical == nil && d.classical != any(2048) {
				continue // generating takes long
			}
			sk, err := ImportCompositeKey(d.get(), halves.pq, halves.classical, dedicated)
			require.NoError(t, err)
			signature, err := sk.Sign(nil, message, opts)
			require.NoError(t, err)
			require.NoError(t, VerifyComposite(sk.PublicKey(), message, signature, opts))
			if s, ok := halves.pq.(*opaqueSigner); ok {
				assert.Equal(t, &mldsa.Options{Context: "COMPSIG-" + d.name}, s.opts)
				assert.Equal(t, rand.Reader, s.rand)
			}
			if s, ok := halves.classical.(*opaqueSigner); ok {
				assert.Equal(t, d.hash, s.opts.HashFunc())
				pss, ok := s.opts.(*rsa.PSSOptions)
				assert.Equal(t, d.pss, ok)
				if ok {
					assert.Equal(t, rsa.PSSOptions{SaltLength: d.hash.Size(), Hash: d.hash}, *pss)
				}
			}
			pkcs8, err := sk.MarshalPKCS8()
			if halves.encodes {
				require.NoError(t, err)
				again, err := ParseCompositePrivateKey(pkcs8)
				require.NoError(t, err)
				assert.True(t, sk.Equal(again))
			} else {
				assert.ErrorIs(t, err, ErrNotExportable)
				assert.Nil(t, sk.Bytes())
				assert.True(t, sk.Equal(sk))
			}

			sk.Destroy()
			_, err = sk.Sign(nil, message, opts)
			assert.ErrorIs(t, err, ErrDestroyed)
		}
		_, err = pq.Sign(nil, message, nil)
		assert.NoError(t, err, "Destroy leaves imported halves alone")
		assert.True(t, d.verify(classical.Public(), message, d.sign(t, classical, message)))
	})
}

func TestExpandedHalfHasNoEncoding(t *testing.T) {
	made, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	pq, err := mldsa.NewPrivateKeyFromExpanded(mldsa.MLDSA44(), made.ExpandedBytes())
	require.NoError(t, err)
	sk, err := ImportCompositeKey(MLDSA44Ed25519SHA512(), pq, nil, dedicated)
	require.NoError(t, err)
	assert.Nil(t, sk.Bytes())
	_, err = sk.MarshalPKCS8()
	assert.ErrorIs(t, err, ErrNotExportable)
}

// A publicSigner has the given public key.
type publicSigner struct{ pk crypto.PublicKey }

func (s publicSigner) Public() crypto.PublicKey { return s.pk }

func (s publicSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no private key")
}

func TestWrongHalvesToImport(t *testing.T) {
	pq44, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	pq65, err := mldsa.GenerateKey(mldsa.MLDSA65())
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	p256Key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384Key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	exponent3 := rsaTestKey(2048)
	exponent3.E = 3
	destroyed, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	destroyed.Destroy()

	for what, c := range map[string]struct {
		a             SignatureAlgorithm
		pq, classical crypto.Signer
	}{
		"another parameter set":    {MLDSA44Ed25519SHA512(), pq65, ed},
		"swapped":                  {MLDSA44Ed25519SHA512(), ed, pq44},
		"no public key":            {MLDSA44Ed25519SHA512(), publicSigner{nil}, ed},
		"a nil ML-DSA key":         {MLDSA44Ed25519SHA512(), publicSigner{(*mldsa.PublicKey)(nil)}, ed},
		"a zero ML-DSA key":        {MLDSA44Ed25519SHA512(), publicSigner{new(mldsa.PublicKey)}, ed},
		"a nil ML-DSA private key": {MLDSA44Ed25519SHA512(), (*mldsa.PrivateKey)(nil), ed},
		"no classical public key":  {MLDSA44Ed25519SHA512(), pq44, publicSigner{nil}},
		"a short Ed25519 key":      {MLDSA44Ed25519SHA512(), pq44, publicSigner{ed25519.PublicKey{1, 2}}},
		"ECDSA for Ed25519":        {MLDSA44Ed25519SHA512(), pq44, p256Key},
		"Ed25519 for ECDSA":        {MLDSA44ECDSAP256SHA256(), pq44, ed},
		"another curve":            {MLDSA44ECDSAP256SHA256(), pq44, p384Key},
		"a nil ECDSA key":          {MLDSA44ECDSAP256SHA256(), pq44, publicSigner{(*ecdsa.PublicKey)(nil)}},
		"a zero ECDSA key":         {MLDSA44ECDSAP256SHA256(), pq44, publicSigner{&ecdsa.PublicKey{Curve: elliptic.P256()}}},
		"ECDSA for RSA":            {MLDSA44RSA2048PSSSHA256(), pq44, p256Key},
		"another size":             {MLDSA44RSA2048PSSSHA256(), pq44, rsaTestKey(3072)},
		"another exponent":         {MLDSA44RSA2048PSSSHA256(), pq44, publicSigner{&exponent3.PublicKey}},
		"a nil RSA key":            {MLDSA44RSA2048PSSSHA256(), pq44, publicSigner{(*rsa.PublicKey)(nil)}},
		"a zero RSA key":           {MLDSA44RSA2048PSSSHA256(), pq44, publicSigner{new(rsa.PublicKey)}},
	} {
		_, err := ImportCompositeKey(c.a, c.pq, c.classical, dedicated)
		assert.Error(t, err, what)
	}

	sk, err := ImportCompositeKey(MLDSA44Ed25519SHA512(), destroyed, ed, dedicated)
	require.NoError(t, err, "its public key is usable")
	_, err = sk.Sign(nil, nil, nil)
	assert.ErrorIs(t, err, mldsa.ErrDestroyed)
}

func TestSignersThatFail(t *testing.T) {
	d := draftSignatures[8] // ECDSA, with signatures that differ in length
	pq, err := mldsa.GenerateKey(d.mldsa)
	require.NoError(t, err)
	failure := errors.New("token removed")
	for what, c := range map[string]struct {
		want          error
		pq, classical opaqueSigner
	}{
		"the first fails":                {failure, opaqueSigner{err: failure}, opaqueSigner{}},
		"the second fails":               {failure, opaqueSigner{}, opaqueSigner{err: failure}},
		"a first signature too short":    {ErrSigner, opaqueSigner{shortBy: 1}, opaqueSigner{}},
		"a first signature too long":     {ErrSigner, opaqueSigner{overlong: []byte{0}}, opaqueSigner{}},
		"a second signature too long":    {ErrSigner, opaqueSigner{}, opaqueSigner{overlong: make([]byte, 100)}},
		"a first without its last bytes": {ErrSigner, opaqueSigner{shortBy: 100}, opaqueSigner{}},
	} {
		c.pq.sk, c.classical.sk = pq, d.classicalKey(t)
		sk, err := ImportCompositeKey(d.get(), &c.pq, &c.classical, dedicated)
		require.NoError(t, err)
		signature, err := sk.Sign(nil, []byte("m"), nil)
		assert.ErrorIs(t, err, c.want, what)
		assert.Nil(t, signature, what)
	}
	for _, d := range []draftSignature{draftSignatures[0], draftSignatures[10]} {
		short := &opaqueSigner{sk: d.classicalKey(t), shortBy: 1}
		sk, err := ImportCompositeKey(d.get(), nil, short, dedicated)
		require.NoError(t, err)
		_, err = sk.Sign(nil, []byte("m"), nil)
		assert.ErrorIs(t, err, ErrSigner)
	}
}

func TestDestroyedCompositeKeys(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		classical := d.classicalKey(t)
		sk, err := newCompositePrivateKey("test", d.get(), compositeHalf{}, compositeHalf{Signer: classical})
		require.NoError(t, err)
		same, err := NewCompositePrivateKey(d.get(), sk.Bytes())
		require.NoError(t, err)
		signature, err := sk.Sign(nil, []byte("m"), nil)
		require.NoError(t, err)
		pq := sk.mldsa.Signer.(*mldsa.PrivateKey)

		sk.Destroy()
		sk.Destroy()
		_, err = sk.Sign(nil, []byte("m"), nil)
		assert.ErrorIs(t, err, ErrDestroyed)
		_, err = sk.MarshalPKCS8()
		assert.ErrorIs(t, err, ErrDestroyed)
		assert.Nil(t, sk.Bytes())
		assert.False(t, sk.Equal(same))
		assert.False(t, same.Equal(sk))
		assert.Nil(t, pq.Bytes(), "the ML-DSA half")
		switch classical := classical.(type) {
		case *rsa.PrivateKey:
			for _, x := range append(classical.Primes, classical.D, classical.Precomputed.Dp) {
				for _, word := range x.Bits() {
					assert.Zero(t, word)
				}
			}
		case *ecdsa.PrivateKey:
			for _, word := range classical.D.Bits() {
				assert.Zero(t, word)
			}
		case ed25519.PrivateKey:
			assert.True(t, bytes.Equal(classical, make([]byte, len(classical))))
		}
		assert.NoError(t, VerifyComposite(sk.PublicKey(), []byte("m"), signature, nil), "the public key stays usable")
		assert.NoError(t, VerifyComposite(same.PublicKey(), []byte("m"), signature, nil))
	})
}

func TestUnusableCompositeKeys(t *testing.T) {
	for _, pk := range []*CompositePublicKey{nil, {}} {
		assert.ErrorIs(t, VerifyComposite(pk, nil, nil, nil), ErrNoKey)
		assert.Nil(t, pk.Bytes())
		_, err := pk.MarshalPKIX()
		assert.ErrorIs(t, err, ErrNoKey)
		assert.False(t, pk.Equal(pk))
		assert.Nil(t, pk.Precompute())
		assert.Equal(t, SignatureAlgorithm{}, pk.Algorithm())
		pq, classical := pk.Halves()
		assert.Nil(t, pq)
		assert.Nil(t, classical)
	}
	for _, v := range []*CompositeVerifier{nil, {}} {
		assert.ErrorIs(t, v.Verify(nil, nil, nil), ErrNoKey)
	}
	for _, sk := range []*CompositePrivateKey{nil, {}} {
		_, err := sk.Sign(nil, nil, nil)
		assert.ErrorIs(t, err, ErrNoKey)
		_, err = sk.MarshalPKCS8()
		assert.ErrorIs(t, err, ErrNoKey)
		assert.Nil(t, sk.Bytes())
		assert.Nil(t, sk.PublicKey())
		assert.False(t, sk.Equal(sk))
		assert.Equal(t, SignatureAlgorithm{}, sk.Algorithm())
		sk.Destroy()
	}
	assert.False(t, draftSignatures[2].key(t).Equal(nil))
	assert.False(t, draftSignatures[2].key(t).PublicKey().Equal(nil))
}
