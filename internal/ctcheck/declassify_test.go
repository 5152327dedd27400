package ctcheck

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDeclassificationStandsInOnePlace: only these files declassify, besides tests.
func TestDeclassificationStandsInOnePlace(t *testing.T) {
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			if strings.HasSuffix(spec.Path.Value, `/internal/ctcheck"`) {
				name, err := filepath.Rel(root, path)
				require.NoError(t, err)
				found = append(found, filepath.ToSlash(name))
			}
		}
		return nil
	})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{
		"internal/dsaring/declassify_ctcheck.go",
		"mldsa/declassify_ctcheck.go",
		"mlkem/declassify_ctcheck.go",
	}, found)
}
