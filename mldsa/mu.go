package mldsa

import (
	"crypto"
	"reflect"

	"github.com/pqlane/pqlane/internal/keccak"
)

const maxContext = 255

// mldsaMu is crypto.MLDSAMu, which Go 1.26 does not have.
const mldsaMu = crypto.Hash(20)

// contextOf returns the context in opts, which may be nil.
func contextOf(op string, opts *Options) (string, error) {
	if opts == nil {
		return "", nil
	}
	return checkContext(op, opts.Context)
}

func checkContext(op, context string) (string, error) {
	if len(context) > maxContext {
		return "", newError(ErrContext, "%s: context of %d bytes, want %d at most", op, len(context), maxContext)
	}
	return context, nil
}

// signerOptions returns the context in opts, and whether it asks for the signature of μ.
func signerOptions(op string, opts crypto.SignerOpts) (context string, isMu bool, err error) {
	switch opts := opts.(type) {
	case nil:
		return "", false, nil
	case *Options:
		context, err = contextOf(op, opts)
		return context, false, err
	case crypto.Hash:
		if opts == 0 {
			return "", false, nil
		}
	default:
		if isNil(opts) {
			return "", false, newError(ErrOptions, "%s: options %T that are nil, want none, *Options or crypto.MLDSAMu", op, opts)
		}
	}
	if opts.HashFunc() == mldsaMu {
		return "", true, nil
	}
	return "", false, newError(ErrOptions, "%s: options %T with hash function %v, want none, *Options or crypto.MLDSAMu", op, opts, opts.HashFunc())
}

// isNil reports whether opts, of a type that is not known here, is a nil of that type, whose
// HashFunc cannot be relied on.
func isNil(opts crypto.SignerOpts) bool {
	switch v := reflect.ValueOf(opts); v.Kind() {
	case reflect.Chan, reflect.Func, reflect.Map, reflect.Pointer, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// A signedMessage is what is signed: M or its digest with what FIPS 204 puts before it, or μ.
type signedMessage struct {
	domain  byte // 0 for messages, 1 for digests
	context string
	oid     []byte // of a digest's hash function
	content []byte
	mu      *[MuSize]byte // if it is not nil, the rest is not used
}

// representative sets mu to μ = H(tr ‖ M′), where M′ = domain ‖ |ctx| ‖ ctx ‖ OID ‖ M (FIPS
// 204, Algorithms 2, 4 and 7).
func (m *signedMessage) representative(mu *[MuSize]byte, tr *[64]byte, s *keccak.Sponge) {
	if m.mu != nil {
		*mu = *m.mu
		return
	}
	m.write(tr, s)
	s.Read(mu[:])
}

// write makes s the sponge of μ.
func (m *signedMessage) write(tr *[64]byte, s *keccak.Sponge) {
	m.begin(tr, s)
	s.Write(m.content)
}

// begin writes what comes before the content.
func (m *signedMessage) begin(tr *[64]byte, s *keccak.Sponge) {
	s.Init(keccak.RateSHAKE256, keccak.DomainSHAKE)
	s.Write(tr[:])
	var b [2 + maxContext]byte
	b[0], b[1] = m.domain, byte(len(m.context))
	s.Write(b[:2+copy(b[2:], m.context)])
	s.Write(m.oid)
}

// A MuHash computes the message representative μ of a message that is written to it, of any
// length: a signer that holds the key can be elsewhere, and sign μ alone. It is not safe for
// concurrent use.
type MuHash struct {
	s     keccak.Sponge
	begun bool
}

// NewMu returns a MuHash for messages that the private key of pk signs with a context, of at
// most 255 bytes. Errors match [ErrContext] or [ErrNoKey].
func (pk *PublicKey) NewMu(context string) (*MuHash, error) {
	const op = "PublicKey.NewMu"
	if err := pk.check(op); err != nil {
		return nil, err
	}
	context, err := checkContext(op, context)
	if err != nil {
		return nil, err
	}
	h := new(MuHash)
	var tr [64]byte
	pk.hash(&tr, &h.s)
	m := signedMessage{context: context}
	m.begin(&tr, &h.s)
	h.begun = true
	return h, nil
}

// Write adds to the message. It fails, with [ErrNoKey], only if h is not from NewMu.
func (h *MuHash) Write(p []byte) (int, error) {
	if h == nil || !h.begun {
		return 0, unset.check("MuHash.Write")
	}
	return h.s.Write(p)
}

// Sum returns μ of what has been written so far; more can be written after. It panics if h is
// not from NewMu.
func (h *MuHash) Sum() (mu [MuSize]byte) {
	if h == nil || !h.begun {
		panic(unset.check("MuHash.Sum"))
	}
	s := h.s
	s.Read(mu[:])
	return mu
}
