package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Loaders of each format, with the files that they read.
var formats = []struct {
	files []string
	load  loader
}{
	{[]string{"prompt", "expected"}, acvpFiles("prompt", "expected", "reasons")},
	{[]string{"w"}, wycheproofFile("w")},
	{[]string{"k"}, cctvKeyFile("k", "ML-KEM-512", true)},
	{[]string{"m"}, cctvModulusFile("m", "ML-KEM-512")},
	{[]string{"cctv/ml-kem/accumulated.json"}, cctvAccumulatedKEM},
	{[]string{"derived/unlucky_final.json"}, derivedUnlucky},
	{[]string{"s"}, sha3File("s", hashes[0], "ShortMsg")},
	{[]string{"mc"}, sha3File("mc", hashes[0], "Monte")},
	{[]string{"x"}, sha3File("x", hashes[4], "Monte")},
	{[]string{"cctv/ml-dsa/accumulated.json"}, cctvAccumulatedDSA},
}

const (
	promptHead      = `{"vsId":1,"algorithm":"ML-KEM","mode":"encapDecap","testGroups":[{"tgId":3,"parameterSet":"ML-KEM-512","function":"encapsulationKeyCheck","tests":[`
	expectedHead    = `{"vsId":1,"testGroups":[{"tgId":3,"tests":[`
	tail            = `]}]}`
	dHead           = `{"vsId":1,"algorithm":"ML-DSA","mode":"sigVer","testGroups":[{"tgId":3,"parameterSet":"ML-DSA-44","signatureInterface":"external","preHash":"pure","tests":[`
	wSignHead       = `{"algorithm":"ML-DSA-44","numberOfTests":1,"testGroups":[{"type":"MlDsaSign","publicKey":null,"privateSeed":"00","tests":[`
	wHead           = `{"numberOfTests":1,"testGroups":[{"type":"MLKEMKeyGen","parameterSet":"ML-KEM-512","tests":[`
	unluckyHead     = `{"mlkem768_samplentt_unlucky":{"tests":[{"D":"","Z":"","Ek":"","Dk":"","C":"","K":""}]},"mldsa65_expands_3_blocks":`
	accumulatedHead = `{"ML-DSA-44":{"1":"00"},"ML-DSA-65":{"1":"00"},"ML-DSA-87":{"1":"00"}`
	xHead           = "[Minimum Output Length (bits) = 128]\n[Maximum Output Length (bits) = 1120]\n"
)

