package hybrid

import (
	"crypto"
	"encoding/asn1"
	"strings"

	"github.com/pqlane/pqlane/internal/pkcs"
	"github.com/pqlane/pqlane/mldsa"
)

// A SignatureAlgorithm is a composite signature algorithm of
// draft-ietf-lamps-pq-composite-sigs: ML-DSA and a classical algorithm, which both sign.
// Forging a signature takes forging both. It is not strongly unforgeable against a quantum
// computer, which could replace the classical half by another valid one (Section 9.2.2 of
// the draft).
//
// Values of an algorithm are equal, and safe for concurrent use. The zero value is no
// algorithm. Sizes in bytes, with ~ before one that varies and is the largest:
//
//	algorithm                          public  private  signature
//	MLDSA44-RSA2048-PSS-SHA256           1582    ~1226       2676
//	MLDSA44-RSA2048-PKCS15-SHA256        1582    ~1226       2676
//	MLDSA44-Ed25519-SHA512               1344       64       2484
//	MLDSA44-ECDSA-P256-SHA256            1377       83      ~2492
//	MLDSA65-RSA3072-PSS-SHA512           2350    ~1802       3693
//	MLDSA65-RSA3072-PKCS15-SHA512        2350    ~1802       3693
//	MLDSA65-RSA4096-PSS-SHA512           2478    ~2383       3821
//	MLDSA65-RSA4096-PKCS15-SHA512        2478    ~2383       3821
//	MLDSA65-ECDSA-P256-SHA512            2017       83      ~3381
//	MLDSA65-ECDSA-P384-SHA512            2049       96      ~3413
//	MLDSA65-Ed25519-SHA512               1984       64       3373
//	MLDSA87-ECDSA-P384-SHA512            2689       96      ~4731
//	MLDSA87-RSA3072-PSS-SHA512           2990    ~1802       5011
//	MLDSA87-RSA4096-PSS-SHA512           3118    ~2383       5139
//	MLDSA87-ECDSA-P521-SHA512            2725      114      ~4766
//
// The draft's other three, with brainpool curves and Ed448, are left out: Go has no
// well-kept implementation of those.
type SignatureAlgorithm struct{ *signatureAlgorithm }

// A signatureAlgorithm is a row of the draft's Section 6.
type signatureAlgorithm struct {
	arc       byte   // the last of the object identifier
	label     string // separates the algorithm's signatures from others
	mldsa     mldsa.Parameters
	preHash   crypto.Hash // of the message
	classical classicalSignature
}

// pkixAlgorithms is 1.3.6.1.5.5.7.6, the arc of all composite algorithms.
const pkixAlgorithms = "\x2b\x06\x01\x05\x05\x07\x06"

const labelPrefix = "COMPSIG-"

var signatureAlgorithms = [...]signatureAlgorithm{
	{37, "COMPSIG-MLDSA44-RSA2048-PSS-SHA256", mldsa.MLDSA44(), crypto.SHA256, rsaPSS(2048, crypto.SHA256)},
	{38, "COMPSIG-MLDSA44-RSA2048-PKCS15-SHA256", mldsa.MLDSA44(), crypto.SHA256, rsaPKCS1v15(2048, crypto.SHA256)},
	{39, "COMPSIG-MLDSA44-Ed25519-SHA512", mldsa.MLDSA44(), crypto.SHA512, ed25519Signature{}},
	{40, "COMPSIG-MLDSA44-ECDSA-P256-SHA256", mldsa.MLDSA44(), crypto.SHA256, ecdsaP256},
	{41, "COMPSIG-MLDSA65-RSA3072-PSS-SHA512", mldsa.MLDSA65(), crypto.SHA512, rsaPSS(3072, crypto.SHA256)},
	{42, "COMPSIG-MLDSA65-RSA3072-PKCS15-SHA512", mldsa.MLDSA65(), crypto.SHA512, rsaPKCS1v15(3072, crypto.SHA256)},
	{43, "COMPSIG-MLDSA65-RSA4096-PSS-SHA512", mldsa.MLDSA65(), crypto.SHA512, rsaPSS(4096, crypto.SHA384)},
	{44, "COMPSIG-MLDSA65-RSA4096-PKCS15-SHA512", mldsa.MLDSA65(), crypto.SHA512, rsaPKCS1v15(4096, crypto.SHA384)},
	{45, "COMPSIG-MLDSA65-ECDSA-P256-SHA512", mldsa.MLDSA65(), crypto.SHA512, ecdsaP256},
	{46, "COMPSIG-MLDSA65-ECDSA-P384-SHA512", mldsa.MLDSA65(), crypto.SHA512, ecdsaP384},
	{48, "COMPSIG-MLDSA65-Ed25519-SHA512", mldsa.MLDSA65(), crypto.SHA512, ed25519Signature{}},
	{49, "COMPSIG-MLDSA87-ECDSA-P384-SHA512", mldsa.MLDSA87(), crypto.SHA512, ecdsaP384},
	{52, "COMPSIG-MLDSA87-RSA3072-PSS-SHA512", mldsa.MLDSA87(), crypto.SHA512, rsaPSS(3072, crypto.SHA256)},
	{53, "COMPSIG-MLDSA87-RSA4096-PSS-SHA512", mldsa.MLDSA87(), crypto.SHA512, rsaPSS(4096, crypto.SHA384)},
	{54, "COMPSIG-MLDSA87-ECDSA-P521-SHA512", mldsa.MLDSA87(), crypto.SHA512, ecdsaP521},
}

