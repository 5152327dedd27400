//go:build go1.27

package mldsa

import "crypto/mldsa"

// Options are what signing and verifying depend on beside the message. It is the standard
// library's type, so that a context given in either is never dropped.
type Options = mldsa.Options
