package mldsa

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrongSizesAreRefused(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		for _, tc := range []struct {
			what string
			want int
			f    func(b []byte) error
		}{
			{p.String() + " seed", PrivateKeySize, func(b []byte) error { _, err := NewPrivateKey(p, b); return err }},
			{p.String() + " expanded private key", p.expandedKeySize(), func(b []byte) error { _, err := NewPrivateKeyFromExpanded(p, b); return err }},
			{p.String() + " public key", p.PublicKeySize(), func(b []byte) error { _, err := NewPublicKey(p, b); return err }},
			{p.String() + " public key", p.PublicKeySize(), func(b []byte) error { return new(PublicKey).SetBytes(p, b) }},
			{"μ", MuSize, func(b []byte) error { _, err := sk.Sign(nil, b, mldsaMu); return err }},
			{"μ", MuSize, func(b []byte) error { _, err := sk.SignDeterministic(b, mldsaMu); return err }},
		} {
			for _, n := range []int{0, 1, tc.want - 1, tc.want + 1, 2 * tc.want} {
				err := tc.f(make([]byte, n))
				require.ErrorIs(t, err, ErrSize, "%s of %d bytes", tc.what, n)
				assert.Regexp(t, `^mldsa: \w.*: `+tc.what+` of \d+ bytes, want \d+$`, err.Error())
			}
			require.ErrorIs(t, tc.f(nil), ErrSize)
		}
	})
}

func TestSignaturesOfDigests(t *testing.T) {
	// The last arcs of 2.16.840.1.101.3.4.2 (NIST, Computer Security Objects Register).
	arcs := map[PreHash]byte{
		SHA256: 1, SHA384: 2, SHA512: 3, SHA224: 4, SHA512_224: 5, SHA512_256: 6,
		SHA3_224: 7, SHA3_256: 8, SHA3_384: 9, SHA3_512: 10, SHAKE128: 11, SHAKE256: 12,
	}
	sk := generate(t, MLDSA44())
	pk := sk.PublicKey()
	for h := SHA224; h <= SHAKE256; h++ {
		signature, err := SignPreHash(sk, h, make([]byte, h.Size()), nil)
		require.NoError(t, err)
		require.NoError(t, VerifyPreHash(pk, h, make([]byte, h.Size()), signature, nil))
		require.True(t, Verify(pk, make([]byte, h.Size()), signature, nil) == ErrInvalidSignature, "a signature of a digest is none of a message")
		// FIPS 204, Algorithm 4: M′ is 1, the context, the function's identifier and the digest.
		oid := []byte{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arcs[h]}
		mu := shake256(MuSize, shake256(64, pk.Bytes()), []byte{1, 0}, oid, make([]byte, h.Size()))
		require.NoError(t, VerifyMu(pk, (*[MuSize]byte)(mu), signature))
		for _, n := range []int{0, h.Size() - 1, h.Size() + 1} {
			_, err := SignPreHash(sk, h, make([]byte, n), nil)
			require.ErrorIs(t, err, ErrSize)
			assert.Regexp(t, `^mldsa: SignPreHash: `+h.String()+` digest of \d+ bytes, want \d+$`, err.Error())
			require.ErrorIs(t, VerifyPreHash(pk, h, make([]byte, n), signature, nil), ErrSize)
		}
		// The identifier of the hash function is signed too.
		for other := SHA224; other <= SHAKE256; other++ {
			if other != h && other.Size() == h.Size() {
				require.True(t, VerifyPreHash(pk, other, make([]byte, h.Size()), signature, nil) == ErrInvalidSignature)
			}
		}
	}
	for _, h := range []PreHash{0, SHAKE256 + 1, 255} {
		_, err := SignPreHash(sk, h, nil, nil)
		require.ErrorIs(t, err, ErrOptions)
		require.ErrorIs(t, VerifyPreHash(pk, h, nil, make([]byte, MLDSA44SignatureSize), nil), ErrOptions)
		require.Zero(t, h.Size())
		require.Equal(t, "no hash function", h.String())
	}
}

