//go:build arm64 && !purego

package dsaring

import "github.com/pqlane/pqlane/internal/keccak"

func SampleNTT(streams *[8]Stream, lanes uint, s *keccak.State8) {
	sampleNTTGeneric(streams, lanes, s)
}
func SampleBounded(streams *[8]Stream, lanes uint, s *keccak.State8, eta int32) {
	sampleBoundedGeneric(streams, lanes, s, eta)
}

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
