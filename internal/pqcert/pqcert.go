// Package pqcert is the command hybrid/pqcert, for other commands that need a PKI.
package pqcert

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
)

// Run is the command with its arguments and outputs. It returns the exit status.
func Run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pqcert", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "pki", "write to this `folder`, which is made if need be")
	alg := flags.String("alg", "ML-DSA-65", "`algorithm` of keys that sign")
	kem := flags.String("kem", "", "`algorithm` of keys for encryption (with files default ML-KEM-768)")
	hosts := flags.String("host", "localhost,127.0.0.1,::1", "names and addresses of the server, separated by commas")
	days := flags.Int("days", 365, "how long certificates are valid, the root ten times as long")
	flags.Usage = func() {
		fmt.Fprint(stderr, "Pqcert makes post-quantum certificates: a test PKI, or new ones with the names of existing\n"+
			"certificates and requests.\n\nUsage: pqcert [flags] [certificate or request...]\n\n")
		flags.PrintDefaults()
		fmt.Fprintf(stderr, "\nAlgorithms of keys that sign:\n%s\nAlgorithms of keys for encryption:\n%s",
			listed(signatureNames()), listed(kemNames()))
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	fail := func(err error) int {
		fmt.Fprintf(stderr, "pqcert: %s\n", strings.TrimPrefix(err.Error(), "hybrid: "))
		return 1
	}
	if *days < 1 || *days > 36500 {
		return fail(fmt.Errorf("-days %d, want 1 to 36500", *days))
	}
	p, err := openPKI(*dir, *alg, *kem, *days, stdout)
	if err != nil {
		return fail(err)
	}
	if flags.NArg() > 0 {
		for _, file := range flags.Args() {
			if err := p.reissue(file); err != nil {
				return fail(fmt.Errorf("%s: %w", file, err))
			}
		}
		return 0
	}
	if err := p.testCertificates(strings.Split(*hosts, ",")); err != nil {
		return fail(err)
	}
	return 0
}

// splitHosts sorts names from addresses.
func splitHosts(hosts []string) (names []string, addresses []net.IP, err error) {
	for _, host := range hosts {
		host = strings.TrimSpace(host)
		if ip := net.ParseIP(host); ip != nil {
			addresses = append(addresses, ip)
		} else if host != "" && !strings.ContainsAny(host, " /:@") {
			names = append(names, host)
		} else {
			return nil, nil, fmt.Errorf("-host: %q is no name or address", host)
		}
	}
	return names, addresses, nil
}

// listed returns names, one in each line.
func listed(names []string) string {
	return "  " + strings.Join(names, "\n  ") + "\n"
}
