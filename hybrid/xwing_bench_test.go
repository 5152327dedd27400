package hybrid

import (
	"testing"

	"github.com/pqlane/pqlane/internal/cpu"
)

// benchmarkXWing runs f on each backend; f prepares and returns the operation.
func benchmarkXWing(b *testing.B, f func(dk *XWingDecapsulationKey) func()) {
	for _, name := range cpu.Available() {
		b.Run(name, func(b *testing.B) {
			defer cpu.Use(name)()
			dk, _ := GenerateXWingKey()
			op := f(dk)
			b.ReportAllocs()
			for b.Loop() {
				op()
			}
		})
	}
}

func BenchmarkXWingGenerateKey(b *testing.B) {
	benchmarkXWing(b, func(*XWingDecapsulationKey) func() { return func() { GenerateXWingKey() } })
}

func BenchmarkXWingParseEncapsulate(b *testing.B) {
	benchmarkXWing(b, func(dk *XWingDecapsulationKey) func() {
		encoded := dk.EncapsulationKey().Bytes()
		return func() {
			ek, _ := NewXWingEncapsulationKey(encoded)
			ek.Encapsulate()
		}
	})
}

func BenchmarkXWingEncapsulate(b *testing.B) {
	benchmarkXWing(b, func(dk *XWingDecapsulationKey) func() {
		ek := dk.EncapsulationKey()
		return func() { ek.Encapsulate() }
	})
}

func BenchmarkXWingEncapsulateInto(b *testing.B) {
	benchmarkXWing(b, func(dk *XWingDecapsulationKey) func() {
		ek, k, c := dk.EncapsulationKey(), new([XWingSharedKeySize]byte), new([XWingCiphertextSize]byte)
		return func() { ek.EncapsulateInto(k, c) }
	})
}

func BenchmarkXWingDecapsulate(b *testing.B) {
	benchmarkXWing(b, func(dk *XWingDecapsulationKey) func() {
		_, c := dk.EncapsulationKey().Encapsulate()
		return func() { dk.Decapsulate(c) }
	})
}

func BenchmarkXWingDecapsulateInto(b *testing.B) {
	benchmarkXWing(b, func(dk *XWingDecapsulationKey) func() {
		_, c := dk.EncapsulationKey().Encapsulate()
		k := new([XWingSharedKeySize]byte)
		return func() { dk.DecapsulateInto(k, c) }
	})
}
