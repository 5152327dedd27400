package hybrid

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
)

// TestWrongHalves: a signature with a wrong half, whichever it is and whatever is wrong with
// it, is the one error value.
func TestWrongHalves(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		sk, other := d.key(t), d.key(t)
		if _, ok := d.classical.(int); ok { // there is one RSA key of a size
			other = draftSignatures[2].key(t)
		}
		pk, n := sk.PublicKey(), d.mldsa.SignatureSize()
		message, opts := []byte("message"), &mldsa.Options{Context: "context"}
		sign := func(sk *CompositePrivateKey, message string) []byte {
			signature, err := sk.Sign(nil, []byte(message), opts)
			require.NoError(t, err)
			return signature
		}
		good, later, foreign := sign(sk, "message"), sign(sk, "another message"), sign(other, "message")
		require.NoError(t, VerifyComposite(pk, message, good, opts))

		first, second := good[:n:n], good[n:len(good):len(good)]
		join := func(a, b []byte) []byte { return append(bytes.Clone(a), b...) }
		wrong := map[string][]byte{
			"no signature":                        nil,
			"the first half alone":                first,
			"the second half alone":               second,
			"swapped halves":                      join(second, first),
			"the first half of another message":   join(later[:n], second),
			"the second half of another message":  join(first, later[n:]),
			"the first half of another key":       join(foreign[:min(n, len(foreign))], second),
			"the second half of another key":      join(first, foreign[min(n, len(foreign)):]),
			"another message":                     later,
			"another key":                         foreign,
			"a zero first half":                   join(make([]byte, n), second),
			"a zero second half":                  join(first, make([]byte, len(second))),
			"a byte more":                         join(good, []byte{0}),
			"a byte less":                         good[:len(good)-1],
			"a byte less in the first half":       join(first[1:], second),
			"a byte of the first half in second":  join(first[:n-1], join([]byte{0}, second)),
			"a second half with a leading zero":   join(first, join([]byte{0}, second)),
			"the second half twice":               join(good, second),
			"the first half twice":                join(first, good),
			"a first half that is not for M′":     join(mldsaHalf(t, sk, message, ""), second),
			"a first half without the label":      join(mldsaHalf(t, sk, d.representative("context", message), ""), second),
			"a second half of the message itself": join(first, d.sign(t, sk.classical.Signer, message)),
		}
		for i := 0; i < len(good); i += 1 + len(good)/40 {
			for _, at := range []int{i, len(good) - 1 - i} {
				flipped := bytes.Clone(good)
				flipped[at] ^= 0x10
				wrong[fmt.Sprintf("a bit of byte %d", at)] = flipped
			}
		}
		v := pk.Precompute()
		for what, signature := range wrong {
			// Not ErrorIs: it is the value.
			assert.True(t, VerifyComposite(pk, message, signature, opts) == ErrInvalidSignature, what)
			assert.True(t, v.Verify(message, signature, opts) == ErrInvalidSignature, what)
		}
		assert.NoError(t, VerifyComposite(pk, message, good, opts))
	})
}

// mldsaHalf signs m with the ML-DSA half alone.
func mldsaHalf(t *testing.T, sk *CompositePrivateKey, m []byte, context string) []byte {
	signature, err := sk.mldsa.Sign(nil, m, &mldsa.Options{Context: context})
	require.NoError(t, err)
	return signature
}

// TestSignatureOfAnotherAlgorithm: the label keeps apart algorithms with the same halves.
func TestSignatureOfAnotherAlgorithm(t *testing.T) {
	for _, pair := range [][2]int{{0, 1}, {4, 5}, {6, 7}} {
		a, b := draftSignatures[pair[0]], draftSignatures[pair[1]]
		sk := a.key(t)
		encoded := sk.Bytes()
		as, err := NewCompositePrivateKey(b.get(), encoded)
		require.NoError(t, err, "same halves")
		signature, err := as.Sign(nil, []byte("m"), nil)
		require.NoError(t, err)
		assert.NoError(t, VerifyComposite(as.PublicKey(), []byte("m"), signature, nil))
		assert.Equal(t, ErrInvalidSignature, VerifyComposite(sk.PublicKey(), []byte("m"), signature, nil))
		assert.False(t, sk.Equal(as))
		assert.False(t, sk.PublicKey().Equal(as.PublicKey()))
	}
}

