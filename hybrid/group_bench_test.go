package hybrid

import (
	"crypto/rand"
	"testing"

	"github.com/pqlane/pqlane/internal/cpu"
)

// benchmarkGroups runs f for each group on each backend, as
// Benchmark…/X25519MLKEM768/avx512; f prepares and returns the operation.
func benchmarkGroups(b *testing.B, f func(g Group) func()) {
	for _, g := range Groups() {
		for _, name := range cpu.Available() {
			b.Run(g.String()+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				op := f(g)
				b.ReportAllocs()
				for b.Loop() {
					op()
				}
			})
		}
	}
}

// BenchmarkClient is a client's side: its share, and the secret from the server's.
func BenchmarkClient(b *testing.B) {
	benchmarkGroups(b, func(g Group) func() {
		_, share, _ := g.GenerateShare()
		share, _, _ = g.Accept(share)
		return func() {
			e, _, _ := g.GenerateShare()
			e.Finish(share)
		}
	})
}

// BenchmarkClientAppend is BenchmarkClient into the caller's memory.
func BenchmarkClientAppend(b *testing.B) {
	benchmarkGroups(b, func(g Group) func() {
		_, share, _ := g.GenerateShare()
		share, _, _ = g.Accept(share)
		own, secret := make([]byte, 0, g.ClientShareSize()), make([]byte, 0, g.SecretSize())
		return func() {
			e, _, _ := g.AppendShare(own)
			e.AppendFinish(secret, share)
		}
	})
}

// BenchmarkServer is a server's side: its share and the secret from the client's share.
func BenchmarkServer(b *testing.B) {
	benchmarkGroups(b, func(g Group) func() {
		_, share, _ := g.GenerateShare()
		return func() { g.Accept(share) }
	})
}

// BenchmarkServerAppend is BenchmarkServer into the caller's memory.
func BenchmarkServerAppend(b *testing.B) {
	benchmarkGroups(b, func(g Group) func() {
		_, share, _ := g.GenerateShare()
		own, secret := make([]byte, 0, g.ServerShareSize()), make([]byte, 0, g.SecretSize())
		return func() { g.AppendAccept(own, secret, share) }
	})
}

// BenchmarkParts are the operations of which a side is the sum: key generation and ECDH,
// which both sides do, and the client's and the server's of ML-KEM.
func BenchmarkParts(b *testing.B) {
	b.Run("ECDH", func(b *testing.B) {
		for _, c := range []*curve{x25519, p256, p384} {
			b.Run(c.name, func(b *testing.B) {
				key, _ := c.GenerateKey(rand.Reader)
				point := key.PublicKey().Bytes()
				b.ReportAllocs()
				for b.Loop() {
					private, _ := c.GenerateKey(rand.Reader)
					peer, _ := c.NewPublicKey(point)
					private.ECDH(peer)
				}
			})
		}
	})
	for _, g := range []Group{MLKEM512, MLKEM768, MLKEM1024} {
		known, _ := g.lookup()
		for _, name := range cpu.Available() {
			_, share, _ := g.GenerateShare()
			i, r := known.kem.initiators.New().(*initiator), known.kem.responders.New().(*responder)
			ciphertext, ek := make([]byte, g.ServerShareSize()), make([]byte, 0, len(share))
			b.Run("client/"+g.String()+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				for b.Loop() {
					i.dk.Generate()
					i.dk.AppendEncapsulationKey(ek)
					i.dk.DecapsulateInto(&i.sharedKey, ciphertext)
				}
			})
			b.Run("server/"+g.String()+"/"+name, func(b *testing.B) {
				defer cpu.Use(name)()
				for b.Loop() {
					r.ek.SetBytes(share)
					r.ek.encapsulate(&r.sharedKey, ciphertext)
				}
			})
		}
	}
}
