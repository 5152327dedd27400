package pkcs

import (
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An OID is an object identifier: the content of its encoding in DER. OIDs are compared
// with ==.
type OID string

// maxOIDSize is the size in bytes of the longest OID that is read. Those in use have 20 at
// most, or 21 if they hold a UUID.
const maxOIDSize = 64

// NewOID returns the OID with the given arcs, of which there are at least two.
func NewOID(arcs ...uint) OID {
	var b []byte
	for _, arc := range append([]uint{40*arcs[0] + arcs[1]}, arcs[2:]...) {
		shift := 0
		for arc>>shift > 0x7f {
			shift += 7
		}
		for ; shift > 0; shift -= 7 {
			b = append(b, 0x80|byte(arc>>shift))
		}
		b = append(b, byte(arc&0x7f))
	}
	return OID(b)
}

// ReadOID reads an OBJECT IDENTIFIER with arcs of any size.
func ReadOID(s *cryptobyte.String) (OID, error) {
	var b cryptobyte.String
	if !s.ReadASN1(&b, asn1.OBJECT_IDENTIFIER) || len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		return "", malformed("no object identifier")
	}
	if len(b) > maxOIDSize {
		return "", malformed("object identifier of %d bytes, want %d at most", len(b), maxOIDSize)
	}
	for i, c := range b {
		if c == 0x80 && (i == 0 || b[i-1]&0x80 == 0) {
			return "", malformed("object identifier with a leading zero")
		}
	}
	return OID(b), nil
}

// AddOID writes an OBJECT IDENTIFIER.
func AddOID(b *cryptobyte.Builder, o OID) {
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(o)) })
}

// String returns the OID in dotted form.
func (o OID) String() string {
	var arcs []string
	arc := new(big.Int)
	for _, c := range []byte(o) {
		arc.Lsh(arc, 7).Or(arc, big.NewInt(int64(c&0x7f)))
		if c&0x80 != 0 {
			continue
		}
		if arcs == nil { // the first two arcs are one number: 40·first + second
			first := int64(2)
			if arc.Cmp(big.NewInt(80)) < 0 {
				first = arc.Int64() / 40
			}
			arcs = append(arcs, strconv.FormatInt(first, 10))
			arc.Sub(arc, big.NewInt(40*first))
		}
		arcs = append(arcs, arc.String())
		arc.SetInt64(0)
	}
	return strings.Join(arcs, ".")
}
