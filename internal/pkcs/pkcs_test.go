package pkcs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
)

var testOID = NewOID(2, 16, 840, 1, 101, 3, 4, 4, 1)

// fromHex decodes hex with blanks.
func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// TestOIDs compares the encoding and the name of OIDs with the standard library's.
func TestOIDs(t *testing.T) {
	for _, arcs := range [][]uint{
		{0, 0}, {0, 39}, {1, 0}, {1, 39}, {2, 0}, {2, 39}, {2, 40}, {2, 47}, {2, 48}, {2, 999, 3},
		{1, 2, 840, 113549, 1, 1, 1}, {2, 16, 840, 1, 101, 3, 4, 3, 17}, {1, 3, 6, 1, 4, 1, 62253, 25722},
		{1, 3, 127, 128, 16383, 16384, 2097151, 2097152, 1<<31 - 1},
	} {
		oid := NewOID(arcs...)
		var ints asn1.ObjectIdentifier
		for _, a := range arcs {
			ints = append(ints, int(a))
		}
		assert.Equal(t, ints.String(), oid.String())
		want, err := asn1.Marshal(ints)
		require.NoError(t, err)
		b := cryptobyte.NewBuilder(nil)
		AddOID(b, oid)
		assert.Equal(t, want, b.BytesOrPanic())
		s := cryptobyte.String(want)
		got, err := ReadOID(&s)
		require.NoError(t, err)
		assert.True(t, got == oid)
		assert.Empty(t, s)
	}
	// An arc of 128 bits, a UUID.
	const name = "2.25.329800735698586629295641978511506172918"
	std, err := x509.ParseOID(name)
	require.NoError(t, err)
	der, err := std.MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, name, OID(der).String())
}

func TestWrongOIDsAreRefused(t *testing.T) {
	for _, in := range []string{
		"", "06", "06 00", "06 01 80", "06 02 2a 80", "06 03 2a 80 01", "06 02 80 01", "05 01 2a", "06 81 01 2a",
		"06 41" + strings.Repeat("01", 65),
	} {
		s := cryptobyte.String(fromHex(t, in))
		_, err := ReadOID(&s)
		assert.ErrorIs(t, err, ErrMalformed, in)
	}
}

