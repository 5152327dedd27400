package mlkem

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/internal/pkcs"
)

func pkixSetNamed(name string) *pkixSet {
	for _, s := range []*pkixSet{&pkix512, &pkix768, &pkix1024} {
		if s.name == name {
			return s
		}
	}
	return nil
}

var forms = []PrivateKeyForm{SeedForm, ExpandedForm, BothForm}

func TestPKIXRoundTrip(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk := s.generate()
		ek := dk.public()
		der, err := MarshalPKIXPublicKey(ek.(crypto.Encapsulator))
		require.NoError(t, err)
		parsed, err := ParsePKIXPublicKey(der)
		require.NoError(t, err)
		assert.IsType(t, ek, parsed)
		assert.Equal(t, ek.Bytes(), parsed.Bytes())

		decapsulator := dk.(crypto.Decapsulator)
		for _, form := range forms {
			der, err := MarshalPKCS8PrivateKeyForm(decapsulator, form)
			require.NoError(t, err)
			parsed, err := ParsePKCS8PrivateKey(der)
			require.NoError(t, err)
			assert.IsType(t, dk, parsed)
			assert.Equal(t, dk.ExpandedBytes(), parsed.(privateKey).ExpandedBytes())
			if form == ExpandedForm {
				assert.Nil(t, parsed.(privateKey).Bytes())
				_, err = MarshalPKCS8PrivateKey(parsed)
				assert.ErrorIs(t, err, ErrNoSeed)
				_, err = MarshalPKCS8PrivateKeyForm(parsed, BothForm)
				assert.ErrorIs(t, err, ErrNoSeed)
				again, err := MarshalPKCS8PrivateKeyForm(parsed, ExpandedForm)
				require.NoError(t, err)
				assert.Equal(t, der, again)
			} else {
				assert.Equal(t, dk.Bytes(), parsed.(privateKey).Bytes())
			}
		}
		seed, err := MarshalPKCS8PrivateKey(decapsulator)
		require.NoError(t, err)
		assert.Len(t, seed, 86)
		assert.True(t, bytes.HasSuffix(seed, append([]byte{0x04, 0x42, 0x80, 0x40}, dk.Bytes()...)))
	})
}

// TestPublicKeyBesidePrivateKey: RFC 5958, version v2.
func TestPublicKeyBesidePrivateKey(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk, other := s.generate(), s.generate()
		key := append([]byte{0x80, SeedSize}, dk.Bytes()...)
		a := pkcs.Algorithm{OID: pkixSetNamed(s.name).oid}
		parse := func(public []byte) error {
			_, err := ParsePKCS8PrivateKey(pkcs.PrivateKey{Algorithm: a, Key: key, PublicKey: public}.Marshal())
			return err
		}
		assert.NoError(t, parse(dk.public().Bytes()))
		assert.ErrorIs(t, parse(other.public().Bytes()), ErrInconsistent)
		assert.ErrorIs(t, parse([]byte{}), ErrInconsistent)
		assert.ErrorIs(t, parse(dk.public().Bytes()[1:]), ErrInconsistent)
	})
}

