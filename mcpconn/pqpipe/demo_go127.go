//go:build go1.27

package main

import "github.com/pqlane/pqlane/mcpconn"

const (
	demoAlgorithm = "ML-DSA-65"
	demoPolicy    = mcpconn.PQCStrict2026
	demoNote      = ""
)
