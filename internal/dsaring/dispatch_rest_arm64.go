//go:build arm64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/keccak"

func SampleNTT(streams *[8]Stream, lanes uint, s *keccak.State8) {
	sampleNTTGeneric(streams, lanes, s)
}
func SampleBounded(streams *[8]Stream, lanes uint, s *keccak.State8, eta int32) {
	sampleBoundedGeneric(streams, lanes, s, eta)
}
