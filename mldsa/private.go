package mldsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/subtle"
	"unsafe"

	"github.com/pqlane/pqlane/internal/alloc"
	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
)

// A PrivateKey signs. It holds Â, ŝ₁, ŝ₂ and t̂₀: about 26, 45 and 76 KB for ML-DSA-44, 65
// and 87; [PrivateKey.Compact] reduces it to its encodings.
//
// It is safe for concurrent use once made; Generate, Compact and Destroy exclude all other use.
// The zero value is for Generate and refuses everything else.
type PrivateKey struct {
	pk     PublicKey
	seed   [PrivateKeySize]byte
	key    [32]byte       // K
	a      []dsaring.Poly // Â, row by row, in [0, q)
	s1     []kemring.Poly // ŝ₁ and ŝ₂ modulo the prime of ML-KEM, see smallProduct
	s2     []kemring.Poly
	t0     []dsaring.Poly // t̂₀
	state  state
	seeded bool // seed is known

	// A compact key has its expanded form, in place of a, s1, s2 and t0.
	expanded []byte
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

// allot gives sk the memory of a key with parameters p, in one piece and not cleared: whoever
// allots overwrites all of it before sk is ready.
func (sk *PrivateKey) allot(p *params) {
	if sk.pk.p == p && !sk.isCompact() {
		return
	}
	sk.wipeVectors()
	sk.pk.p, sk.pk.shared = p, true
	sk.expanded = nil
	const poly, small = 4 * dsaring.N, 2 * kemring.N
	m := alloc.UnclearedBytes((p.k*p.l+p.k)*poly + (p.k+p.l)*small + p.publicKeySize())
	sk.a, m = cut[dsaring.Poly](m, p.k*p.l)
	sk.t0, m = cut[dsaring.Poly](m, p.k)
	sk.s1, m = cut[kemring.Poly](m, p.l)
	sk.s2, m = cut[kemring.Poly](m, p.k)
	sk.pk.encoded = m
}

// cut returns the beginning of m as n elements, and the rest.
func cut[T any](m []byte, n int) (elements []T, rest []byte) {
	elements = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(m))), n)
	return elements, m[n*int(unsafe.Sizeof(elements[0])):]
}

// expandedParts are the fields of an expanded key (FIPS 204, Algorithm 24).
type expandedParts struct{ rho, key, tr, s1, s2, t0 []byte }

func (p *params) expandedParts(b []byte) expandedParts {
	next := func(n int) (part []byte) {
		part, b = b[:n:n], b[n:]
		return part
	}
	return expandedParts{
		rho: next(32), key: next(32), tr: next(64),
		s1: next(p.l * dsaring.SizeEta(p.eta)), s2: next(p.k * dsaring.SizeEta(p.eta)),
		t0: next(p.k * dsaring.SizeT0),
	}
}

// expandSeed is FIPS 204, Algorithm 6 (ML-DSA.KeyGen_internal), of sk.seed.
func (sk *PrivateKey) expandSeed(p *params) {
	sk.allot(p)
	w := newScratch()
	w.begin(p)
	w.hashH(w.seed[:128], sk.seed[:], []byte{byte(p.k), byte(p.l)})
	rho := sk.pk.rho()
	copy(rho, w.seed[:32])
	publicRho(rho)
	copy(sk.key[:], w.seed[96:])
	w.expandKey(sk, w.seed[32:96], func(int) {})
	publicEncoded(sk.pk.encoded)
	sk.pk.trState.Store(trUnknown)
	sk.pk.setTR(&w.ride.digest)
	w.releaseKey(p)
	sk.state, sk.pk.state, sk.seeded = ready, ready, true
}

// expandKey computes from ρ, in sk.pk, and from s₁ and s₂ what sk holds. They are in w.z and w.t,
// or rhoPrime is not nil: then they are expanded from it. check is called when row i of t₀
// is in sk.t0, not yet transformed. tr is in w.ride.digest then.
func (w *scratch) expandKey(sk *PrivateKey, rhoPrime []byte, check func(i int)) {
	p := sk.pk.p
	s1, s2 := w.z, w.t[:p.k]
	x := expansion{a: sk.a, rows: p.k, rho: sk.pk.rho(), rhoPrime: rhoPrime, hashAfter: p.hashAfter}
	if rhoPrime != nil {
		x.s1, x.s2 = s1, s2
		x.early = p.early
	}
	x.rowDone = func(i int) {
		if i == 0 {
			for j := range s1 {
				smallTransform(&sk.s1[j], &s1[j])
				dsaring.NTT(&s1[j])
			}
		}
		smallTransform(&sk.s2[i], &s2[i])
		// t = NTT⁻¹(Â∘ŝ₁) + s₂
		dsaring.Dot(&w.acc, sk.a[i*p.l:][:p.l], s1)
		dsaring.InverseNTT(&w.acc)
		dsaring.Add(&w.acc, &s2[i])
		dsaring.Reduce(&w.acc)
		dsaring.Power2Round(&w.w1[0], &sk.t0[i], &w.acc)
		dsaring.PackT1(sk.pk.t1(i), &w.w1[0])
		publicEncoded(sk.pk.t1(i))
		check(i)
		dsaring.NTT(&sk.t0[i])
		w.ride.ready += dsaring.SizeT1
	}
	// tr = H(pk) is absorbed beside Â, as far as t is known.
	w.hash(sk.pk.encoded, len(x.rho))
	w.expand(p, &x)
}

