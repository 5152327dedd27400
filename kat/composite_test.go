package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

// A compositeJSON is a file of the drafts' test vectors.
type compositeJSON = map[string]any

func readComposite(t *testing.T, name string) compositeJSON {
	t.Helper()
	data, err := readFile(os.DirFS(folder(t)), name)
	require.NoError(t, err)
	var file compositeJSON
	require.NoError(t, json.Unmarshal(data, &file))
	return file
}

func rowsOf(file compositeJSON) []compositeJSON {
	var rows []compositeJSON
	for _, row := range file["tests"].([]any) {
		rows = append(rows, row.(compositeJSON))
	}
	return rows
}

// loadComposite loads file under name.
func loadComposite(t *testing.T, name string, file compositeJSON) (collector, error) {
	t.Helper()
	data, err := json.Marshal(file)
	require.NoError(t, err)
	var co collector
	load := map[string]loader{compositeSignatureFile: compositeSignatures, compositeKEMFile: compositeKEMs}[name]
	err = load(fstest.MapFS{name: &fstest.MapFile{Data: data}}, &co)
	return co, err
}

// TestEveryCompositeRowIsRun: those of the algorithms that package hybrid has, with all
// cases, and no other is left out than those named.
func TestEveryCompositeRowIsRun(t *testing.T) {
	names := make(map[string]int)
	for _, a := range hybrid.SignatureAlgorithms() {
		names[a.String()] = 5
	}
	for _, a := range hybrid.KEMAlgorithms() {
		names[a.String()] = 3
	}
	require.Len(t, names, 15+9)
	rows := 0
	for _, name := range []string{compositeSignatureFile, compositeKEMFile} {
		file := readComposite(t, name)
		rows += len(rowsOf(file))
		co, err := loadComposite(t, name, file)
		require.NoError(t, err)
		for _, s := range co.sets {
			assert.Len(t, s.cases, names[s.algorithm], s.algorithm)
			delete(names, s.algorithm)
		}
	}
	assert.Empty(t, names)
	assert.Equal(t, rows, 15+9+len(notComposed))
}

// TestChangedCompositeRowsFail changes the last byte of each value, and requires that a
// case of that row fails.
func TestChangedCompositeRowsFail(t *testing.T) {
	for _, name := range []string{compositeSignatureFile, compositeKEMFile} {
		for i, row := range rowsOf(readComposite(t, name)) {
			if notComposed[row["tcId"].(string)] || testing.Short() && strings.Contains(row["tcId"].(string), "RSA") {
				continue
			}
			for key, value := range row {
				if key == "tcId" {
					continue
				}
				file := readComposite(t, name)
				b, err := base64.StdEncoding.DecodeString(value.(string))
				require.NoError(t, err)
				b[len(b)-1] ^= 1
				rowsOf(file)[i][key] = b
				co, err := loadComposite(t, name, file)
				require.NoError(t, err)
				failures := 0
				for _, s := range co.sets {
					if "id-"+s.algorithm == row["tcId"] {
						failures += len(s.run(full).failures)
					}
				}
				assert.NotZero(t, failures, "%v: %s", row["tcId"], key)
			}
		}
	}
}

func TestMalformedCompositeFilesAreNamed(t *testing.T) {
	for _, c := range []struct {
		what, want string
		change     func(file compositeJSON)
	}{
		{"a row of an unknown algorithm", `composite-kem/testvectors.json: test 5: unknown algorithm "id-ROT13"`,
			func(f compositeJSON) { rowsOf(f)[5]["tcId"] = "id-ROT13" }},
		{"a row twice", `test 5: unknown algorithm "id-MLKEM768-RSA2048-SHA3-256", or one of another test`,
			func(f compositeJSON) { rowsOf(f)[5]["tcId"] = rowsOf(f)[2]["tcId"] }},
		{"a row too few", "no test of MLKEM1024-ECDH-P521-SHA3-256",
			func(f compositeJSON) { f["tests"] = f["tests"].([]any)[:13] }},
		{"no rows", "tests: empty", func(f compositeJSON) { f["tests"] = []any{} }},
		{"a value that is not base64", "id-MLKEM768-X25519-SHA3-256: k: ",
			func(f compositeJSON) { rowsOf(f)[5]["k"] = "+-" }},
		{"an empty value", "id-MLKEM768-X25519-SHA3-256: c: empty", func(f compositeJSON) { rowsOf(f)[5]["c"] = "" }},
		{"a missing value", "id-MLKEM768-X25519-SHA3-256: ek: missing", func(f compositeJSON) { delete(rowsOf(f)[5], "ek") }},
		{"no certificate of the CA", "cacert: missing", func(f compositeJSON) { delete(f, "cacert") }},
	} {
		file := readComposite(t, compositeKEMFile)
		c.change(file)
		_, err := loadComposite(t, compositeKEMFile, file)
		assert.ErrorContains(t, err, c.want, c.what)
	}
}
