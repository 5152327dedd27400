package hsm

import (
	"context"
	"crypto"
)

// A Decapsulator decapsulates with an ML-KEM private key in a token. It is safe for concurrent use.
type Decapsulator struct{}

var _ crypto.Decapsulator = (*Decapsulator)(nil)

// Encapsulator returns the encapsulation key, of package mlkem.
func (d *Decapsulator) Encapsulator() crypto.Encapsulator { return nil }

// Info describes the key.
func (d *Decapsulator) Info() KeyInfo { return KeyInfo{} }

// Decapsulate is DecapsulateContext without a context.
func (d *Decapsulator) Decapsulate(ciphertext []byte) (sharedKey []byte, err error) {
	return d.DecapsulateContext(context.Background(), ciphertext)
}

// DecapsulateContext returns the shared key of 32 bytes in a ciphertext.
func (d *Decapsulator) DecapsulateContext(ctx context.Context, ciphertext []byte) (sharedKey []byte, err error) {
	return nil, ErrNoCgo
}
