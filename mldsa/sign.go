package mldsa

import (
	"crypto"
	"crypto/rand"
	"io"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/kemring"
)

// maxAttempts is the least number of attempts after which FIPS 204, Appendix C, allows an
// implementation to give up.
const maxAttempts = 814

// Sign signs message, hedged with random bytes from crypto/rand (FIPS 204, Algorithm 2);
// the io.Reader is ignored. opts is nil, crypto.Hash(0), an *[Options] with a context, or
// has a HashFunc of crypto.MLDSAMu (20): message then is the 64-byte μ. Anything else, a nil
// pointer of another type among them, is an error that matches [ErrOptions]; others match [ErrContext], [ErrSize], [ErrNoKey] or
// [ErrDestroyed].
func (sk *PrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	return sk.sign("PrivateKey.Sign", message, opts, true, true)
}

// SignDeterministic is Sign without random bytes: the same message has the same signature.
func (sk *PrivateKey) SignDeterministic(message []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	return sk.sign("PrivateKey.SignDeterministic", message, opts, false, true)
}

// SignMessage implements [crypto.MessageSigner]. It is Sign, but for crypto.MLDSAMu in opts:
// the message is hashed to μ here.
func (sk *PrivateKey) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	return sk.sign("PrivateKey.SignMessage", message, opts, true, false)
}

func (sk *PrivateKey) sign(op string, message []byte, opts crypto.SignerOpts, hedged, mayBeMu bool) ([]byte, error) {
	if err := sk.check(op); err != nil {
		return nil, err
	}
	context, isMu, err := signerOptions(op, opts)
	if err != nil {
		return nil, err
	}
	dst := make([]byte, 0, sk.pk.p.signatureSize())
	if isMu && mayBeMu {
		if err := checkSize(op, "", "μ", len(message), MuSize); err != nil {
			return nil, err
		}
		return sk.appendSignature(op, dst, signedMessage{mu: (*[MuSize]byte)(message)}, hedged)
	}
	return sk.appendSignature(op, dst, signedMessage{context: context, content: message}, hedged)
}

// AppendSign appends a hedged signature of message to dst. It does not allocate if dst has
// room. opts may be nil. Errors match [ErrContext], [ErrNoKey] or [ErrDestroyed]; dst is
// then returned as it was.
func (sk *PrivateKey) AppendSign(dst, message []byte, opts *Options) ([]byte, error) {
	const op = "PrivateKey.AppendSign"
	if err := sk.check(op); err != nil {
		return dst, err
	}
	context, err := contextOf(op, opts)
	if err != nil {
		return dst, err
	}
	return sk.appendSignature(op, dst, signedMessage{context: context, content: message}, true)
}

// AppendSignMu is AppendSign of a message representative μ, which [PublicKey.NewMu]
// computes from the public key alone.
func (sk *PrivateKey) AppendSignMu(dst []byte, mu *[MuSize]byte) ([]byte, error) {
	const op = "PrivateKey.AppendSignMu"
	if err := sk.check(op); err != nil {
		return dst, err
	}
	if mu == nil {
		return dst, checkSize(op, "", "μ", 0, MuSize)
	}
	return sk.appendSignature(op, dst, signedMessage{mu: mu}, true)
}

func (sk *PrivateKey) appendSignature(op string, dst []byte, m signedMessage, hedged bool) ([]byte, error) {
	var rnd [32]byte
	if hedged {
		rand.Read(rnd[:]) // never fails
	}
	return sk.appendInternal(op, dst, &m, &rnd)
}

// appendInternal is FIPS 204, Algorithm 7 (ML-DSA.Sign_internal).
func (sk *PrivateKey) appendInternal(op string, dst []byte, m *signedMessage, rnd *[32]byte) ([]byte, error) {
	if sk.isCompact() {
		x := borrowFull(sk)
		defer x.release()
		sk = &x.key
	}
	p := sk.pk.p
	n := p.signatureSize()
	out := dst
	if cap(dst)-len(dst) < n {
		out = append(dst, make([]byte, n)...)
	} else {
		out = dst[:len(dst)+n]
	}
	w := newScratch()
	w.begin(p)
	mu := (*[MuSize]byte)(w.w1Bytes[:])
	m.representative(mu, &sk.pk.tr, &w.sponge)
	w.hashH(w.seed[:64], sk.key[:], rnd[:], mu[:])
	for attempt := range maxAttempts {
		if w.attempt(sk, out[len(dst):], attempt) {
			w.release(p)
			return out, nil
		}
	}
	w.release(p)
	clear(out[len(dst):])
	return dst, newError(ErrAttempts, "%s: no %s signature after %d attempts", op, p.name, maxAttempts)
}

