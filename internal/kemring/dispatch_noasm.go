//go:build (!amd64 && !arm64) || purego

package kemring

import "github.com/pqlane/pqlane/internal/keccak"

// The functions of the package where there is no assembly. Their contracts stand at
// the generic twins.

func NTT(p *Poly)                                       { nttGeneric(p) }
func InverseNTT(p *Poly)                                { inverseNTTGeneric(p) }
func Dot(dst *Poly, a []Poly, stride int, b, tw []Poly) { dotGeneric(dst, a, stride, b, tw) }
func NTTVector(p []Poly) {
	for i := range p {
		nttGeneric(&p[i])
	}
}
func NTTTwist(p, tw []Poly) {
	tw = tw[:len(p)]
	for i := range p {
		nttTwistGeneric(&p[i], &tw[i])
	}
}
func MulAdd(dst, e *Poly, a []Poly, stride int, b, tw []Poly) {
	mulAddGeneric(dst, e, a, stride, b, tw)
}
func AddMontgomery(p, e *Poly) { addMontgomeryGeneric(p, e) }
func Reduce(p *Poly)           { reduceGeneric(p) }
func Add(p, a *Poly)           { addGeneric(p, a) }
func Sub(p, a *Poly)           { subGeneric(p, a) }

func SampleNTT(p *Poly, n int, s *keccak.State4, lane int) int {
	return sampleNTTGeneric(p, n, s, lane)
}

// SampleNTTs is SampleNTT of each polynomial of a, at least one, from lanes of s, the first
// from lane and each next one from that behind. done[i] is n of a[i].
func SampleNTTs(a []Poly, done *[keccak.Lanes]int, s *keccak.State4, lane int) {
	for i := range a {
		done[i] = SampleNTT(&a[i], done[i], s, lane+i)
	}
}
func CBD2(p *Poly, s *keccak.State4, lane int)     { cbd2Generic(p, s, lane) }
func CBD2Wide(p *Poly, s *keccak.State8, lane int) { cbd2WideGeneric(p, s, lane) }
func CBD3(p *Poly, b *[192]byte)                   { cbd3Generic(p, b) }
func Compress(dst []byte, p *Poly, d int)          { compressGeneric(dst, p, d) }
func Decompress(p *Poly, src []byte, d int)        { decompressGeneric(p, src, d) }
func Encode12(dst []byte, p *Poly)                 { encode12Generic(dst, p) }
func Decode12(p *Poly, src []byte) bool            { return decode12Generic(p, src) }
func Difference(a, b []byte) uint64                { return differenceGeneric(a, b) }