func TestZeroParametersAreRefused(t *testing.T) {
	var none Parameters
	for name, f := range map[string]func() error{
		"GenerateKey":               func() error { _, err := GenerateKey(none); return err },
		"PrivateKey.Generate":       func() error { return new(PrivateKey).Generate(none) },
		"NewPrivateKey":             func() error { _, err := NewPrivateKey(none, make([]byte, PrivateKeySize)); return err },
		"NewPrivateKeyFromExpanded": func() error { _, err := NewPrivateKeyFromExpanded(none, nil); return err },
		"NewPublicKey":              func() error { _, err := NewPublicKey(none, nil); return err },
		"PublicKey.SetBytes":        func() error { return new(PublicKey).SetBytes(none, nil) },
	} {
		err := f()
		require.ErrorIs(t, err, ErrParameters, name)
		if name != "GenerateKey" {
			assert.Equal(t, "mldsa: "+name+": no parameter set", err.Error())
		}
	}
	assert.Zero(t, none.PublicKeySize())
	assert.Zero(t, none.SignatureSize())
	assert.Equal(t, "no ML-DSA parameter set", none.String())
	assert.Equal(t, none, (*PublicKey)(nil).Parameters())
	assert.Equal(t, none, new(PublicKey).Parameters())
}

func TestContextsHaveAtMost255Bytes(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		pk := sk.PublicKey()
		message := random(50)
		for _, n := range []int{0, 1, 255} {
			context := string(random(n))
			mu := muOf(t, pk, context, message)
			for _, s := range signForms {
				signature, err := s.sign(sk, message, &mu, context)
				require.NoError(t, err, s.name)
				if s.name == "PrivateKey.SignMessage" && !s.hasContext && n > 0 {
					continue // crypto.MLDSAMu leaves no room for a context
				}
				for _, v := range verifyForms {
					require.NoError(t, v.verify(pk, message, &mu, signature, context), "%s and %s, %d bytes", s.name, v.name, n)
					if !v.hasContext {
						continue
					}
					if n < 255 {
						require.True(t, v.verify(pk, message, nil, signature, context+"x") == ErrInvalidSignature)
					}
					if n > 0 {
						require.True(t, v.verify(pk, message, nil, signature, "") == ErrInvalidSignature)
						require.True(t, v.verify(pk, message, nil, signature, context[1:]) == ErrInvalidSignature)
					}
				}
			}
			digest := random(32)
			signature, err := SignPreHash(sk, SHA256, digest, &Options{Context: context})
			require.NoError(t, err)
			require.NoError(t, VerifyPreHash(pk, SHA256, digest, signature, &Options{Context: context}))
			require.True(t, n == 0 || VerifyPreHash(pk, SHA256, digest, signature, nil) == ErrInvalidSignature)
		}
		for _, n := range []int{256, 257, 512, 70000} {
			context := strings.Repeat("c", n)
			signature := make([]byte, p.SignatureSize())
			requireContext := func(name string, err error) {
				t.Helper()
				require.ErrorIs(t, err, ErrContext, name)
				assert.Regexp(t, `^mldsa: `+name+`: context of \d+ bytes, want 255 at most$`, err.Error())
			}
			for _, s := range signForms {
				if s.hasContext {
					got, err := s.sign(sk, message, nil, context)
					requireContext(s.name, err)
					require.Nil(t, got)
				}
			}
			for _, v := range verifyForms {
				if v.hasContext {
					requireContext(v.name, v.verify(pk, message, nil, signature, context))
				}
			}
			opts := &Options{Context: context}
			_, err := SignPreHash(sk, SHA256, make([]byte, 32), opts)
			requireContext("SignPreHash", err)
			requireContext("VerifyPreHash", VerifyPreHash(pk, SHA256, make([]byte, 32), signature, opts))
			h, err := pk.NewMu(context)
			requireContext("PublicKey.NewMu", err)
			require.Nil(t, h)
		}
	})
}

// otherOptions is a type of options that no signer knows.
type otherOptions crypto.Hash

func (o otherOptions) HashFunc() crypto.Hash { return crypto.Hash(o) }

// Options of each kind that has a nil.
type (
	pointerOptions struct{ h crypto.Hash }
	funcOptions    func() crypto.Hash
	sliceOptions   []crypto.Hash
	mapOptions     map[int]crypto.Hash
	chanOptions    chan crypto.Hash
)

func (o *pointerOptions) HashFunc() crypto.Hash { return o.h }
func (o funcOptions) HashFunc() crypto.Hash     { return o() }
func (o sliceOptions) HashFunc() crypto.Hash    { return o[0] }
func (o mapOptions) HashFunc() crypto.Hash      { return o[0] }
func (o chanOptions) HashFunc() crypto.Hash     { return mldsaMu }

