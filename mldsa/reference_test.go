package mldsa

import (
	"bytes"
	"crypto/sha3"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/mldsa/internal/hook"
)

// A reference signs as FIPS 204, Algorithm 7, is written: one attempt after the other, with
// all four conditions computed, hints by the definition of MakeHint, and the standard
// library's SHAKE. It shares with the package the ring alone.
type reference struct {
	p                 *params
	key, tr           []byte
	a                 [][]dsaring.Poly // Â
	s1Hat, s2Hat, t0H []dsaring.Poly
}

func shake256(n int, parts ...[]byte) []byte {
	h := sha3.NewSHAKE256()
	for _, part := range parts {
		h.Write(part)
	}
	out := make([]byte, n)
	h.Read(out)
	return out
}

// newReference returns the reference for an expanded private key.
func newReference(p *params, sk []byte) *reference {
	next := func(n int) (part []byte) {
		part, sk = sk[:n], sk[n:]
		return part
	}
	rho := next(32)
	r := &reference{p: p, key: next(32), tr: next(64), a: make([][]dsaring.Poly, p.k)}
	vector := func(n, size int, unpack func(*dsaring.Poly, []byte)) []dsaring.Poly {
		v := make([]dsaring.Poly, n)
		for i := range v {
			unpack(&v[i], next(size))
			dsaring.NTT(&v[i])
		}
		return v
	}
	eta := func(s *dsaring.Poly, b []byte) { dsaring.UnpackEta(s, b, p.eta) }
	r.s1Hat = vector(p.l, dsaring.SizeEta(p.eta), eta)
	r.s2Hat = vector(p.k, dsaring.SizeEta(p.eta), eta)
	r.t0H = vector(p.k, dsaring.SizeT0, dsaring.UnpackT0)
	for i := range r.a {
		r.a[i] = make([]dsaring.Poly, p.l)
		for j := range r.a[i] {
			r.a[i][j] = rejNTTPoly(rho, byte(j), byte(i))
		}
	}
	return r
}

// rejNTTPoly is Algorithm 30.
func rejNTTPoly(rho []byte, s, r byte) (p dsaring.Poly) {
	h := sha3.NewSHAKE128()
	h.Write(append(bytes.Clone(rho), s, r))
	var b [3]byte
	for n := 0; n < len(p); {
		h.Read(b[:])
		if x := int32(b[0]) | int32(b[1])<<8 | int32(b[2]&0x7f)<<16; x < dsaring.Q {
			p[n] = x
			n++
		}
	}
	return p
}

// sampleInBall is Algorithm 29.
func sampleInBall(seed []byte, tau int) (c dsaring.Poly) {
	h := sha3.NewSHAKE256()
	h.Write(seed)
	var signs [8]byte
	h.Read(signs[:])
	var j [1]byte
	for i := 256 - tau; i < 256; i++ {
		for h.Read(j[:]); int(j[0]) > i; {
			h.Read(j[:])
		}
		bit := i + tau - 256
		c[i] = c[j[0]]
		c[j[0]] = 1 - 2*int32(signs[bit/8]>>(bit%8)&1)
	}
	return c
}

// rejBoundedPoly is Algorithm 31. It returns the number of blocks that it has read, too.
func rejBoundedPoly(rho []byte, nonce int, eta int32) (p dsaring.Poly, blocks int) {
	h := sha3.NewSHAKE256()
	h.Write(append(bytes.Clone(rho), byte(nonce), byte(nonce>>8)))
	var block [dsaring.RateH]byte
	for n := 0; n < len(p); {
		h.Read(block[:])
		blocks++
		for _, b := range block {
			for _, half := range []int32{int32(b & 15), int32(b >> 4)} {
				limit := int32(15)
				if eta == 4 {
					limit = 9
				}
				if half < limit && n < len(p) {
					p[n] = eta - half%(2*eta+1)
					n++
				}
			}
		}
	}
	return p, blocks
}

