package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dependency returns a module that is in the cache because these tests import it,
// with the hash that go.sum has.
func dependency(t *testing.T) module {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-json", "github.com/stretchr/testify").Output()
	if err != nil {
		t.Skipf("the go command does not answer: %v", err)
	}
	var m struct{ Path, Version string }
	require.NoError(t, json.Unmarshal(out, &m))
	sums, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	for line := range strings.Lines(string(sums)) {
		if sum, ok := strings.CutPrefix(line, m.Path+" "+m.Version+" "); ok {
			return module{path: m.Path, version: m.Version, sum: strings.TrimSpace(sum)}
		}
	}
	t.Fatalf("go.sum has no hash of %s %s", m.Path, m.Version)
	return module{}
}

// TestModuleHash compares our hash of a module's tree with go.sum's.
func TestModuleHash(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	m := dependency(t)
	dirs, err := download([]module{m})
	require.NoError(t, err)
	sum, err := hashModule(os.DirFS(dirs[m.path]), m.String())
	require.NoError(t, err)
	assert.Equal(t, m.sum, sum)

	tree := fstest.MapFS{"a": {Data: []byte("x")}, "b/c": {Data: []byte("y")}}
	one, err := hashModule(tree, "m@v1.0.0")
	require.NoError(t, err)
	tree["b/c"] = &fstest.MapFile{Data: []byte("z")}
	other, err := hashModule(tree, "m@v1.0.0")
	require.NoError(t, err)
	assert.NotEqual(t, one, other)
}

// TestModuleWithAnotherHashIsRefused also has every set shown as not available.
func TestModuleWithAnotherHashIsRefused(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	m := dependency(t)
	good := m.sum
	m.sum = "h1:" + strings.Repeat("A", 43) + "="
	m.entries = wycheproofEntries("testvectors_v1")
	v, err := loadModules([]module{m})
	require.NoError(t, err)
	require.Len(t, v.errs, 1)
	assert.Contains(t, v.errs[0].Error(), "the content's hash is "+good+", not the pinned "+m.sum)
	assert.Empty(t, v.sets)
	assert.NotEmpty(t, v.missing)
}

// TestModules runs a sample of the modules' cases, where they are in the cache.
func TestModules(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	v, err := loadModules(modules())
	if err != nil {
		t.Skipf("modules with vectors are not in the module cache (go run ./kat fetches them): %v", err)
	}
	require.Empty(t, v.errs)
	sources := make(map[string]bool)
	for _, m := range v.missing {
		sources[m.source] = false
	}
	for _, r := range runSets(v.sets, short) {
		sources[r.source] = true
		for _, f := range r.failures {
			t.Errorf("%s: %s %s: %v", r.file, r.algorithm, r.function, f)
		}
	}
	assert.True(t, sources[sourceWycheproof])
	assert.True(t, sources["ACVP session 669218"])
	assert.True(t, sources["ACVP session 667802"])
	assert.True(t, sources["ACVP in circl"])
	assert.False(t, sources["ACVP "+acvpRelease])
	assert.False(t, sources["NIST CAVS 19.0"])
}

func TestWithoutNetworkOrGoCommand(t *testing.T) {
	t.Setenv("KAT_VECTORS", "")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	for _, path := range []string{os.Getenv("PATH"), t.TempDir()} {
		t.Setenv("PATH", path)
		stdout, stderr, status := command()
		assert.Equal(t, 1, status)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "no known answers to run; -vectors DIR names a folder")
	}
	_, stderr, _ := command()
	assert.Contains(t, stderr, "fetched by the go command, which is not here")
}
