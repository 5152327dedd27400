// Package mlkem implements the post-quantum key encapsulation mechanism ML-KEM, as
// specified in [NIST FIPS 203], on kernels of its own for AVX2, AVX-512 and NEON.
//
// It has every name of the standard library's crypto/mlkem, with the same order of
// results, and can take its place by a change of the import path. Beyond it, it has
// ML-KEM-512, expanded decapsulation keys, forms that write into the caller's memory
// and allocate nothing (Generate, SetBytes, EncapsulateInto, DecapsulateInto,
// AppendBinary), and Destroy.
//
// Use [DecapsulationKey768] and [EncapsulationKey768] unless a protocol asks for another
// set. Keep a parsed key if it is used again: parsing an encapsulation key costs twice
// as much as encapsulating to it.
//
// Keys are safe for concurrent use once made. A new key leaves a part of H(ek) to the first
// operation that needs it, as a rule decapsulation, beside which it takes less time or none:
// so a key is not to be copied while it is in use.
//
// Secrets never choose a branch, index memory or meet a division, and are wiped from working
// memory after use. On arm64 that holds for the time of single instructions too within
// [crypto/subtle.WithDataIndependentTiming].
//
// [NIST FIPS 203]: https://doi.org/10.6028/NIST.FIPS.203
package mlkem

import "github.com/pqlane/pqlane/internal/cpu"

// Backend returns the name of the backend that runs: generic, avx2, avx512 or avx512-wide,
// and on arm64 neon or neon-sha3. The environment variable PQLANE_BACKEND, read at start-up, chooses
// another than the best that the machine has.
func Backend() string { return cpu.Backend() }
