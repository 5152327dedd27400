// Pqpipe carries bytes over links of mcpconn: what stunnel is to TLS, with a policy.
//
// Usage:
//
//	pqpipe serve   [flags] ADDRESS      take links; carry standard input and output over
//	                                    one, or a TCP connection to -target over each
//	pqpipe connect [flags] HOST:PORT    make a link for standard input and output, or one
//	                                    for each TCP connection to -listen
//	pqpipe probe   [flags] HOST:PORT    show what a server offers, and how a link to it is
//	pqpipe memory  [flags] FILE         list what a file of -memory remembers, or forget a peer
//	pqpipe demo    [flags]              make a PKI in a temporary folder, run both ends
//
// An MCP server that listens at a TCP port, behind a link that asks for certificates of both
// sides:
//
//	pqpipe serve -cert server.crt -key server.key -trust root.crt -target 127.0.0.1:8000 :7443
//	pqpipe connect -cert client.crt -key client.key -trust root.crt -listen 127.0.0.1:8000 tools.example:7443
//
// hybrid/pqcert makes such certificates. The report of each link goes to standard error, as
// text or, with -json, as objects of JSON, and so does what else is said there: {"listening":
// ADDRESS} and {"error": TEXT}. probe, memory and demo write to standard output.
//
// A half-closed end is passed on, and so is one that failed: a link is then cut, and a TCP
// connection reset, so that nobody takes a part for the whole.
//
// The exit status is 0 for links that were made and ended well, 1 for one that failed or was
// interrupted, and 2 for a command line that makes no sense. That serve with -target and
// connect with -listen are interrupted is their end, and what became of each link is in their reports.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// A command is one of pqpipe's.
type command struct {
	name, usage string
	flags       func(*options, *flag.FlagSet)
	run         func(context.Context, *options) error
}

var commands = []command{
	{"serve", "[flags] ADDRESS", (*options).serveFlags, serve},
	{"connect", "[flags] HOST:PORT", (*options).connectFlags, connect},
	{"probe", "[flags] HOST:PORT", (*options).probeFlags, probe},
	{"memory", "[flags] FILE", (*options).memoryFlags, memory},
	{"demo", "[flags]", (*options).demoFlags, demo},
}

// errUsage is a command line that makes no sense.
var errUsage = errors.New("see pqpipe COMMAND -help")

// run is main with its arguments and files. It returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	stderr = &lockedWriter{w: stderr}
	if len(args) > 0 {
		for _, c := range commands {
			if args[0] == c.name {
				return c.main(ctx, args[1:], &options{stdin: stdin, stdout: stdout, stderr: stderr})
			}
		}
	}
	fmt.Fprint(stderr, "Pqpipe carries bytes over post-quantum links.\n\n")
	for _, c := range commands {
		fmt.Fprintf(stderr, "  pqpipe %-8s%s\n", c.name, c.usage)
	}
	fmt.Fprint(stderr, "\npqpipe COMMAND -help lists its flags; pqpipe demo needs none.\n")
	if len(args) == 1 && (args[0] == "-help" || args[0] == "-h" || args[0] == "help") {
		return 0
	}
	return 2
}

func (c command) main(ctx context.Context, args []string, o *options) int {
	flags := flag.NewFlagSet("pqpipe "+c.name, flag.ContinueOnError)
	flags.SetOutput(o.stderr)
	c.flags(o, flags)
	flags.Usage = func() {} // an error is one line
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(o.stderr, "Usage: pqpipe %s %s\n\n", c.name, c.usage)
		flags.PrintDefaults()
		return 0
	case err != nil:
		fmt.Fprintf(o.stderr, "see pqpipe %s -help\n", c.name)
		return 2
	}
	o.args = flags.Args()
	err := c.run(ctx, o)
	if err == nil {
		return 0
	}
	o.say("error", "pqpipe "+c.name+": ", err.Error())
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// A lockedWriter is written to by one link at a time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(b)
}
