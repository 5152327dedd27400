//go:build ctcheck

package dsaring

import (
	"github.com/pqlane/pqlane/internal/ctcheck"
	"github.com/pqlane/pqlane/internal/keccak"
)

func publicAcceptance(accepted int) int {
	ctcheck.PublishValue("acceptance", &accepted)
	return accepted
}

func publicAcceptances(s *keccak.State8) *keccak.State8 {
	block := *s
	ctcheck.PublishValue("acceptance", &block)
	return &block
}

func secretAgain(coefficients []int32, s, block *keccak.State8, lane int) {
	// A block and its copy have no difference, but memcheck computes it from what
	// is marked.
	var zero uint64
	for w := range RateH / 8 {
		zero |= s[w][lane] ^ block[w][lane]
	}
	for i := range coefficients {
		coefficients[i] ^= int32(zero)
	}
}
