package mldsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/subtle"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/kemring"
)

// A PrivateKey signs. It holds Â, ŝ₁, ŝ₂ and t̂₀: about 27, 46 and 77 KB for ML-DSA-44, 65
// and 87; [PrivateKey.Compact] reduces it to its encodings.
//
// It is safe for concurrent use once made; Generate, Compact and Destroy exclude all other use.
// The zero value is for Generate and refuses everything else.
type PrivateKey struct {
	pk       PublicKey
	seed     [PrivateKeySize]byte
	expanded []byte         // the private key of FIPS 204, Algorithm 24
	a        []dsaring.Poly // Â, row by row, in [0, q)
	s1       []kemring.Poly // ŝ₁ and ŝ₂ modulo the prime of ML-KEM, see smallProduct
	s2       []kemring.Poly
	t0       []dsaring.Poly // t̂₀
	state    state
	seeded   bool // seed is known
}

var (
	_ crypto.Signer        = (*PrivateKey)(nil)
	_ crypto.MessageSigner = (*PrivateKey)(nil)
)

func (sk *PrivateKey) check(op string) error {
	if sk == nil {
		return unset.check(op)
	}
	return sk.state.check(op)
}

// GenerateKey generates a new private key, drawing random bytes from crypto/rand (FIPS
// 204, Algorithm 1). The error matches [ErrParameters].
func GenerateKey(p Parameters) (*PrivateKey, error) {
	sk := new(PrivateKey)
	if err := sk.Generate(p); err != nil {
		return nil, err
	}
	return sk, nil
}

// Generate replaces sk with a new key. It does not allocate if sk has held a key of this
// set before. The public key that sk has given out before changes with it.
func (sk *PrivateKey) Generate(p Parameters) error {
	const op = "PrivateKey.Generate"
	if sk == nil {
		return unset.check(op)
	}
	if p.params == nil {
		return newError(ErrParameters, "%s: no parameter set", op)
	}
	rand.Read(sk.seed[:]) // never fails
	sk.expandSeed(p.params)
	return nil
}

// NewPrivateKey expands a private key from its seed ξ of [PrivateKeySize] bytes (FIPS 204,
// Algorithm 6). Errors match [ErrSize] or [ErrParameters].
func NewPrivateKey(p Parameters, seed []byte) (*PrivateKey, error) {
	const op = "NewPrivateKey"
	if p.params == nil {
		return nil, newError(ErrParameters, "%s: no parameter set", op)
	}
	if err := checkSize(op, p.name, "seed", len(seed), PrivateKeySize); err != nil {
		return nil, err
	}
	sk := new(PrivateKey)
	copy(sk.seed[:], seed)
	sk.expandSeed(p.params)
	return sk, nil
}

// allot gives sk the memory of a key with parameters p.
func (sk *PrivateKey) allot(p *params) {
	if sk.pk.p == p && !sk.isCompact() {
		return
	}
	sk.wipeVectors()
	sk.pk.p, sk.pk.shared = p, true
	sk.pk.encoded = make([]byte, p.publicKeySize())
	sk.expanded = make([]byte, p.expandedKeySize())
	sk.a = make([]dsaring.Poly, p.k*p.l)
	sk.s1 = make([]kemring.Poly, p.l)
	sk.s2 = make([]kemring.Poly, p.k)
	sk.t0 = make([]dsaring.Poly, p.k)
}

// parts returns the fields of the expanded key (FIPS 204, Algorithm 24).
func (sk *PrivateKey) parts() (rho, key, tr, s1, s2, t0 []byte) {
	p, b := sk.pk.p, sk.expanded
	next := func(n int) (part []byte) {
		part, b = b[:n:n], b[n:]
		return part
	}
	rho, key, tr = next(32), next(32), next(64)
	s1, s2 = next(p.l*dsaring.SizeEta(p.eta)), next(p.k*dsaring.SizeEta(p.eta))
	return rho, key, tr, s1, s2, next(p.k * dsaring.SizeT0)
}

