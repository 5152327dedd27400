//go:build !ctcheck

package mldsa

import "github.com/pqlane/pqlane/internal/dsaring"

// All that this package makes public of what it computes from secrets, before the caller
// does. The functions do nothing, except under the build tag ctcheck: there memcheck
// follows the secrets, and reports every branch and address that depends on one and is
// not listed here. Sampling makes one thing more public, which half bytes ExpandS accepts:
// see publicAcceptance in internal/dsaring.

// publicRho: ρ is half of a hash of the secret seed, and part of the public key. Which
// candidates RejNTTPoly rejects depends on it.
func publicRho([]byte) {}

// publicEncoded: the public key is computed from the seed, and is there to be published. So
// is its hash tr.
func publicEncoded([]byte) {}

// publicCheck: which check of an expanded private key fails. The caller learns it from the
// error, and a key that fails is not used.
func publicCheck(ok bool) bool { return ok }

// publicRejection: which bound an attempt misses, and at which polynomial. Bounds on z and r₀ are
// missed with a probability that does not depend on the key (S. Bai et al.,
// "CRYSTALS-Dilithium", version 3.1, Section 5.5). An attempt within both has a z that could be
// published; ct₀ and the number of hints follow from it and from t, which is no secret.
// The values themselves, their signs, and by how much they miss, stay secret.
func publicRejection(rejected bool) bool { return rejected }

// publicChallenge: c̃ is published with an accepted attempt. That of a rejected one is the hash
// of a w₁ that is not published and cannot be guessed, so that it is a random number to
// whoever sees it (loc. cit.). SampleInBall branches on it and indexes by it.
func publicChallenge([]byte) {}

// publicHints: those of an accepted attempt are part of the signature. Packing them takes
// a step for each. Those of a rejected attempt stay secret, but for whether they are too
// many.
func publicHints([]dsaring.Hint) {}
