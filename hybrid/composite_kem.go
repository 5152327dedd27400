package hybrid

import (
	"crypto/sha3"
	"encoding/asn1"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mlkem"
)

// A KEMAlgorithm is a composite KEM of draft-ietf-lamps-pq-composite-kem: ML-KEM and a
// classical key exchange or encryption. Its secrets stay secret as long as either half's
// do.
//
// Values of an algorithm are equal, and safe for concurrent use. The zero value is no
// algorithm. Shared keys have [mlkem.SharedKeySize] bytes; other sizes in bytes, with ~
// before one that varies and is the largest:
//
//	algorithm                        public  private  ciphertext
//	MLKEM768-RSA2048-SHA3-256          1454    ~1258        1344
//	MLKEM768-RSA3072-SHA3-256          1582    ~1834        1472
//	MLKEM768-RSA4096-SHA3-256          1710    ~2415        1600
//	MLKEM768-X25519-SHA3-256           1216       96        1120
//	MLKEM768-ECDH-P256-SHA3-256        1249      115        1153
//	MLKEM768-ECDH-P384-SHA3-256        1281      128        1185
//	MLKEM1024-RSA3072-SHA3-256         1966    ~1834        1952
//	MLKEM1024-ECDH-P384-SHA3-256       1665      128        1665
//	MLKEM1024-ECDH-P521-SHA3-256       1701      146        1701
//
// The draft's others, with brainpool curves and X448, are left out: Go has no well-kept
// implementation of those. The draft recommends X25519 or P-256 with ML-KEM-768, and P-384
// with ML-KEM-1024.
type KEMAlgorithm struct{ *kemAlgorithm }

// A kemAlgorithm is a row of the draft's Section 6.
type kemAlgorithm struct {
	arc       byte // the last of the object identifier
	name      string
	label     string // separates the algorithm's shared keys from others
	mlkem     *compositeMLKEM
	classical classicalKEM
}

