package hybrid

import (
	"testing"

	"github.com/pqlane/pqlane/internal/cpu"
)

// benchmarkComposite runs f for some algorithms on each backend, under the name
// <algorithm>/<backend>.
func benchmarkComposite(b *testing.B, f func(b *testing.B, sk *CompositePrivateKey)) {
	for _, d := range draftSignatures {
		for _, name := range cpu.Available() {
			b.Run(d.name+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				b.ReportAllocs()
				f(b, d.key(b))
			})
		}
	}
}

func BenchmarkCompositeSign(b *testing.B) {
	benchmarkComposite(b, func(b *testing.B, sk *CompositePrivateKey) {
		message := make([]byte, 64)
		for b.Loop() {
			if _, err := sk.Sign(nil, message, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCompositeVerify(b *testing.B) {
	benchmarkComposite(b, func(b *testing.B, sk *CompositePrivateKey) {
		message := make([]byte, 64)
		signature, err := sk.Sign(nil, message, nil)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if VerifyComposite(sk.PublicKey(), message, signature, nil) != nil {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkCompositeVerifyPrecomputed(b *testing.B) {
	benchmarkComposite(b, func(b *testing.B, sk *CompositePrivateKey) {
		message := make([]byte, 64)
		signature, err := sk.Sign(nil, message, nil)
		if err != nil {
			b.Fatal(err)
		}
		v := sk.PublicKey().Precompute()
		for b.Loop() {
			if v.Verify(message, signature, nil) != nil {
				b.Fatal("refused")
			}
		}
	})
}

// benchmarkCompositeKEM runs f for each algorithm on each backend.
func benchmarkCompositeKEM(b *testing.B, f func(b *testing.B, dk *CompositeDecapsulationKey)) {
	for _, d := range draftKEMs {
		for _, name := range cpu.Available() {
			b.Run(d.name+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				b.ReportAllocs()
				f(b, d.key(b))
			})
		}
	}
}

func BenchmarkCompositeEncapsulate(b *testing.B) {
	benchmarkCompositeKEM(b, func(b *testing.B, dk *CompositeDecapsulationKey) {
		ek := dk.EncapsulationKey()
		for b.Loop() {
			ek.Encapsulate()
		}
	})
}

func BenchmarkCompositeDecapsulate(b *testing.B) {
	benchmarkCompositeKEM(b, func(b *testing.B, dk *CompositeDecapsulationKey) {
		_, ciphertext := dk.EncapsulationKey().Encapsulate()
		for b.Loop() {
			if _, err := dk.Decapsulate(ciphertext); err != nil {
				b.Fatal(err)
			}
		}
	})
}
