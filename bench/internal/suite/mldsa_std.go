//go:build !go1.27

package suite

// StandardHasMLDSA: from Go 1.27 on.
const StandardHasMLDSA = false

func standardSigner(string) (s Signer, ok bool) { return s, false }