var malformed = []struct {
	format   int
	contents string // separated by |
	want     string
}{
	{0, `{|{}`, "prompt: unexpected end"},
	{0, `[]|[]`, "prompt: testGroups: empty"},
	{0, `null|null`, "prompt: testGroups: empty"},
	{0, promptHead + tail + "|{}", "prompt: tgId 3: tests: empty"},
	{0, promptHead + `null` + tail + "|{}", "prompt: tgId 3, test 0: tcId: missing"},
	{0, promptHead + `{"tcId":"7"}` + tail + "|{}", "prompt: tgId 3, test 0: tcId: json:"},
	{0, promptHead + `{"tcId":7,"ek":"00"}` + tail + "|" + expectedHead + `{"tcId":8,"testPassed":true}` + tail,
		"prompt: tgId 3, tcId 7: no expected result in expected"},
	{0, promptHead + `{"tcId":7,"ek":"00"}` + tail + "|" + expectedHead + `{"tcId":7,"testPassed":null}` + tail,
		"expected: tgId 3, tcId 7: testPassed: null"},
	{0, promptHead + `{"tcId":7,"ek":"00"}` + tail + "|" + expectedHead + `{"tcId":7}` + tail,
		"expected: tgId 3, tcId 7: empty"},
	{0, promptHead + `{"tcId":7,"ek":"00"}` + tail + "|" + expectedHead + `{"tcId":7,"testPassed":true},{"tcId":8,"testPassed":true}` + tail,
		"expected: tcId 8: no prompt in prompt"},
	{0, strings.Replace(promptHead, "encapDecap", "other", 1) + `{"tcId":7,"ek":"00"}` + tail + "|" + expectedHead + `{"tcId":7,"testPassed":true}` + tail,
		"prompt: tgId 3, tcId 7: unknown algorithm and mode ML-KEM/other"},
	{0, strings.Replace(dHead, "external", "outer", 1) + `{"tcId":7}` + tail + "|" + expectedHead + `{"tcId":7,"testPassed":true}` + tail,
		`prompt: tgId 3, tcId 7: unknown signatureInterface "outer"`},
	{1, ``, "w: unexpected end"},
	{1, `{"numberOfTests":1,"testGroups":[{"type":"MlDsaSign","tests":[{"tcId":4}]}]}`, "w: test group 0: privateSeed or privateKey: missing"},
	{1, wSignHead + `{"tcId":4,"result":"valid","mu":"0"}` + tail, "w: test group 0: tcId 4: mu: encoding/hex"},
	{1, wSignHead + `{"tcId":4,"result":"valid"}` + tail, "w: test group 0: tcId 4: publicKey: null"},
	{1, `{"testGroups":[]}`, "w: testGroups: empty"},
	{1, `{"testGroups":[{"type":"New"}]}`, `w: test group 0: unknown type "New"`},
	{1, wHead + `{"tcId":4,"result":"maybe","seed":"00"}` + tail, `w: test group 0: tcId 4: unknown result "maybe"`},
	{1, wHead + `{"tcId":4,"result":"valid","seed":"0"}` + tail, "w: test group 0: tcId 4: seed: encoding/hex"},
	{1, wHead + `{"tcId":4,"result":"valid","seed":"00","ek":"00"}` + tail, "w: test group 0: tcId 4: dk: missing"},
	{1, wHead + `{"tcId":4,"result":"invalid","seed":"00"},{"tcId":5,"result":"invalid","seed":""}` + tail,
		"w: 2 cases, but numberOfTests is 1"},
	{2, "", "k: dk: missing"},
	{2, "dk = 0g", "k: dk: encoding/hex"},
	{2, "dk = 00\ndk = 00", "k: dk: appears twice"},
	{3, "", "m: empty"},
	{3, "00\nzz", "m: line 2: encoding/hex"},
	{4, `{}`, "accumulated.json: empty"},
	{4, `{"final_format_go_x":{}}`, "accumulated.json: final_format_go_x: strconv"},
	{4, `{"final_format_go_100":{"ML-KEM-1":"00"}}`, `accumulated.json: unknown parameter set "ML-KEM-1"`},
	{5, `{}`, "unlucky_final.json: mlkem768_samplentt_unlucky: missing"},
	{5, `{"mlkem768_samplentt_unlucky":{"tests":[{"D":"0"}]}}`, "unlucky_final.json: mlkem768_samplentt_unlucky: test 0: D: encoding/hex"},
	{5, unluckyHead + `{}}`, "unlucky_final.json: mldsa65_expands_3_blocks: tests: missing"},
	{5, unluckyHead + `{"tests":[{"Seed":"0"}]}}`, "unlucky_final.json: mldsa65_expands_3_blocks: test 0: Seed: encoding/hex"},
	{6, "", "s: empty"},
	{6, "Len = 8\nMsg = 00", "s: case 0: no MD or Output"},
	{6, "Len = 8\nMsg = 00\nLen = 8", "s: case 0: Len appears twice"},
	{6, "Len = 16\nMsg = 00\nMD = 00", "s: case 0: Msg: 1 bytes, want 2"},
	{6, "Len = 8\nMsg = 00\nMD = 00", "s: case 0: MD: 1 bytes, want 28"},
	{6, "Len = 7\nMsg = 00\nMD = 00", "s: case 0: Len: 7 bits are not whole bytes"},
	{7, "COUNT = 0\nMD = 00", "mc: COUNT = 0: Seed: missing"},
	{7, "Seed = 00\nCOUNT = 1\nMD = 00", "mc: COUNT = 0: COUNT: 1 follows -1"},
	{8, "COUNT = 0\nOutput = 00", "x: COUNT = 0: Minimum Output Length (bits): missing"},
	{8, xHead + "Msg = 00\nCOUNT = 0\nOutputlen = 8\nOutput = 00", "x: COUNT = 0: Outputlen: no length can be taken"},
	{9, `{}`, "ml-dsa/accumulated.json: ML-DSA-44: missing"},
	{9, `{"ML-DSA-44":{"some":"00"}}`, "ml-dsa/accumulated.json: ML-DSA-44: strconv"},
	{9, `{"ML-DSA-44":{"100":"0"}}`, "ml-dsa/accumulated.json: ML-DSA-44: 100: encoding/hex"},
	{9, accumulatedHead + `}`, "ml-dsa/accumulated.json: field_operations_exhaustive: missing"},
	{9, accumulatedHead + `,"field_operations_exhaustive":{}}`, "ml-dsa/accumulated.json: field_operations_exhaustive: digest: missing"},
	{9, `{"ML-DSA-44":{"60000000":"00"}}`, "ml-dsa/accumulated.json: ML-DSA-44: no digest of at most 10000 iterations"},
}

func TestMalformedFilesAreErrorsThatNameFileAndCase(t *testing.T) {
	for _, m := range malformed {
		f := formats[m.format]
		fsys := make(fstest.MapFS)
		for i, content := range strings.SplitN(m.contents, "|", len(f.files)) {
			fsys[f.files[i]] = &fstest.MapFile{Data: []byte(content)}
		}
		err := f.load(fsys, &collector{})
		if assert.Error(t, err, "%q", m.contents) {
			assert.Contains(t, err.Error(), m.want, "%q", m.contents)
		}
	}
}

