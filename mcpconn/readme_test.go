package mcpconn_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestREADMEShowsTheExamples: its server and its client have ten lines, and are those of the
// example, which runs.
func TestREADMEShowsTheExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	examples := strings.ReplaceAll(string(source), "\n\t", "\n")
	_, section, ok := strings.Cut(string(readme), "\n## Links for MCP\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	shown := strings.Split(section, "```")
	require.Len(t, shown, 5)
	for _, code := range []string{shown[1], shown[3]} {
		code, ok := strings.CutPrefix(code, "go\n")
		require.True(t, ok)
		assert.Equal(t, 10, strings.Count(code, "\n"), code)
		assert.Contains(t, examples, code)
	}
	first, _, ok := strings.Cut(string(readme)[strings.Index(string(readme), "\n    "):], "#")
	require.True(t, ok)
	assert.Equal(t, "go run ./mcpconn/pqpipe demo", strings.TrimSpace(first), "the first command")
}
