//go:build !amd64 || purego

package dsaring

import "github.com/pqlane/pqlane/internal/keccak"

// The functions of the package where there is no assembly. Their contracts stand at
// the generic twins.

func NTT(p *Poly)                { nttGeneric(p) }
func InverseNTT(p *Poly)         { inverseNTTGeneric(p) }
func Mul(dst, a, b *Poly)        { mulGeneric(dst, a, b) }
func Dot(dst *Poly, a, b []Poly) { dotGeneric(dst, a, b) }
func Add(p, a *Poly)             { addGeneric(p, a) }
func Sub(p, a *Poly)             { subGeneric(p, a) }
func Reduce(p *Poly)             { reduceGeneric(p) }
func Centre(p *Poly)             { centreGeneric(p) }

func SampleNTT(p *Poly, n int, s *keccak.State4, lane int) int {
	return sampleNTTGeneric(p, n, s, lane)
}
func SampleBounded(p *Poly, n int, s *keccak.State4, lane int, eta int32) int {
	return sampleBoundedGeneric(p, n, s, lane, eta)
}
