// Package hook lets package hybridtest reach what package hybrid does not export. Package
// hybrid sets its variables. Groups and keys that a parameter's type cannot name without
// a cycle of imports are of type any.
package hook

import "crypto/ecdh"

var (
	// GenerateShare is Group.GenerateShare with the keys given, a private key and an
	// *mlkem.DecapsulationKey512, 768 or 1024; each is nil if the group lacks the part.
	// The ephemeral is a hybrid.Ephemeral.
	GenerateShare func(group uint16, private *ecdh.PrivateKey, dk any) (ephemeral any, clientShare []byte, err error)

	// Accept is Group.Accept with a private key and a function that encapsulates to the
	// encoded key ek.
	Accept func(group uint16, clientShare []byte, private *ecdh.PrivateKey, encapsulate func(ek []byte) (sharedKey, ciphertext []byte, err error)) (serverShare, secret []byte, err error)

	// XWing is the encapsulation of X-Wing to ek, an *XWingEncapsulationKey, with a
	// private key and the results of ML-KEM-768.
	XWing func(ek any, private *ecdh.PrivateKey, encapsulate func(ek []byte) (sharedKey, ciphertext []byte, err error)) (sharedKey, ciphertext []byte, err error)
)