func TestCompositeKeysEncode(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		sk := d.key(t)
		a, pk := d.get(), sk.PublicKey()
		assert.Equal(t, a, sk.Algorithm())
		assert.Equal(t, a, pk.Algorithm())
		assert.Len(t, pk.Bytes(), d.public)
		assert.LessOrEqual(t, len(sk.Bytes()), d.private)
		if _, ok := d.classical.(int); !ok {
			assert.Len(t, sk.Bytes(), d.private)
		}

		pkAgain, err := NewCompositePublicKey(a, pk.Bytes())
		require.NoError(t, err)
		assert.True(t, pk.Equal(pkAgain))
		spki, err := pk.MarshalPKIX()
		require.NoError(t, err)
		pkAgain, err = ParseCompositePublicKey(spki)
		require.NoError(t, err)
		assert.True(t, pk.Equal(pkAgain))

		skAgain, err := NewCompositePrivateKey(a, sk.Bytes())
		require.NoError(t, err)
		assert.True(t, sk.Equal(skAgain))
		pkcs8, err := sk.MarshalPKCS8()
		require.NoError(t, err)
		skAgain, err = ParseCompositePrivateKey(pkcs8)
		require.NoError(t, err)
		assert.True(t, sk.Equal(skAgain))
		assert.Equal(t, sk.Bytes(), skAgain.Bytes())
		assert.Equal(t, sk.Public(), skAgain.Public())

		id := pkcs.Algorithm{OID: a.oid()}
		both := pkcs.PrivateKey{Algorithm: id, Key: sk.Bytes(), PublicKey: pk.Bytes()}
		_, err = ParseCompositePrivateKey(both.Marshal())
		assert.NoError(t, err, "with the public key")
		both.PublicKey[0] ^= 1
		_, err = ParseCompositePrivateKey(both.Marshal())
		assert.ErrorIs(t, err, ErrInconsistent)

		for n := range 300 {
			_, err := ParseCompositePublicKey(spki[:len(spki)*n/300])
			assert.ErrorIs(t, err, ErrEncoding)
			_, err = ParseCompositePrivateKey(pkcs8[:len(pkcs8)*n/300])
			assert.ErrorIs(t, err, ErrEncoding)
			_, err = NewCompositePublicKey(a, pk.Bytes()[:d.public*n/300])
			assert.ErrorIs(t, err, ErrSize)
			encoded := sk.Bytes()
			_, err = NewCompositePrivateKey(a, encoded[:len(encoded)*n/300])
			assert.Error(t, err)
		}
		for _, der := range [][]byte{append(bytes.Clone(spki), 0), append(bytes.Clone(pkcs8), 0)} {
			_, err := ParseCompositePublicKey(der)
			assert.ErrorIs(t, err, ErrEncoding)
			_, err = ParseCompositePrivateKey(der)
			assert.ErrorIs(t, err, ErrEncoding)
		}
		_, err = NewCompositePublicKey(a, append(pk.Bytes(), 0))
		assert.ErrorIs(t, err, ErrSize)
		_, err = NewCompositePrivateKey(a, append(sk.Bytes(), 0))
		assert.Error(t, err)
	})
}

