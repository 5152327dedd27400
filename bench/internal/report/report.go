// Package report shows what the bench measured: as a table, as JSON, as a chart.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/internal/cpu"
)

// A Report is one run of the bench.
type Report struct {
	CPU      string           `json:"cpu"`
	Cores    int              `json:"cores"` // logical ones that the process may use
	OS       string           `json:"os"`
	Arch     string           `json:"arch"`
	Date     time.Time        `json:"date"`
	Go       string           `json:"go"`       // also the version of the standard library's packages
	Backends []string         `json:"backends"` // available, in ascending order
	Default  string           `json:"default_backend"`
	Peers    []string         `json:"peers,omitempty"` // other modules measured, with their versions
	NoCycles string           `json:"no_cycles,omitempty"`
	Method   string           `json:"method"`
	Rows     []measure.Result `json:"rows"`

	Notes map[string]string   `json:"notes,omitempty"` // on groups of rows
	Idle  []measure.Footprint `json:"idle,omitempty"`
}

// New returns a report about this process, without rows. Peers are the paths of the
// modules that it measures beside pqlane.
func New(peers []string) *Report {
	r := &Report{
		CPU: cpuid.CPU.BrandName, Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Date: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(),
		Backends: cpu.Available(), Default: cpu.Backend(),
		Method: fmt.Sprintf("Contestants of an operation run in interleaved rounds in one process, with the garbage collector on. "+
			"Minimum, median and mean are over batches of about %d µs and at least %d calls; p99 is over calls timed singly, less the clock's cost, "+
			"or over batches where a call takes less than %d µs (*). "+
			"Signing, and everything on warm and fresh goroutines, is timed in single calls alone, inside the goroutine. "+
			"For \"sign\" and on goroutines for ML-DSA, every contestant has the same inputs, each at least %d times, of which the least counts: "+
			"median, mean and p99 are over inputs.",
			measure.BatchTime.Microseconds(), measure.MinBatch, measure.SingleMin.Microseconds(), measure.MinPasses),
	}
	if r.CPU == "" {
		r.CPU = "unknown CPU"
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains(peers, m.Path) {
				r.Peers = append(r.Peers, m.Path+" "+m.Version)
			}
		}
	}
	return r
}

// JSON writes the report for machines.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *Report) machine() string {
	return fmt.Sprintf("%s, %d cores, %s/%s", r.CPU, r.Cores, r.OS, r.Arch)
}

// groups returns the rows group by group.
func (r *Report) groups() [][]measure.Result {
	var out [][]measure.Result
	for i, row := range r.Rows {
		if i == 0 || row.Group != r.Rows[i-1].Group {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], row)
	}
	return out
}

// who names a row's contestant: the backend, or the implementation that has none.
func who(row measure.Result) string {
	if row.Backend != "" {
		return row.Backend
	}
	return row.Impl
}

// duration formats nanoseconds with three significant digits.
func duration(ns float64) string {
	for _, unit := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= unit.ns*0.9995 {
			return digits(ns/unit.ns) + " " + unit.name
		}
	}
	return digits(ns) + " ns"
}

// digits formats a number with three significant digits, and no fewer than those
// of its integer part.
func digits(x float64) string {
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func orDash(x float64, format func(float64) string) string {
	if x == 0 {
		return "–"
	}
	return format(x)
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
