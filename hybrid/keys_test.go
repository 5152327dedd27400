package hybrid

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// A keyPair is a key of each algorithm that this package reads.
type keyPair struct {
	name    string
	private crypto.PrivateKey
	public  crypto.PublicKey
}

// keyPairs are made once, since RSA takes its time.
var keyPairs = sync.OnceValue(func() (pairs []keyPair) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	add := func(name string, private crypto.PrivateKey) {
		var public crypto.PublicKey
		switch private := private.(type) {
		case crypto.Decapsulator:
			public = private.Encapsulator()
		case interface{ Public() crypto.PublicKey }:
			public = private.Public()
		}
		pairs = append(pairs, keyPair{name, private, public})
	}
	for _, p := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		sk, err := mldsa.GenerateKey(p)
		must(err)
		add(p.String(), sk)
	}
	dk512, err := mlkem.GenerateKey512()
	must(err)
	add("ML-KEM-512", dk512)
	dk768, err := mlkem.GenerateKey768()
	must(err)
	add("ML-KEM-768", dk768)
	dk1024, err := mlkem.GenerateKey1024()
	must(err)
	add("ML-KEM-1024", dk1024)
	xwing, err := GenerateXWingKey()
	must(err)
	add("X-Wing", xwing)
	for _, a := range []SignatureAlgorithm{MLDSA44Ed25519SHA512(), MLDSA65ECDSAP256SHA512(), MLDSA44RSA2048PSSSHA256()} {
		sk, err := GenerateCompositeKey(a)
		must(err)
		add(a.String(), sk)
	}
	for _, a := range []KEMAlgorithm{MLKEM768X25519SHA3_256(), MLKEM1024ECDHP384SHA3_256()} {
		dk, err := GenerateCompositeDecapsulationKey(a)
		must(err)
		add(a.String(), dk)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	add("RSA", rsaKey)
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		sk, err := ecdsa.GenerateKey(c, rand.Reader)
		must(err)
		add("ECDSA "+c.Params().Name, sk)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	add("Ed25519", ed)
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(err)
	add("X25519", x)
	return pairs
})

// keyNamed returns the pair with the given name.
func keyNamed(t testing.TB, name string) keyPair {
	t.Helper()
	for _, k := range keyPairs() {
		if k.name == name {
			return k
		}
	}
	require.Fail(t, "no key", name)
	return keyPair{}
}

func (k keyPair) signer() crypto.Signer { return k.private.(crypto.Signer) }

