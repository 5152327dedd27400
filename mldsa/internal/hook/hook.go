// Package hook lets package mldsatest reach what package mldsa does not export.
package hook

// Sign is ML-DSA.Sign_internal (FIPS 204, Algorithm 7) of an *mldsa.PrivateKey for a message
// representative μ and chosen randomness. Package mldsa sets it.
var Sign func(sk any, mu *[64]byte, rnd *[32]byte) (signature []byte, err error)

// TR returns the hash tr of an *mldsa.PublicKey.
var TR func(pk any) (tr [64]byte, err error)
