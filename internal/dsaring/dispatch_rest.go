package dsaring

func PackT1(dst []byte, p *Poly)                    { packT1Generic(dst, p) }
func UnpackT1(p *Poly, src []byte)                  { unpackT1Generic(p, src) }
func PackT0(dst []byte, p *Poly)                    { packT0Generic(dst, p) }
func UnpackT0(p *Poly, src []byte)                  { unpackT0Generic(p, src) }
func PackEta(dst []byte, p *Poly, eta int32)        { packEtaGeneric(dst, p, eta) }
func UnpackEta(p *Poly, src []byte, eta int32) bool { return unpackEtaGeneric(p, src, eta) }
func PackZ(dst []byte, p *Poly, gamma1 int32)       { packZGeneric(dst, p, gamma1) }
func UnpackZ(p *Poly, src []byte, gamma1 int32)     { unpackZGeneric(p, src, gamma1) }
func PackW1(dst []byte, p *Poly, gamma2 int32)      { packW1Generic(dst, p, gamma2) }
