package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pqlane/pqlane/bench/internal/measure"
)

const tableWidth = 130

// Table writes the report for people.
func (r *Report) Table(w io.Writer) error {
	var b strings.Builder
	head := func(name, text string) {
		if text == "" {
			return
		}
		for _, line := range wrap(text, tableWidth-10) {
			fmt.Fprintf(&b, "%-9s %s\n", name, line)
			name = ""
		}
	}
	head("machine", r.machine())
	head("date", r.Date.Format("2006-01-02 15:04 UTC"))
	head("Go", r.Go+", which the standard library's rows are of")
	head("backends", strings.Join(r.Backends, ", ")+"; "+r.Default+" by default")
	head("peers", strings.Join(r.Peers, ", "))
	if r.NoCycles != "" {
		head("cycles", "not counted: "+r.NoCycles)
	}
	for _, rows := range r.groups() {
		title := rows[0].Group
		for _, row := range rows {
			if row.Baseline != "" {
				title += ", times as fast as " + row.Baseline
				break
			}
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, line := range wrap(r.Notes[rows[0].Group], tableWidth) {
			if line != "" {
				b.WriteString(line + "\n")
			}
		}
		line := "%-21s  %-12s %8s %8s %8s %9s %7s %6s %6s %7s %8s %7s %7s\n"
		// A tail of enough samples takes the column of cycles, which are of batches.
		rare, rarely := "cycles", func(row measure.Result) string {
			return orDash(row.Cycles, func(x float64) string { return fmt.Sprintf("%.0f", x) })
		}
		if !slices.ContainsFunc(rows, func(row measure.Result) bool { return row.Batches != 0 || row.P999 == 0 }) {
			rare, rarely = "p99.9", func(row measure.Result) string { return orDash(row.P999, duration) }
		}
		fmt.Fprintf(&b, line, "", "", "min", "median", "mean", "p99 ", rare, "allocs", "bytes", "× min", "× median", "× mean", "× p99")
		last := ""
		for _, row := range rows {
			op := row.Op
			if op == last {
				op = ""
			}
			last = row.Op
			mark := " "
			if row.Singles == 0 {
				mark = "*"
			}
			fmt.Fprintf(&b, line, op, who(row),
				duration(row.Min), duration(row.Median), duration(row.Mean), duration(row.P99)+mark,
				rarely(row),
				strconv.FormatUint(row.Allocs, 10), strconv.FormatUint(row.Bytes, 10),
				orDash(row.Ratio, digits), orDash(row.MedianRatio, digits), orDash(row.MeanRatio, digits), orDash(row.P99Ratio, digits))
		}
	}
	for i, f := range r.Idle {
		line := "%-38s  %-12s %9s %9s %9s %7s\n"
		if i == 0 {
			fmt.Fprintf(&b, "\nmemory of what waits, bytes each\n"+line, "", "", "heap", "stack", "sum", "of")
		}
		what := f.What
		if i > 0 && what == r.Idle[i-1].What {
			what = ""
		}
		round := func(x float64) string { return fmt.Sprintf("%.0f", x) }
		fmt.Fprintf(&b, line, what, f.Impl, round(f.Heap), round(f.Stack), round(f.Heap+f.Stack), strconv.Itoa(f.Count))
	}
	if len(r.Rows) > 0 {
		b.WriteString("\n")
		for _, line := range wrap(r.Method, tableWidth) {
			b.WriteString(line + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
