//go:build go1.27

package interop

import (
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

const (
	algorithm = mcpconntest.MLDSA65
	policy    = mcpconn.PQCStrict2026
)
