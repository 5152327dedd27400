package command

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/report"
	"github.com/pqlane/pqlane/bench/internal/suite"
	"github.com/pqlane/pqlane/internal/cpu"
)

func bench(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = Main(args, &out, &errs, suite.Implementations())
	return status, out.String(), errs.String()
}

func TestTableOfWholeSuite(t *testing.T) {
	status, stdout, stderr := bench("-time", "1us", "-backend", "generic")
	require.Zero(t, status, stderr)
	for _, group := range []string{"ML-KEM-512\n", "ML-KEM-768, times as fast as crypto/mlkem\n", "ML-KEM-768 on warm and fresh goroutines,", "ML-KEM-1024,",
		"ML-DSA-44", "ML-DSA-65 on warm and fresh goroutines", "ML-DSA-87", "Keccak-f[1600]\n"} {
		assert.Contains(t, stdout, "\n"+group)
	}
	assert.Contains(t, stderr, "ML-KEM-768 keygen; keygen in place\n", "progress")
}

func TestTail(t *testing.T) {
	if testing.Short() {
		t.Skip("signs 10,000 messages")
	}
	best := cpu.Comparable()[len(cpu.Comparable())-1]
	var stdout, stderr bytes.Buffer
	status := Main([]string{"-tail", "-json", "-op", "ML-DSA-44", "-backend", best}, &stdout, &stderr, suite.Implementations()[:1])
	require.Zero(t, status, stderr.String())
	var r report.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	require.Len(t, r.Rows, 1)
	for _, row := range r.Rows {
		assert.Equal(t, 10_000, row.Inputs)
		assert.Greater(t, row.P999, row.P99)
		assert.Greater(t, row.P99, 2*row.Median, "attempts differ")
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	svg, profile := filepath.Join(dir, "bench.svg"), filepath.Join(dir, "cpu.prof")
	status, stdout, stderr := bench("-json", "-time", "2ms", "-op", "768 decaps$", "-svg", svg, "-cpuprofile", profile)
	require.Zero(t, status, stderr)

	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Len(t, r.Rows, len(cpu.Comparable())+1)
	for _, row := range r.Rows {
		assert.Equal(t, "ML-KEM-768", row.Group)
		assert.Equal(t, "decaps", row.Op)
		assert.Equal(t, "crypto/mlkem", row.Baseline)
		assert.Positive(t, row.Ratio)
		assert.Positive(t, row.Min)
		assert.LessOrEqual(t, row.Min, row.Median)
	}

	f, err := os.Open(svg)
	require.NoError(t, err)
	defer f.Close()
	d := xml.NewDecoder(f)
	for err == nil {
		_, err = d.Token()
	}
	assert.Equal(t, io.EOF, err)

	info, err := os.Stat(profile)
	require.NoError(t, err)
	assert.Positive(t, info.Size())
}

func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-backend", "avx1024"}, 2, `"avx1024" is not available here (available: generic`},
		{[]string{"-op", "("}, 2, "missing closing )"},
		{[]string{"-time", "0s"}, 2, "must be positive"},
		{[]string{"-no-such-flag"}, 2, "-no-such-flag"},
		{[]string{"-idle", "-tail"}, 2, "exclude each other"},
		{[]string{"decaps"}, 2, `unexpected argument "decaps"`},
		{[]string{"-op", "no such operation"}, 1, "matches no operation"},
		{[]string{"-svg", filepath.Join(t.TempDir(), "no", "dir.svg"), "-op", "Keccak", "-time", "1us"}, 1, "dir.svg"},
	} {
		status, stdout, stderr := bench(c.args...)
		assert.Equal(t, c.status, status, c.args)
		assert.Contains(t, stderr, c.says)
		assert.Empty(t, stdout)
	}
	status, _, stderr := bench("-h")
	assert.Zero(t, status)
	assert.Contains(t, stderr, "usage: go run ./bench [flags]")
	assert.Contains(t, stderr, "-cpuprofile FILE")
}