// attempt is one pass of the loop of Algorithm 7, with κ = attempt·l. It reports whether it
// has made the signature.
func (w *scratch) attempt(sk *PrivateKey, signature []byte, attempt int) bool {
	p := sk.pk.p
	w.expandMask(p, attempt)
	z, w0, w1 := w.z, w.w0[:p.k], w.w1[:p.k]
	for i := range z {
		w.masks.polynomial(&z[i], p, attempt, i)
		dsaring.NTT(&z[i])
	}
	size := dsaring.SizeW1(p.gamma2)
	for i := range w0 {
		dsaring.Dot(&w.acc, sk.a[i*p.l:][:p.l], z)
		dsaring.InverseNTT(&w.acc)
		dsaring.Decompose(&w1[i], &w0[i], &w.acc, p.gamma2)
		dsaring.PackW1(w.w1Bytes[MuSize+i*size:], &w1[i], p.gamma2)
	}
	challenge := w.challenge(p, w.w1Bytes[:MuSize+p.k*size], attempt)
	dsaring.Narrow((*[dsaring.N]int16)(&w.smallC[0]), &w.c)
	kemring.NTTTwist(w.smallC[:], w.smallTwist[:])

	// r₀ = LowBits(w − c·s₂) = w₀ − c·s₂ if that is in range. It rejects more than z does.
	for i := range w0 {
		dsaring.SubSmall(&w0[i], w.smallProduct(sk.s2[i:]))
		if publicRejection(dsaring.Exceeds(&w0[i], p.gamma2-p.beta)) {
			return false
		}
	}
	for i := range z {
		w.masks.polynomial(&z[i], p, attempt, i)
		dsaring.AddSmall(&z[i], w.smallProduct(sk.s1[i:]))
		if publicRejection(dsaring.Exceeds(&z[i], p.gamma1-p.beta)) {
			return false
		}
	}
	hints := 0
	dsaring.NTT(&w.c)
	for i := range w0 {
		w.product(&sk.t0[i])
		if publicRejection(dsaring.Exceeds(&w.acc, p.gamma2)) {
			return false
		}
		dsaring.Add(&w0[i], &w.acc)
		hints += dsaring.MakeHint(&w.hints[i], &w0[i], &w1[i], p.gamma2)
	}
	if publicRejection(hints > p.omega) {
		return false
	}
	publicHints(w.hints[:p.k])
	n := copy(signature, challenge)
	for i := range z {
		dsaring.PackZ(signature[n:], &z[i], p.gamma1)
		n += dsaring.SizeZ(p.gamma1)
	}
	packHints(signature[n:], w.hints[:p.k], p.omega)
	return true
}

// product sets w.acc to c times the polynomial whose transform is s, centred.
func (w *scratch) product(s *dsaring.Poly) {
	dsaring.Mul(&w.acc, &w.c, s)
	dsaring.InverseNTT(&w.acc)
	dsaring.Centre(&w.acc)
}

// smallProduct returns c times the first polynomial of s, a row of ŝ₁ or ŝ₂, modulo the prime
// 3329 of ML-KEM. Its coefficients are at most τ·η ≤ 196, so that it is known exactly, and the prime's
// arithmetic is twice as wide and has a shorter transform.
func (w *scratch) smallProduct(s []kemring.Poly) *[dsaring.N]int16 {
	kemring.Dot(&w.smallAcc, s[:1], 1, w.smallC[:], w.smallTwist[:])
	kemring.InverseNTT(&w.smallAcc)
	return (*[dsaring.N]int16)(&w.smallAcc)
}

// smallTransform sets dst to the transform of s, of coefficients of at most η, modulo 3329.
func smallTransform(dst *kemring.Poly, s *dsaring.Poly) {
	dsaring.Narrow((*[dsaring.N]int16)(dst), s)
	kemring.NTT(dst)
	kemring.Reduce(dst)
}