func TestCompositeIdentifiersAreStrict(t *testing.T) {
	sk := draftSignatures[10].key(t)
	public := func(id pkcs.Algorithm) error {
		_, err := ParseCompositePublicKey(pkcs.PublicKey{Algorithm: id, Key: sk.PublicKey().Bytes()}.Marshal())
		return err
	}
	private := func(id pkcs.Algorithm) error {
		_, err := ParseCompositePrivateKey(pkcs.PrivateKey{Algorithm: id, Key: sk.Bytes()}.Marshal())
		return err
	}
	for _, parse := range []func(pkcs.Algorithm) error{public, private} {
		assert.NoError(t, parse(pkcs.Algorithm{OID: sk.Algorithm().oid()}))
		null := pkcs.Algorithm{OID: sk.Algorithm().oid(), Parameters: []byte{5, 0}}
		assert.ErrorIs(t, parse(null), ErrEncoding, "parameters")
		assert.ErrorContains(t, parse(null), "parameters")
		for _, oid := range []pkcs.OID{
			pkcs.NewOID(1, 3, 6, 1, 5, 5, 7, 6, 47), // brainpool
			pkcs.NewOID(1, 3, 6, 1, 5, 5, 7, 6, 58), // a KEM
			pkcs.NewOID(1, 3, 6, 1, 5, 5, 7, 6),
			pkcs.NewOID(1, 3, 6, 1, 5, 5, 7, 6, 48, 0),
			pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 18), // ML-DSA-65
		} {
			err := parse(pkcs.Algorithm{OID: oid})
			var unknown *AlgorithmError
			if assert.ErrorAs(t, err, &unknown) {
				assert.Equal(t, oid.String(), unknown.OID)
				assert.ErrorContains(t, err, oid.String())
				assert.ErrorIs(t, err, ErrAlgorithm)
			}
		}
	}
	// The right form for another algorithm.
	err := public(pkcs.Algorithm{OID: MLDSA44Ed25519SHA512().oid()})
	assert.ErrorIs(t, err, ErrSize)
}

// wrongRSAPublic are encodings that are no RSAPublicKey of 2048 bits, most of its length.
func wrongRSAPublic(t testing.TB) map[string][]byte {
	key := rsaTestKey(2048)
	n, e := key.N, big.NewInt(rsaExponent)
	sequence := func(values ...any) []byte {
		var body []byte
		for _, v := range values {
			b, err := asn1.Marshal(v)
			require.NoError(t, err)
			body = append(body, b...)
		}
		b, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: body})
		require.NoError(t, err)
		return b
	}
	good := sequence(n, e)
	require.Equal(t, good, x509.MarshalPKCS1PublicKey(&key.PublicKey))
	change := func(at int, b byte) []byte {
		c := bytes.Clone(good)
		c[at] = b
		return c
	}
	even := new(big.Int).Sub(n, big.NewInt(1))
	short := new(big.Int).Rsh(n, 1)
	short.SetBit(short, 0, 1)
	return map[string][]byte{
		"an even modulus":          sequence(even, e),
		"a modulus of 2047 bits":   sequence(short, e),
		"a modulus of 1024 bits":   sequence(rsaTestKey(1024).N, e),
		"a modulus of 3072 bits":   sequence(rsaTestKey(3072).N, e),
		"a negative modulus":       sequence(new(big.Int).Neg(n), e),
		"a zero modulus":           sequence(new(big.Int), e),
		"exponent 3":               sequence(n, big.NewInt(3)),
		"exponent 65539":           sequence(n, big.NewInt(65539)),
		"an even exponent":         sequence(n, big.NewInt(65538)),
		"a negative exponent":      sequence(n, big.NewInt(-65537)),
		"exponent of 64 bits":      sequence(n, new(big.Int).Lsh(big.NewInt(1), 63)),
		"an element more":          sequence(n, e, e),
		"an element less":          sequence(n),
		"e and n swapped":          sequence(e, n),
		"a SET":                    change(0, 0x31),
		"a BIT STRING for n":       change(4, 0x03),
		"a length with a zero":     append([]byte{0x30, 0x83, 0x00}, good[2:]...),
		"n with a leading zero":    append(append([]byte{0x30, 0x82, 0x01, 0x0b, 0x02, 0x82, 0x01, 0x02, 0x00}, good[8:265]...), good[265:]...),
		"an indefinite length":     append(append([]byte{0x30, 0x80}, good[4:]...), 0, 0),
		"trailing bytes inside":    append([]byte{0x30, 0x82, 0x01, 0x0c}, append(bytes.Clone(good[4:]), 5, 0)...),
		"trailing bytes":           append(bytes.Clone(good), 0),
		"a SubjectPublicKeyInfo":   mustPKIX(t, &key.PublicKey),
		"nothing":                  nil,
		"zeros":                    make([]byte, len(good)),
		"a length one byte longer": change(3, good[3]+1),
	}
}

