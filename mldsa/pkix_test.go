package mldsa

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/pkcs"
)

var keyForms = []PrivateKeyForm{SeedForm, ExpandedForm, BothForm}

func TestPKIXRoundTrip(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		der, err := MarshalPKIXPublicKey(sk.PublicKey())
		require.NoError(t, err)
		pk, err := ParsePKIXPublicKey(der)
		require.NoError(t, err)
		assert.True(t, pk.Equal(sk.PublicKey()))

		for _, form := range keyForms {
			der, err := MarshalPKCS8PrivateKeyForm(sk, form)
			require.NoError(t, err)
			parsed, err := ParsePKCS8PrivateKey(der)
			require.NoError(t, err)
			assert.True(t, parsed.Equal(sk))
			if form == ExpandedForm {
				assert.Nil(t, parsed.Bytes())
				_, err = MarshalPKCS8PrivateKey(parsed)
				assert.ErrorIs(t, err, ErrNoSeed)
				_, err = MarshalPKCS8PrivateKeyForm(parsed, BothForm)
				assert.ErrorIs(t, err, ErrNoSeed)
				again, err := MarshalPKCS8PrivateKeyForm(parsed, ExpandedForm)
				require.NoError(t, err)
				assert.Equal(t, der, again)
			} else {
				assert.Equal(t, sk.Bytes(), parsed.Bytes())
			}
		}
		full := marshalForms(t, sk)
		require.NoError(t, sk.Compact())
		assert.Equal(t, full, marshalForms(t, sk), "a compact key is written like a full one")
		seed, err := MarshalPKCS8PrivateKey(sk)
		require.NoError(t, err)
		assert.Len(t, seed, 54)
		assert.True(t, bytes.HasSuffix(seed, append([]byte{0x04, 0x22, 0x80, 0x20}, sk.Bytes()...)))
		// What is written is no view of the key.
		clear(seed)
		assert.NotEqual(t, make([]byte, PrivateKeySize), sk.Bytes())
	})
}

// marshalForms returns sk in each form.
func marshalForms(t *testing.T, sk *PrivateKey) (files [][]byte) {
	t.Helper()
	for _, form := range keyForms {
		der, err := MarshalPKCS8PrivateKeyForm(sk, form)
		require.NoError(t, err)
		files = append(files, der)
	}
	return files
}

// TestPublicKeyBesidePrivateKey: RFC 5958, version v2.
func TestPublicKeyBesidePrivateKey(t *testing.T) {
	for _, p := range sets {
		sk, other := generate(t, p), generate(t, p)
		key := append([]byte{0x80, PrivateKeySize}, sk.Bytes()...)
		parse := func(public []byte) error {
			_, err := ParsePKCS8PrivateKey(pkcs.PrivateKey{
				Algorithm: pkcs.Algorithm{OID: oids[p.params]}, Key: key, PublicKey: public}.Marshal())
			return err
		}
		assert.NoError(t, parse(sk.PublicKey().Bytes()))
		assert.ErrorIs(t, parse(other.PublicKey().Bytes()), ErrInconsistent)
		assert.ErrorIs(t, parse([]byte{}), ErrInconsistent)
		assert.ErrorIs(t, parse(sk.PublicKey().Bytes()[1:]), ErrInconsistent)
	}
}

