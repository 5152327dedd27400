//go:build !go1.27

package mcpconn_test

import "github.com/pqlane/pqlane/mcpconn/mcpconntest"

const hasMLDSA = false

// leafAlgorithms are the keys that identities can have.
var leafAlgorithms = []string{mcpconntest.ECDSA}