// MLDSA44RSA2048PSSSHA256 returns id-MLDSA44-RSA2048-PSS-SHA256.
func MLDSA44RSA2048PSSSHA256() SignatureAlgorithm { return signatureAlgorithmAt(37) }

// MLDSA44RSA2048PKCS15SHA256 returns id-MLDSA44-RSA2048-PKCS15-SHA256.
func MLDSA44RSA2048PKCS15SHA256() SignatureAlgorithm { return signatureAlgorithmAt(38) }

// MLDSA44Ed25519SHA512 returns id-MLDSA44-Ed25519-SHA512.
func MLDSA44Ed25519SHA512() SignatureAlgorithm { return signatureAlgorithmAt(39) }

// MLDSA44ECDSAP256SHA256 returns id-MLDSA44-ECDSA-P256-SHA256.
func MLDSA44ECDSAP256SHA256() SignatureAlgorithm { return signatureAlgorithmAt(40) }

// MLDSA65RSA3072PSSSHA512 returns id-MLDSA65-RSA3072-PSS-SHA512.
func MLDSA65RSA3072PSSSHA512() SignatureAlgorithm { return signatureAlgorithmAt(41) }

// MLDSA65RSA3072PKCS15SHA512 returns id-MLDSA65-RSA3072-PKCS15-SHA512.
func MLDSA65RSA3072PKCS15SHA512() SignatureAlgorithm { return signatureAlgorithmAt(42) }

// MLDSA65RSA4096PSSSHA512 returns id-MLDSA65-RSA4096-PSS-SHA512.
func MLDSA65RSA4096PSSSHA512() SignatureAlgorithm { return signatureAlgorithmAt(43) }

// MLDSA65RSA4096PKCS15SHA512 returns id-MLDSA65-RSA4096-PKCS15-SHA512.
func MLDSA65RSA4096PKCS15SHA512() SignatureAlgorithm { return signatureAlgorithmAt(44) }

// MLDSA65ECDSAP256SHA512 returns id-MLDSA65-ECDSA-P256-SHA512.
func MLDSA65ECDSAP256SHA512() SignatureAlgorithm { return signatureAlgorithmAt(45) }

// MLDSA65ECDSAP384SHA512 returns id-MLDSA65-ECDSA-P384-SHA512.
func MLDSA65ECDSAP384SHA512() SignatureAlgorithm { return signatureAlgorithmAt(46) }

// MLDSA65Ed25519SHA512 returns id-MLDSA65-Ed25519-SHA512.
func MLDSA65Ed25519SHA512() SignatureAlgorithm { return signatureAlgorithmAt(48) }

// MLDSA87ECDSAP384SHA512 returns id-MLDSA87-ECDSA-P384-SHA512.
func MLDSA87ECDSAP384SHA512() SignatureAlgorithm { return signatureAlgorithmAt(49) }

// MLDSA87RSA3072PSSSHA512 returns id-MLDSA87-RSA3072-PSS-SHA512.
func MLDSA87RSA3072PSSSHA512() SignatureAlgorithm { return signatureAlgorithmAt(52) }

// MLDSA87RSA4096PSSSHA512 returns id-MLDSA87-RSA4096-PSS-SHA512.
func MLDSA87RSA4096PSSSHA512() SignatureAlgorithm { return signatureAlgorithmAt(53) }

// MLDSA87ECDSAP521SHA512 returns id-MLDSA87-ECDSA-P521-SHA512.
func MLDSA87ECDSAP521SHA512() SignatureAlgorithm { return signatureAlgorithmAt(54) }

