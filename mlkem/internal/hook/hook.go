// Package hook lets package mlkemtest reach what package mlkem does not export.
package hook

// Encapsulate is ML-KEM.Encaps_internal (FIPS 203, Algorithm 17) of an
// *mlkem.EncapsulationKey512, 768 or 1024. Package mlkem sets it.
var Encapsulate func(ek any, m *[32]byte) (sharedKey, ciphertext []byte, err error)