func mustPKIX(t testing.TB, pk any) []byte {
	b, err := x509.MarshalPKIXPublicKey(pk)
	require.NoError(t, err)
	return b
}

func TestWrongRSAPublicKeys(t *testing.T) {
	k := rsaKeys{2048}
	good := x509.MarshalPKCS1PublicKey(&rsaTestKey(2048).PublicKey)
	require.Len(t, good, k.publicKeySize())
	_, err := k.parsePublic("test", good)
	require.NoError(t, err)
	pq := make([]byte, mldsa.MLDSA44PublicKeySize)
	for what, b := range wrongRSAPublic(t) {
		_, err := k.parsePublic("test", b)
		assert.Error(t, err, what)
		_, err = NewCompositePublicKey(MLDSA44RSA2048PSSSHA256(), append(bytes.Clone(pq), b...))
		assert.Error(t, err, what)
	}
	_, err = NewCompositePublicKey(MLDSA44RSA2048PSSSHA256(), append(bytes.Clone(pq), good...))
	require.NoError(t, err)
	_, err = k.parsePublic("test", wrongRSAPublic(t)["a modulus of 1024 bits"])
	assert.ErrorIs(t, err, ErrSize)
	assert.ErrorContains(t, err, "RSA modulus of 1024 bits, want 2048")
}