// SignatureAlgorithms returns all algorithms, in the order of their object identifiers.
func SignatureAlgorithms() []SignatureAlgorithm {
	all := make([]SignatureAlgorithm, len(signatureAlgorithms))
	for i := range all {
		all[i] = SignatureAlgorithm{&signatureAlgorithms[i]}
	}
	return all
}

// signatureAlgorithmAt returns the algorithm with the given arc, or the zero value.
func signatureAlgorithmAt(arc byte) SignatureAlgorithm {
	for i := range signatureAlgorithms {
		if signatureAlgorithms[i].arc == arc {
			return SignatureAlgorithm{&signatureAlgorithms[i]}
		}
	}
	return SignatureAlgorithm{}
}

// signatureAlgorithmOf returns the algorithm that an identifier names, which has no
// parameters (Section 5.3 of the draft).
func signatureAlgorithmOf(op string, id pkcs.Algorithm) (SignatureAlgorithm, error) {
	arc, err := compositeArc(op, id)
	if err != nil {
		return SignatureAlgorithm{}, err
	}
	if a := signatureAlgorithmAt(arc); a.signatureAlgorithm != nil {
		return a, nil
	}
	return SignatureAlgorithm{}, &AlgorithmError{id.OID.String()}
}

// compositeArc returns the last arc of the identifier of a composite algorithm, or 0.
func compositeArc(op string, id pkcs.Algorithm) (byte, error) {
	arc, ok := strings.CutPrefix(string(id.OID), pkixAlgorithms)
	if !ok || len(arc) != 1 {
		return 0, &AlgorithmError{id.OID.String()}
	}
	if err := id.Bare(); err != nil {
		return 0, newError(ErrEncoding, "%s: %v", op, err)
	}
	return arc[0], nil
}

// String returns the draft's name without "id-", for example "MLDSA65-Ed25519-SHA512".
func (a SignatureAlgorithm) String() string {
	if a.signatureAlgorithm == nil {
		return "no composite signature algorithm"
	}
	return a.name()
}

// OID returns the object identifier, nil for the zero value.
func (a SignatureAlgorithm) OID() asn1.ObjectIdentifier {
	if a.signatureAlgorithm == nil {
		return nil
	}
	return compositeOID(a.arc)
}

// MLDSA returns the parameter set of the post-quantum half, for the zero value the zero
// Parameters.
func (a SignatureAlgorithm) MLDSA() mldsa.Parameters {
	if a.signatureAlgorithm == nil {
		return mldsa.Parameters{}
	}
	return a.mldsa
}

// PublicKeySize returns the size of public keys in bytes, 0 for the zero value.
func (a SignatureAlgorithm) PublicKeySize() int {
	if a.signatureAlgorithm == nil {
		return 0
	}
	return a.publicKeySize()
}

// MaxSignatureSize returns the size in bytes of the longest signatures, 0 for the zero
// value. Only those with ECDSA can be shorter.
func (a SignatureAlgorithm) MaxSignatureSize() int {
	if a.signatureAlgorithm == nil {
		return 0
	}
	return a.mldsa.SignatureSize() + a.classical.maxSignatureSize()
}

// check returns an error if a is the zero value.
func (a SignatureAlgorithm) check(op string) error {
	if a.signatureAlgorithm == nil {
		return newError(ErrAlgorithm, "%s: the zero SignatureAlgorithm is no algorithm", op)
	}
	return nil
}

func (a *signatureAlgorithm) name() string { return a.label[len(labelPrefix):] }

func (a *signatureAlgorithm) publicKeySize() int {
	return a.mldsa.PublicKeySize() + a.classical.publicKeySize()
}

func (a *signatureAlgorithm) oid() pkcs.OID { return pkixAlgorithms + pkcs.OID([]byte{a.arc}) }

func compositeOID(arc byte) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, int(arc)}
}

// mldsaOptions are what the post-quantum half signs with: the label is its context.
func (a *signatureAlgorithm) mldsaOptions() *mldsa.Options { return &mldsa.Options{Context: a.label} }

// maxRepresentativeSize is the size of M′ with the longest label, context and hash.
const maxRepresentativeSize = 32 + 64 + 1 + maxContext + 64

// maxContext is the size in bytes of the longest context.
const maxContext = 255

// appendRepresentative appends M′, which both halves sign (Section 2.2 of the draft):
//
//	Prefix ‖ Label ‖ len(ctx) ‖ ctx ‖ PH(M)
func (a *signatureAlgorithm) appendRepresentative(b []byte, context string, message []byte) []byte {
	b = append(b, "CompositeAlgorithmSignatures2025"...)
	b = append(b, a.label...)
	b = append(b, byte(len(context)))
	b = append(b, context...)
	return appendHash(b, a.preHash, message)
}
