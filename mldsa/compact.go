package mldsa

import (
	"bytes"
	"sync"

	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/internal/kemring"
)

// Compact reduces sk to its encodings, about 4, 6 and 8 KB for ML-DSA-44, 65 and 87, and wipes
// the rest. It signs as before and allocates no more, but expands itself for each signature, in
// pooled memory that is wiped afterwards, so that a signature takes 1.3 to 1.8 times as long on
// average. It is for processes that hold many keys, each of which seldom signs.
//
// Generate makes it a full key again. Like Generate, Compact excludes all other use of sk and
// of its public key. Errors match [ErrNoKey] or [ErrDestroyed].
func (sk *PrivateKey) Compact() error {
	if err := sk.check("PrivateKey.Compact"); err != nil {
		return err
	}
	if sk.isCompact() {
		return nil
	}
	expanded := sk.ExpandedBytes()
	sk.wipeVectors()
	sk.a, sk.s1, sk.s2, sk.t0 = nil, nil, nil, nil
	// The public key's encoding is in one block with what is dropped.
	sk.pk.encoded, sk.expanded = bytes.Clone(sk.pk.encoded), expanded
	return nil
}

func (sk *PrivateKey) isCompact() bool { return sk.a == nil }

// A borrowedKey is a full key of the memory beside it, made of a compact key for one signature.
type borrowedKey struct {
	a   [maxK * maxL]dsaring.Poly
	t0  [maxK]dsaring.Poly
	s1  [maxL]kemring.Poly
	s2  [maxK]kemring.Poly
	key PrivateKey
}

var borrowedKeys = sync.Pool{New: func() any { return new(borrowedKey) }}

// borrowFull expands sk, which is compact. Its encoding was made or checked here, and is
// not checked again.
func borrowFull(sk *PrivateKey) *borrowedKey {
	p := sk.pk.p
	x := borrowedKeys.Get().(*borrowedKey)
	full := &x.key
	from := p.expandedParts(sk.expanded)
	full.pk.p, full.pk.tr, full.key = p, sk.pk.tr, sk.key
	full.a, full.s1, full.s2, full.t0 = x.a[:p.k*p.l], x.s1[:p.l], x.s2[:p.k], x.t0[:p.k]

	w := newScratch()
	w.begin(p)
	w.expand(p, &expansion{a: full.a, rows: p.k, rho: from.rho, rowDone: func(int) {}})
	size := dsaring.SizeEta(p.eta)
	for i := range full.s1 {
		dsaring.UnpackEta(&w.acc, from.s1[i*size:], p.eta)
		smallTransform(&full.s1[i], &w.acc)
	}
	for i := range full.s2 {
		dsaring.UnpackEta(&w.acc, from.s2[i*size:], p.eta)
		smallTransform(&full.s2[i], &w.acc)
		dsaring.UnpackT0(&full.t0[i], from.t0[i*dsaring.SizeT0:])
		dsaring.NTT(&full.t0[i])
	}
	w.release(p)
	return x
}

// release wipes x and returns it to the pool. It keeps Â and tr, which are public.
func (x *borrowedKey) release() {
	full := &x.key
	clear(full.s1)
	clear(full.s2)
	clear(full.t0)
	clear(full.key[:])
	full.a, full.s1, full.s2, full.t0 = nil, nil, nil, nil
	borrowedKeys.Put(x)
}
