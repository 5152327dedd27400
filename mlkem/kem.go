package mlkem

import (
	"encoding/binary"
	"sync"

	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
)

// A publicKey is what encapsulation needs of a key, as views of the key's arrays.
type publicKey struct {
	*params
	a   []kemring.Poly // Â, row by row: Â[i, j] is a[k·i+j]
	t   []kemring.Poly // t̂, in [0, q)
	rho *[32]byte      // ρ
	h   *keyHash       // H(ek)
}

// A secretKey is what decapsulation needs of a key, likewise.
type secretKey struct {
	publicKey
	s []kemring.Poly // ŝ, in [0, q)
	z *[32]byte
}

// scratch is the working memory of one operation. It lives in a pool, not on the
// stack: a proxy runs a handshake on a fresh goroutine, whose stack would have to
// grow, and growing copies secrets. Its arrays start on cache lines, since a vector that
// straddles two costs two accesses; for that, the first field makes a line of the word that
// the runtime puts before memory with pointers.
type scratch struct {
	_     [64 - 8]byte
	polys [2 + 3*maxK + 1]kemring.Poly // of which begin makes acc to noise

	message    [32 + maxCiphertextSize]byte // what the hash in a lane absorbs: ek, or z ‖ c
	ciphertext [maxCiphertextSize + 32]byte // rounded up to whole cache lines

	wide  keccak.State8
	state keccak.State4
	prf   [keccak.Lanes][192]byte // noise streams with η = 3

	sampled  int   // noise polynomials that sampleMatrix has made
	hash     chain // H(ek) or J(z ‖ c)
	lateHash chain // H(ek) beside J(z ‖ c)

	acc, mu *kemring.Poly
	twisted []kemring.Poly // of ŝ, ŷ or û
	noise   noise
	used    []kemring.Poly // what wipe has to clear of polys

	key secretKey // the key of the operation; here, so that the view is not on the stack

	seed [64]byte // input of G
	g    [64]byte // output of G: ρ ‖ σ, or K ‖ r
	m    [32]byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// release returns w, which its operation has wiped, to the pool.
func (w *scratch) release() {
	w.key = secretKey{}
	scratches.Put(w)
}

// begin prepares w for an operation with parameters p. Polynomials stand together, so that
// one clear wipes them.
func (w *scratch) begin(p *params) {
	w.acc, w.mu = &w.polys[0], &w.polys[1]
	w.twisted = w.polys[2:][:p.k]
	w.noise = noise{w.polys[2+p.k:][:p.k], w.polys[2+2*p.k:][:p.k+1]}
	w.used = w.polys[:2+3*p.k+1]
}

// wipe zeroes what an operation with parameters p leaves of secrets: all but the message
// and the ciphertext, which are secret in decapsulation alone.
func (w *scratch) wipe(p *params) {
	clear(w.used)
	if p.eta1 == 3 {
		clear(w.prf[:])
	}
	w.acc, w.mu, w.twisted, w.noise, w.used = nil, nil, nil, noise{}, nil
	clear(w.seed[:])
	clear(w.g[:])
	clear(w.m[:])
	clear(w.state[:])
	w.sampled, w.hash, w.lateHash = 0, chain{}, chain{}
}

// keyGen is FIPS 203, Algorithm 16 (ML-KEM.KeyGen_internal), with Algorithm 13
// (K-PKE.KeyGen) inside: it fills sk from the seed d; z is the caller's matter. H(ek)
// is begun beside the last polynomials of Â, and the rest of it left for later. It gets a
// lane when the noise is done with it, and two rows of ek are there for its first blocks.
func (w *scratch) keyGen(sk *secretKey, d *[32]byte) {
	k := sk.k
	w.begin(sk.params)
	copy(w.seed[:], d[:])
	w.hashG(32, uint64(k)|keccak.DomainSHA3<<8, nil)
	copy(sk.rho[:], w.g[:32])
	publicRho(sk.rho)

	s, e := sk.s, w.noise.first
	w.noise, w.used = noise{s, e}, w.polys[2:2+2*k]
	if sk.eta1 == 3 {
		w.sampleNoise(2*k, nil)
	}
	ek := w.message[:sk.encapsulationKeySize()]
	copy(ek[k*kemring.EncodedSize12:], sk.rho[:])
	w.hash.hash(keccak.DomainSHA3, ek)

	transformed, row := 0, 0
	for next := 0; next < k*k; {
		n := sk.together(next, false)
		w.sampleMatrix(&sk.publicKey, next, n, &w.hash)
		next += n
		if ready := min(w.sampled, k); transformed < ready {
			kemring.NTTTwist(s[transformed:ready], w.twisted[transformed:ready])
			transformed = ready
		}
		if transformed < w.sampled {
			kemring.NTTVector(e[transformed-k : w.sampled-k])
			transformed = w.sampled
		}
		// t̂ = Â∘ŝ + ê, a row as soon as its inputs are there.
		for ; row < k && next >= (row+1)*k && transformed > k+row; row++ {
			t := &sk.t[row]
			kemring.Dot(t, sk.a[row*k:], 1, s, w.twisted)
			kemring.AddMontgomery(t, &e[row])
			encoded := ek[row*kemring.EncodedSize12:][:kemring.EncodedSize12]
			kemring.Encode12(encoded, t)
			publicEncoded(encoded)
		}
	}
	for i := range s {
		kemring.Reduce(&s[i])
	}
	w.leave(sk.h, &w.hash, len(ek))
	w.wipe(sk.params)
}

// parse sets pk to the encapsulation key ek, with the modulus check of FIPS 203,
// Section 7.2, whose failure it reports by returning false. H(ek) rides beside Â.
// Nothing here is secret, and only the lanes are used.
func (w *scratch) parse(pk *publicKey, ek []byte) bool {
	k := pk.k
	message := w.message[:len(ek)]
	copy(message, ek)
	ok := true
	for i := range pk.t {
		ok = kemring.Decode12(&pk.t[i], message[i*kemring.EncodedSize12:]) && ok
	}
	if !ok {
		return false
	}
	copy(pk.rho[:], message[k*kemring.EncodedSize12:])

	w.hash.hash(keccak.DomainSHA3, message)
	for next := 0; next < k*k; {
		n := pk.together(next, true)
		w.sampleMatrix(pk, next, n, &w.hash)
		next += n
	}
	w.hash.finish(&w.state)
	*pk.h = keyHash{digest: w.hash.digest}
	clear(w.state[:])
	w.hash = chain{}
	return true
}

// encapsulate is FIPS 203, Algorithm 17 (ML-KEM.Encaps_internal), of the message in
// w.m.
func (w *scratch) encapsulate(pk *publicKey, sharedKey *[SharedKeySize]byte, ciphertext []byte) {
	w.begin(pk.params)
	copy(w.seed[:32], w.m[:])
	copy(w.seed[32:], w.keyHash(pk, nil)[:])
	w.hashG(64, keccak.DomainSHA3, nil)
	w.sampleNoise(pk.etaThrees(), nil)
	w.encrypt(pk, ciphertext)
	copy(sharedKey[:], w.g[:32])
	w.wipe(pk.params)
}

// encrypt is the rest of FIPS 203, Algorithm 14 (K-PKE.Encrypt), of the message in w.m,
// once y, e₁ and e₂ are in w.noise.
func (w *scratch) encrypt(pk *publicKey, ciphertext []byte) {
	k := pk.k
	y, e1, e2 := w.noise.first, w.noise.rest[:k], &w.noise.rest[k]
	kemring.NTTTwist(y, w.twisted)
	for i := range e1 {
		// u = NTT⁻¹(Âᵀ∘ŷ) + e₁: column i of Â.
		kemring.MulAdd(w.acc, &e1[i], pk.a[i:], k, y, w.twisted)
		kemring.Compress(ciphertext, w.acc, pk.du)
		ciphertext = ciphertext[pk.ciphertextPolySize():]
	}
	// v = NTT⁻¹(t̂ᵀ∘ŷ) + e₂ + μ
	kemring.Decompress(w.mu, w.m[:], 1)
	kemring.Add(w.mu, e2)
	kemring.MulAdd(w.acc, w.mu, pk.t, 1, y, w.twisted)
	kemring.Compress(ciphertext, w.acc, pk.dv)
}

// decrypt is FIPS 203, Algorithm 15 (K-PKE.Decrypt): it leaves the message in w.m.
func (w *scratch) decrypt(sk *secretKey, ciphertext []byte) {
	u := w.noise.first
	for i := range u {
		kemring.Decompress(&u[i], ciphertext, sk.du)
		ciphertext = ciphertext[sk.ciphertextPolySize():]
	}
	kemring.NTTTwist(u, w.twisted)
	kemring.Dot(w.acc, sk.s, 1, u, w.twisted)
	kemring.InverseNTT(w.acc)
	kemring.Decompress(w.mu, ciphertext, sk.dv)
	kemring.Sub(w.mu, w.acc)
	kemring.Compress(w.m[:], w.mu, 1)
}

// decapsulate is FIPS 203, Algorithm 18 (ML-KEM.Decaps_internal). J(z ‖ c) needs
// nothing but its input and is the longest chain of permutations, so it starts first,
// and G and the noise ride in the other lanes.
func (w *scratch) decapsulate(sk *secretKey, sharedKey *[SharedKeySize]byte, ciphertext []byte) {
	w.begin(sk.params)
	message := w.message[:32+len(ciphertext)]
	copy(message, sk.z[:])
	copy(message[32:], ciphertext)
	ciphertext = message[32:]

	w.decrypt(sk, ciphertext)
	w.hash.hash(keccak.DomainSHAKE, message)
	copy(w.seed[:32], w.m[:])
	copy(w.seed[32:], w.keyHash(&sk.publicKey, &w.hash)[:])
	w.hashG(64, keccak.DomainSHA3, &w.hash)
	w.sampleNoise(sk.etaThrees(), &w.hash)
	w.hash.finish(&w.state)

	again := w.ciphertext[:len(ciphertext)]
	w.encrypt(&sk.publicKey, again)
	copy(sharedKey[:], w.g[:32])
	replaceIfDifferent(sharedKey, &w.hash.digest, ciphertext, again)
	clear(message)
	clear(again)
	w.wipe(sk.params)
}

// replaceIfDifferent copies implicit to sharedKey unless c and again, of equal length,
// are the same. All of both is read, and nothing branches on the outcome.
func replaceIfDifferent(sharedKey, implicit *[SharedKeySize]byte, c, again []byte) {
	different := kemring.Difference(c, again)
	mask := -((different | -different) >> 63) // all ones if different is not 0
	for i := 0; i < len(sharedKey); i += 8 {
		k := binary.LittleEndian.Uint64(sharedKey[i:])
		k ^= mask & (k ^ binary.LittleEndian.Uint64(implicit[i:]))
		binary.LittleEndian.PutUint64(sharedKey[i:], k)
	}
}
