package hybrid_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestREADMEShowsTheExamples: its code of this package is that of the examples, which run.
func TestREADMEShowsTheExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var examples strings.Builder
	for _, name := range []string{"group_example_test.go", "composite_example_test.go"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		examples.WriteString(strings.ReplaceAll(string(source), "\n\t", "\n"))
	}
	_, section, ok := strings.Cut(string(readme), "\n## Beside classical keys\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	shown := strings.Split(section, "```")
	require.Len(t, shown, 5)
	for _, code := range []string{shown[1], shown[3]} {
		code, ok := strings.CutPrefix(code, "go\n")
		require.True(t, ok)
		assert.Equal(t, 10, strings.Count(code, "\n"), code)
		assert.Contains(t, examples.String(), code)
	}
}
