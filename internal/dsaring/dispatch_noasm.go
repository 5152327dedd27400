//go:build (!amd64 && !arm64) || purego

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

func SampleNTT(streams *[8]Stream, lanes uint, s *keccak.State8) {
	sampleNTTGeneric(streams, lanes, s)
}
func SampleBounded(streams *[8]Stream, lanes uint, s *keccak.State8, eta int32) {
	sampleBoundedGeneric(streams, lanes, s, eta)
}
func ReadLanes(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State4) { readLanesGeneric(dst, s) }
func ReadHalf(dst *[keccak.Lanes]*[RateH]byte, s *keccak.State8, first int) {
	readHalfGeneric(dst, s, first)
}

func Power2Round(t1, t0, t *Poly)                      { power2RoundGeneric(t1, t0, t) }
func Decompose(w1, w0, w *Poly, gamma2 int32)          { decomposeGeneric(w1, w0, w, gamma2) }
func MakeHint(h *Hint, r0, w1 *Poly, gamma2 int32) int { return makeHintGeneric(h, r0, w1, gamma2) }
func UseHint(w1 *Poly, h *Hint, w *Poly, gamma2 int32) { useHintGeneric(w1, h, w, gamma2) }
func Exceeds(p *Poly, bound int32) bool                { return exceedsGeneric(p, bound) }

func PackT1(dst []byte, p *Poly)                    { packT1Generic(dst, p) }
func UnpackT1(p *Poly, src []byte)                  { unpackT1Generic(p, src) }
func PackT0(dst []byte, p *Poly)                    { packT0Generic(dst, p) }
func UnpackT0(p *Poly, src []byte)                  { unpackT0Generic(p, src) }
func PackEta(dst []byte, p *Poly, eta int32)        { packEtaGeneric(dst, p, eta) }
func UnpackEta(p *Poly, src []byte, eta int32) bool { return unpackEtaGeneric(p, src, eta) }
func PackZ(dst []byte, p *Poly, gamma1 int32)       { packZGeneric(dst, p, gamma1) }
func UnpackZ(p *Poly, src []byte, gamma1 int32)     { unpackZGeneric(p, src, gamma1) }
func PackW1(dst []byte, p *Poly, gamma2 int32)      { packW1Generic(dst, p, gamma2) }

func Narrow(dst *[N]int16, p *Poly) { narrowGeneric(dst, p) }
func AddSmall(p *Poly, c *[N]int16) { addSmallGeneric(p, c) }
func SubSmall(p *Poly, c *[N]int16) { subSmallGeneric(p, c) }