func TestUnsupportedOptionsAreRefused(t *testing.T) {
	sk := generate(t, MLDSA44())
	mu := muOf(t, sk.PublicKey(), "", []byte("message"))
	forms := map[string]func(message []byte, opts crypto.SignerOpts) ([]byte, error){
		"PrivateKey.Sign": func(message []byte, opts crypto.SignerOpts) ([]byte, error) { return sk.Sign(nil, message, opts) },
		"PrivateKey.SignMessage": func(message []byte, opts crypto.SignerOpts) ([]byte, error) {
			return sk.SignMessage(nil, message, opts)
		},
		"PrivateKey.SignDeterministic": sk.SignDeterministic,
	}
	for name, sign := range forms {
		for _, opts := range []crypto.SignerOpts{
			crypto.SHA256, crypto.SHA512, crypto.SHA3_256, crypto.MD5SHA1, crypto.Hash(19), crypto.Hash(21), crypto.Hash(1 << 20),
			&rsa.PSSOptions{}, &rsa.PSSOptions{Hash: crypto.SHA256}, otherOptions(0), otherOptions(crypto.SHA512),
		} {
			signature, err := sign(mu[:], opts)
			require.ErrorIs(t, err, ErrOptions, "%s with %T", name, opts)
			require.Nil(t, signature)
			assert.Regexp(t, `^mldsa: `+name+`: options \S+ with hash function .+, want none, \*Options or crypto.MLDSAMu$`, err.Error())
		}
		// Nil of a type that is not ours: its HashFunc may panic, and says nothing if not.
		for _, opts := range []crypto.SignerOpts{
			(*rsa.PSSOptions)(nil), (*pointerOptions)(nil), funcOptions(nil), sliceOptions(nil), mapOptions(nil), chanOptions(nil),
		} {
			signature, err := sign(mu[:], opts)
			require.ErrorIs(t, err, ErrOptions, "%s with %T", name, opts)
			require.Nil(t, signature)
			assert.Regexp(t, `^mldsa: `+name+`: options \S+ that are nil, want none, \*Options or crypto.MLDSAMu$`, err.Error())
		}
		// The same types where they are not.
		for _, opts := range []crypto.SignerOpts{
			&pointerOptions{20}, funcOptions(func() crypto.Hash { return 20 }), sliceOptions{20}, mapOptions{0: 20},
		} {
			_, err := sign(mu[:], opts)
			require.NoError(t, err, "%s with %T", name, opts)
		}
		var none *Options
		for _, opts := range []crypto.SignerOpts{nil, crypto.Hash(0), none, &Options{}} {
			signature, err := sign([]byte("message"), opts)
			require.NoError(t, err)
			requireVerdict(t, sk.PublicKey(), []byte("message"), signature, true)
		}
		for _, opts := range []crypto.SignerOpts{crypto.Hash(20), otherOptions(20)} {
			message := mu[:]
			if name == "PrivateKey.SignMessage" {
				message = []byte("message")
			}
			signature, err := sign(message, opts)
			require.NoError(t, err)
			requireVerdict(t, sk.PublicKey(), []byte("message"), signature, true)
		}
	}
}

func TestUnusablePrivateKeysSignNothing(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		gone, expandedGone := generate(t, p), generate(t, p)
		expandedGone, err := NewPrivateKeyFromExpanded(p, expandedGone.ExpandedBytes())
		require.NoError(t, err)
		gone.Destroy()
		expandedGone.Destroy()
		destroyedEmpty := new(PrivateKey)
		destroyedEmpty.Destroy()
		failed := new(PrivateKey)
		require.Error(t, failed.Generate(Parameters{}))
		var mu [MuSize]byte
		for _, tc := range []struct {
			name string
			sk   *PrivateKey
			want error
		}{
			{"nil", nil, ErrNoKey},
			{"zero", new(PrivateKey), ErrNoKey},
			{"failed", failed, ErrNoKey},
			{"destroyed", gone, ErrDestroyed},
			{"destroyed expanded", expandedGone, ErrDestroyed},
			{"destroyed zero", destroyedEmpty, ErrDestroyed},
		} {
			for _, s := range signForms {
				signature, err := s.sign(tc.sk, nil, &mu, "")
				require.ErrorIs(t, err, tc.want, "%s %s", tc.name, s.name)
				assert.True(t, strings.HasPrefix(err.Error(), "mldsa: "+s.name+": the key "), err.Error())
				require.Nil(t, signature)
			}
			signature, err := SignPreHash(tc.sk, SHA256, make([]byte, 32), nil)
			require.ErrorIs(t, err, tc.want)
			require.Nil(t, signature)
			dst := []byte("prefix")
			got, err := tc.sk.AppendSign(dst, nil, nil)
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, dst, got)
			got, err = tc.sk.AppendSignMu(dst, &mu)
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, dst, got)
			require.Nil(t, tc.sk.Bytes())
			require.Nil(t, tc.sk.ExpandedBytes())
			require.False(t, tc.sk.Equal(tc.sk))
			require.False(t, generate(t, p).Equal(tc.sk))
		}
		var none *PrivateKey
		require.ErrorIs(t, none.Generate(p), ErrNoKey)
		none.Destroy()
		require.Nil(t, none.PublicKey())
	})
}