func TestWrongKeyFilesAreRefused(t *testing.T) {
	onEverySet(t, func(t *testing.T, s set) {
		dk, other := s.generate(), s.generate()
		a := pkcs.Algorithm{OID: pkixSetNamed(s.name).oid}
		seed, expanded, ek := dk.Bytes(), dk.ExpandedBytes(), dk.public().Bytes()
		flipped := func(b []byte, i int) []byte {
			b = bytes.Clone(b)
			b[i] ^= 1
			return b
		}
		// An ŝ of another key, and the hash right: only use shows it.
		mixed := bytes.Clone(expanded)
		copy(mixed, other.ExpandedBytes()[:384*s.k])
		unreduced := bytes.Clone(expanded)
		unreduced[0], unreduced[1] = 0xff, 0xff
		private := func(f pkcs.Forms) []byte { return pkcs.MarshalForms(a.OID, f) }
		for name, c := range map[string]struct {
			der  []byte
			want error
		}{
			"short seed":            {private(pkcs.Forms{Seed: seed[1:]}), ErrSize},
			"empty seed":            {private(pkcs.Forms{Seed: []byte{}}), ErrSize},
			"seed of ML-DSA":        {private(pkcs.Forms{Seed: seed[32:]}), ErrSize},
			"short expanded":        {private(pkcs.Forms{Expanded: expanded[1:]}), ErrSize},
			"long expanded":         {private(pkcs.Forms{Expanded: append(bytes.Clone(expanded), 0)}), ErrSize},
			"both, short expanded":  {private(pkcs.Forms{Seed: seed, Expanded: expanded[1:]}), ErrSize},
			"both, short seed":      {private(pkcs.Forms{Seed: seed[1:], Expanded: expanded}), ErrSize},
			"another's expanded":    {private(pkcs.Forms{Seed: seed, Expanded: other.ExpandedBytes()}), ErrInconsistent},
			"both, another ŝ":       {private(pkcs.Forms{Seed: seed, Expanded: flipped(expanded, 0)}), ErrInconsistent},
			"both, another z":       {private(pkcs.Forms{Seed: seed, Expanded: flipped(expanded, len(expanded)-1)}), ErrInconsistent},
			"both, another seed":    {private(pkcs.Forms{Seed: flipped(seed, 63), Expanded: expanded}), ErrInconsistent},
			"another ŝ":             {private(pkcs.Forms{Expanded: mixed}), ErrInconsistent},
			"ŝ not reduced":         {private(pkcs.Forms{Expanded: unreduced}), ErrCoefficient},
			"another H(ek)":         {private(pkcs.Forms{Expanded: flipped(expanded, len(expanded)-64)}), ErrHash},
			"another ρ":             {private(pkcs.Forms{Expanded: flipped(expanded, len(expanded)-65)}), ErrHash},
			"no form":               {pkcs.PrivateKey{Algorithm: a, Key: []byte{5, 0}}.Marshal(), ErrEncoding},
			"bare seed":             {pkcs.PrivateKey{Algorithm: a, Key: seed}.Marshal(), ErrEncoding},
			"seed and something":    {pkcs.PrivateKey{Algorithm: a, Key: append(append([]byte{0x80, 64}, seed...), 0)}.Marshal(), ErrEncoding},
			"parameters":            {pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: a.OID, Parameters: []byte{5, 0}}, Key: seed}.Marshal(), ErrEncoding},
			"of ML-DSA":             {pkcs.MarshalForms(pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 17), pkcs.Forms{Seed: seed}), ErrAlgorithm},
			"a public key":          {pkcs.PublicKey{Algorithm: a, Key: ek}.Marshal(), ErrEncoding},
			"trailing byte":         {append(private(pkcs.Forms{Seed: seed}), 0), ErrEncoding},
			"one byte less at last": {private(pkcs.Forms{Seed: seed})[:85], ErrEncoding},
			"nothing":               {nil, ErrEncoding},
		} {
			key, err := ParsePKCS8PrivateKey(c.der)
			assert.ErrorIs(t, err, c.want, name)
			assert.True(t, key == nil, name)
		}
		large := bytes.Clone(ek)
		large[0], large[1] = 0xff, 0xff
		public := func(b []byte) []byte { return pkcs.PublicKey{Algorithm: a, Key: b}.Marshal() }
		for name, c := range map[string]struct {
			der  []byte
			want error
		}{
			"short":                   {public(ek[1:]), ErrSize},
			"long":                    {public(append(bytes.Clone(ek), 0)), ErrSize},
			"empty":                   {public(nil), ErrSize},
			"coefficient not reduced": {public(large), ErrCoefficient},
			"parameters":              {pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: a.OID, Parameters: []byte{5, 0}}, Key: ek}.Marshal(), ErrEncoding},
			"of no algorithm":         {pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 4, 4)}, Key: ek}.Marshal(), ErrAlgorithm},
			"a private key":           {private(pkcs.Forms{Seed: seed}), ErrEncoding},
			"trailing byte":           {append(public(ek), 0), ErrEncoding},
			"nothing":                 {nil, ErrEncoding},
		} {
			key, err := ParsePKIXPublicKey(c.der)
			assert.ErrorIs(t, err, c.want, name)
			assert.True(t, key == nil, name)
		}
		for _, q := range sets { // another set's key under this set's name
			if q.name != s.name {
				_, err := ParsePKIXPublicKey(public(q.generate().public().Bytes()))
				assert.ErrorIs(t, err, ErrSize)
				_, err = ParsePKCS8PrivateKey(private(pkcs.Forms{Expanded: q.generate().ExpandedBytes()}))
				assert.ErrorIs(t, err, ErrSize)
			}
		}
	})
}

