package mldsa

import (
	"testing"

	"github.com/pqlane/pqlane/internal/cpu"
)

// benchmarkEverySet runs f as a sub-benchmark for each parameter set on each backend, under the
// name <set>/<backend>.
func benchmarkEverySet(b *testing.B, f func(b *testing.B, p Parameters)) {
	for _, p := range sets {
		for _, name := range cpu.Available() {
			b.Run(p.String()+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				b.ReportAllocs()
				f(b, p)
			})
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	benchmarkEverySet(b, func(b *testing.B, p Parameters) {
		sk := generate(b, p)
		for b.Loop() {
			sk.Generate(p)
		}
	})
}

// BenchmarkSign signs 32 messages in turn: one message's time is that of its own number of
// attempts.
func BenchmarkSign(b *testing.B) {
	benchmarkEverySet(b, func(b *testing.B, p Parameters) {
		sk := generate(b, p)
		dst := make([]byte, 0, p.SignatureSize())
		message := make([]byte, 64)
		for n := 0; b.Loop(); n++ {
			message[0] = byte(n % 32)
			sk.AppendSign(dst, message, nil)
		}
	})
}

// BenchmarkVerify parses the key each time.
func BenchmarkVerify(b *testing.B) {
	benchmarkEverySet(b, func(b *testing.B, p Parameters) {
		sk := generate(b, p)
		encoded, message, pk := sk.PublicKey().Bytes(), make([]byte, 64), new(PublicKey)
		signature, _ := sk.Sign(nil, message, nil)
		for b.Loop() {
			pk.SetBytes(p, encoded)
			if Verify(pk, message, signature, nil) != nil {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkVerifyPrecomputed(b *testing.B) {
	benchmarkEverySet(b, func(b *testing.B, p Parameters) {
		sk := generate(b, p)
		message := make([]byte, 64)
		signature, _ := sk.Sign(nil, message, nil)
		verifier := sk.PublicKey().Precompute()
		for b.Loop() {
			if verifier.Verify(message, signature, nil) != nil {
				b.Fatal("refused")
			}
		}
	})
}
