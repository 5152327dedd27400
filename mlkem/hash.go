package mlkem

import (
	"sync/atomic"

	"github.com/pqlane/pqlane/internal/keccak"
)

// A keyHash is H(ek) of a key, or the beginning of it. Key generation can hash only what it has
// of the encapsulation key, and all other lanes are idle when it has the last: so it leaves the
// rest to the first operation that needs the hash. That is decapsulation, as a rule, in which it
// can ride beside J(z ‖ c).
type keyHash struct {
	phase  uint32     // atomic: known, pending or publishing
	next   int        // offset of what state has not absorbed, if not known
	state  [25]uint64 // SHA3-256 in progress, if not known; never changes while the key is in use
	digest [32]byte   // if known
}

const (
	known = iota
	pending
	publishing // some goroutine writes digest
)

// leave sets h to the hash that c has begun, of a message of size bytes.
func (w *scratch) leave(h *keyHash, c *chain, size int) {
	*h = keyHash{phase: pending, next: size - len(c.rest)}
	if h.next > 0 {
		w.state.GetLane(c.lane, &h.state)
	}
}

// keyHash returns H(ek), beside c if it has to be computed. It may be called by many at once.
func (w *scratch) keyHash(pk *publicKey, c *chain) *[32]byte {
	h := pk.h
	if atomic.LoadUint32(&h.phase) == known {
		return &h.digest
	}
	ek := pk.appendBytes(w.ciphertext[:0])
	own := &w.lateHash
	own.hash(keccak.DomainSHA3, ek[h.next:])
	own.lane, own.begin = chainLane+1, &h.state
	// Without AVX-512 two lanes together cost what they cost one after the other.
	if c != nil && keccak.Wide() {
		for own.rest != nil {
			own.feed(&w.state)
			w.permute(1<<own.lane, c)
			own.take(&w.state)
		}
	} else {
		own.finish(&w.state)
	}
	clear(ek)
	if atomic.CompareAndSwapUint32(&h.phase, pending, publishing) {
		h.digest = own.digest
		atomic.StoreUint32(&h.phase, known)
	}
	return &own.digest
}
