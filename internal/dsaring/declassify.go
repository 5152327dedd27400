//go:build !ctcheck

package dsaring

import "github.com/pqlane/pqlane/internal/keccak"

// What this package makes public of secrets: the acceptance of half bytes by SampleBounded,
// and nothing else. It belongs to the list in mldsa/declassify.go. The functions do nothing,
// except under the build tag ctcheck, which has memcheck follow the secrets.

// publicAcceptance: whether a half byte of the secret stream is accepted. Each is accepted or
// rejected by itself, and all values that are accepted are equally likely, so that the
// pattern says nothing of the coefficients (S. Bai et al., "CRYSTALS-Dilithium", version
// 3.1, Section 5.5).
func publicAcceptance(accepted int) int { return accepted }

// publicAcceptances is publicAcceptance for a kernel, inside which nothing can be
// declassified: it returns a block for the kernel to read. The analysis in internal/ctcheck
// proves that branches and addresses of the kernel depend on the acceptances alone.
func publicAcceptances(s *keccak.State8) *keccak.State8 { return s }

// secretAgain makes coefficients as secret as s, of which block was made.
func secretAgain(_ []int32, s, block *keccak.State8, lane int) {}
