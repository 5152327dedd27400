package mldsa

import (
	"testing"

	"github.com/stretchr/testify/require"

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

// BenchmarkSign signs 32 fixed messages with a fixed key and no randomness: an operation is one
// signature, and its time the mean over all of them. How many attempts they take is part of the
// result.
func BenchmarkSign(b *testing.B) {
	benchmarkEverySet(b, func(b *testing.B, p Parameters) {
		const messages = 32
		sk, err := NewPrivateKey(p, make([]byte, PrivateKeySize))
		require.NoError(b, err)
		r := newReference(p.params, sk.ExpandedBytes())
		dst := make([]byte, 0, p.SignatureSize())
		var mus [messages][MuSize]byte
		attempts := 0
		for i := range mus {
			mus[i][0] = byte(i)
			_, taken := r.sign(mus[i][:], make([]byte, 32), maxAttempts)
			attempts += len(taken)
		}
		for b.Loop() {
			for i := range mus {
				sk.appendSignature("", dst, signedMessage{mu: &mus[i]}, false)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages), "ns/op")
		b.ReportMetric(float64(attempts)/messages, "attempts/op")
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
