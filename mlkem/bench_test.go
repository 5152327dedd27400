package mlkem

import "testing"

func BenchmarkGenerateKey768(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		GenerateKey768()
	}
}

func BenchmarkGenerate768(b *testing.B) {
	var dk DecapsulationKey768
	b.ReportAllocs()
	for b.Loop() {
		dk.Generate()
	}
}

func BenchmarkParseEncapsulate768(b *testing.B) {
	dk, _ := GenerateKey768()
	encoded := dk.EncapsulationKey().Bytes()
	b.ReportAllocs()
	for b.Loop() {
		ek, _ := NewEncapsulationKey768(encoded)
		ek.Encapsulate()
	}
}

func BenchmarkEncapsulate768(b *testing.B) {
	dk, _ := GenerateKey768()
	ek := dk.EncapsulationKey()
	b.ReportAllocs()
	for b.Loop() {
		ek.Encapsulate()
	}
}

func BenchmarkDecapsulate768(b *testing.B) {
	dk, _ := GenerateKey768()
	_, c := dk.EncapsulationKey().Encapsulate()
	b.ReportAllocs()
	for b.Loop() {
		dk.Decapsulate(c)
	}
}

func BenchmarkEncapsulateInto768(b *testing.B) {
	dk, _ := GenerateKey768()
	ek := dk.EncapsulationKey()
	var k [SharedKeySize]byte
	var c [CiphertextSize768]byte
	b.ReportAllocs()
	for b.Loop() {
		ek.EncapsulateInto(&k, &c)
	}
}

func BenchmarkDecapsulateInto768(b *testing.B) {
	dk, _ := GenerateKey768()
	_, c := dk.EncapsulationKey().Encapsulate()
	var k [SharedKeySize]byte
	b.ReportAllocs()
	for b.Loop() {
		dk.DecapsulateInto(&k, c)
	}
}

func BenchmarkSetBytes768(b *testing.B) {
	dk, _ := GenerateKey768()
	encoded := dk.EncapsulationKey().Bytes()
	var ek EncapsulationKey768
	b.ReportAllocs()
	for b.Loop() {
		ek.SetBytes(encoded)
	}
}
