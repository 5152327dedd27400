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

// publicRejection: which bound an attempt misses, and at which polynomial, tells nothing of
// the key, since the attempt's values are never published: what is published is as
// likely for every key (FIPS 204, Section 3.2, on Fiat–Shamir with aborts). The values
// themselves, and by how much they miss, stay secret.
func publicRejection(rejected bool) bool { return rejected }

// publicChallenge: c̃ is published with an accepted attempt. That of a rejected one is a hash,
// of 256 bits or more, of w₁, which has too much entropy to be guessed and is not published;
// modelled as a random oracle it says nothing of w₁, nor c of the key. SampleInBall branches on
// it and indexes by it.
func publicChallenge([]byte) {}

// publicHints: those of an accepted attempt are part of the signature. Packing them takes
// a step for each. Those of a rejected attempt stay secret, but for whether they are too
// many.
func publicHints([]dsaring.Hint) {}
