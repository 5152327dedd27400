package hybrid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/mldsa"
)

// A draftSignature is what draft-ietf-lamps-pq-composite-sigs says of an algorithm in
// Section 6 and Appendix A: an account of its own beside the package's table.
type draftSignature struct {
	get                        func() SignatureAlgorithm
	arc                        int
	name                       string
	mldsa                      mldsa.Parameters
	preHash                    crypto.Hash
	classical                  any // bits of RSA, a curve, or nil for Ed25519
	hash                       crypto.Hash
	pss                        bool
	public, private, signature int
}

var draftSignatures = []draftSignature{
	{MLDSA44RSA2048PSSSHA256, 37, "MLDSA44-RSA2048-PSS-SHA256", mldsa.MLDSA44(), crypto.SHA256, 2048, crypto.SHA256, true, 1582, 1226, 2676},
	{MLDSA44RSA2048PKCS15SHA256, 38, "MLDSA44-RSA2048-PKCS15-SHA256", mldsa.MLDSA44(), crypto.SHA256, 2048, crypto.SHA256, false, 1582, 1226, 2676},
	{MLDSA44Ed25519SHA512, 39, "MLDSA44-Ed25519-SHA512", mldsa.MLDSA44(), crypto.SHA512, nil, 0, false, 1344, 64, 2484},
	{MLDSA44ECDSAP256SHA256, 40, "MLDSA44-ECDSA-P256-SHA256", mldsa.MLDSA44(), crypto.SHA256, elliptic.P256(), crypto.SHA256, false, 1377, 83, 2492},
	{MLDSA65RSA3072PSSSHA512, 41, "MLDSA65-RSA3072-PSS-SHA512", mldsa.MLDSA65(), crypto.SHA512, 3072, crypto.SHA256, true, 2350, 1802, 3693},
	{MLDSA65RSA3072PKCS15SHA512, 42, "MLDSA65-RSA3072-PKCS15-SHA512", mldsa.MLDSA65(), crypto.SHA512, 3072, crypto.SHA256, false, 2350, 1802, 3693},
	{MLDSA65RSA4096PSSSHA512, 43, "MLDSA65-RSA4096-PSS-SHA512", mldsa.MLDSA65(), crypto.SHA512, 4096, crypto.SHA384, true, 2478, 2383, 3821},
	{MLDSA65RSA4096PKCS15SHA512, 44, "MLDSA65-RSA4096-PKCS15-SHA512", mldsa.MLDSA65(), crypto.SHA512, 4096, crypto.SHA384, false, 2478, 2383, 3821},
	{MLDSA65ECDSAP256SHA512, 45, "MLDSA65-ECDSA-P256-SHA512", mldsa.MLDSA65(), crypto.SHA512, elliptic.P256(), crypto.SHA256, false, 2017, 83, 3381},
	{MLDSA65ECDSAP384SHA512, 46, "MLDSA65-ECDSA-P384-SHA512", mldsa.MLDSA65(), crypto.SHA512, elliptic.P384(), crypto.SHA384, false, 2049, 96, 3413},
	{MLDSA65Ed25519SHA512, 48, "MLDSA65-Ed25519-SHA512", mldsa.MLDSA65(), crypto.SHA512, nil, 0, false, 1984, 64, 3373},
	{MLDSA87ECDSAP384SHA512, 49, "MLDSA87-ECDSA-P384-SHA512", mldsa.MLDSA87(), crypto.SHA512, elliptic.P384(), crypto.SHA384, false, 2689, 96, 4731},
	{MLDSA87RSA3072PSSSHA512, 52, "MLDSA87-RSA3072-PSS-SHA512", mldsa.MLDSA87(), crypto.SHA512, 3072, crypto.SHA256, true, 2990, 1802, 5011},
	{MLDSA87RSA4096PSSSHA512, 53, "MLDSA87-RSA4096-PSS-SHA512", mldsa.MLDSA87(), crypto.SHA512, 4096, crypto.SHA384, true, 3118, 2383, 5139},
	{MLDSA87ECDSAP521SHA512, 54, "MLDSA87-ECDSA-P521-SHA512", mldsa.MLDSA87(), crypto.SHA512, elliptic.P521(), crypto.SHA512, false, 2725, 114, 4766},
}

// representative builds M′ independently of the package.
func (d draftSignature) representative(context string, message []byte) []byte {
	label := "COMPSIG-" + d.name
	hashed := d.preHash.New()
	hashed.Write(message)
	m := append([]byte("CompositeAlgorithmSignatures2025"+label), byte(len(context)))
	return hashed.Sum(append(m, context...))
}

// classicalKey returns a key for the classical half, made by the standard library.
func (d draftSignature) classicalKey(t testing.TB) crypto.Signer {
	switch c := d.classical.(type) {
	case int:
		return rsaTestKey(c)
	case elliptic.Curve:
		sk, err := ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
		return sk
	default:
		_, sk, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		return sk
	}
}