// expandSeed is FIPS 204, Algorithm 6 (ML-DSA.KeyGen_internal), of sk.seed.
func (sk *PrivateKey) expandSeed(p *params) {
	sk.allot(p)
	rho, key, tr, s1, s2, t0 := sk.parts()
	w := newScratch()
	w.hashH(w.seed[:128], sk.seed[:], []byte{byte(p.k), byte(p.l)})
	copy(rho, w.seed[:32])
	copy(key, w.seed[96:])
	publicRho(rho)
	w.begin(p)
	s1Poly, s2Poly := w.z, w.t[:p.k]
	w.expandS(p, s1Poly, s2Poly, w.seed[32:96])
	size := dsaring.SizeEta(p.eta)
	for i := range s1Poly {
		dsaring.PackEta(s1[i*size:], &s1Poly[i], p.eta)
		smallTransform(&sk.s1[i], &s1Poly[i])
		dsaring.NTT(&s1Poly[i])
	}
	copy(sk.pk.encoded, rho)
	// tr = H(pk) is absorbed beside Â, as far as t is known.
	w.hash(sk.pk.encoded, 32)
	w.expandA(p, sk.a, rho, func(i int) {
		dsaring.PackEta(s2[i*size:], &s2Poly[i], p.eta)
		smallTransform(&sk.s2[i], &s2Poly[i])
		w.rowOfT(sk, i)
		dsaring.PackT1(sk.pk.t1(i), &w.w1[i])
		publicEncoded(sk.pk.t1(i))
		dsaring.PackT0(t0[i*dsaring.SizeT0:], &w.w0[i])
		sk.t0[i] = w.w0[i]
		dsaring.NTT(&sk.t0[i])
		w.ride.ready += dsaring.SizeT1
	})
	sk.pk.trState.Store(trUnknown)
	sk.pk.setTR(&w.ride.digest)
	copy(tr, w.ride.digest[:])
	w.release(p)
	sk.state, sk.pk.state, sk.seeded = ready, ready, true
}

// rowOfT sets row i of w.w1 and w.w0 to (t₁, t₀) of t = NTT⁻¹(Â∘ŝ₁) + s₂, where ŝ₁ is in w.z
// and s₂ in w.t.
func (w *scratch) rowOfT(sk *PrivateKey, i int) {
	l := sk.pk.p.l
	dsaring.Dot(&w.acc, sk.a[i*l:][:l], w.z)
	dsaring.InverseNTT(&w.acc)
	dsaring.Add(&w.acc, &w.t[i])
	dsaring.Reduce(&w.acc)
	dsaring.Power2Round(&w.w1[i], &w.w0[i], &w.acc)
}

// NewPrivateKeyFromExpanded parses a private key in the expanded form of FIPS 204
// (Algorithm 25). It refuses, with an error that matches [ErrInconsistent], secret vectors
// out of range, a t₀ that is not that of s₁ and s₂, and a tr that is not the hash of the
// public key. Such a key has no seed: Bytes returns nil. Other errors match [ErrSize] or
// [ErrParameters].
func NewPrivateKeyFromExpanded(p Parameters, b []byte) (*PrivateKey, error) {
	const op = "NewPrivateKeyFromExpanded"
	if p.params == nil {
		return nil, newError(ErrParameters, "%s: no parameter set", op)
	}
	if err := checkSize(op, p.name, "expanded private key", len(b), p.expandedKeySize()); err != nil {
		return nil, err
	}
	sk := new(PrivateKey)
	sk.allot(p.params)
	copy(sk.expanded, b)
	if what := sk.parse(); what != "" {
		sk.Destroy()
		return nil, newError(ErrInconsistent, "%s: %s private key: %s", op, p.name, what)
	}
	sk.state, sk.pk.state = ready, ready
	return sk, nil
}