func TestWrongRSAPrivateKeys(t *testing.T) {
	k := rsaKeys{2048}
	type privateKey struct {
		Version                   int
		N, E, D, P, Q, Dp, Dq, QI *big.Int
		Others                    []struct{ R, D, T *big.Int } `asn1:"optional,omitempty"`
	}
	parts := func() *privateKey {
		sk := rsaTestKey(2048)
		return &privateKey{
			0, sk.N, big.NewInt(int64(sk.E)), sk.D, sk.Primes[0], sk.Primes[1],
			sk.Precomputed.Dp, sk.Precomputed.Dq, sk.Precomputed.Qinv, nil,
		}
	}
	encode := func(p *privateKey) []byte {
		b, err := asn1.Marshal(*p)
		require.NoError(t, err)
		return b
	}
	good := encode(parts())
	require.Equal(t, good, x509.MarshalPKCS1PrivateKey(rsaTestKey(2048)))
	_, err := k.parsePrivate("test", good)
	require.NoError(t, err)

	one := big.NewInt(1)
	for what, change := range map[string]func(p *privateKey){
		"version 1":            func(p *privateKey) { p.Version = 1 },
		"version 2":            func(p *privateKey) { p.Version = 2 },
		"another modulus":      func(p *privateKey) { p.N = new(big.Int).Add(p.N, big.NewInt(2)) },
		"another d":            func(p *privateKey) { p.D = new(big.Int).Add(p.D, big.NewInt(2)) },
		"d = 1":                func(p *privateKey) { p.D = one },
		"another p":            func(p *privateKey) { p.P = new(big.Int).Add(p.P, big.NewInt(2)) },
		"p and q swapped":      func(p *privateKey) { p.P, p.Q = p.Q, p.P },
		"p = 1":                func(p *privateKey) { p.P, p.Q = one, p.N },
		"another dp":           func(p *privateKey) { p.Dp = new(big.Int).Add(p.Dp, big.NewInt(2)) },
		"another dq":           func(p *privateKey) { p.Dq = one },
		"another inverse of q": func(p *privateKey) { p.QI = one },
		"negative d":           func(p *privateKey) { p.D = new(big.Int).Neg(p.D) },
		"exponent 3":           func(p *privateKey) { p.E = big.NewInt(3) },
	} {
		p := parts()
		change(p)
		_, err := k.parsePrivate("test", encode(p))
		assert.ErrorIs(t, err, ErrEncoding, what)
	}
	for _, bits := range []int{1024, 3072} {
		_, err := k.parsePrivate("test", x509.MarshalPKCS1PrivateKey(rsaTestKey(bits)))
		assert.ErrorIs(t, err, ErrSize, "%d bits", bits)
	}
	for bits, want := range map[int]int{2048: 1226, 3072: 1802, 4096: 2383} { // Appendix A of the draft
		assert.Equal(t, want-mldsa.PrivateKeySize, rsaKeys{bits}.maxPrivateKeySize())
	}
	_, err = k.parsePrivate("test", mustPKCS8(t, rsaTestKey(2048)))
	assert.Error(t, err, "PKCS #8")
	_, err = k.parsePrivate("test", x509.MarshalPKCS1PrivateKey(rsaTestKey(4096)))
	assert.ErrorContains(t, err, "want 1194 at most")
	// Of three primes, with 2048 bits.
	three, err := rsa.GenerateMultiPrimeKey(nil, 3, 2048)
	if assert.NoError(t, err) {
		_, err := k.parsePrivate("test", x509.MarshalPKCS1PrivateKey(three))
		assert.Error(t, err, "three primes")
		assert.Nil(t, k.marshalPrivate(three))
	}
	for what, b := range map[string][]byte{
		"trailing bytes": append(bytes.Clone(good), 0),
		"nothing":        nil,
		"an element more": append([]byte{0x30, 0x82, byte((len(good) - 4 + 2) >> 8), byte(len(good) - 4 + 2)},
			append(bytes.Clone(good[4:]), 5, 0)...),
	} {
		_, err := k.parsePrivate("test", b)
		assert.ErrorIs(t, err, ErrEncoding, what)
	}
}

func mustPKCS8(t testing.TB, sk any) []byte {
	b, err := x509.MarshalPKCS8PrivateKey(sk)
	require.NoError(t, err)
	return b
}

var testCurves = []struct {
	*namedCurve
	elliptic.Curve
}{{&curveP256, elliptic.P256()}, {&curveP384, elliptic.P384()}, {&curveP521, elliptic.P521()}}

// TestECPrivateKeys: the encoding is that of crypto/x509 without the public key.
func TestECPrivateKeys(t *testing.T) {
	for _, c := range testCurves {
		scalar := make([]byte, c.scalarSize)
		scalar[c.scalarSize-1] = 7
		good := c.marshalScalar(scalar)
		type ecPrivateKey struct {
			Version    int
			PrivateKey []byte
			Parameters asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
			PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
		}
		var key ecPrivateKey
		rest, err := asn1.Unmarshal(good, &key)
		require.NoError(t, err)
		require.Empty(t, rest)
		parsed, err := x509.ParseECPrivateKey(good)
		require.NoError(t, err)
		require.Equal(t, c.Curve, parsed.Curve)
		again, err := c.parseScalar("test", good)
		require.NoError(t, err)
		require.Equal(t, scalar, again)

		encode := func(change func(k *ecPrivateKey)) []byte {
			k := key
			change(&k)
			b, err := asn1.Marshal(k)
			require.NoError(t, err)
			return b
		}
		require.Equal(t, good, encode(func(*ecPrivateKey) {}))
		withPublic, err := x509.MarshalECPrivateKey(parsed)
		require.NoError(t, err)
		for what, b := range map[string][]byte{
			"version 0":         encode(func(k *ecPrivateKey) { k.Version = 0 }),
			"a scalar too long": encode(func(k *ecPrivateKey) { k.PrivateKey = append([]byte{0}, k.PrivateKey...) }),
			"a short scalar":    encode(func(k *ecPrivateKey) { k.PrivateKey = k.PrivateKey[1:] }),
			"no curve":          encode(func(k *ecPrivateKey) { k.Parameters = nil }),
			"another curve":     encode(func(k *ecPrivateKey) { k.Parameters = asn1.ObjectIdentifier{1, 3, 132, 0, 33} }),
			"a public key":      withPublic,
			"PKCS #8":           mustPKCS8(t, parsed),
			"a scalar alone":    scalar,
			"trailing bytes":    append(bytes.Clone(good), 0),
			"nothing":           nil,
		} {
			_, err := c.parseScalar("test", b)
			assert.Error(t, err, what)
		}
		d := ecdsaSignature{c.namedCurve, c.Curve, 0}
		for what, scalar := range map[string]*big.Int{
			"zero": new(big.Int), "the order": c.Params().N, "above the order": new(big.Int).Add(c.Params().N, big.NewInt(1)),
		} {
			b := c.marshalScalar(scalar.FillBytes(make([]byte, c.scalarSize)))
			_, err := d.parsePrivate("test", b)
			assert.ErrorIs(t, err, ErrEncoding, what)
		}
	}
}