func TestUnusablePublicKeysVerifyNothing(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		encoded := sk.PublicKey().Bytes()
		signature, err := sk.Sign(nil, nil, nil)
		require.NoError(t, err)
		failed, failedParameters := new(PublicKey), new(PublicKey)
		for _, pk := range []*PublicKey{failed, failedParameters} {
			require.NoError(t, pk.SetBytes(p, encoded))
		}
		require.ErrorIs(t, failed.SetBytes(p, encoded[1:]), ErrSize)
		require.ErrorIs(t, failedParameters.SetBytes(Parameters{}, encoded), ErrParameters)
		mu := muOf(t, sk.PublicKey(), "", nil)
		for name, pk := range map[string]*PublicKey{
			"nil": nil, "zero": new(PublicKey), "failed": failed, "failed parameters": failedParameters,
			"of nil": (*PrivateKey)(nil).PublicKey(), "of zero": new(PrivateKey).PublicKey(),
		} {
			for _, v := range verifyForms {
				err := v.verify(pk, nil, &mu, signature, "")
				require.ErrorIs(t, err, ErrNoKey, "%s %s", name, v.name)
				assert.Equal(t, "mldsa: "+v.name+": the key is nil, was never set, or failed to parse", err.Error())
			}
			require.ErrorIs(t, VerifyPreHash(pk, SHA256, make([]byte, 32), signature, nil), ErrNoKey)
			h, err := pk.NewMu("")
			require.ErrorIs(t, err, ErrNoKey)
			require.Nil(t, h)
			require.Nil(t, pk.Bytes(), name)
			require.Nil(t, pk.Precompute())
			require.False(t, pk.Equal(pk))
			require.False(t, sk.PublicKey().Equal(pk))
		}
		require.ErrorIs(t, (*PublicKey)(nil).SetBytes(p, encoded), ErrNoKey)
		require.NoError(t, failed.SetBytes(p, encoded), "a key that failed can be set again")
		requireVerdict(t, failed, nil, signature, true)
	})
}

func TestEqualIsOfTheSameKeyAndSetOnly(t *testing.T) {
	for _, p := range sets {
		sk := generate(t, p)
		again, err := NewPrivateKey(p, sk.Bytes())
		require.NoError(t, err)
		expanded, err := NewPrivateKeyFromExpanded(p, sk.ExpandedBytes())
		require.NoError(t, err)
		other := generate(t, p)
		assert.True(t, sk.Equal(again))
		assert.True(t, sk.Equal(expanded))
		assert.True(t, sk.PublicKey().Equal(expanded.PublicKey()))
		assert.False(t, sk.Equal(other))
		assert.False(t, sk.PublicKey().Equal(other.PublicKey()))
		for _, x := range []any{nil, 1, sk.seed, sk.PublicKey(), sk} {
			if x != any(sk) {
				assert.False(t, sk.Equal(x))
			}
			if x != any(sk.PublicKey()) {
				assert.False(t, sk.PublicKey().Equal(x))
			}
		}
		for _, q := range sets {
			if q != p {
				same, err := NewPrivateKey(q, sk.Bytes())
				require.NoError(t, err)
				assert.False(t, sk.Equal(same))
				assert.False(t, sk.PublicKey().Equal(same.PublicKey()))
			}
		}
	}
}

// TestSignaturesOfEveryLength truncates and extends a valid signature.
func TestSignaturesOfEveryLength(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		message := random(20)
		signature, err := sk.Sign(nil, message, nil)
		require.NoError(t, err)
		requireVerdict(t, sk.PublicKey(), message, signature, true)
		for _, tail := range [][]byte{{0}, {1}, make([]byte, 64), signature} {
			requireVerdict(t, sk.PublicKey(), message, append(bytes.Clone(signature), tail...), false, "%d bytes more", len(tail))
		}
		verifier := sk.PublicKey().Precompute()
		for n := range signature {
			require.True(t, verifier.Verify(message, signature[:n], nil) == ErrInvalidSignature, "%d bytes", n)
		}
		for _, q := range sets {
			if q != p {
				requireVerdict(t, generate(t, q).PublicKey(), message, signature, false)
			}
		}
		requireVerdict(t, sk.PublicKey(), message, nil, false)
	})
}