func TestPublicKeyRoundTrip(t *testing.T) {
	for _, want := range []PublicKey{
		{Algorithm{OID: testOID}, []byte{1, 2, 3}},
		{Algorithm{OID: testOID}, []byte{}},
		{Algorithm{testOID, []byte{5, 0}}, make([]byte, 100000)},
		{Algorithm{OID(strings.Repeat("\x01", maxOIDSize)), append([]byte{4, 0x81, 200}, make([]byte, 200)...)}, make([]byte, 70000)},
	} {
		der := want.Marshal()
		got, err := ParsePublicKey(der)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestPrivateKeyRoundTrip(t *testing.T) {
	for _, want := range []PrivateKey{
		{Algorithm{OID: testOID}, []byte{1, 2, 3}, nil},
		{Algorithm{OID: testOID}, []byte{}, []byte{}},
		{Algorithm{OID(strings.Repeat("\x01", maxOIDSize)), []byte{5, 0}}, make([]byte, 100000), make([]byte, 100000)},
	} {
		der := want.Marshal()
		got, err := ParsePrivateKey(der)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, want := range []Forms{
		{Seed: []byte{1, 2, 3}}, {Expanded: []byte{4, 5}}, {[]byte{1}, []byte{2}},
		{Expanded: make([]byte, 70000)}, {make([]byte, 70000), make([]byte, 70000)},
	} {
		der := MarshalForms(OID(strings.Repeat("\x01", maxOIDSize)), want)
		k, err := ParsePrivateKey(der)
		require.NoError(t, err)
		got, err := ParseForms(k.Key)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// TestWritingLeavesNoCopies: what is written stays where it was written first.
func TestWritingLeavesNoCopies(t *testing.T) {
	f := Forms{make([]byte, 64), make([]byte, 3168)}
	// The buffer, and what the builder allocates for itself, which is no content.
	bytesOf := func(f Forms) int64 {
		r := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				MarshalForms(testOID, f)
			}
		})
		return r.AllocedBytesPerOp()
	}
	assert.Less(t, bytesOf(f), int64(2*3168))
}

const (
	spkiBody = "30 07 06 03 2a 03 04 05 00 03 02 00 aa"
	alg      = "30 05 06 03 2a 03 04"
)

func TestWrongPublicKeysAreRefused(t *testing.T) {
	good := fromHex(t, "30 0d"+spkiBody)
	_, err := ParsePublicKey(good)
	require.NoError(t, err)
	requireStrict(t, good, func(b []byte) error { _, err := ParsePublicKey(b); return err })
	for name, in := range map[string]string{
		"trailing byte":                "30 0d" + spkiBody + "00",
		"trailing byte inside":         "30 0e" + spkiBody + "00",
		"indefinite length":            "30 80" + spkiBody + "00 00",
		"length not minimal":           "30 81 0d" + spkiBody,
		"two parameters":               "30 0f 30 09 06 03 2a 03 04 05 00 05 00 03 02 00 aa",
		"unused bits":                  "30 0b" + alg + "03 02 01 aa",
		"empty bit string":             "30 09" + alg + "03 00",
		"octet string":                 "30 0b" + alg + "04 02 00 aa",
		"constructed bit string":       "30 0d" + alg + "23 04 03 02 00 aa",
		"no key":                       "30 07" + alg,
		"no algorithm":                 "30 04 03 02 00 aa",
		"algorithm is an OID":          "30 09 06 03 2a 03 04 03 02 00 aa",
		"parameters longer than there": "30 0d 30 07 06 03 2a 03 04 05 01 03 02 00 aa",
		"set":                          "31 0d" + spkiBody,
	} {
		_, err := ParsePublicKey(fromHex(t, in))
		assert.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestWrongPrivateKeysAreRefused(t *testing.T) {
	const body = alg + "04 01 aa"
	const attributes = "a0 09 30 07 06 01 2a 31 02 05 00"
	parse := func(b []byte) error { _, err := ParsePrivateKey(b); return err }
	for _, in := range []string{
		"30 0d 02 01 00" + body,
		"30 0f 02 01 00" + body + "a0 00",
		"30 18 02 01 00" + body + attributes,
		"30 11 02 01 01" + body + "81 02 00 bb",
		"30 1c 02 01 01" + body + attributes + "81 02 00 bb",
	} {
		good := fromHex(t, in)
		require.NoError(t, parse(good), in)
		requireStrict(t, good, parse)
	}
	for name, in := range map[string]string{
		"trailing byte":                "30 0d 02 01 00" + body + "00",
		"trailing byte inside":         "30 0e 02 01 00" + body + "00",
		"indefinite length":            "30 80 02 01 00" + body + "00 00",
		"version 2":                    "30 0d 02 01 02" + body,
		"version −1":                   "30 0d 02 01 ff" + body,
		"version not minimal":          "30 0e 02 02 00 00" + body,
		"huge version":                 "30 16 02 0a 01 00 00 00 00 00 00 00 00 00" + body,
		"no version":                   "30 0a" + body,
		"version 1, no public key":     "30 0d 02 01 01" + body,
		"version 0 with a public key":  "30 11 02 01 00" + body + "81 02 00 bb",
		"public key with unused bits":  "30 11 02 01 01" + body + "81 02 01 bb",
		"empty public key":             "30 0f 02 01 01" + body + "81 00",
		"constructed public key":       "30 13 02 01 01" + body + "a1 04 03 02 00 bb",
		"public key before attributes": "30 1c 02 01 01" + body + "81 02 00 bb" + attributes,
		"two public keys":              "30 15 02 01 01" + body + "81 02 00 bb 81 02 00 bb",
		"attribute without values":     "30 14 02 01 00" + body + "a0 05 30 03 06 01 2a",
		"attribute is no sequence":     "30 11 02 01 00" + body + "a0 02 05 00",
		"key is a bit string":          "30 0d 02 01 00" + alg + "03 01 00",
		"no key":                       "30 0a 02 01 00" + alg,
	} {
		assert.ErrorIs(t, parse(fromHex(t, in)), ErrMalformed, name)
	}
}

func TestWrongFormsAreRefused(t *testing.T) {
	parse := func(b []byte) error { _, err := ParseForms(b); return err }
	for _, in := range []string{"80 01 aa", "80 00", "04 01 bb", "30 06 04 01 aa 04 01 bb"} {
		good := fromHex(t, in)
		require.NoError(t, parse(good), in)
		requireStrict(t, good, parse)
	}
	for _, in := range []string{
		"", "05 00", "80 01 aa 00", "80 81 01 aa", "a0 03 04 01 aa", "24 03 04 01 aa", "30 00",
		"30 03 04 01 aa", "30 09 04 01 aa 04 01 bb 04 01 cc", "30 06 80 01 aa 04 01 bb", "30 80 04 01 aa 04 01 bb 00 00",
	} {
		assert.ErrorIs(t, parse(fromHex(t, in)), ErrMalformed, in)
	}
}

// requireStrict requires that no prefix of good parses, nor good with bytes after it.
func requireStrict(t *testing.T, good []byte, parse func([]byte) error) {
	t.Helper()
	for n := range good {
		require.ErrorIs(t, parse(good[:n]), ErrMalformed, "%d bytes", n)
	}
	require.ErrorIs(t, parse(append(bytes.Clone(good), 0)), ErrMalformed)
	require.ErrorIs(t, parse(slices.Repeat(good, 2)), ErrMalformed)
}

// FuzzParse parses arbitrary bytes: whatever is a key is encoded in one way only.
func FuzzParse(f *testing.F) {
	f.Add(fromHex(f, "30 0d"+spkiBody))
	f.Add(fromHex(f, "30 11 02 01 01"+alg+"04 01 aa 81 02 00 bb"))
	f.Add(MarshalForms(testOID, Forms{[]byte{1}, []byte{2}}))
	f.Add(MarshalForms(testOID, Forms{Seed: []byte{1}}))
	f.Fuzz(func(t *testing.T, der []byte) {
		if k, err := ParsePublicKey(der); err == nil {
			require.Equal(t, der, k.Marshal())
			oid, err := x509.ParseOID(k.OID.String())
			require.NoError(t, err)
			encoded, err := oid.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, []byte(k.OID), encoded)
		}
		k, err := ParsePrivateKey(der)
		if err != nil {
			return
		}
		if !bytes.Contains(der, []byte{0xa0}) { // attributes are dropped
			require.Equal(t, der, k.Marshal())
		}
		if forms, err := ParseForms(k.Key); err == nil && k.PublicKey == nil && k.Parameters == nil && !bytes.Contains(der, []byte{0xa0}) {
			require.Equal(t, der, MarshalForms(k.OID, forms))
		}
	})
}