// key returns a private key whose halves are the package's own, but for RSA of fixed primes.
func (d draftSignature) key(t testing.TB) *CompositePrivateKey {
	sk, err := newCompositePrivateKey("test", d.get(), compositeHalf{}, compositeHalf{Signer: d.classicalKey(t)})
	require.NoError(t, err)
	return sk
}

// sign signs M′ with the classical half alone, by the standard library.
func (d draftSignature) sign(t testing.TB, sk crypto.Signer, m []byte) []byte {
	var signature []byte
	var err error
	switch sk := sk.(type) {
	case *rsa.PrivateKey:
		if d.pss {
			opts := &rsa.PSSOptions{SaltLength: d.hash.Size()}
			signature, err = rsa.SignPSS(rand.Reader, sk, d.hash, d.digest(m), opts)
		} else {
			signature, err = rsa.SignPKCS1v15(nil, sk, d.hash, d.digest(m))
		}
	case *ecdsa.PrivateKey:
		signature, err = ecdsa.SignASN1(rand.Reader, sk, d.digest(m))
	case ed25519.PrivateKey:
		signature = ed25519.Sign(sk, m)
	}
	require.NoError(t, err)
	require.NotEmpty(t, signature)
	return signature
}

// verify verifies the classical half alone, by the standard library.
func (d draftSignature) verify(pk crypto.PublicKey, m, signature []byte) bool {
	switch pk := pk.(type) {
	case *rsa.PublicKey:
		if d.pss {
			opts := &rsa.PSSOptions{SaltLength: d.hash.Size()}
			return rsa.VerifyPSS(pk, d.hash, d.digest(m), signature, opts) == nil
		}
		return rsa.VerifyPKCS1v15(pk, d.hash, d.digest(m), signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pk, d.digest(m), signature)
	default:
		return ed25519.Verify(pk.(ed25519.PublicKey), m, signature)
	}
}

func (d draftSignature) digest(m []byte) []byte {
	switch d.hash {
	case crypto.SHA256:
		h := sha256.Sum256(m)
		return h[:]
	case crypto.SHA384:
		h := sha512.Sum384(m)
		return h[:]
	default:
		h := sha512.Sum512(m)
		return h[:]
	}
}

// onEverySignature runs f for every composite signature algorithm.
func onEverySignature(t *testing.T, f func(t *testing.T, d draftSignature)) {
	for _, d := range draftSignatures {
		t.Run(d.name, func(t *testing.T) { f(t, d) })
	}
}

func TestSignatureAlgorithmsAreThoseOfTheDraft(t *testing.T) {
	all := SignatureAlgorithms()
	require.Len(t, all, len(draftSignatures))
	for i, d := range draftSignatures {
		a := d.get()
		assert.Equal(t, all[i], a)
		assert.Equal(t, d.name, a.String())
		assert.Equal(t, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, d.arc}, a.OID())
		assert.Equal(t, a.OID().String(), a.oid().String())
		assert.Equal(t, d.mldsa, a.MLDSA())
		assert.Equal(t, d.public, a.PublicKeySize())
		assert.Equal(t, d.signature, a.MaxSignatureSize())
	}
	var zero SignatureAlgorithm
	assert.Equal(t, "no composite signature algorithm", zero.String())
	assert.Nil(t, zero.OID())
	assert.Zero(t, zero.PublicKeySize())
	assert.Zero(t, zero.MaxSignatureSize())
	assert.Equal(t, mldsa.Parameters{}, zero.MLDSA())
	for _, err := range []error{
		func() error { _, err := GenerateCompositeKey(zero); return err }(),
		func() error { _, err := NewCompositePrivateKey(zero, make([]byte, 64)); return err }(),
		func() error { _, err := NewCompositePublicKey(zero, make([]byte, 1344)); return err }(),
		func() error {
			_, err := ImportCompositeKey(zero, nil, rsaTestKey(2048), &ImportOptions{DedicatedKeys: true})
			return err
		}(),
	} {
		assert.ErrorIs(t, err, ErrAlgorithm)
	}
}

// TestGeneratedKeysSign makes both halves anew. With -short it leaves out RSA above 2048
// bits.
func TestGeneratedKeysSign(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		if bits, ok := d.classical.(int); ok && bits > 2048 && (testing.Short() || d.mldsa != mldsa.MLDSA87()) {
			t.Skip("slow, and like the others but for the table")
		}
		sk, err := GenerateCompositeKey(d.get())
		require.NoError(t, err)
		other, err := GenerateCompositeKey(d.get())
		require.NoError(t, err)
		require.False(t, sk.Equal(other))
		signature, err := sk.Sign(nil, []byte("message"), nil)
		require.NoError(t, err)
		require.NoError(t, VerifyComposite(sk.PublicKey(), []byte("message"), signature, nil))
		require.Equal(t, ErrInvalidSignature, VerifyComposite(other.PublicKey(), []byte("message"), signature, nil))
		again, err := NewCompositePrivateKey(d.get(), sk.Bytes())
		require.NoError(t, err)
		require.True(t, sk.Equal(again))
	})
}

