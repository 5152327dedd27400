// Package mldsa implements the post-quantum signature scheme ML-DSA, as specified in
// [NIST FIPS 204], on kernels of its own for AVX2, AVX-512 and NEON.
//
// It has the names and shapes of Go 1.27's crypto/mldsa, on Go 1.26 too. Beyond it, it has
// expanded private keys, forms that allocate nothing (Generate, SetBytes, AppendSign,
// AppendSignMu), message representatives μ computed from the public key alone, verifiers
// that hold what can be computed in advance, keys reduced to their encodings (Compact),
// HashML-DSA, and Destroy.
//
// Signing is hedged: it draws random bytes from crypto/rand, and stays secure without
// them. Keys are safe for concurrent use once made. Secrets never choose a branch, index
// memory or meet a division, but for rejections, which may be seen; on arm64 that holds for
// the time of single instructions too within [crypto/subtle.WithDataIndependentTiming].
//
// [NIST FIPS 204]: https://doi.org/10.6028/NIST.FIPS.204
package mldsa

import "github.com/pqlane/pqlane/internal/cpu"

// Backend returns the name of the backend that runs: generic, avx2, avx512 or avx512-wide,
// and on arm64 neon or neon-sha3.
func Backend() string { return cpu.Backend() }
