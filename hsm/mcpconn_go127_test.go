//go:build go1.27

package hsm

import "github.com/pqlane/pqlane/mcpconn/mcpconntest"

func init() {
	for _, algorithm := range []Algorithm{MLDSA44, MLDSA65, MLDSA87} {
		linkAlgorithms = append(linkAlgorithms, linkAlgorithms[0])
		linkAlgorithms[len(linkAlgorithms)-1].of = algorithm
		linkAlgorithms[len(linkAlgorithms)-1].root = mcpconntest.MLDSA65
	}
}
