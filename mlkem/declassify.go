//go:build !ctcheck

package mlkem

// All that this package makes public of what it computes from secrets, before the caller
// does. The functions do nothing, except under the build tag ctcheck: there memcheck
// follows the secrets, and reports every branch and address that depends on one and is
// not listed here.

// publicRho: ρ is half of a hash of the secret d, and part of the encapsulation key. Which
// candidates SampleNTT rejects depends on it.
func publicRho(*[32]byte) {}

// publicEncoded: the encapsulation key ByteEncode₁₂(t̂) ‖ ρ is computed from d, and is there
// to be published. What is left of it in working memory is no secret.
func publicEncoded([]byte) {}

// publicCheck: whether the modulus check of an expanded key fails, and at which polynomial
// of ŝ; whether a key decapsulates what it encapsulates, and is that of its seed. The caller
// learns it from the error, and a key that fails is not used.
func publicCheck(ok bool) bool { return ok }
