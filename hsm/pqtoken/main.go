// Pqtoken uses the keys in a PKCS #11 token, and finds out what a token can do.
//
// Usage:
//
//	pqtoken COMMAND [-uri URI] [flags]
//
// The commands are
//
//	info      what the token is, and what it claims to do
//	list      its private keys
//	generate  a pair of keys
//	sign      a file
//	verify    a file's signature, without the token's help
//	csr       a certificate request for a key
//	rotate    a key to a successor of the same label
//	doctor    try all that the token claims, and print what works
//
// The URI (RFC 7512) names the module, the token and the key. It is taken from the environment
// variable PQTOKEN_URI if there is no -uri:
//
//	$ export PQTOKEN_URI='pkcs11:token=payments?module-path=/usr/lib/libhsm.so&pin-source=/run/pin'
//	$ go run ./hsm/pqtoken doctor
//	$ go run ./hsm/pqtoken generate -alg ML-DSA-65 -label issuer
//	$ go run ./hsm/pqtoken csr -label issuer -cn example.com -out issuer.csr
//
// A PIN in the URI's pin-value is seen by whoever sees the command line; a file is not.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/pqlane/pqlane/hsm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// An errUsage is a mistake in the command line.
type errUsage string

func (e errUsage) Error() string { return string(e) }

// A command is one of pqtoken's.
type command struct {
	name, does string

	// prepare defines its flags, and returns what it does with an open token.
	prepare func(*invocation) func(context.Context) error
}

var commands = []command{
	{"info", "what the token is, and what it claims to do", info},
	{"list", "its private keys", list},
	{"generate", "a pair of keys", generate},
	{"sign", "a file", sign},
	{"verify", "a file's signature, without the token's help", verify},
	{"csr", "a certificate request for a key", csr},
	{"rotate", "a key to a successor of the same label", rotate},
	{"doctor", "try all that the token claims, and print what works", doctor},
}

// An invocation is a command with its flags and what it works on.
type invocation struct {
	flags  *flag.FlagSet
	stdout io.Writer
	token  *hsm.Token
	key    hsm.Key // from the URI, -label and -id
}

// run is main with its arguments and outputs. It returns the exit status: 2 for a wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		usage(stderr)
		return 0
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "pqtoken: no command %q; pqtoken help lists them\n", args[0])
	return 2
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Pqtoken uses the keys in a PKCS #11 token, and finds out what a token can do.\n\n"+
		"Usage: pqtoken COMMAND [-uri URI] [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.does)
	}
	fmt.Fprint(w, "\npqtoken COMMAND -help lists a command's flags. The URI (RFC 7512) is taken from PQTOKEN_URI if there is no -uri:\n"+
		"  pkcs11:token=NAME?module-path=/usr/lib/libhsm.so&pin-source=/run/pin\n")
}

func (c command) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	in := &invocation{flags: flag.NewFlagSet("pqtoken "+c.name, flag.ContinueOnError), stdout: stdout}
	in.flags.SetOutput(stderr)
	uri := in.flags.String("uri", "", "the token, and a key in it (default $PQTOKEN_URI)")
	label := in.flags.String("label", "", "the key's CKA_LABEL")
	id := in.flags.String("id", "", "the key's CKA_ID, in hexadecimal")
	do := c.prepare(in)
	switch err := in.flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	err := func() error {
		if in.flags.NArg() > 0 {
			return errUsage(fmt.Sprintf("%q is no flag", in.flags.Arg(0)))
		}
		return in.with(ctx, *uri, *label, *id, do)
	}()
	var wrong errUsage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "pqtoken %s: %s\n", c.name, wrong)
		return 2
	}
	fmt.Fprintf(stderr, "pqtoken %s: %s\n", c.name, strings.TrimPrefix(err.Error(), "hsm: "))
	return 1
}

// with opens the token and runs do.
func (in *invocation) with(ctx context.Context, uri, label, id string, do func(context.Context) error) (err error) {
	if uri == "" {
		uri = os.Getenv("PQTOKEN_URI")
	}
	if uri == "" {
		return errUsage("no -uri, and no PQTOKEN_URI")
	}
	parsed, err := hsm.ParseURI(uri)
	if err != nil {
		return errUsage(strings.TrimPrefix(err.Error(), "hsm: "))
	}
	in.key = parsed.Key()
	if label != "" {
		in.key.Label = label
	}
	if id != "" {
		if in.key.ID, err = hex.DecodeString(id); err != nil {
			return errUsage(fmt.Sprintf("-id %s is not hexadecimal", id))
		}
	}
	config := parsed.Config()
	config.VerifyAfterSign = true
	in.token, err = hsm.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.token.Close()) }()
	return do(ctx)
}

// algorithmByName returns an algorithm by its name, in any case.
func algorithmByName(name string) (hsm.Algorithm, error) {
	var names []string
	for _, a := range hsm.Algorithms() {
		if strings.EqualFold(a.String(), name) {
			return a, nil
		}
		names = append(names, a.String())
	}
	return 0, errUsage(fmt.Sprintf("-alg %q, want one of %s", name, strings.Join(names, ", ")))
}

// readInput reads a file, or the standard input if its name is "-".
func readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// writeNew writes a file that must not exist, or to the standard output if its name is "-".
func (in *invocation) writeNew(name string, b []byte) error {
	if name == "-" {
		_, err := in.stdout.Write(b)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
