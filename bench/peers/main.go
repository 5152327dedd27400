// Command peers runs the bench with other Go implementations of ML-KEM and ML-DSA in the
// same process and the same rounds: circl and gmsm. It takes the flags of the bench.
//
//	cd bench/peers && go run . -svg peers.svg
//
// It is a module of its own, so that pqlane requires neither. What the standard library
// lacks, ML-KEM-512 and, before Go 1.27, ML-DSA, is compared with circl's.
package main

import (
	"os"
	"strings"

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
			Name: "circl",
			Baseline: func(set string) bool {
				return set == "ML-KEM-512" || !suite.StandardHasMLDSA && strings.HasPrefix(set, "ML-DSA")
			},
			Calls:  circlCalls,
			Signer: circlSigner,
		},
		suite.Implementation{Name: "gmsm", Calls: gmsmCalls, Signer: gmsmSigner},
	)
}