func keyPEM(blockType string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

func TestKeysRoundTripInDERAndPEM(t *testing.T) {
	for _, k := range keyPairs() {
		t.Run(k.name, func(t *testing.T) {
			public, err := MarshalPKIXPublicKey(k.public)
			require.NoError(t, err)
			private, err := MarshalPKCS8PrivateKey(k.private)
			require.NoError(t, err)
			for _, data := range [][]byte{public, keyPEM("PUBLIC KEY", public), append([]byte("A key\n"), keyPEM("PUBLIC KEY", public)...)} {
				got, err := ParsePublicKey(data)
				require.NoError(t, err)
				assert.IsType(t, k.public, got)
				again, err := MarshalPKIXPublicKey(got)
				require.NoError(t, err)
				assert.Equal(t, public, again)
			}
			for _, data := range [][]byte{private, keyPEM("PRIVATE KEY", private)} {
				original := bytes.Clone(data)
				got, err := ParsePrivateKey(data)
				require.NoError(t, err)
				assert.Equal(t, original, data, "the input is the caller's")
				assert.IsType(t, k.private, got)
				again, err := MarshalPKCS8PrivateKey(got)
				require.NoError(t, err)
				assert.Equal(t, private, again)
			}
			_, err = ParsePrivateKey(public)
			assert.Error(t, err)
			_, err = ParsePublicKey(private)
			assert.ErrorIs(t, err, ErrEncoding)
			for _, data := range [][]byte{private, public} {
				for _, cut := range []int{0, 1, len(data) / 2, len(data) - 1} {
					_, err = ParsePrivateKey(data[:cut])
					assert.ErrorIs(t, err, ErrEncoding)
					_, err = ParsePublicKey(data[:cut])
					assert.ErrorIs(t, err, ErrEncoding)
				}
				_, err = ParsePrivateKey(append(bytes.Clone(data), 0))
				assert.ErrorIs(t, err, ErrEncoding)
				_, err = ParsePublicKey(append(bytes.Clone(data), 0))
				assert.ErrorIs(t, err, ErrEncoding)
			}
		})
	}
}

// TestOlderPEMTypes: what openssl genrsa and ecparam have written for decades.
func TestOlderPEMTypes(t *testing.T) {
	key := keyNamed(t, "RSA").private.(*rsa.PrivateKey)
	got, err := ParsePrivateKey(keyPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)))
	require.NoError(t, err)
	assert.True(t, key.Equal(got))

	ec := keyNamed(t, "ECDSA P-256").private.(*ecdsa.PrivateKey)
	der, err := x509.MarshalECPrivateKey(ec)
	require.NoError(t, err)
	file := append(keyPEM("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}), keyPEM("EC PRIVATE KEY", der)...)
	got, err = ParsePrivateKey(file)
	require.NoError(t, err)
	assert.True(t, ec.Equal(got))
	for _, bad := range [][]byte{der[:len(der)-1], append(bytes.Clone(der), 0), {}} {
		_, err = ParsePrivateKey(keyPEM("EC PRIVATE KEY", bad))
		assert.ErrorIs(t, err, ErrEncoding)
		_, err = ParsePrivateKey(keyPEM("RSA PRIVATE KEY", bad))
		assert.ErrorIs(t, err, ErrEncoding)
	}
}

func TestEncryptedKeysAreSaidToBe(t *testing.T) {
	// PBES2, with parameters that don't matter, and something encrypted.
	encrypted := []byte{0x30, 0x11, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d, 0x30, 0, 4, 0}
	old, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", []byte("key"), []byte("password"), x509.PEMCipherAES128)
	require.NoError(t, err)
	for _, data := range [][]byte{encrypted, keyPEM("ENCRYPTED PRIVATE KEY", encrypted), keyPEM("PRIVATE KEY", encrypted), pem.EncodeToMemory(old)} {
		_, err := ParsePrivateKey(data)
		require.ErrorIs(t, err, ErrEncrypted)
		assert.Contains(t, err.Error(), "encrypted with a password")
	}
}

func TestUnknownAlgorithmsAreNamed(t *testing.T) {
	for _, a := range []pkcs.Algorithm{
		{OID: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 32)},
		{OID: pkcs.NewOID(1, 2, 840, 10040, 4, 1), Parameters: []byte{5, 0}},
		{OID: pkcs.NewOID(2, 25, 1<<31)},
	} {
		_, err := ParsePublicKey(pkcs.PublicKey{Algorithm: a, Key: []byte{1}}.Marshal())
		algorithm, ok := errors.AsType[*AlgorithmError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, a.OID.String(), algorithm.OID)
		assert.Contains(t, err.Error(), a.OID.String())
		require.ErrorIs(t, err, ErrAlgorithm)
		_, err = ParsePrivateKey(keyPEM("PRIVATE KEY", pkcs.PrivateKey{Algorithm: a, Key: []byte{1}}.Marshal()))
		require.ErrorIs(t, err, ErrAlgorithm)
		assert.Contains(t, err.Error(), a.OID.String())
	}
}

func TestWrongKeyFilesAreRefused(t *testing.T) {
	mldsaKey := keyNamed(t, "ML-DSA-44")
	private, err := MarshalPKCS8PrivateKey(mldsaKey.private)
	require.NoError(t, err)
	public, err := MarshalPKIXPublicKey(mldsaKey.public)
	require.NoError(t, err)
	file := keyPEM("PRIVATE KEY", private)
	nested := keyPEM("PRIVATE KEY", file)
	deep := bytes.Repeat([]byte{0x30, 0x80}, 1000)
	var shell []byte // sequences in sequences, all lengths right
	for len(shell) < 60000 {
		k := pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: oidRSA}, Key: shell}
		shell = k.Marshal()
	}
	ec, err := x509.MarshalPKCS8PrivateKey(keyNamed(t, "ECDSA P-256").private)
	require.NoError(t, err)
	k, err := pkcs.ParsePrivateKey(ec)
	require.NoError(t, err)
	k.Key = append(bytes.Clone(k.Key), 0)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":                   {nil, ErrEncoding},
		"text":                      {[]byte("key"), ErrEncoding},
		"too large":                 {make([]byte, maxKeyFile+1), ErrTooLarge},
		"too large, PEM":            {append(bytes.Repeat([]byte{'\n'}, maxKeyFile), file...), ErrTooLarge},
		"PEM without an end":        {file[:len(file)-5], ErrEncoding},
		"two keys":                  {bytes.Repeat(file, 2), ErrEncoding},
		"something after":           {append(bytes.Clone(file), "x"...), ErrEncoding},
		"headers":                   {bytes.Replace(file, []byte("KEY-----\n"), []byte("KEY-----\nA: b\n\n"), 1), ErrEncoding},
		"certificate":               {keyPEM("CERTIFICATE", private), ErrEncoding},
		"public key":                {keyPEM("PUBLIC KEY", public), ErrEncoding},
		"public key as private key": {keyPEM("PRIVATE KEY", public), ErrEncoding},
		"PEM in PEM":                {nested, ErrEncoding},
		"trailing DER in PEM":       {keyPEM("PRIVATE KEY", append(bytes.Clone(private), 0)), ErrEncoding},
		"endless nesting":           {deep, ErrEncoding},
		"nested keys":               {shell, ErrTooLarge},
		"a few nested keys":         {pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: oidRSA}, Key: private}.Marshal(), ErrEncoding},
		"large RSA PRIVATE KEY":     {keyPEM("RSA PRIVATE KEY", make([]byte, maxClassicalKey+1)), ErrTooLarge},
		"byte after ECPrivateKey":   {k.Marshal(), ErrEncoding},
		"only EC PARAMETERS":        {keyPEM("EC PARAMETERS", []byte{5, 0}), ErrEncoding},
	} {
		key, err := ParsePrivateKey(c.data)
		assert.ErrorIs(t, err, c.want, name)
		assert.Nil(t, key, name)
		if name != "public key" {
			pub, err := ParsePublicKey(c.data)
			assert.Error(t, err, name)
			assert.Nil(t, pub, name)
		}
	}
}

