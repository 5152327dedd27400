//go:build go1.27

package main

import (
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

const (
	demoAlgorithm = mcpconntest.MLDSA65
	demoPolicy    = mcpconn.PQCStrict2026
)
