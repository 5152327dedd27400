package hsm

import (
	"crypto"
	"encoding/hex"
	"fmt"
)

// A Key names a key in a token; what is set must match. The zero Key names all.
type Key struct {
	Label     string    // CKA_LABEL
	ID        []byte    // CKA_ID
	Algorithm Algorithm // 0: any
}

// KeyByLabel names a key by its CKA_LABEL.
func KeyByLabel(label string) Key { return Key{Label: label} }

// KeyByID names a key by its CKA_ID.
func KeyByID(id []byte) Key { return Key{ID: id} }

// String returns the key in words, for example `label "issuer", id 0a0b`.
func (k Key) String() string {
	s := ""
	if k.Label != "" {
		s = fmt.Sprintf("label %q", k.Label)
	}
	if k.ID != nil {
		if s != "" {
			s += ", "
		}
		s += "id " + hex.EncodeToString(k.ID)
	}
	if k.Algorithm != 0 {
		if s != "" {
			s += ", "
		}
		s += k.Algorithm.String()
	}
	if s == "" {
		return "any key"
	}
	return s
}

// A KeyInfo describes a private key in a token.
type KeyInfo struct {
	Label     string
	ID        []byte
	Algorithm Algorithm // 0 if it is none that this package knows
	Public    crypto.PublicKey

	Sign, Decapsulate                        bool
	Sensitive, Extractable                   bool
	Local, AlwaysSensitive, NeverExtractable bool
	AllowedMechanisms                        []uint // nil if the token keeps none
}

// Key returns the name of the key by label and id.
func (k KeyInfo) Key() Key { return Key{Label: k.Label, ID: k.ID, Algorithm: k.Algorithm} }

// GenerateOptions are the attributes of a new key.
type GenerateOptions struct {
	Label string
	ID    []byte // nil: 16 random bytes

	// NoRestriction leaves CKA_ALLOWED_MECHANISMS away, which otherwise restricts the key to
	// its algorithm's mechanisms where the token keeps the attribute.
	NoRestriction bool
}

// An Algorithm is an algorithm with its parameter set, curve or size.
type Algorithm uint8

const (
	MLDSA44 Algorithm = iota + 1
	MLDSA65
	MLDSA87
	MLKEM512
	MLKEM768
	MLKEM1024
	RSA2048
	RSA3072
	RSA4096
	ECDSAP256
	ECDSAP384
	ECDSAP521
	Ed25519
)

var algorithmNames = [...]string{
	MLDSA44: "ML-DSA-44", MLDSA65: "ML-DSA-65", MLDSA87: "ML-DSA-87",
	MLKEM512: "ML-KEM-512", MLKEM768: "ML-KEM-768", MLKEM1024: "ML-KEM-1024",
	RSA2048: "RSA-2048", RSA3072: "RSA-3072", RSA4096: "RSA-4096",
	ECDSAP256: "ECDSA-P256", ECDSAP384: "ECDSA-P384", ECDSAP521: "ECDSA-P521", Ed25519: "Ed25519",
}

// Algorithms returns all algorithms, in the order of their values.
func Algorithms() []Algorithm {
	var all []Algorithm
	for a := MLDSA44; a <= Ed25519; a++ {
		all = append(all, a)
	}
	return all
}

// String returns the name of the algorithm, for example "ML-DSA-65" or "ECDSA-P256".
func (a Algorithm) String() string {
	if a == 0 || int(a) >= len(algorithmNames) {
		return "unknown algorithm"
	}
	return algorithmNames[a]
}

// IsMLDSA reports whether a is ML-DSA.
func (a Algorithm) IsMLDSA() bool { return a >= MLDSA44 && a <= MLDSA87 }

// IsMLKEM reports whether a is ML-KEM.
func (a Algorithm) IsMLKEM() bool { return a >= MLKEM512 && a <= MLKEM1024 }
