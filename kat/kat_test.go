package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

func folderName() string {
	if dir := os.Getenv("KAT_VECTORS"); dir != "" {
		return dir
	}
	return "../../shared/vectors"
}

// folder returns the folder with the vectors, or ends the test if there is none.
func folder(t *testing.T) string {
	t.Helper()
	dir := folderName()
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("KAT_REQUIRE") == "1" {
			t.Fatalf("no vectors, and KAT_REQUIRE=1: %v", err)
		}
		t.Skipf("no vectors: %v (KAT_VECTORS names a folder; go run ./kat fetches modules)", err)
	}
	return dir
}

// all loads a folder's vectors once: decompressing them takes longer than a sample runs.
var all = sync.OnceValues(func() (vectors, error) { return find(folderName()) })

// TestKnownAnswers is what the command runs. With -short it takes a sample of every set.
func TestKnownAnswers(t *testing.T) {
	folder(t)
	v, err := all()
	require.NoError(t, err)
	for _, err := range v.errs {
		t.Error(err)
	}
	for _, m := range v.missing {
		if os.Getenv("KAT_REQUIRE") == "1" {
			t.Errorf("not available, and KAT_REQUIRE=1: %s", m.what)
		} else {
			t.Logf("not available: %s", m.what)
		}
	}
	require.NotEmpty(t, v.sets)
	backends, err := selectBackends("")
	require.NoError(t, err)
	d := full
	if testing.Short() {
		d = short
	}
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			results, err := runOn(backend, v.sets, d)
			require.NoError(t, err)
			ran := 0
			for _, r := range results {
				ran += r.ran
				if r.cases[0].depth <= d {
					assert.NotZero(t, r.ran, "%s: %s %s", r.file, r.algorithm, r.function)
				}
				for _, f := range r.failures {
					t.Errorf("%s: %s %s: %v", r.file, r.algorithm, r.function, f)
				}
			}
			t.Logf("backend %s: %d cases in %d sets", backend, ran, len(results))
		})
	}
}

// TestEveryCaseIsLoaded compares the number of cases with the folder's manifest.
func TestEveryCaseIsLoaded(t *testing.T) {
	dir := folder(t)
	manifest, err := os.ReadFile(dir + "/MANIFEST.tsv")
	if err != nil {
		t.Skipf("the folder has no manifest: %v", err)
	}
	v, err := all()
	require.NoError(t, err)
	loaded := make(map[string]int)
	for _, s := range v.sets {
		loaded[s.file] += len(s.cases)
	}
	checked := 0
	for line := range strings.Lines(string(manifest)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		name := strings.TrimSuffix(strings.TrimSuffix(f[0], ".bz2"), ".gz")
		if loaded[name] == 0 || f[len(f)-1] == "" || strings.HasPrefix(name, "composite-") {
			continue // TestEveryCompositeRowIsRun counts rows, which have several cases each
		}
		want := f[len(f)-1]
		if name == hpkePQFile {
			want = "9" // of 13: four are of a curve alone
		}
		assert.Equal(t, want, strconv.Itoa(loaded[name]), name)
		checked++
	}
	assert.GreaterOrEqual(t, checked, 3+4+12+9+3+1+20)
}

// TestACVPAnswers has the command answer NIST's prompts. With -short it leaves out one
// whose cases are like those of the next.
func TestACVPAnswers(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{
		"ML-KEM-keyGen-FIPS203", "ML-KEM-encapDecap-FIPS203", "ML-KEM-encapDecap-FIPS203-tr1",
		"ML-DSA-keyGen-FIPS204", "ML-DSA-sigGen-FIPS204", "ML-DSA-sigGen-FIPS204-tr1", "ML-DSA-sigVer-FIPS204",
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "ML-DSA-sigGen-FIPS204" {
				t.Skip("-short")
			}
			base := "acvp/" + acvpRelease + "/" + name
			want, err := readFile(os.DirFS(dir), base+"/expectedResults.json")
			require.NoError(t, err)
			prompt, err := readFile(os.DirFS(dir), base+"/prompt.json")
			require.NoError(t, err)
			file := t.TempDir() + "/prompt.json"
			require.NoError(t, os.WriteFile(file, prompt, 0o600))
			stdout, stderr, status := command("-acvp", file)
			require.Zero(t, status, stderr)
			assert.JSONEq(t, string(want), stdout)

			if !strings.Contains(name, "keyGen") {
				return // the form of the file has nothing to do with the mode
			}
			// The form of a server: an array, with the protocol's version first.
			const version = `{"acvVersion": "1.0"}`
			wrapped := []byte("[" + version + "," + string(prompt) + "]")
			require.NoError(t, os.WriteFile(file, wrapped, 0o600))
			stdout, stderr, status = command("-acvp", file)
			require.Zero(t, status, stderr)
			assert.JSONEq(t, "["+version+","+string(want)+"]", stdout)
		})
	}
}

// command runs the command in this process.
func command(args ...string) (stdout, stderr string, status int) {
	var out, err strings.Builder
	status = run(args, &out, &err)
	return out.String(), err.String(), status
}

// wrongKeyGen is a Wycheproof file whose answers are wrong, but for their length.
func wrongKeyGen(t *testing.T, cases int) string {
	t.Helper()
	k, err := kemNamed("ML-KEM-512")
	require.NoError(t, err)
	key, err := k.fromSeed(make([]byte, 64))
	require.NoError(t, err)
	zero := func(n int) string { return strings.Repeat("00", n) }
	var tests []map[string]any
	for i := range cases {
		tests = append(tests, map[string]any{
			"tcId": 101 + i, "comment": "made up", "flags": []string{"Wrong"}, "result": "valid",
			"seed": zero(64), "ek": zero(len(key.ek)), "dk": zero(len(key.dk)),
		})
	}
	b, err := json.Marshal(map[string]any{
		"numberOfTests": cases,
		"testGroups":    []any{map[string]any{"type": "MLKEMKeyGen", "parameterSet": "ML-KEM-512", "tests": tests}},
	})
	require.NoError(t, err)
	return string(b)
}

