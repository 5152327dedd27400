package mldsa

import (
	"crypto/subtle"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
)

// Verify returns nil if signature is a signature of message by pk, with the context in opts,
// which may be nil (FIPS 204, Algorithm 3). A signature that is not is [ErrInvalidSignature],
// whatever is wrong with it; other errors match [ErrContext] or [ErrNoKey].
func Verify(pk *PublicKey, message, signature []byte, opts *Options) error {
	const op = "Verify"
	if err := pk.check(op); err != nil {
		return err
	}
	context, err := contextOf(op, opts)
	if err != nil {
		return err
	}
	return pk.verify(nil, &signedMessage{context: context, content: message}, signature)
}

// VerifyMu is Verify of a message representative μ; see [PublicKey.NewMu].
func VerifyMu(pk *PublicKey, mu *[MuSize]byte, signature []byte) error {
	const op = "VerifyMu"
	if err := pk.check(op); err != nil {
		return err
	}
	if mu == nil {
		return checkSize(op, "", "μ", 0, MuSize)
	}
	return pk.verify(nil, &signedMessage{mu: mu}, signature)
}

// A Verifier, which [PublicKey.Precompute] makes, is a public key with what can be computed of it
// in advance: Â and NTT(t₁·2^d), of 20, 36 and 64 KB for ML-DSA-44, 65 and 87. It is safe for
// concurrent use.
type Verifier struct {
	pk   *PublicKey
	rows []dsaring.Poly // of Â and −NTT(t₁·2^d) beside it, in [0, q)
}

// row returns row i of v.
func (v *Verifier) row(i int) []dsaring.Poly {
	n := v.pk.p.l + 1
	return v.rows[i*n:][:n]
}

// Precompute returns a Verifier for pk, or nil if pk is not usable.
func (pk *PublicKey) Precompute() *Verifier {
	if pk.check("") != nil {
		return nil
	}
	p := pk.p
	v := &Verifier{
		pk:   &PublicKey{p: p, encoded: pk.Bytes(), state: ready},
		rows: make([]dsaring.Poly, p.k*(p.l+1)),
	}
	w := newScratch()
	w.hash(v.pk.encoded, len(v.pk.encoded))
	w.expand(p, &expansion{a: w.a[:], rows: maxRows, rho: pk.rho(), rowDone: func(i int) {
		copy(v.row(i), w.a[i%maxRows*p.l:][:p.l])
		t := &v.row(i)[p.l]
		dsaring.UnpackT1(&w.acc, pk.t1(i))
		dsaring.NTT(&w.acc)
		dsaring.Sub(t, &w.acc)
		dsaring.Reduce(t)
	}})
	v.pk.setTR(&w.ride.digest)
	w.releasePublic()
	return v
}

// Verify is the function of that name for v's public key.
func (v *Verifier) Verify(message, signature []byte, opts *Options) error {
	const op = "Verifier.Verify"
	if v == nil || v.pk == nil {
		return unset.check(op)
	}
	context, err := contextOf(op, opts)
	if err != nil {
		return err
	}
	return v.pk.verify(v, &signedMessage{context: context, content: message}, signature)
}

// VerifyMu is the function of that name for v's public key.
func (v *Verifier) VerifyMu(mu *[MuSize]byte, signature []byte) error {
	const op = "Verifier.VerifyMu"
	if v == nil || v.pk == nil {
		return unset.check(op)
	}
	if mu == nil {
		return checkSize(op, "", "μ", 0, MuSize)
	}
	return v.pk.verify(v, &signedMessage{mu: mu}, signature)
}

// verify is FIPS 204, Algorithm 8 (ML-DSA.Verify_internal). v is nil or pk's Verifier.
func (pk *PublicKey) verify(v *Verifier, m *signedMessage, signature []byte) error {
	p := pk.p
	if len(signature) != p.signatureSize() {
		return ErrInvalidSignature
	}
	w := newScratch()
	w.begin(p)
	defer w.releasePublic()
	challenge := w.c1[:p.challengeSize]
	n := copy(challenge, signature)
	z := w.z
	for i := range z {
		dsaring.UnpackZ(&z[i], signature[n:], p.gamma1)
		n += dsaring.SizeZ(p.gamma1)
		if dsaring.Exceeds(&z[i], p.gamma1-p.beta) {
			return ErrInvalidSignature
		}
		dsaring.NTT(&z[i])
	}
	if !unpackHints(w.hints[:p.k], signature[n:], p.omega) {
		return ErrInvalidSignature
	}

	if v != nil {
		pk.verifyRows(w, v, m, challenge)
	} else {
		pk.verifyExpanding(w, m, challenge)
	}
	if subtle.ConstantTimeCompare(challenge, w.ride.digest[:p.challengeSize]) != 1 {
		return ErrInvalidSignature
	}
	return nil
}

