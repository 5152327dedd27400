//go:build !go1.27

package suite

// standardSigner: the standard library has ML-DSA from Go 1.27 on.
func standardSigner(string) (s Signer, ok bool) { return s, false }