// keyGen is Algorithm 6, with the most blocks that a polynomial of s₁ and s₂ has read.
func keyGen(p *params, seed []byte) (public, expanded []byte, blocks int) {
	h := shake256(128, seed, []byte{byte(p.k), byte(p.l)})
	rho, rhoPrime, key := h[:32], h[32:96], h[96:]
	s := make([]dsaring.Poly, p.l+p.k)
	var packed []byte
	for i := range s {
		var n int
		s[i], n = rejBoundedPoly(rhoPrime, i, p.eta)
		blocks = max(blocks, n)
		row := make([]byte, dsaring.SizeEta(p.eta))
		dsaring.PackEta(row, &s[i], p.eta)
		packed = append(packed, row...)
	}
	s1, s2 := s[:p.l], s[p.l:]
	for i := range s1 {
		dsaring.NTT(&s1[i])
	}
	public = bytes.Clone(rho)
	for i := range p.k {
		row := make([]dsaring.Poly, p.l)
		for j := range row {
			row[j] = rejNTTPoly(rho, byte(j), byte(i))
		}
		var t dsaring.Poly
		dsaring.Dot(&t, row, s1)
		dsaring.InverseNTT(&t)
		dsaring.Add(&t, &s2[i])
		dsaring.Reduce(&t)
		var t1, t0 dsaring.Poly
		dsaring.Power2Round(&t1, &t0, &t)
		high, low := make([]byte, dsaring.SizeT1), make([]byte, dsaring.SizeT0)
		dsaring.PackT1(high, &t1)
		dsaring.PackT0(low, &t0)
		public = append(public, high...)
		packed = append(packed, low...)
	}
	return public, bytes.Join([][]byte{rho, key, shake256(64, public), packed}, nil), blocks
}

func TestKeyGenerationIsTheStandards(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		for range rounds(t, 60) {
			sk := generate(t, p)
			public, expanded, _ := keyGen(p.params, sk.Bytes())
			require.Equal(t, public, sk.PublicKey().Bytes(), "seed %x", sk.seed)
			require.Equal(t, expanded, sk.ExpandedBytes(), "seed %x", sk.seed)
		}
	})
}

// TestThirdBlockOfExpandS takes a seed with a polynomial of η = 4 that two blocks are not
// enough for: one key in some ten thousands. For η = 2 there is none to be found.
func TestThirdBlockOfExpandS(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for _, number := range []uint32{20843, 49039} {
			seed := make([]byte, PrivateKeySize)
			binary.BigEndian.PutUint32(seed, number)
			public, expanded, blocks := keyGen(&params65, seed)
			require.Equal(t, 3, blocks)
			sk, err := NewPrivateKey(MLDSA65(), seed)
			require.NoError(t, err)
			require.Equal(t, public, sk.PublicKey().Bytes())
			require.Equal(t, expanded, sk.ExpandedBytes())
		}
	})
}

// An attempt has the values that decide on one pass of the loop.
type attempt struct{ z, r0, ct0, weight int }

func (a attempt) accepted(p *params) bool {
	return a.z < int(p.gamma1-p.beta) && a.r0 < int(p.gamma2-p.beta) && a.ct0 < int(p.gamma2) && a.weight <= p.omega
}

func norm(v []dsaring.Poly) int {
	var n int32
	for i := range v {
		for _, c := range v[i] {
			n = max(n, c, -c)
		}
	}
	return int(n)
}

// sign returns the signature of μ, or nil after n attempts, and the attempts.
func (r *reference) sign(mu, rnd []byte, n int) (signature []byte, attempts []attempt) {
	p := r.p
	rho := shake256(64, r.key, rnd, mu)
	for i := range n {
		signature, a := r.attempt(mu, rho, i*p.l)
		attempts = append(attempts, a)
		if a.accepted(p) {
			return signature, attempts
		}
	}
	return nil, attempts
}

