package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

// TestMalformedHybridFiles has files of groups, X-Wing and HPKE that are wrong as files.
func TestMalformedHybridFiles(t *testing.T) {
	const (
		ecdhHead = `{"numberOfTests":1,"testGroups":[{"curve":"secp256r1","tests":[`
		ecdhTail = `]}]}`
		s2nHead  = `{"groups":[{"group":"X25519MLKEM768","codepoint":`
		boring   = "Algorithm = X-Wing\n"
	)
	for _, m := range []struct {
		file, contents string
		load           loader
		want           string
	}{
		{"e", ``, ecdhFile("e"), "e: unexpected end"},
		{"e", `{"testGroups":[]}`, ecdhFile("e"), "e: testGroups: empty"},
		{"e", `{"testGroups":[{"curve":"secp521r1"}]}`, ecdhFile("e"), `e: test group 0: unknown curve "secp521r1"`},
		{"e", ecdhHead + ecdhTail, ecdhFile("e"), "e: test group 0: tests: empty"},
		{"e", ecdhHead + `{"tcId":4,"public":"0"}` + ecdhTail, ecdhFile("e"), "e: test group 0: tcId 4: public: encoding/hex"},
		{"e", ecdhHead + `{"tcId":4,"public":"","private":"","shared":""}` + ecdhTail, ecdhFile("e"), "e: test group 0: tcId 4: flags: missing"},
		{"e", ecdhHead + `{"tcId":4,"public":"","private":"","shared":"","flags":[],"result":"maybe"}` + ecdhTail, ecdhFile("e"),
			`e: test group 0: tcId 4: unknown result "maybe"`},
		{"e", strings.Replace(ecdhHead, "1", "2", 1) + `{"tcId":4,"public":"","private":"","shared":"","flags":[],"result":"valid"}` + ecdhTail, ecdhFile("e"),
			"e: 1 cases, but numberOfTests is 2"},
		{tlsComposedFile, `{"tests":[]}`, tlsComposed, "composed.json: tests: empty"},
		{tlsComposedFile, `{"tests":[{"group":"x"}]}`, tlsComposed, `composed.json: test 0: unknown group "x"`},
		{tlsComposedFile, `{"tests":[{"group":"X25519"}]}`, tlsComposed, "composed.json: test 0: X25519 is no hybrid group"},
		{tlsComposedFile, `{"tests":[{"group":"X25519MLKEM768"}]}`, tlsComposed, "composed.json: test 0: mlkem_d: missing"},
		{tlsS2NFile, s2nHead + `4587}]}`, tlsS2N, "has number 0x11ec, here 0x11eb"},
		{tlsS2NFile, s2nHead + `4588,"client_ecc_private_key_pem":"x"}]}`, tlsS2N, "client_ecc_private_key_pem: no private key"},
		{xwingDraftFile, `[]`, xwingDraft, "xwing/test-vectors.json: empty"},
		{xwingDraftFile, `[{}]`, xwingDraft, "xwing/test-vectors.json: test 0: seed: missing"},
		{xwingPrivateFile, `x`, xwingPEM, "xwing.priv.pem: not one PEM block"},
		{xwingBoringSSLFile, "# nothing\n", xwingBoringSSL, "tests.txt: empty"},
		{xwingBoringSSLFile, "Key = A\nAlgorithm = B", xwingBoringSSL, `tests.txt: paragraph 0: algorithm "B"`},
		{xwingBoringSSLFile, "Key = A\n" + boring, xwingBoringSSL, `tests.txt: paragraph 0: key "A": empty`},
		{xwingBoringSSLFile, "Key = A\nRawPublic = 0\n" + boring, xwingBoringSSL, "tests.txt: paragraph 0: RawPublic: encoding/hex"},
		{xwingBoringSSLFile, "Key = A\nRawPublic = 00\nNew = 1\n" + boring, xwingBoringSSL, `tests.txt: paragraph 0: unknown line "New"`},
		{xwingBoringSSLFile, "Encapsulate = A\n" + boring, xwingBoringSSL, `tests.txt: paragraph 0: no key "A"`},
		{xwingBoringSSLFile, "Key = A\nRawPublic = 00\n" + boring + "\nDecapsulate = A\nInput = 00\n" + boring, xwingBoringSSL,
			"tests.txt: paragraph 1: want one of Output and DecapsulateFail"},
		{hpkePQFile, `[]`, hpkePQ, "hpke-pq/test-vectors.json: empty"},
		{hpkePQFile, `[{"kem_id":1}]`, hpkePQ, "test 0: unknown kem_id 0x1"},
		{hpkePQFile, `[{"kem_id":64}]`, hpkePQ, "test 0: skRm: missing"},
	} {
		err := m.load(fstest.MapFS{m.file: {Data: []byte(m.contents)}}, &collector{})
		if assert.Error(t, err, "%q", m.contents) {
			assert.Contains(t, err.Error(), m.want, "%q", m.contents)
		}
	}
}

// TestECDHCaseFailsWithAnotherVerdict turns the verdicts of cases around.
func TestECDHCaseFailsWithAnotherVerdict(t *testing.T) {
	c := ecdhCurves[0]
	in := func(public string) map[string][]byte {
		return map[string][]byte{"public": []byte(public), "private": make([]byte, 32), "shared": make([]byte, 32)}
	}
	zero, nine := strings.Repeat("\x00", 32), "\x09"+strings.Repeat("\x00", 31)
	for _, exchange := range []func(g hybrid.Group) error{
		func(g hybrid.Group) error { return c.check(g, c.asClient, in(zero), nil) },
		func(g hybrid.Group) error { return c.check(g, c.asServer, in(zero), nil) },
		func(g hybrid.Group) error { return c.check(g, c.asClient, in(zero), []error{hybrid.ErrSize}) },
		func(g hybrid.Group) error { return c.check(g, c.asServer, in(nine), []error{hybrid.ErrZeroSecret}) },
		func(g hybrid.Group) error { return c.check(g, c.asClient, in(nine), nil) },
	} {
		for _, g := range c.groups {
			require.Error(t, exchange(g))
		}
	}
}