// TestRSASizesAreLimited: the time that a key or certificate can take is.
func TestRSASizesAreLimited(t *testing.T) {
	modulus := func(bits uint) *rsa.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
	}
	_, err := ParsePublicKey(mustMarshal(t, modulus(maxRSABits)))
	assert.NoError(t, err)
	_, err = ParsePublicKey(mustMarshal(t, modulus(maxRSABits+1)))
	assert.ErrorIs(t, err, ErrTooLarge)
}

// TestClassicalPublicKeyBesidePrivateKey: crypto/x509 does not look at it.
func TestClassicalPublicKeyBesidePrivateKey(t *testing.T) {
	for _, name := range []string{"RSA", "ECDSA P-256", "Ed25519", "X25519"} {
		pair := keyNamed(t, name)
		der, err := x509.MarshalPKCS8PrivateKey(pair.private)
		require.NoError(t, err)
		k, err := pkcs.ParsePrivateKey(der)
		require.NoError(t, err)
		spki, err := x509.MarshalPKIXPublicKey(pair.public)
		require.NoError(t, err)
		public, err := pkcs.ParsePublicKey(spki)
		require.NoError(t, err)
		k.PublicKey = public.Key
		_, err = ParsePrivateKey(k.Marshal())
		assert.NoError(t, err, name)
		k.PublicKey = bytes.Clone(public.Key)
		k.PublicKey[len(k.PublicKey)-1] ^= 1
		_, err = ParsePrivateKey(k.Marshal())
		assert.ErrorIs(t, err, ErrInconsistent, name)
	}
}

func TestUnusableKeysAreNotWritten(t *testing.T) {
	_, err := MarshalPKIXPublicKey(nil)
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = MarshalPKCS8PrivateKey("key")
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = MarshalPKIXPublicKey((*mldsa.PublicKey)(nil))
	assert.ErrorIs(t, err, mldsa.ErrNoKey)
	_, err = MarshalPKCS8PrivateKey(new(mlkem.DecapsulationKey768))
	assert.ErrorIs(t, err, mlkem.ErrNoKey)
}

// FuzzParseKey parses arbitrary bytes: what is accepted is written and read again.
func FuzzParseKey(f *testing.F) {
	for _, k := range keyPairs() {
		public, err := MarshalPKIXPublicKey(k.public)
		require.NoError(f, err)
		private, err := MarshalPKCS8PrivateKey(k.private)
		require.NoError(f, err)
		f.Add(public)
		f.Add(keyPEM("PUBLIC KEY", public))
		f.Add(private)
		f.Add(keyPEM("PRIVATE KEY", private))
	}
	f.Add([]byte(strings.Repeat("-----BEGIN ", 100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := ParsePublicKey(data); err == nil {
			der, err := MarshalPKIXPublicKey(key)
			require.NoError(t, err)
			_, err = ParsePublicKey(der)
			require.NoError(t, err)
		}
		key, err := ParsePrivateKey(data)
		if err != nil {
			return
		}
		der, err := MarshalPKCS8PrivateKey(key)
		if errors.Is(err, mldsa.ErrNoSeed) || errors.Is(err, mlkem.ErrNoSeed) {
			return
		}
		require.NoError(t, err)
		_, err = ParsePrivateKey(der)
		require.NoError(t, err)
	})
}