func (r *reference) attempt(mu, rho []byte, kappa int) (signature []byte, a attempt) {
	p := r.p
	size := dsaring.SizeZ(p.gamma1)
	y, yHat := make([]dsaring.Poly, p.l), make([]dsaring.Poly, p.l)
	for i := range y {
		nonce := kappa + i
		dsaring.UnpackZ(&y[i], shake256(size, rho, []byte{byte(nonce), byte(nonce >> 8)}), p.gamma1)
		yHat[i] = y[i]
		dsaring.NTT(&yHat[i])
	}
	w, w1 := make([]dsaring.Poly, p.k), make([]dsaring.Poly, p.k)
	var packed []byte
	for i := range w {
		dsaring.Dot(&w[i], r.a[i], yHat)
		dsaring.InverseNTT(&w[i])
		var low dsaring.Poly
		dsaring.Decompose(&w1[i], &low, &w[i], p.gamma2)
		row := make([]byte, dsaring.SizeW1(p.gamma2))
		dsaring.PackW1(row, &w1[i], p.gamma2)
		packed = append(packed, row...)
	}
	signature = shake256(p.challengeSize, mu, packed)
	c := sampleInBall(signature, p.tau)
	dsaring.NTT(&c)
	times := func(v []dsaring.Poly) []dsaring.Poly {
		product := make([]dsaring.Poly, len(v))
		for i := range v {
			dsaring.Mul(&product[i], &c, &v[i])
			dsaring.InverseNTT(&product[i])
			dsaring.Centre(&product[i])
		}
		return product
	}
	z, cs2, ct0 := times(r.s1Hat), times(r.s2Hat), times(r.t0H)
	for i := range z {
		dsaring.Add(&z[i], &y[i])
	}
	r0 := make([]dsaring.Poly, p.k)
	hints := make([]dsaring.Hint, p.k)
	for i := range w {
		// MakeHint(−ct₀, w − cs₂ + ct₀): whether HighBits of w − cs₂ + ct₀ and of w − cs₂ differ.
		var without, with, high, low dsaring.Poly
		without = w[i]
		dsaring.Sub(&without, &cs2[i])
		dsaring.Reduce(&without)
		with = without
		dsaring.Add(&with, &ct0[i])
		dsaring.Reduce(&with)
		dsaring.Decompose(&without, &r0[i], &without, p.gamma2)
		dsaring.Decompose(&high, &low, &with, p.gamma2)
		for j := range high {
			if high[j] != without[j] {
				hints[i][j/64] |= 1 << (j % 64)
				a.weight++
			}
		}
	}
	a.z, a.r0, a.ct0 = norm(z), norm(r0), norm(ct0)
	if !a.accepted(p) {
		return nil, a
	}
	for i := range z {
		part := make([]byte, size)
		dsaring.PackZ(part, &z[i], p.gamma1)
		signature = append(signature, part...)
	}
	part := make([]byte, p.omega+p.k)
	packHints(part, hints, p.omega)
	return append(signature, part...), a
}

// pair is a key and the reference for it, of the same parameters, which need not be a set
// of the standard.
func pair(t *testing.T, p *params) (*PrivateKey, *reference) {
	t.Helper()
	sk := generate(t, Parameters{p})
	return sk, newReference(p, sk.ExpandedBytes())
}

// requireSameSignature signs a random μ with both, hedged with chosen randomness.
func requireSameSignature(t *testing.T, sk *PrivateKey, r *reference) (mu [MuSize]byte, signature []byte, attempts []attempt) {
	t.Helper()
	mu = [MuSize]byte(random(MuSize))
	rnd := [32]byte(random(32))
	want, attempts := r.sign(mu[:], rnd[:], maxAttempts)
	got, err := hook.Sign(sk, &mu, &rnd)
	if want == nil {
		require.ErrorIs(t, err, ErrAttempts)
		return mu, nil, attempts
	}
	require.NoError(t, err)
	require.Equal(t, want, got, "%s seed %x μ %x rnd %x, %d attempts", r.p.name, sk.seed, mu, rnd, len(attempts))
	return mu, got, attempts
}