func TestWrongKeyFilesAreRefused(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk, other := generate(t, p), generate(t, p)
		a := pkcs.Algorithm{OID: oids[p.params]}
		seed, expanded, pk := sk.Bytes(), sk.ExpandedBytes(), sk.PublicKey().Bytes()
		flipped := func(b []byte, i int) []byte {
			b = bytes.Clone(b)
			b[i] ^= 1
			return b
		}
		private := func(f pkcs.Forms) []byte { return pkcs.MarshalForms(a.OID, f) }
		for name, c := range map[string]struct {
			der  []byte
			want error
		}{
			"short seed":           {private(pkcs.Forms{Seed: seed[1:]}), ErrSize},
			"empty seed":           {private(pkcs.Forms{Seed: []byte{}}), ErrSize},
			"seed of ML-KEM":       {private(pkcs.Forms{Seed: append(seed, seed...)}), ErrSize},
			"short expanded":       {private(pkcs.Forms{Expanded: expanded[1:]}), ErrSize},
			"long expanded":        {private(pkcs.Forms{Expanded: append(bytes.Clone(expanded), 0)}), ErrSize},
			"both, short expanded": {private(pkcs.Forms{Seed: seed, Expanded: expanded[1:]}), ErrSize},
			"both, short seed":     {private(pkcs.Forms{Seed: seed[1:], Expanded: expanded}), ErrSize},
			"another's expanded":   {private(pkcs.Forms{Seed: seed, Expanded: other.ExpandedBytes()}), ErrInconsistent},
			"both, another K":      {private(pkcs.Forms{Seed: seed, Expanded: flipped(expanded, 32)}), ErrInconsistent},
			"both, another t0":     {private(pkcs.Forms{Seed: seed, Expanded: flipped(expanded, len(expanded)-1)}), ErrInconsistent},
			"both, another seed":   {private(pkcs.Forms{Seed: flipped(seed, 31), Expanded: expanded}), ErrInconsistent},
			"another ρ":            {private(pkcs.Forms{Expanded: flipped(expanded, 0)}), ErrInconsistent},
			"another tr":           {private(pkcs.Forms{Expanded: flipped(expanded, 64)}), ErrInconsistent},
			"another s1":           {private(pkcs.Forms{Expanded: flipped(expanded, 128)}), ErrInconsistent},
			"another t0":           {private(pkcs.Forms{Expanded: flipped(expanded, len(expanded)-1)}), ErrInconsistent},
			"no form":              {pkcs.PrivateKey{Algorithm: a, Key: []byte{5, 0}}.Marshal(), ErrEncoding},
			"bare seed":            {pkcs.PrivateKey{Algorithm: a, Key: seed}.Marshal(), ErrEncoding},
			"seed and something":   {pkcs.PrivateKey{Algorithm: a, Key: append(append([]byte{0x80, 32}, seed...), 0)}.Marshal(), ErrEncoding},
			"parameters":           {pkcs.PrivateKey{Algorithm: pkcs.Algorithm{OID: a.OID, Parameters: []byte{5, 0}}, Key: seed}.Marshal(), ErrEncoding},
			"of ML-KEM":            {pkcs.MarshalForms(pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 4, 1), pkcs.Forms{Seed: seed}), ErrAlgorithm},
			"of HashML-DSA":        {pkcs.MarshalForms(pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 32), pkcs.Forms{Seed: seed}), ErrAlgorithm},
			"a public key":         {pkcs.PublicKey{Algorithm: a, Key: pk}.Marshal(), ErrEncoding},
			"trailing byte":        {append(private(pkcs.Forms{Seed: seed}), 0), ErrEncoding},
			"one byte less":        {private(pkcs.Forms{Seed: seed})[:53], ErrEncoding},
			"nothing":              {nil, ErrEncoding},
		} {
			key, err := ParsePKCS8PrivateKey(c.der)
			assert.ErrorIs(t, err, c.want, name)
			assert.Nil(t, key, name)
		}
		public := func(b []byte) []byte { return pkcs.PublicKey{Algorithm: a, Key: b}.Marshal() }
		for name, c := range map[string]struct {
			der  []byte
			want error
		}{
			"short":         {public(pk[1:]), ErrSize},
			"long":          {public(append(bytes.Clone(pk), 0)), ErrSize},
			"empty":         {public(nil), ErrSize},
			"parameters":    {pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: a.OID, Parameters: []byte{5, 0}}, Key: pk}.Marshal(), ErrEncoding},
			"of HashML-DSA": {pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: pkcs.NewOID(2, 16, 840, 1, 101, 3, 4, 3, 32)}, Key: pk}.Marshal(), ErrAlgorithm},
			"a private key": {private(pkcs.Forms{Seed: seed}), ErrEncoding},
			"trailing byte": {append(public(pk), 0), ErrEncoding},
			"nothing":       {nil, ErrEncoding},
		} {
			key, err := ParsePKIXPublicKey(c.der)
			assert.ErrorIs(t, err, c.want, name)
			assert.Nil(t, key, name)
		}
	})
}

