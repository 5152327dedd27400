package hsm

import "github.com/pqlane/pqlane/mldsa"

// Mechanisms are the numbers of the post-quantum mechanisms, key types and attributes, for tokens that
// predate PKCS #11 3.2. What is 0 is the standard's.
type Mechanisms struct {
	MLDSA, MLDSAKeyPairGen, MLDSAKeyType uint
	MLKEM, MLKEMKeyPairGen, MLKEMKeyType uint
	HashMLDSA                            uint // CKM_HASH_ML_DSA, which signs digests
	MLDSAMu                              uint // signs μ, with the parameter of CKM_ML_DSA; PKCS #11 3.2 has none
	ParameterSet, Decapsulate, Seed      uint // attributes
}

func (m Mechanisms) orStandard() Mechanisms {
	for _, d := range []struct {
		number   *uint
		standard uint
	}{
		{&m.MLDSA, 0x1d}, {&m.MLDSAKeyPairGen, 0x1c}, {&m.MLDSAKeyType, 0x4a},
		{&m.MLKEM, 0x17}, {&m.MLKEMKeyPairGen, 0x0f}, {&m.MLKEMKeyType, 0x49},
		{&m.HashMLDSA, 0x1f},
		{&m.ParameterSet, 0x61d}, {&m.Decapsulate, 0x634}, {&m.Seed, 0x637},
	} {
		if *d.number == 0 {
			*d.number = d.standard
		}
	}
	return m
}

// Mechanisms of classical signatures.
const (
	ckmRSAKeyPairGen       = 0x0000
	ckmRSAPKCS             = 0x0001
	ckmRSAPSS              = 0x000d
	ckmECKeyPairGen        = 0x1040
	ckmECDSA               = 0x1041
	ckmECEdwardsKeyPairGen = 0x1055
	ckmEdDSA               = 0x1057
)

// Attributes and classes.
const (
	ckaClass             = 0x000
	ckaToken             = 0x001
	ckaPrivate           = 0x002
	ckaLabel             = 0x003
	ckaValue             = 0x011
	ckaKeyType           = 0x100
	ckaID                = 0x102
	ckaSensitive         = 0x103
	ckaSign              = 0x108
	ckaVerify            = 0x10a
	ckaModulus           = 0x120
	ckaModulusBits       = 0x121
	ckaPublicExponent    = 0x122
	ckaPublicKeyInfo     = 0x129
	ckaExtractable       = 0x162
	ckaLocal             = 0x163
	ckaNeverExtractable  = 0x164
	ckaAlwaysSensitive   = 0x165
	ckaECParams          = 0x180
	ckaECPoint           = 0x181
	ckaEncapsulate       = 0x633
	ckaAllowedMechanisms = 0x40000600

	ckoPublicKey  = 2
	ckoPrivateKey = 3

	ckkRSA       = 0x00
	ckkEC        = 0x03
	ckkECEdwards = 0x40
)

// A keyType is what PKCS #11 makes of an algorithm.
type keyType struct {
	kind, mechanism, generate uint
	set, bits                 uint
	curve                     []byte // CKA_EC_PARAMS
}

// Object identifiers of the curves, in DER, and the other form that Edwards curves have.
var (
	oidP256        = []byte{0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}
	oidP384        = []byte{0x06, 5, 0x2b, 0x81, 4, 0, 34}
	oidP521        = []byte{0x06, 5, 0x2b, 0x81, 4, 0, 35}
	oidEd25519     = []byte{0x06, 3, 0x2b, 0x65, 0x70}
	oidEd25519Old  = []byte{0x06, 9, 0x2b, 0x06, 1, 4, 1, 0xda, 0x47, 0x0f, 1}
	nameEd25519    = append([]byte{0x13, 12}, "edwards25519"...)
	publicExponent = []byte{1, 0, 1}
)

func (m *Mechanisms) typeOf(a Algorithm) keyType {
	switch a {
	case MLDSA44, MLDSA65, MLDSA87:
		return keyType{kind: m.MLDSAKeyType, mechanism: m.MLDSA, generate: m.MLDSAKeyPairGen, set: uint(a-MLDSA44) + 1}
	case MLKEM512, MLKEM768, MLKEM1024:
		return keyType{kind: m.MLKEMKeyType, mechanism: m.MLKEM, generate: m.MLKEMKeyPairGen, set: uint(a-MLKEM512) + 1}
	case RSA2048, RSA3072, RSA4096:
		return keyType{kind: ckkRSA, mechanism: ckmRSAPKCS, generate: ckmRSAKeyPairGen, bits: 2048 + 1024*uint(a-RSA2048)}
	case ECDSAP256:
		return keyType{kind: ckkEC, mechanism: ckmECDSA, generate: ckmECKeyPairGen, bits: 256, curve: oidP256}
	case ECDSAP384:
		return keyType{kind: ckkEC, mechanism: ckmECDSA, generate: ckmECKeyPairGen, bits: 384, curve: oidP384}
	case ECDSAP521:
		return keyType{kind: ckkEC, mechanism: ckmECDSA, generate: ckmECKeyPairGen, bits: 521, curve: oidP521}
	}
	return keyType{kind: ckkECEdwards, mechanism: ckmEdDSA, generate: ckmECEdwardsKeyPairGen, bits: 255, curve: oidEd25519}
}

// allowed returns the mechanisms to which a new key of an algorithm is restricted.
func (m *Mechanisms) allowed(a Algorithm) []uint {
	switch {
	case a.IsMLDSA():
		all := []uint{m.MLDSA, m.HashMLDSA}
		for h := mldsa.SHA224; h <= mldsa.SHAKE256; h++ {
			if number := hashMechanism(h).combined; number != 0 {
				all = append(all, number)
			}
		}
		if m.MLDSAMu != 0 {
			all = append(all, m.MLDSAMu)
		}
		return all
	case a.IsMLKEM():
		return []uint{m.MLKEM}
	case a >= RSA2048 && a <= RSA4096:
		return []uint{ckmRSAPKCS, ckmRSAPSS}
	case a == Ed25519:
		return []uint{ckmEdDSA}
	}
	return []uint{ckmECDSA}
}

// hashNumbers are a hash function's mechanism, and the one of HashML-DSA with it, or 0.
type hashNumbers struct{ digest, combined uint }

func hashMechanism(h mldsa.PreHash) hashNumbers {
	switch h {
	case mldsa.SHA224:
		return hashNumbers{0x255, 0x23}
	case mldsa.SHA256:
		return hashNumbers{0x250, 0x24}
	case mldsa.SHA384:
		return hashNumbers{0x260, 0x25}
	case mldsa.SHA512:
		return hashNumbers{0x270, 0x26}
	case mldsa.SHA512_224:
		return hashNumbers{0x48, 0}
	case mldsa.SHA512_256:
		return hashNumbers{0x4c, 0}
	case mldsa.SHA3_224:
		return hashNumbers{0x2b5, 0x27}
	case mldsa.SHA3_256:
		return hashNumbers{0x2b0, 0x28}
	case mldsa.SHA3_384:
		return hashNumbers{0x2c0, 0x29}
	case mldsa.SHA3_512:
		return hashNumbers{0x2d0, 0x2a}
	case mldsa.SHAKE128:
		return hashNumbers{0, 0x2b}
	case mldsa.SHAKE256:
		return hashNumbers{0, 0x2c}
	}
	return hashNumbers{}
}
