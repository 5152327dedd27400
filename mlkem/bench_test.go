package mlkem

import (
	"testing"

	"github.com/pqlane/pqlane/internal/cpu"
)

// benchmark runs f for each parameter set on each backend, as
// Benchmark…/ML-KEM-768/avx512; f prepares and returns the operation.
func benchmark(b *testing.B, f func(s set) func()) {
	for _, s := range sets {
		for _, name := range cpu.Available() {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				op := f(s)
				b.ReportAllocs()
				for b.Loop() {
					op()
				}
			})
		}
	}
}

func BenchmarkGenerateKey(b *testing.B) {
	benchmark(b, func(s set) func() { return func() { s.generate() } })
}

func BenchmarkGenerate(b *testing.B) {
	benchmark(b, func(s set) func() {
		dk := s.zeroPrivate()
		return func() { dk.Generate() }
	})
}

func BenchmarkParse(b *testing.B) {
	benchmark(b, func(s set) func() {
		encoded, ek := s.generate().public().Bytes(), s.zeroPublic()
		return func() { ek.SetBytes(encoded) }
	})
}

func BenchmarkParseEncapsulate(b *testing.B) {
	benchmark(b, func(s set) func() {
		encoded := s.generate().public().Bytes()
		return func() {
			ek, _ := s.newPublic(encoded)
			ek.Encapsulate()
		}
	})
}

func BenchmarkEncapsulate(b *testing.B) {
	benchmark(b, func(s set) func() {
		ek := s.generate().public()
		return func() { ek.Encapsulate() }
	})
}

func BenchmarkEncapsulateInto(b *testing.B) {
	benchmark(b, func(s set) func() {
		ek, k, c := s.generate().public(), new([SharedKeySize]byte), make([]byte, s.ciphertextSize())
		return func() { ek.into(k, c) }
	})
}

func BenchmarkDecapsulate(b *testing.B) {
	benchmark(b, func(s set) func() {
		dk := s.generate()
		_, c := dk.public().Encapsulate()
		return func() { dk.Decapsulate(c) }
	})
}

func BenchmarkDecapsulateInto(b *testing.B) {
	benchmark(b, func(s set) func() {
		dk, k := s.generate(), new([SharedKeySize]byte)
		_, c := dk.public().Encapsulate()
		return func() { dk.DecapsulateInto(k, c) }
	})
}

// BenchmarkEphemeral is a client's exchange: a key that decapsulates once.
func BenchmarkEphemeral(b *testing.B) {
	benchmark(b, func(s set) func() {
		dk, k := s.zeroPrivate(), new([SharedKeySize]byte)
		c := make([]byte, s.ciphertextSize())
		return func() {
			dk.Generate()
			dk.DecapsulateInto(k, c)
		}
	})
}
