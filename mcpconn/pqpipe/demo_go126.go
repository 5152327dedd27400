//go:build !go1.27

package main

import "github.com/pqlane/pqlane/mcpconn"

// Certificates of ML-DSA need Go 1.27.
const (
	demoAlgorithm = "ECDSA-P256"
	demoPolicy    = mcpconn.Hybrid2026
	demoNote      = "\n(those of ML-DSA, and so PQCStrict2026, need a pqpipe built with Go 1.27)"
)
