// Command peers runs the bench with other Go implementations of ML-KEM in the same
// process and the same rounds: circl and gmsm. It takes the flags of the bench.
//
//	cd bench/peers && go run . -svg peers.svg
//
// It is a module of its own, so that pqlane requires neither. ML-KEM-512, which the
// standard library lacks, is compared with circl's.
package main

import (
	"os"

	"github.com/pqlane/pqlane/bench/internal/command"
	"github.com/pqlane/pqlane/bench/internal/suite"
)

func main() {
	os.Exit(command.Main(os.Args[1:], os.Stdout, os.Stderr, implementations(), modules...))
}

var modules = []string{"github.com/cloudflare/circl", "github.com/emmansun/gmsm"}

func implementations() []suite.Implementation {
	return append(suite.Implementations(),
		suite.Implementation{
			Name:     "circl",
			Baseline: func(set string) bool { return set == "ML-KEM-512" },
			Calls:    circlCalls,
		},
		suite.Implementation{Name: "gmsm", Calls: gmsmCalls},
	)
}
