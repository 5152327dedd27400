//go:build !go1.27

package mcpconn

import "crypto"

func plainKey(*Identity) crypto.Signer { return nil }
