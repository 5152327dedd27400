//go:build go1.27

package mcpconn_test

import "github.com/pqlane/pqlane/mcpconn/mcpconntest"

const hasMLDSA = true

// leafAlgorithms are the keys that identities can have.
var leafAlgorithms = []string{mcpconntest.ECDSA, mcpconntest.MLDSA44, mcpconntest.MLDSA65, mcpconntest.MLDSA87}
