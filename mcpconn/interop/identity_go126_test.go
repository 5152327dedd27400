//go:build !go1.27

package interop

import (
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

const (
	algorithm = mcpconntest.ECDSA
	policy    = mcpconn.Hybrid2026
)
