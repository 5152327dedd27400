// Kat runs known-answer tests of packages mlkem, mldsa and hybrid and of the Keccak beneath:
// NIST's ACVP sets and SHA-3 files, Wycheproof, with X25519 and ECDH for the classical halves,
// CCTV, seeds mined for rare paths, the key, certificate and CMS files of RFC 9881 and
// RFC 9935, and the vectors of the drafts of composite signatures, composite KEMs, X-Wing
// and HPKE with ML-KEM, of s2n-tls and BoringSSL, and of composed exchanges of TLS groups.
//
// Usage:
//
//	kat [-vectors DIR] [-backend NAME] [-long] [-v]
//	kat -acvp prompt.json
//
// It runs every set that it finds on every backend that this machine has, or on
// the one that -backend or PQLANE_BACKEND names, and prints a line for each
// algorithm, function, source and backend: cases, passed, failed; then the total. It
// exits with status 1 if a case fails, a file is malformed, or nothing could be run.
//
// -vectors or KAT_VECTORS names the folder with the vectors. Without one, Go modules
// that carry vectors are fetched by version into the module cache and checked against
// a pinned hash; what they lack is shown as not available. If KAT_REQUIRE=1, a set
// that the named folder lacks is an error.
//
// With -acvp it answers a prompt of the Automated Cryptographic Validation Protocol,
// which may be compressed with bzip2 or gzip, and writes the results that a server
// expects to standard output.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its arguments and outputs. It returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kat", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("vectors", os.Getenv("KAT_VECTORS"), "folder with the vectors (default $KAT_VECTORS, else Go modules)")
	backend := flags.String("backend", "", "run on this backend only (default $PQLANE_BACKEND, else all)")
	acvp := flags.String("acvp", "", "answer this ACVP prompt file (.json, .json.bz2 or .json.gz)")
	deep := flags.Bool("long", false, "run cases that take minutes too")
	verbose := flags.Bool("v", false, "print every failure")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	fail := func(err error) int {
		fmt.Fprintf(stderr, "kat: %v\n", err)
		return 1
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "kat: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	backends, err := selectBackends(*backend)
	if err != nil {
		return fail(err)
	}
	if *acvp != "" {
		defer cpu.Use(backends[len(backends)-1])()
		if err := answerFile(*acvp, stdout); err != nil {
			return fail(err)
		}
		return 0
	}

	v, unavailable := find(*dir)
	if unavailable != nil {
		fmt.Fprintf(stderr, "kat: %v\n", unavailable)
	}
	if len(v.sets) == 0 && len(v.errs) == 0 {
		return fail(fmt.Errorf("no known answers to run; -vectors DIR names a folder that has them"))
	}
	d := full
	if *deep {
		d = long
	}
	r := &report{w: stdout, verbose: *verbose}
	r.head()
	for _, name := range backends {
		results, err := runOn(name, v.sets, d)
		if err != nil {
			return fail(err)
		}
		r.results(name, results)
	}
	r.missing(v.missing)
	r.errors(v.errs)
	r.total()
	if r.failed > 0 || r.passed == 0 {
		return 1
	}
	if *dir != "" && len(v.missing) > 0 && os.Getenv("KAT_REQUIRE") == "1" {
		return fail(fmt.Errorf("%s lacks %d sets, and KAT_REQUIRE=1", *dir, len(v.missing)))
	}
	return 0
}

// find loads the folder's vectors, or the modules' if dir is empty.
func find(dir string) (v vectors, unavailable error) {
	if dir == "" {
		return loadModules(modules())
	}
	if _, err := os.Stat(dir); err != nil {
		return v, err
	}
	v.load(os.DirFS(dir), folderEntries())
	return v, nil
}

// selectBackends returns the backends to run on: the named one, that of the
// environment, or all.
func selectBackends(name string) ([]string, error) {
	all := cpu.Available()
	if name == "" {
		name = os.Getenv(cpu.Env)
	}
	if name == "" {
		return all, nil
	}
	if !slices.Contains(all, name) {
		return nil, fmt.Errorf("backend %q is not available here (available: %s)", name, strings.Join(all, ", "))
	}
	return []string{name}, nil
}

// runOn runs the sets on one backend.
func runOn(backend string, sets []*set, d depth) ([]result, error) {
	defer cpu.Use(backend)()
	for name, got := range map[string]string{"mlkem": mlkem.Backend(), "mldsa": mldsa.Backend()} {
		if got != backend {
			return nil, fmt.Errorf("%s runs on backend %q, not on %q", name, got, backend)
		}
	}
	return runSets(sets, d), nil
}

// answerFile answers the prompt in the named file.
func answerFile(name string, w io.Writer) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	prompt, err := decompress(name, data)
	if err != nil {
		return err
	}
	if err := answerACVP(prompt, w); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
