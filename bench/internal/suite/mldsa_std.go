//go:build !go1.27

package suite

import pqlane "github.com/pqlane/pqlane/mldsa"

// standardSigner: the standard library has ML-DSA from Go 1.27 on.
func standardSigner(pqlane.Parameters) (s signer, ok bool) { return s, false }