func TestFailuresAreReported(t *testing.T) {
	dir := t.TempDir()
	const file = "wycheproof/mlkem_512_keygen_seed_test.json"
	require.NoError(t, os.Mkdir(dir+"/wycheproof", 0o700))
	require.NoError(t, os.WriteFile(dir+"/"+file, []byte(wrongKeyGen(t, 5)), 0o600))

	args := []string{"-vectors", dir, "-backend", "generic"}
	stdout, _, status := command(args...)
	assert.Equal(t, 1, status)
	assert.Regexp(t, `(?m)^ML-KEM-512 +keyGen, seed +Wycheproof +generic +5 +0 +5$`, stdout)
	assert.Contains(t, stdout, file+": tcId 101 (made up, Wrong): dk: byte 0 of 1632 differs: got ")
	assert.Contains(t, stdout, "; ek: byte 0 of 800 differs: got ")
	assert.Contains(t, stdout, "    and 2 more (-v shows them)\n")
	assert.Contains(t, stdout, "\n0 passed, 5 failed\n")
	assert.NotContains(t, stdout, "tcId 104")

	stdout, _, _ = command(append(args, "-v")...)
	assert.Contains(t, stdout, "tcId 105")
	assert.NotContains(t, stdout, "more (-v")
}

func TestACVPFailureShowsItsReason(t *testing.T) {
	fsys := fstest.MapFS{
		"prompt":   {Data: []byte(promptHead + `{"tcId":7,"ek":"00"}` + tail)},
		"expected": {Data: []byte(expectedHead + `{"tcId":7,"testPassed":true}` + tail)},
		"reasons":  {Data: []byte(`{"7":"valid encapsulation key"}`)},
	}
	var v vectors
	v.load(fsys, []entry{{"ACVP", "prompt", acvpFiles("prompt", "expected", "reasons")}})
	require.Empty(t, v.errs)
	var out strings.Builder
	r := &report{w: &out}
	r.results("generic", runSets(v.sets, full))
	assert.Contains(t, out.String(),
		"    prompt: tgId 3, tcId 7 (valid encapsulation key): testPassed: got false, want true\n")
}

func TestMissingAndMalformedSetsAreReported(t *testing.T) {
	dir := folder(t)
	part := t.TempDir()
	require.NoError(t, os.Mkdir(part+"/derived", 0o700))
	data, err := os.ReadFile(dir + "/derived/unlucky_final.json")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(part+"/derived/unlucky_final.json", data, 0o600))

	t.Setenv("KAT_REQUIRE", "")
	stdout, stderr, status := command("-vectors", part, "-backend", "generic")
	assert.Zero(t, status, stderr)
	assert.Contains(t, stdout, "not available: sha3/SHAKE256Monte.rsp\n")
	assert.Contains(t, stdout, "\n40 passed, 0 failed\n")

	t.Setenv("KAT_REQUIRE", "1")
	_, stderr, status = command("-vectors", part, "-backend", "generic")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, fmt.Sprintf("lacks %d sets, and KAT_REQUIRE=1", len(folderEntries())-1))

	require.NoError(t, os.Mkdir(part+"/cctv", 0o700))
	require.NoError(t, os.Mkdir(part+"/cctv/ml-kem", 0o700))
	require.NoError(t, os.WriteFile(part+"/cctv/ml-kem/accumulated.json", data[:100], 0o600))
	t.Setenv("KAT_REQUIRE", "")
	stdout, _, status = command("-vectors", part, "-backend", "generic")
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "error: cctv/ml-kem/accumulated.json: ")
	assert.Contains(t, stdout, "\n40 passed, 1 failed\n")

	_, stderr, status = command("-vectors", part+"/none")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "no known answers to run")
}

func TestBackendSelection(t *testing.T) {
	t.Setenv(cpu.Env, "")
	every, err := selectBackends("")
	require.NoError(t, err)
	assert.Equal(t, cpu.Available(), every)
	t.Setenv(cpu.Env, "generic")
	one, err := selectBackends("")
	require.NoError(t, err)
	assert.Equal(t, []string{"generic"}, one)
	_, stderr, status := command("-backend", "avx1024")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, `backend "avx1024" is not available here (available: generic`)
	t.Setenv(cpu.Env, "avx1024")
	_, err = selectBackends("")
	assert.Error(t, err, "a run on another backend than the one asked for proves nothing")
}

// TestPanicsAreFailures: a fault in the code under test must not end the run.
func TestPanicsAreFailures(t *testing.T) {
	s := &set{cases: []testCase{
		{id: "a", run: func() error { panic("out of range") }},
		{id: "b", run: func() error { return nil }},
	}}
	r := s.run(full)
	assert.Equal(t, 1, r.passed())
	require.Len(t, r.failures, 1)
	assert.Equal(t, "a: panic: out of range", r.failures[0].String())
}

func TestSampleTakesSomethingOfEverySet(t *testing.T) {
	ran := 0
	s := &set{}
	for range 21 {
		s.cases = append(s.cases, testCase{run: func() error { ran++; return nil }})
	}
	s.cases[10].depth = full
	s.run(short)
	assert.Equal(t, 2, ran)
	ran = 0
	s.run(full)
	assert.Equal(t, 21, ran)
}