func TestTruncatedCompressionIsAnError(t *testing.T) {
	for _, suffix := range []string{".bz2", ".gz"} {
		fsys := fstest.MapFS{"w" + suffix: &fstest.MapFile{Data: []byte("BZh9")}}
		_, err := readFile(fsys, "w")
		require.Error(t, err)
		assert.Contains(t, err.Error(), "w"+suffix+": ")
	}
}

// sigVerCase is a case with a public key of the right length.
func sigVerCase(rest string) string {
	return `{"tcId":7,` + rest + `"signature":"","message":"","pk":"` + strings.Repeat("00", 1312) + `"}`
}

func sigGenCase(rest string) string {
	return `{"tcId":7,"keyFormat":"seed","seed":"` + strings.Repeat("00", 32) + `",` + rest + `}`
}

// TestMalformedPromptIsAnError: what a laboratory gets must be whole or nothing.
func TestMalformedPromptIsAnError(t *testing.T) {
	for _, c := range []struct{ prompt, want string }{
		{`{}`, "testGroups: empty"},
		{promptHead + `{"tcId":7}` + tail, "tgId 3, tcId 7: ek: missing"},
		{strings.Replace(promptHead, "KeyCheck", "KeyTrick", 1) + `{"tcId":7}` + tail, "unknown function"},
		{strings.Replace(promptHead, "-512", "-513", 1) + `{"tcId":7}` + tail, "unknown parameter set"},
		{strings.Replace(dHead, "-44", "-45", 1) + `{"tcId":7}` + tail, "unknown parameter set"},
		{strings.Replace(dHead, "pure", "hashed", 1) + sigVerCase("") + tail, `unknown preHash "hashed"`},
		{strings.Replace(dHead, `"pure"`, `"preHash"`, 1) + sigVerCase(`"hashAlg":"MD5",`) + tail, `unknown hashAlg "MD5"`},
		{strings.Replace(dHead, "external", "internal", 1) + sigVerCase("") + tail, "externalMu: missing"},
		{dHead + sigVerCase("") + tail, "tgId 3, tcId 7: context: missing"},
		{dHead + `{"tcId":7,"pk":"00","signature":""}` + tail, "want 1312"},
		{strings.Replace(dHead, "sigVer", "sigGen", 1) + `{"tcId":7,"keyFormat":"short"}` + tail, `unknown keyFormat "short"`},
		{strings.Replace(dHead, "sigVer", "sigGen", 1) + sigGenCase(`"context":"","message":""`) + tail, "deterministic: missing"},
		{strings.Replace(dHead, "sigVer", "sigGen", 1) + sigGenCase(`"context":"","message":"","deterministic":false`) + tail, "rnd: missing"},
		{strings.Replace(dHead, "sigVer", "sigGen", 1) + sigGenCase(`"context":"","message":"","deterministic":false,"rnd":"00"`) + tail, "randomness of 1, want 64 and 32"},
	} {
		var out strings.Builder
		err := answerACVP([]byte(c.prompt), &out)
		if assert.Error(t, err) {
			assert.Contains(t, err.Error(), c.want)
		}
		assert.Empty(t, out.String())
	}
}

// FuzzLoaders checks that no file makes a loader panic, nor a case that it loads.
func FuzzLoaders(f *testing.F) {
	for _, m := range malformed {
		f.Add(m.format, m.contents)
	}
	f.Add(0, promptHead+`{"tcId":7,"ek":"00"}`+tail+"|"+expectedHead+`{"tcId":7,"testPassed":false}`+tail)
	f.Add(1, wHead+`{"tcId":4,"result":"invalid","seed":"00"}`+tail)
	f.Add(0, dHead+sigVerCase(`"context":"",`)+tail+"|"+expectedHead+`{"tcId":7,"testPassed":false}`+tail)
	f.Add(1, wSignHead+`{"tcId":4,"result":"invalid","msg":""}`+tail)
	f.Add(2, "dk = 00\nc = 00\nK = 00\nek = 00\nm = 00")
	f.Add(6, "Len = 8\nMsg = 00\nMD = "+strings.Repeat("00", 28))
	f.Add(8, xHead+"Msg = 00\nCOUNT = 0\nOutputlen = 16\nOutput = 0000\n\nCOUNT = 1\nOutputlen = 16\nOutput = 0000")
	f.Fuzz(func(t *testing.T, format int, contents string) {
		if format < 0 || format >= len(formats) {
			return
		}
		fm := formats[format]
		fsys := make(fstest.MapFS)
		for i, content := range strings.SplitN(contents, "|", len(fm.files)) {
			fsys[fm.files[i]] = &fstest.MapFile{Data: []byte(content)}
		}
		co := &collector{}
		if fm.load(fsys, co) != nil {
			return
		}
		for _, s := range co.sets {
			for _, failure := range s.run(short).failures {
				if strings.Contains(failure.err.Error(), "panic") {
					t.Errorf("%s: %v", s.file, failure)
				}
			}
		}
	})
}