func TestUnknownAlgorithmIsNamed(t *testing.T) {
	der := pkcs.PublicKey{Algorithm: pkcs.Algorithm{OID: pkcs.NewOID(1, 3, 101, 112)}, Key: make([]byte, 32)}.Marshal()
	_, err := ParsePKIXPublicKey(der)
	assert.EqualError(t, err, "mldsa: not an ML-DSA key, but of algorithm 1.3.101.112")
	algorithm, ok := errors.AsType[*AlgorithmError](err)
	require.True(t, ok)
	assert.Equal(t, "1.3.101.112", algorithm.OID)
}

func TestUnusableKeysAreNotWritten(t *testing.T) {
	sk := generate(t, MLDSA44())
	for _, form := range []PrivateKeyForm{-1, BothForm + 1} {
		_, err := MarshalPKCS8PrivateKeyForm(sk, form)
		assert.ErrorIs(t, err, ErrEncoding)
	}
	sk.Destroy()
	for _, form := range keyForms {
		_, err := MarshalPKCS8PrivateKeyForm(sk, form)
		assert.ErrorIs(t, err, ErrDestroyed)
		_, err = MarshalPKCS8PrivateKeyForm(nil, form)
		assert.ErrorIs(t, err, ErrNoKey)
		_, err = MarshalPKCS8PrivateKeyForm(new(PrivateKey), form)
		assert.ErrorIs(t, err, ErrNoKey)
	}
	for _, pk := range []*PublicKey{nil, new(PublicKey)} {
		_, err := MarshalPKIXPublicKey(pk)
		assert.ErrorIs(t, err, ErrNoKey)
	}
	_, err := MarshalPKIXPublicKey(sk.PublicKey())
	assert.NoError(t, err, "the public key outlives Destroy")
}

// fuzzKeys adds each set's keys in each form.
func fuzzKeys(f *testing.F) {
	for _, p := range sets {
		sk := generate(f, p)
		public, err := MarshalPKIXPublicKey(sk.PublicKey())
		require.NoError(f, err)
		f.Add(public)
		for _, form := range keyForms {
			private, err := MarshalPKCS8PrivateKeyForm(sk, form)
			require.NoError(f, err)
			f.Add(private)
		}
	}
}

func requireWrongFile(t *testing.T, err error) {
	wrong := []error{ErrEncoding, ErrAlgorithm, ErrSize, ErrInconsistent}
	require.True(t, slices.ContainsFunc(wrong, func(want error) bool { return errors.Is(err, want) }), "%v", err)
}

// FuzzPKIXPublicKey parses arbitrary bytes: what is accepted is written as it was.
func FuzzPKIXPublicKey(f *testing.F) {
	fuzzKeys(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		pk, err := ParsePKIXPublicKey(der)
		if err != nil {
			requireWrongFile(t, err)
			return
		}
		again, err := MarshalPKIXPublicKey(pk)
		require.NoError(t, err)
		require.Equal(t, der, again)
	})
}

// FuzzPKCS8PrivateKey parses arbitrary bytes: what is accepted signs, and is written as it
// was, but for attributes and a public key.
func FuzzPKCS8PrivateKey(f *testing.F) {
	fuzzKeys(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		sk, err := ParsePKCS8PrivateKey(der)
		if err != nil {
			requireWrongFile(t, err)
			return
		}
		k, err := pkcs.ParsePrivateKey(der)
		require.NoError(t, err)
		written := slices.ContainsFunc(keyForms, func(form PrivateKeyForm) bool {
			again, err := MarshalPKCS8PrivateKeyForm(sk, form)
			if err != nil {
				require.ErrorIs(t, err, ErrNoSeed)
				return false
			}
			w, err := pkcs.ParsePrivateKey(again)
			require.NoError(t, err)
			return bytes.Equal(k.Key, w.Key)
		})
		require.True(t, written)
		signature, err := sk.Sign(nil, nil, nil)
		require.NoError(t, err)
		require.NoError(t, Verify(sk.PublicKey(), nil, signature, nil))
	})
}
