package hybrid

import (
	"sync"

	"github.com/pqlane/pqlane/mlkem"
)

const kemSecretSize = mlkem.SharedKeySize

// A kem is the post-quantum part of a group. Sizes are in bytes.
type kem struct {
	name                                             string
	encapsulationKeySize, ciphertextSize, secretSize int

	initiators, responders sync.Pool // of *initiator and *responder, without secrets
}

var (
	noKEM = &kem{
		initiators: sync.Pool{New: func() any { return new(initiator) }},
		responders: sync.Pool{New: func() any { return new(responder) }},
	}
	mlkem512 = newKEM[mlkem.DecapsulationKey512, encapsulationKey512]("ML-KEM-512",
		mlkem.EncapsulationKeySize512, mlkem.CiphertextSize512)
	mlkem768 = newKEM[mlkem.DecapsulationKey768, encapsulationKey768]("ML-KEM-768",
		mlkem.EncapsulationKeySize768, mlkem.CiphertextSize768)
	mlkem1024 = newKEM[mlkem.DecapsulationKey1024, encapsulationKey1024]("ML-KEM-1024",
		mlkem.EncapsulationKeySize1024, mlkem.CiphertextSize1024)
)

// A decapsulationKey is what a client needs of a parameter set.
type decapsulationKey interface {
	Generate() error
	AppendEncapsulationKey(b []byte) ([]byte, error)
	DecapsulateInto(sharedKey *[kemSecretSize]byte, ciphertext []byte) error
	Destroy()
}

// An encapsulationKey is what a server needs of a parameter set.
type encapsulationKey interface {
	SetBytes(b []byte) error
	encapsulate(sharedKey *[kemSecretSize]byte, ciphertext []byte) error
}

type (
	encapsulationKey512  struct{ mlkem.EncapsulationKey512 }
	encapsulationKey768  struct{ mlkem.EncapsulationKey768 }
	encapsulationKey1024 struct{ mlkem.EncapsulationKey1024 }
)

func (ek *encapsulationKey512) encapsulate(sharedKey *[kemSecretSize]byte, ciphertext []byte) error {
	return ek.EncapsulateInto(sharedKey, (*[mlkem.CiphertextSize512]byte)(ciphertext))
}

func (ek *encapsulationKey768) encapsulate(sharedKey *[kemSecretSize]byte, ciphertext []byte) error {
	return ek.EncapsulateInto(sharedKey, (*[mlkem.CiphertextSize768]byte)(ciphertext))
}

func (ek *encapsulationKey1024) encapsulate(sharedKey *[kemSecretSize]byte, ciphertext []byte) error {
	return ek.EncapsulateInto(sharedKey, (*[mlkem.CiphertextSize1024]byte)(ciphertext))
}

func newKEM[DK, EK any, PDK interface {
	*DK
	decapsulationKey
}, PEK interface {
	*EK
	encapsulationKey
}](name string, encapsulationKeySize, ciphertextSize int) *kem {
	k := &kem{name: name, encapsulationKeySize: encapsulationKeySize, ciphertextSize: ciphertextSize, secretSize: kemSecretSize}
	k.initiators.New = func() any { return &initiator{dk: PDK(new(DK))} }
	k.responders.New = func() any { return &responder{ek: PEK(new(EK))} }
	return k
}

// parses reports whether b is an encapsulation key.
func (k *kem) parses(b []byte) bool {
	r := k.responders.Get().(*responder)
	defer k.responders.Put(r)
	return r.ek.SetBytes(b) == nil
}