// releaseKey is release after expandKey, which uses little of w.
func (w *scratch) releaseKey(p *params) {
	clear(w.z)
	w.z = nil
	clear(w.t[:p.k])
	clear(w.w1[0][:])
	clear(w.acc[:])
	clear(w.seed[:])
	w.ride = ride{}
	w.sponge = keccak.Sponge{}
	scratches.Put(w)
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
	if what := sk.parse(b); what != "" {
		sk.Destroy()
		return nil, newError(ErrInconsistent, "%s: %s private key: %s", op, p.name, what)
	}
	sk.state, sk.pk.state = ready, ready
	return sk, nil
}

// parse fills sk from the expanded key b and says what is wrong with it.
func (sk *PrivateKey) parse(b []byte) (what string) {
	p := sk.pk.p
	from := p.expandedParts(b)
	copy(sk.pk.rho(), from.rho)
	copy(sk.key[:], from.key)
	w := newScratch()
	w.begin(p)
	defer w.releaseKey(p)
	ok := true
	size := dsaring.SizeEta(p.eta)
	for i := range w.z {
		ok = publicCheck(dsaring.UnpackEta(&w.z[i], from.s1[i*size:], p.eta)) && ok
	}
	for i := range sk.s2 {
		ok = publicCheck(dsaring.UnpackEta(&w.t[i], from.s2[i*size:], p.eta)) && ok
	}
	if !ok {
		return "s1 or s2 has a coefficient out of range"
	}
	same := 1
	w.expandKey(sk, nil, func(i int) {
		var packed [dsaring.SizeT0]byte
		dsaring.PackT0(packed[:], &sk.t0[i])
		same &= subtle.ConstantTimeCompare(packed[:], from.t0[i*dsaring.SizeT0:][:dsaring.SizeT0])
		clear(packed[:])
	})
	if !publicCheck(same == 1) {
		return "t0 is not that of s1 and s2"
	}
	publicEncoded(sk.pk.encoded)
	if subtle.ConstantTimeCompare(w.ride.digest[:], from.tr) != 1 {
		return "tr is not the hash of the public key"
	}
	sk.pk.setTR(&w.ride.digest)
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
	if sk.isCompact() {
		return bytes.Clone(sk.expanded)
	}
	p := sk.pk.p
	b := make([]byte, p.expandedKeySize())
	to := p.expandedParts(b)
	copy(to.rho, sk.pk.rho())
	copy(to.key, sk.key[:])
	copy(to.tr, sk.pk.tr[:])
	// The products with 1 are the polynomials themselves.
	w := newScratch()
	w.begin(p)
	w.c = dsaring.Poly{1}
	dsaring.Narrow((*[dsaring.N]int16)(&w.smallC[0]), &w.c)
	kemring.NTTTwist(w.smallC[:], w.smallTwist[:])
	dsaring.NTT(&w.c)
	size := dsaring.SizeEta(p.eta)
	s := &w.w0[0]
	for i := range sk.s1 {
		*s = dsaring.Poly{}
		dsaring.AddSmall(s, w.smallProduct(sk.s1[i:]))
		dsaring.PackEta(to.s1[i*size:], s, p.eta)
	}
	for i := range sk.s2 {
		*s = dsaring.Poly{}
		dsaring.AddSmall(s, w.smallProduct(sk.s2[i:]))
		dsaring.PackEta(to.s2[i*size:], s, p.eta)
	}
	for i := range sk.t0 {
		w.product(&sk.t0[i])
		dsaring.PackT0(to.t0[i*dsaring.SizeT0:], &w.acc)
	}
	w.release(p)
	return b
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
	if sk.seeded && other.seeded {
		return subtle.ConstantTimeCompare(sk.seed[:], other.seed[:]) == 1
	}
	b := other.ExpandedBytes()
	defer clear(b)
	return sk.expandsTo(b)
}

// expandsTo reports whether b is the expanded form of sk.
func (sk *PrivateKey) expandsTo(b []byte) bool {
	expanded := sk.ExpandedBytes()
	defer clear(expanded)
	return subtle.ConstantTimeCompare(expanded, b) == 1
}

// Destroy zeroes the secrets in sk, as far as Go lets a program do so; later use returns
// [ErrDestroyed]. The public key stays usable.
func (sk *PrivateKey) Destroy() {
	if sk == nil {
		return
	}
	clear(sk.seed[:])
	clear(sk.key[:])
	sk.wipeVectors()
	sk.state, sk.seeded = destroyed, false
}

func (sk *PrivateKey) wipeVectors() {
	clear(sk.expanded)
	clear(sk.s1)
	clear(sk.s2)
	clear(sk.t0)
}