var kemAlgorithms = [...]kemAlgorithm{
	{55, "MLKEM768-RSA2048-SHA3-256", "MLKEM768-RSAOAEP2048", &compositeMLKEM768, rsaOAEP{rsaKeys{2048}}},
	{56, "MLKEM768-RSA3072-SHA3-256", "MLKEM768-RSAOAEP3072", &compositeMLKEM768, rsaOAEP{rsaKeys{3072}}},
	{57, "MLKEM768-RSA4096-SHA3-256", "MLKEM768-RSAOAEP4096", &compositeMLKEM768, rsaOAEP{rsaKeys{4096}}},
	{58, "MLKEM768-X25519-SHA3-256", `\.//^\`, &compositeMLKEM768, ecdhX25519},
	{59, "MLKEM768-ECDH-P256-SHA3-256", "MLKEM768-P256", &compositeMLKEM768, ecdhP256},
	{60, "MLKEM768-ECDH-P384-SHA3-256", "MLKEM768-P384", &compositeMLKEM768, ecdhP384},
	{62, "MLKEM1024-RSA3072-SHA3-256", "MLKEM1024-RSAOAEP3072", &compositeMLKEM1024, rsaOAEP{rsaKeys{3072}}},
	{63, "MLKEM1024-ECDH-P384-SHA3-256", "MLKEM1024-P384", &compositeMLKEM1024, ecdhP384},
	{66, "MLKEM1024-ECDH-P521-SHA3-256", "MLKEM1024-P521", &compositeMLKEM1024, ecdhP521},
}

// MLKEM768RSA2048SHA3_256 returns id-MLKEM768-RSA2048-SHA3-256.
func MLKEM768RSA2048SHA3_256() KEMAlgorithm { return kemAlgorithmAt(55) }

// MLKEM768RSA3072SHA3_256 returns id-MLKEM768-RSA3072-SHA3-256.
func MLKEM768RSA3072SHA3_256() KEMAlgorithm { return kemAlgorithmAt(56) }

// MLKEM768RSA4096SHA3_256 returns id-MLKEM768-RSA4096-SHA3-256.
func MLKEM768RSA4096SHA3_256() KEMAlgorithm { return kemAlgorithmAt(57) }

// MLKEM768X25519SHA3_256 returns id-MLKEM768-X25519-SHA3-256. It encapsulates to the key of
// an X-Wing implementation, and the other way round, but for points of small order, which
// are refused here; its private keys are others.
func MLKEM768X25519SHA3_256() KEMAlgorithm { return kemAlgorithmAt(58) }

// MLKEM768ECDHP256SHA3_256 returns id-MLKEM768-ECDH-P256-SHA3-256.
func MLKEM768ECDHP256SHA3_256() KEMAlgorithm { return kemAlgorithmAt(59) }

// MLKEM768ECDHP384SHA3_256 returns id-MLKEM768-ECDH-P384-SHA3-256.
func MLKEM768ECDHP384SHA3_256() KEMAlgorithm { return kemAlgorithmAt(60) }

// MLKEM1024RSA3072SHA3_256 returns id-MLKEM1024-RSA3072-SHA3-256.
func MLKEM1024RSA3072SHA3_256() KEMAlgorithm { return kemAlgorithmAt(62) }

// MLKEM1024ECDHP384SHA3_256 returns id-MLKEM1024-ECDH-P384-SHA3-256.
func MLKEM1024ECDHP384SHA3_256() KEMAlgorithm { return kemAlgorithmAt(63) }

// MLKEM1024ECDHP521SHA3_256 returns id-MLKEM1024-ECDH-P521-SHA3-256.
func MLKEM1024ECDHP521SHA3_256() KEMAlgorithm { return kemAlgorithmAt(66) }

// KEMAlgorithms returns all algorithms, in the order of their object identifiers.
func KEMAlgorithms() []KEMAlgorithm {
	all := make([]KEMAlgorithm, len(kemAlgorithms))
	for i := range all {
		all[i] = KEMAlgorithm{&kemAlgorithms[i]}
	}
	return all
}

// kemAlgorithmAt returns the algorithm with the given arc, or the zero value.
func kemAlgorithmAt(arc byte) KEMAlgorithm {
	for i := range kemAlgorithms {
		if kemAlgorithms[i].arc == arc {
			return KEMAlgorithm{&kemAlgorithms[i]}
		}
	}
	return KEMAlgorithm{}
}

// kemAlgorithmOf returns the algorithm that an identifier names, which has no parameters
// (Section 5.3 of the draft).
func kemAlgorithmOf(op string, id pkcs.Algorithm) (KEMAlgorithm, error) {
	arc, err := compositeArc(op, id)
	if err != nil {
		return KEMAlgorithm{}, err
	}
	if a := kemAlgorithmAt(arc); a.kemAlgorithm != nil {
		return a, nil
	}
	return KEMAlgorithm{}, &AlgorithmError{id.OID.String()}
}

// String returns the draft's name without "id-", for example "MLKEM768-X25519-SHA3-256".
func (a KEMAlgorithm) String() string {
	if a.kemAlgorithm == nil {
		return "no composite KEM"
	}
	return a.name
}

// OID returns the object identifier, nil for the zero value.
func (a KEMAlgorithm) OID() asn1.ObjectIdentifier {
	if a.kemAlgorithm == nil {
		return nil
	}
	return compositeOID(a.arc)
}

// EncapsulationKeySize returns the size of encapsulation keys in bytes, 0 for the zero
// value.
func (a KEMAlgorithm) EncapsulationKeySize() int {
	if a.kemAlgorithm == nil {
		return 0
	}
	return a.mlkem.encapsulationKeySize + a.classical.publicKeySize()
}

// CiphertextSize returns the size of ciphertexts in bytes, 0 for the zero value.
func (a KEMAlgorithm) CiphertextSize() int {
	if a.kemAlgorithm == nil {
		return 0
	}
	return a.mlkem.ciphertextSize + a.classical.ciphertextSize()
}

// check returns an error if a is the zero value.
func (a KEMAlgorithm) check(op string) error {
	if a.kemAlgorithm == nil {
		return newError(ErrAlgorithm, "%s: the zero KEMAlgorithm is no algorithm", op)
	}
	return nil
}

func (a *kemAlgorithm) oid() pkcs.OID { return pkixAlgorithms + pkcs.OID([]byte{a.arc}) }

// combine returns the shared key of the halves' (Section 3.4 of the draft):
//
//	SHA3-256(mlkemSS ‖ tradSS ‖ tradCT ‖ tradPK ‖ Label)
func (a *kemAlgorithm) combine(mlkemSecret, secret, ciphertext, public []byte) []byte {
	h := sha3.New256()
	for _, b := range [][]byte{mlkemSecret, secret, ciphertext, public, []byte(a.label)} {
		h.Write(b)
	}
	sharedKey := h.Sum(make([]byte, 0, mlkem.SharedKeySize))
	h.Reset()
	return sharedKey
}