// verifyRows sets w.ride.digest to H(μ ‖ w₁), of which c̃ has to be the beginning.
func (pk *PublicKey) verifyRows(w *scratch, v *Verifier, m *signedMessage, challenge []byte) {
	p := pk.p
	mu := w.w1Bytes[:MuSize]
	w.beginBall(p, challenge)
	if m.mu != nil {
		copy(mu, m.mu[:])
		w.lanes.Step()
	} else {
		// The last permutation of μ rides beside the first of c.
		pk.hash(&w.ride.digest, &w.sponge)
		m.write(&w.ride.digest, &w.sponge)
		w.lanes.Join(1, &w.sponge)
		w.lanes.Step()
		w.lanes.Read(1, mu)
		w.lanes.Release(1)
	}
	w.endBall(p, 0)
	factors := w.polys[:p.l+1] // ẑ and ĉ
	factors[p.l] = w.c
	dsaring.NTT(&factors[p.l])
	for i := range p.k {
		dsaring.Dot(&w.acc, v.row(i), factors)
		w.packRow(p, i)
	}
	message := w.w1Bytes[:MuSize+p.k*dsaring.SizeW1(p.gamma2)]
	w.lanes.Absorb(0, keccak.RateSHAKE256, keccak.DomainSHAKE, message, len(message))
	w.lanes.Finish(0)
	w.lanes.Read(0, w.ride.digest[:])
	w.lanes.Release(0)
}

// verifyExpanding is verifyRows while Â is expanded: tr, if it is not known, μ, c and most of
// H(μ ‖ w₁) ride beside.
func (pk *PublicKey) verifyExpanding(w *scratch, m *signedMessage, challenge []byte) {
	p := pk.p
	size := dsaring.SizeW1(p.gamma2)
	message := w.w1Bytes[:MuSize+p.k*size]
	x := expansion{a: w.a[:], rows: maxRows, rho: pk.rho(), challenge: challenge}
	ready := MuSize
	hashes := 0 // that are done: tr, μ, H(μ ‖ w₁)
	x.rowDone = func(i int) {
		if i == 0 {
			dsaring.NTT(&w.c)
		}
		dsaring.UnpackT1(&w.t[0], pk.t1(i))
		dsaring.NTT(&w.t[0])
		dsaring.Mul(&w.t[0], &w.c, &w.t[0])
		dsaring.Dot(&w.acc, w.a[i%maxRows*p.l:][:p.l], w.z)
		dsaring.Sub(&w.acc, &w.t[0])
		w.packRow(p, i)
		if ready += size; hashes == 2 {
			w.ride.ready = ready
		}
	}
	x.hashDone = func() {
		switch hashes++; hashes {
		case 1:
			pk.setTR(&w.ride.digest)
			m.write(&w.ride.digest, &w.sponge)
			w.hashWritten()
		case 2:
			copy(message, w.ride.digest[:])
			w.hash(message, ready)
			// Of all choices this takes the fewest permutations: earlier it waits for rows.
			x.hashAfter = 3 * p.k / 4
		}
	}
	switch {
	case m.mu != nil:
		w.ride.digest = *m.mu
		hashes = 1
		x.hashDone()
	case pk.trState.Load() == trKnown:
		w.ride.digest = pk.tr
		x.hashDone()
	default:
		w.hash(pk.encoded, len(pk.encoded))
	}
	w.expand(p, &x)
}

// packRow packs row i of w₁ for that of Â∘ẑ − ĉ∘NTT(t₁·2^d), which is in w.acc.
func (w *scratch) packRow(p *params, i int) {
	dsaring.InverseNTT(&w.acc)
	dsaring.UseHint(&w.w1[0], &w.hints[i], &w.acc, p.gamma2)
	dsaring.PackW1(w.w1Bytes[MuSize+i*dsaring.SizeW1(p.gamma2):], &w.w1[0], p.gamma2)
}
