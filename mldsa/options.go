//go:build !go1.27

package mldsa

import "crypto"

// Options are what signing and verifying depend on beside the message. On Go 1.27 it is
// crypto/mldsa's type.
type Options struct {
	// Context distinguishes signatures made for different purposes. It has at most 255
	// bytes and is empty by default. Signer and verifier use the same.
	Context string
}

// HashFunc returns zero: the message is not hashed. It implements [crypto.SignerOpts].
func (opts *Options) HashFunc() crypto.Hash { return 0 }
