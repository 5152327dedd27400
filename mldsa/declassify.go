package mldsa

// All that this package makes public of what it computes from secrets, before the caller
// does. The functions do nothing: they mark the places for the reader.

// publicRho: ρ is half of a hash of the secret seed, and part of the public key. Which
// candidates RejNTTPoly rejects depends on it.
func publicRho([]byte) {}

// publicEncoded: the public key is computed from the seed, and is there to be published.
func publicEncoded([]byte) {}

// publicCheck: which check of an expanded private key fails. The caller learns it from the
// error, and a key that fails is not used.
func publicCheck(ok bool) bool { return ok }

// publicRejection: whether and why an attempt is rejected tells nothing of the key, since a
// rejected attempt's values are never published (FIPS 204, Section 3.5 and Appendix C).
func publicRejection(rejected bool) bool { return rejected }

// publicChallenge: c̃ is published with an accepted attempt. That of a rejected one is a hash
// of values that are not, and its use in SampleInBall may be seen.
func publicChallenge([]byte) {}