func TestECPoints(t *testing.T) {
	for _, c := range testCurves {
		d := ecdsaSignature{c.namedCurve, c.Curve, 0}
		p := c.Params()
		good := elliptic.Marshal(c.Curve, p.Gx, p.Gy)
		pk, err := d.parsePublic("test", good)
		require.NoError(t, err)
		again, err := d.marshalPublic("test", pk)
		require.NoError(t, err)
		require.Equal(t, good, again)
		coordinates := func(x, y *big.Int) []byte {
			b := make([]byte, c.pointSize())
			b[0] = 4
			x.FillBytes(b[1 : 1+c.scalarSize])
			y.FillBytes(b[1+c.scalarSize:])
			return b
		}
		hybridForm := bytes.Clone(good)
		hybridForm[0] = 6 | byte(p.Gy.Bit(0))
		for what, b := range map[string][]byte{
			"compressed":                elliptic.MarshalCompressed(c.Curve, p.Gx, p.Gy),
			"compressed and padded":     append(elliptic.MarshalCompressed(c.Curve, p.Gx, p.Gy), make([]byte, c.scalarSize)...),
			"infinity":                  {0},
			"infinity, padded":          make([]byte, c.pointSize()),
			"zero coordinates":          coordinates(new(big.Int), new(big.Int)),
			"the hybrid form":           hybridForm,
			"off the curve":             coordinates(p.Gx, new(big.Int).Xor(p.Gy, big.NewInt(1))),
			"a coordinate not below p":  coordinates(p.P, p.Gy),
			"an OCTET STRING of it":     append([]byte{4, byte(c.pointSize())}, good...),
			"a point with a byte more":  append(bytes.Clone(good), 0),
			"a point with a byte less":  good[:len(good)-1],
			"a point without its first": good[1:],
		} {
			_, err := d.parsePublic("test", b)
			assert.Error(t, err, "%s: %s", c.name, what)
		}
	}
}

// TestSwappedKeyHalves: where the halves can be told apart, they are.
func TestSwappedKeyHalves(t *testing.T) {
	onEverySignature(t, func(t *testing.T, d draftSignature) {
		if d.classical == nil {
			return // 32 bytes of Ed25519 and any 1952 are a key, of which no signature is known
		}
		sk := d.key(t)
		b, n := sk.PublicKey().Bytes(), d.mldsa.PublicKeySize()
		_, err := NewCompositePublicKey(d.get(), append(bytes.Clone(b[n:]), b[:n]...))
		assert.Error(t, err)
		b = sk.Bytes()
		_, err = NewCompositePrivateKey(d.get(), append(bytes.Clone(b[32:]), b[:32]...))
		assert.Error(t, err)
	})
}
