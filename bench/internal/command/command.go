// Package command is the bench's command line.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/bench/internal/report"
	"github.com/pqlane/pqlane/bench/internal/suite"
	"github.com/pqlane/pqlane/internal/cpu"
)

// options are the flags.
type options struct {
	json       bool
	svg        string
	filter     suite.Filter
	cpuprofile string
	time       time.Duration
	tail       bool
	hsm        string
	idle       bool
}

// Main runs the suite with the implementations that are given, the last of them
// from the modules in peers, and returns the exit status: 2 for a command line that
// makes no sense, 1 for a run that failed.
func Main(args []string, stdout, stderr io.Writer, implementations []suite.Implementation, peers ...string) int {
	opts, err := parse(args, stderr)
	if err == flag.ErrHelp {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	if err := run(opts, stdout, stderr, implementations, peers); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (opts options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&opts.json, "json", false, "write JSON to standard output instead of a table")
	flags.StringVar(&opts.svg, "svg", "", "also write a bar chart to `FILE`")
	flags.StringVar(&opts.cpuprofile, "cpuprofile", "", "write a CPU profile of the measuring to `FILE`")
	flags.DurationVar(&opts.time, "time", 70*time.Millisecond, "measuring time for each row")
	flags.BoolVar(&opts.tail, "tail", false, "measure signatures of 10,000 messages instead, for their slowest percent; a minute or two")
	flags.StringVar(&opts.hsm, "hsm", "", "measure the token that this PKCS #11 `URI` names instead, beside raw calls of its module")
	flags.BoolVar(&opts.idle, "idle", false, fmt.Sprintf("measure the memory of %d idle links instead; a minute or two", suite.IdleLinks))
	flags.Func("op", "measure only operations that match `REGEXP`, for example '768 decaps'", func(s string) (err error) {
		opts.filter.Op, err = regexp.Compile(s)
		return err
	})
	flags.Func("backend", "measure only these backends, `NAME[,NAME]` of "+strings.Join(cpu.Available(), ", ")+" (if none is named, "+strings.Join(cpu.Comparable(), ", ")+")", func(s string) error {
		opts.filter.Backends = strings.Split(s, ",")
		for _, name := range opts.filter.Backends {
			if !slices.Contains(cpu.Available(), name) {
				return fmt.Errorf("%q is not available here (available: %s)", name, strings.Join(cpu.Available(), ", "))
			}
		}
		return nil
	})
	err = flags.Parse(args)
	switch {
	case err == flag.ErrHelp:
		fmt.Fprintln(stderr, "usage: go run ./bench [flags]")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return opts, err
	case err != nil:
		return opts, err
	case flags.NArg() > 0:
		return opts, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case opts.hsm != "" && opts.tail, opts.hsm != "" && opts.idle, opts.tail && opts.idle:
		return opts, errors.New("-hsm, -tail and -idle exclude each other")
	case opts.time <= 0:
		return opts, fmt.Errorf("-time is %v, it must be positive", opts.time)
	}
	return opts, nil
}

func run(opts options, stdout, stderr io.Writer, implementations []suite.Implementation, peers []string) (failed error) {
	if opts.idle {
		r := report.New(nil)
		var err error
		if r.Idle, err = suite.Idle(suite.IdleLinks); err != nil {
			return err
		}
		return write(r, opts, stdout)
	}
	choose, budget := suite.Comparisons, opts.time
	if opts.tail {
		choose, budget = suite.Tail, 0 // as few passes through the messages as there can be
	}
	if opts.hsm != "" {
		token, err := suite.OpenToken(context.Background(), opts.hsm)
		if err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, token.Close()) }()
		choose = func(_ []suite.Implementation, filter suite.Filter) ([]measure.Comparison, error) {
			return token.Comparisons(context.Background(), filter)
		}
	}
	comparisons, err := choose(implementations, opts.filter)
	if err != nil {
		return err
	}
	rows, length := 0, time.Duration(0)
	notes := map[string]string{}
	for _, c := range comparisons {
		rows += len(c.Contestants)
		length += time.Duration(len(c.Contestants)*max(c.Longer, 1)) * opts.time
		if c.Note != "" {
			notes[c.Group] = c.Note
		}
	}
	if rows == 0 {
		return fmt.Errorf("-op %q matches no operation", opts.filter.Op)
	}

	var svg *os.File
	if opts.svg != "" {
		if svg, err = os.Create(opts.svg); err != nil {
			return err
		}
		defer svg.Close()
	}
	if opts.cpuprofile != "" {
		f, err := os.Create(opts.cpuprofile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}

	r := report.New(peers)
	r.Notes = notes
	if opts.tail {
		fmt.Fprintf(stderr, "%d rows\n", rows)
	} else {
		fmt.Fprintf(stderr, "%d rows, about %v\n", rows, length.Round(time.Second))
	}
	for i, c := range comparisons {
		fmt.Fprintf(stderr, "[%*d/%d] %s %s\n", len(fmt.Sprint(len(comparisons))), i+1, len(comparisons), c.Group, operations(c))
		results, noCycles, err := measure.Run(c, budget)
		if err != nil {
			return err
		}
		if noCycles != nil {
			r.NoCycles = noCycles.Error()
		}
		r.Rows = append(r.Rows, results...)
	}

	if svg != nil {
		if err := r.SVG(svg); err != nil {
			return err
		}
		if err := svg.Close(); err != nil {
			return err
		}
	}
	return write(r, opts, stdout)
}

func write(r *report.Report, opts options, stdout io.Writer) error {
	if opts.json {
		return r.JSON(stdout)
	}
	return r.Table(stdout)
}

// operations names a comparison's operations for the progress.
func operations(c measure.Comparison) string {
	var names []string
	for _, x := range c.Contestants {
		if !slices.Contains(names, x.Op) {
			names = append(names, x.Op)
		}
	}
	return strings.Join(names, "; ")
}
