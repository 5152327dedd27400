package hsm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// parsePublic returns the public key in an object, or nil. A post-quantum key is in CKA_VALUE as
// it is, or else in CKA_PUBLIC_KEY_INFO or CKA_VALUE as a SubjectPublicKeyInfo.
func parsePublic(a Algorithm, o *object) crypto.PublicKey {
	switch {
	case a.IsMLDSA() || a.IsMLKEM():
		value := o.bytes(ckaValue)
		if k := postQuantum(a, value); k != nil {
			return k
		}
		for _, der := range [][]byte{o.bytes(ckaPublicKeyInfo), value} {
			if k := postQuantumPKIX(a, der); k != nil {
				return k
			}
		}
		return nil
	case a >= RSA2048 && a <= RSA4096:
		n := new(big.Int).SetBytes(o.bytes(ckaModulus))
		e := new(big.Int).SetBytes(o.bytes(ckaPublicExponent))
		if n.Sign() == 0 || e.BitLen() > 31 || e.BitLen() < 2 || e.Bit(0) == 0 {
			return nil
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}
	}
	point := o.bytes(ckaECPoint)
	var unwrapped []byte
	if rest, err := asn1.Unmarshal(point, &unwrapped); err != nil || len(rest) != 0 {
		unwrapped = nil // some modules give the point as it is
	}
	for _, p := range [][]byte{unwrapped, point} {
		if a == Ed25519 {
			if len(p) == ed25519.PublicKeySize {
				return ed25519.PublicKey(bytes.Clone(p))
			}
			continue
		}
		if k, err := ecdsa.ParseUncompressedPublicKey(curveOf(a), p); err == nil {
			return k
		}
	}
	if k, err := x509.ParsePKIXPublicKey(o.bytes(ckaPublicKeyInfo)); err == nil {
		if k, ok := k.(*ecdsa.PublicKey); ok && k.Curve == curveOf(a) {
			return k
		}
		if k, ok := k.(ed25519.PublicKey); ok && a == Ed25519 {
			return k
		}
	}
	return nil
}

func curveOf(a Algorithm) elliptic.Curve {
	switch a {
	case ECDSAP256:
		return elliptic.P256()
	case ECDSAP384:
		return elliptic.P384()
	case ECDSAP521:
		return elliptic.P521()
	}
	return nil
}

func parametersOf(a Algorithm) mldsa.Parameters {
	switch a {
	case MLDSA44:
		return mldsa.MLDSA44()
	case MLDSA65:
		return mldsa.MLDSA65()
	case MLDSA87:
		return mldsa.MLDSA87()
	}
	return mldsa.Parameters{}
}

// postQuantum parses a key in the standard's encoding.
func postQuantum(a Algorithm, b []byte) crypto.PublicKey {
	switch a {
	case MLKEM512:
		if k, err := mlkem.NewEncapsulationKey512(b); err == nil {
			return k
		}
	case MLKEM768:
		if k, err := mlkem.NewEncapsulationKey768(b); err == nil {
			return k
		}
	case MLKEM1024:
		if k, err := mlkem.NewEncapsulationKey1024(b); err == nil {
			return k
		}
	default:
		if k, err := mldsa.NewPublicKey(parametersOf(a), b); err == nil {
			return k
		}
	}
	return nil
}

func postQuantumPKIX(a Algorithm, der []byte) crypto.PublicKey {
	if len(der) == 0 {
		return nil
	}
	if a.IsMLDSA() {
		k, err := mldsa.ParsePKIXPublicKey(der)
		if err != nil || k.Parameters() != parametersOf(a) {
			return nil
		}
		return k
	}
	k, err := mlkem.ParsePKIXPublicKey(der)
	if err != nil || kemAlgorithm(k) != a {
		return nil
	}
	return k
}

func kemAlgorithm(k crypto.PublicKey) Algorithm {
	switch k.(type) {
	case *mlkem.EncapsulationKey512:
		return MLKEM512
	case *mlkem.EncapsulationKey768:
		return MLKEM768
	case *mlkem.EncapsulationKey1024:
		return MLKEM1024
	}
	return 0
}