func TestUnknownAlgorithmIsNamed(t *testing.T) {
	der := pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: pkcs.NewOID(1, 2, 840, 113549, 1, 1, 1), Parameters: []byte{5, 0}}}.Marshal()
	_, err := ParsePKIXPublicKey(der)
	assert.EqualError(t, err, "mlkem: not an ML-KEM key, but of algorithm 1.2.840.113549.1.1.1")
	algorithm, ok := errors.AsType[*AlgorithmError](err)
	require.True(t, ok)
	assert.Equal(t, "1.2.840.113549.1.1.1", algorithm.OID)
}

// foreignKey is a KEM key of another package.
type foreignKey struct{ *DecapsulationKey768 }

func TestUnusableKeysAreNotWritten(t *testing.T) {
	for _, s := range sets {
		dk := s.generate()
		for _, c := range []struct {
			key  privateKey
			want error
		}{{s.nilPrivate, ErrNoKey}, {s.zeroPrivate(), ErrNoKey}, {dk, ErrDestroyed}} {
			dk.Destroy()
			for _, form := range forms {
				_, err := MarshalPKCS8PrivateKeyForm(c.key.(crypto.Decapsulator), form)
				assert.ErrorIs(t, err, c.want)
			}
		}
		for _, key := range []publicKeyAPI{s.nilPublic, s.zeroPublic()} {
			_, err := MarshalPKIXPublicKey(key.(crypto.Encapsulator))
			assert.ErrorIs(t, err, ErrNoKey)
		}
	}
	dk, err := GenerateKey768()
	require.NoError(t, err)
	_, err = MarshalPKCS8PrivateKey(foreignKey{dk})
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = MarshalPKCS8PrivateKey(nil)
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = MarshalPKIXPublicKey(nil)
	assert.ErrorIs(t, err, ErrAlgorithm)
	for _, form := range []PrivateKeyForm{-1, BothForm + 1} {
		_, err = MarshalPKCS8PrivateKeyForm(dk, form)
		assert.ErrorIs(t, err, ErrEncoding)
	}
}

// fuzzKeys adds each set's keys in each form.
func fuzzKeys(f *testing.F) {
	for _, s := range sets {
		dk := s.generate()
		public, err := MarshalPKIXPublicKey(dk.public().(crypto.Encapsulator))
		require.NoError(f, err)
		f.Add(public)
		for _, form := range forms {
			private, err := MarshalPKCS8PrivateKeyForm(dk.(crypto.Decapsulator), form)
			require.NoError(f, err)
			f.Add(private)
		}
	}
}

// wrongFile are the errors of wrong files.
var wrongFile = []error{ErrEncoding, ErrAlgorithm, ErrSize, ErrCoefficient, ErrHash, ErrInconsistent}

func requireWrongFile(t *testing.T, err error) {
	require.True(t, slices.ContainsFunc(wrongFile, func(want error) bool { return errors.Is(err, want) }), "%v", err)
}

// FuzzPKIXPublicKey parses arbitrary bytes: all backends agree, and what is accepted is
// written as it was.
func FuzzPKIXPublicKey(f *testing.F) {
	fuzzKeys(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			ek, err := ParsePKIXPublicKey(der)
			restore()
			if err != nil {
				requireWrongFile(t, err)
				continue
			}
			again, err := MarshalPKIXPublicKey(ek)
			require.NoError(t, err)
			require.Equal(t, der, again, name)
		}
	})
}

// FuzzPKCS8PrivateKey parses arbitrary bytes: what is accepted works, and is written as it
// was, but for attributes and a public key.
func FuzzPKCS8PrivateKey(f *testing.F) {
	fuzzKeys(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		dk, err := ParsePKCS8PrivateKey(der)
		if err != nil {
			requireWrongFile(t, err)
			return
		}
		k, err := pkcs.ParsePrivateKey(der)
		require.NoError(t, err)
		written := slices.ContainsFunc(forms, func(form PrivateKeyForm) bool {
			again, err := MarshalPKCS8PrivateKeyForm(dk, form)
			if err != nil {
				require.ErrorIs(t, err, ErrNoSeed)
				return false
			}
			w, err := pkcs.ParsePrivateKey(again)
			require.NoError(t, err)
			return bytes.Equal(k.Key, w.Key)
		})
		require.True(t, written)
		sharedKey, ciphertext := dk.Encapsulator().Encapsulate()
		got, err := dk.Decapsulate(ciphertext)
		require.NoError(t, err)
		require.Equal(t, sharedKey, got)
	})
}
