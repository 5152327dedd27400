package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/measure"
)

func sample() *Report {
	return &Report{
		CPU: `Chip <"&'> 9000`, Cores: 2, OS: "linux", Arch: "amd64",
		Date: time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC), Go: "go1.27.4",
		Backends: []string{"generic", "avx2"}, Default: "avx2",
		Peers: []string{"example.org/peer v1.2.3"}, NoCycles: "no counter", Method: "By measuring.",
		Rows: []measure.Result{
			{Group: "ML-KEM-768", Op: "decaps", Impl: "pqlane", Backend: "avx2", Min: 5400, Median: 5500, Mean: 5600, P99: 9000,
				Allocs: 1, Bytes: 32, Batch: 11, Batches: 100, Singles: 1100, Baseline: "crypto/mlkem", Ratio: 11.54, MedianRatio: 11.4, MeanRatio: 11.2, P99Ratio: 7.778},
			{Group: "ML-KEM-768", Op: "decaps", Impl: "peer", Min: 12400, Median: 12500, Mean: 12600, P99: 13000,
				Batch: 5, Batches: 100, Singles: 500, Baseline: "crypto/mlkem", Ratio: 5.02, MedianRatio: 5.01, MeanRatio: 5, P99Ratio: 5.4},
			{Group: "ML-KEM-768", Op: "decaps", Impl: "crypto/mlkem", Min: 62300, Median: 62700, Mean: 62900, P99: 70000,
				Allocs: 2, Bytes: 64, Batch: 1, Batches: 100, Singles: 100, Baseline: "crypto/mlkem", Ratio: 1, MedianRatio: 1, MeanRatio: 1, P99Ratio: 1},
			{Group: "Goroutines", Op: "decaps, fresh", Impl: "pqlane", Backend: "avx2", Min: 6000, Median: 7000, Mean: 8000, P99: 9999,
				Batch: 11, Singles: 1100},
			{Group: "Tail", Op: "sign", Impl: "pqlane", Backend: "avx2", Min: 20e3, Median: 60e3, Mean: 70e3, P99: 300e3, P999: 450e3,
				Batch: 4, Singles: 10_000},
			{Group: "Keccak", Op: "one state", Impl: "pqlane", Backend: "avx2", Min: 280, Median: 281, Mean: 282, P99: 999.7,
				Cycles: 975.4, Batch: 230, Batches: 100},
		},
		Notes: map[string]string{"Tail": "Of one key."},
		Idle:  []measure.Footprint{{What: "end", Impl: "pqlane", Count: 20000, Heap: 11212.4, Stack: 4052}, {What: "end", Impl: "crypto/tls", Count: 20000, Heap: 9731, Stack: 4055}},
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, sample().Table(&b))
	out := b.String()
	for _, want := range []string{
		`machine   Chip <"&'> 9000, 2 cores, linux/amd64`, "2026-11-20 10:30 UTC", "go1.27.4", "generic, avx2; avx2 by default",
		"example.org/peer v1.2.3", "not counted: no counter", "By measuring.", "ML-KEM-768, times as fast as crypto/mlkem\n",
	} {
		assert.Contains(t, out, want)
	}
	assert.Contains(t, out, "\nTail\nOf one key.\n")
	var lines [][]string
	for _, line := range strings.Split(out, "\n") {
		lines = append(lines, strings.Fields(line))
	}
	assert.Contains(t, lines, strings.Fields("decaps avx2 5.40 µs 5.50 µs 5.60 µs 9.00 µs – 1 32 11.5 11.4 11.2 7.78"))
	assert.Contains(t, lines, strings.Fields("crypto/mlkem 62.3 µs 62.7 µs 62.9 µs 70.0 µs – 2 64 1.00 1.00 1.00 1.00"), "the operation's name is not repeated")
	assert.Contains(t, lines, strings.Fields("one state avx2 280 ns 281 ns 282 ns 1.00 µs* 975 0 0 – – – –"), "p99 over batches is marked")
	assert.Contains(t, lines, strings.Fields("sign avx2 20.0 µs 60.0 µs 70.0 µs 300 µs 450 µs 0 0 – – – –"), "the tail")
	assert.Contains(t, lines, strings.Fields("end pqlane 11212 4052 15264 20000"))
	assert.Contains(t, lines, strings.Fields("crypto/tls 9731 4055 13786 20000"))
	assert.Contains(t, lines, strings.Fields("min median mean p99 p99.9 allocs bytes × min × median × mean × p99"))
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, sample().JSON(&b))
	var back Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	assert.Equal(t, *sample(), back)
}

// attributes returns the named attribute of every element of that name.
func attributes(t *testing.T, svg []byte, element, attribute string) (out []string) {
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err, "not well-formed")
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == element {
			for _, a := range e.Attr {
				if a.Name.Local == attribute {
					out = append(out, a.Value)
				}
			}
		}
	}
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	r := sample()
	require.NoError(t, r.SVG(&b))
	fills := attributes(t, b.Bytes(), "rect", "fill")
	assert.Len(t, fills, 1+3+len(r.Rows), "the ground, the legend, the bars")
	assert.NotContains(t, fills, "")
	widths := attributes(t, b.Bytes(), "rect", "width")
	assert.Equal(t, []string{"302.0", "131.5", "26.2", "302.0", "302.0", "302.0"}, widths[4:], "in proportion to the speed, by panel")
	assert.Contains(t, b.String(), "5.40 µs · 11.5×")
	assert.Contains(t, b.String(), ">62.3 µs<", "the baseline's ratio to itself says nothing")
	assert.Contains(t, b.String(), ">7.00 µs<", "single calls are shown by their median")
	assert.Contains(t, b.String(), "Chip &lt;")
}

func TestDuration(t *testing.T) {
	for ns, want := range map[float64]string{
		0.5: "0.50 ns", 281: "281 ns", 999.4: "999 ns", 999.7: "1.00 µs", 9994: "9.99 µs", 9996: "10.0 µs",
		62_340: "62.3 µs", 123_456: "123 µs", 999_800: "1.00 ms", 2.5e9: "2.50 s",
	} {
		assert.Equal(t, want, duration(ns))
	}
}

func TestNewDescribesThisProcess(t *testing.T) {
	r := New([]string{"github.com/stretchr/testify"})
	assert.NotEmpty(t, r.CPU)
	assert.Positive(t, r.Cores)
	assert.Contains(t, r.Backends, r.Default)
	assert.Contains(t, r.Method, "64 µs")
}