// TestHalvesAreTheStandardLibrarys takes signatures apart, and puts others together, with
// M′ built here and the classical half signed and verified by the standard library.
func TestHalvesAreTheStandardLibrarys(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		pq, err := mldsa.GenerateKey(d.mldsa)
		require.NoError(t, err)
		classical := d.classicalKey(t)
		sk, err := ImportCompositeKey(d.get(), pq, classical, &ImportOptions{DedicatedKeys: true})
		require.NoError(t, err)
		pk := sk.PublicKey()
		n := d.mldsa.SignatureSize()
		label := &mldsa.Options{Context: "COMPSIG-" + d.name}
		for _, context := range []string{"", "c", strings.Repeat("x", 100)} {
			opts := &mldsa.Options{Context: context}
			message := []byte("message for " + context)
			m := d.representative(context, message)

			for _, name := range cpu.Available() {
				restore := cpu.Use(name)
				signature, err := sk.Sign(nil, message, opts)
				require.NoError(t, err)
				require.NoError(t, mldsa.Verify(pq.PublicKey(), m, signature[:n], label))
				require.True(t, d.verify(classical.Public(), m, signature[n:]))
				require.NoError(t, VerifyComposite(pk, message, signature, opts))
				restore()
			}

			first, err := pq.SignDeterministic(m, label)
			require.NoError(t, err)
			signature := append(first, d.sign(t, classical, m)...)
			require.NoError(t, VerifyComposite(pk, message, signature, opts))
			require.NoError(t, pk.Precompute().Verify(message, signature, opts))
		}
		gotPQ, gotClassical := pk.Halves()
		assert.True(t, pq.PublicKey().Equal(gotPQ))
		assert.Equal(t, classical.Public(), gotClassical)
	})
}

func TestSigningIsHedged(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		sk := d.key(t)
		n := d.mldsa.SignatureSize()
		a, err := sk.Sign(nil, nil, nil)
		require.NoError(t, err)
		b, err := sk.SignMessage(nil, nil, crypto.Hash(0))
		require.NoError(t, err)
		assert.NotEqual(t, a[:n], b[:n])
		deterministic := d.classical == nil || d.hash != 0 && !d.pss && len(b[n:]) >= 256
		assert.Equal(t, deterministic, string(a[n:]) == string(b[n:]))
	})
}

func TestConcurrentSigningAndVerifying(t *testing.T) {
	for _, d := range []draftSignature{draftSignatures[0], draftSignatures[8], draftSignatures[10]} {
		sk := d.key(t)
		v := sk.PublicKey().Precompute()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				message := []byte{byte(i)}
				for range 5 {
					signature, err := sk.Sign(nil, message, nil)
					assert.NoError(t, err)
					assert.NoError(t, VerifyComposite(sk.PublicKey(), message, signature, nil))
					assert.NoError(t, v.Verify(message, signature, nil))
					assert.Equal(t, ErrInvalidSignature, v.Verify([]byte("other"), signature, nil))
				}
			})
		}
		wg.Wait()
	}
}

func TestContexts(t *testing.T) {
	sk := draftSignatures[2].key(t)
	pk := sk.PublicKey()
	signature := make(map[string][]byte)
	for _, context := range []string{"", "\x00", "a", strings.Repeat("a", 255)} {
		opts := &mldsa.Options{Context: context}
		var err error
		signature[context], err = sk.Sign(nil, []byte("m"), opts)
		require.NoError(t, err)
		require.NoError(t, VerifyComposite(pk, []byte("m"), signature[context], opts))
	}
	for context, s := range signature {
		for other := range signature {
			err := VerifyComposite(pk, []byte("m"), s, &mldsa.Options{Context: other})
			assert.Equal(t, context == other, err == nil)
		}
	}
	long := &mldsa.Options{Context: strings.Repeat("a", 256)}
	_, err := sk.Sign(nil, []byte("m"), long)
	assert.ErrorIs(t, err, ErrContext)
	assert.ErrorIs(t, VerifyComposite(pk, []byte("m"), signature[""], long), ErrContext)
	assert.ErrorIs(t, pk.Precompute().Verify([]byte("m"), signature[""], long), ErrContext)
}

func TestOptionsThatAreRefused(t *testing.T) {
	sk := draftSignatures[2].key(t)
	for _, opts := range []crypto.SignerOpts{crypto.SHA256, crypto.SHA512, &rsa.PSSOptions{}, &ed25519.Options{Context: "c"}, crypto.Hash(20)} {
		_, err := sk.Sign(nil, make([]byte, 64), opts)
		assert.ErrorIs(t, err, ErrOptions, "%T", opts)
		_, err = sk.SignMessage(nil, make([]byte, 64), opts)
		assert.ErrorIs(t, err, ErrOptions, "%T", opts)
	}
	signature, err := sk.Sign(nil, []byte("m"), (*mldsa.Options)(nil))
	require.NoError(t, err)
	assert.NoError(t, VerifyComposite(sk.PublicKey(), []byte("m"), signature, nil))
}