// parse fills sk from sk.expanded and says what is wrong with it.
func (sk *PrivateKey) parse() (what string) {
	p := sk.pk.p
	rho, _, tr, s1, s2, t0 := sk.parts()
	w := newScratch()
	w.begin(p)
	defer w.release(p)
	ok := true
	size := dsaring.SizeEta(p.eta)
	for i := range w.z {
		ok = publicCheck(dsaring.UnpackEta(&w.z[i], s1[i*size:], p.eta)) && ok
		smallTransform(&sk.s1[i], &w.z[i])
		dsaring.NTT(&w.z[i])
	}
	for i := range sk.s2 {
		ok = publicCheck(dsaring.UnpackEta(&w.t[i], s2[i*size:], p.eta)) && ok
		smallTransform(&sk.s2[i], &w.t[i])
	}
	if !ok {
		return "s1 or s2 has a coefficient out of range"
	}
	w.expandA(p, sk.a, rho, nil)
	copy(sk.pk.encoded, rho)
	same := 1
	for i := range sk.s2 {
		w.rowOfT(sk, i)
		dsaring.PackT1(sk.pk.t1(i), &w.w1[i])
		var packed [dsaring.SizeT0]byte
		dsaring.PackT0(packed[:], &w.w0[i])
		same &= subtle.ConstantTimeCompare(packed[:], t0[i*dsaring.SizeT0:][:dsaring.SizeT0])
		clear(packed[:])
		sk.t0[i] = w.w0[i]
		dsaring.NTT(&sk.t0[i])
	}
	if !publicCheck(same == 1) {
		return "t0 is not that of s1 and s2"
	}
	publicEncoded(sk.pk.encoded)
	var hash [64]byte
	sk.pk.hash(&hash, &w.sponge)
	if subtle.ConstantTimeCompare(hash[:], tr) != 1 {
		return "tr is not the hash of the public key"
	}
	return ""
}

// Bytes returns the seed ξ, or nil if sk was made from an expanded key or is not usable.
// The result is secret.
func (sk *PrivateKey) Bytes() []byte {
	if sk.check("") != nil || !sk.seeded {
		return nil
	}
	return bytes.Clone(sk.seed[:])
}

// ExpandedBytes returns the private key in the expanded form of FIPS 204, or nil if it is
// not usable. The result is secret.
func (sk *PrivateKey) ExpandedBytes() []byte {
	if sk.check("") != nil {
		return nil
	}
	return bytes.Clone(sk.expanded)
}

// PublicKey returns the public key. It shares sk's memory, and stays usable after
// sk.Destroy. It is nil if sk is.
func (sk *PrivateKey) PublicKey() *PublicKey {
	if sk == nil {
		return nil
	}
	return &sk.pk
}

// Public returns the *PublicKey of sk. It implements [crypto.Signer].
func (sk *PrivateKey) Public() crypto.PublicKey { return sk.PublicKey() }

// Equal reports whether x is a *PrivateKey of the same set that is the same key: with the
// same seed, or, if one of them has none, the same expanded form.
func (sk *PrivateKey) Equal(x crypto.PrivateKey) bool {
	other, ok := x.(*PrivateKey)
	if !ok || sk.check("") != nil || other.check("") != nil || sk.pk.p != other.pk.p {
		return false
	}
	return subtle.ConstantTimeCompare(sk.expanded, other.expanded) == 1
}

// Destroy zeroes the secrets in sk, as far as Go lets a program do so; later use returns
// [ErrDestroyed]. The public key stays usable.
func (sk *PrivateKey) Destroy() {
	if sk == nil {
		return
	}
	clear(sk.seed[:])
	sk.wipeVectors()
	sk.state, sk.seeded = destroyed, false
}

func (sk *PrivateKey) wipeVectors() {
	clear(sk.expanded)
	clear(sk.s1)
	clear(sk.s2)
	clear(sk.t0)
}
