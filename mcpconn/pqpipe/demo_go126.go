//go:build !go1.27

package main

import (
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// Certificates of ML-DSA need Go 1.27.
const (
	demoAlgorithm = mcpconntest.ECDSA
	demoPolicy    = mcpconn.Hybrid2026
)
