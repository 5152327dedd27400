package suite

import (
	"fmt"
	"math/rand/v2"

	"github.com/pqlane/pqlane/bench/internal/measure"
	pqlane "github.com/pqlane/pqlane/mldsa"
)

// Signing takes a number of attempts that depends on key and message. SignedMessages is a
// fixed set that all implementations sign, deterministically, so that they make the same
// attempts; "sign 32" is all of them in one call, and "sign" single calls, whose
// distribution is the point.
const SignedMessages = 32

// signatureInputs is what the calls of a parameter set start from.
type signatureInputs struct {
	seeds      [EncodedKeys][]byte
	publicKeys [ParsedKeys][]byte
	messages   [SignedMessages][]byte
	signatures [ParsedKeys][]byte // of message i by key i
}

// signer is what bench needs of an implementation of a parameter set.
type signer struct {
	name        string
	baseline    bool
	generate    func() error
	inPlace     func() func() error // nil if there is none
	key         func(seed []byte) (sign func(message []byte) ([]byte, error), public []byte, err error)
	verifyCold  func(public, message, signature []byte) error
	parse       func(public []byte) (verify func(message, signature []byte) error, err error)
	precomputed func(public []byte) (verify func(message, signature []byte) error, err error) // nil if there is none
}

var signatureOperations = [][]string{
	{"keygen", "keygen in place"},
	{"sign 32"},
	{"sign"},
	{"parse+verify"},
	{"verify", "verify precomputed"},
}

func mldsaComparisons(p pqlane.Parameters, backends []string) ([]measure.Comparison, error) {
	in, err := newSignatureInputs(p)
	if err != nil {
		return nil, err
	}
	type contestant struct {
		signer
		backend string
		calls   Calls
	}
	var contestants []contestant
	for _, level := range backends {
		s := ownSigner(p)
		calls, err := onBackend(level, func() (Calls, error) { return s.calls(in) })
		if err != nil {
			return nil, err
		}
		contestants = append(contestants, contestant{s, level, calls})
	}
	if s, ok := standardSigner(p); ok {
		calls, err := s.calls(in)
		if err != nil {
			return nil, err
		}
		contestants = append(contestants, contestant{s, "", calls})
	}
	var out []measure.Comparison
	for _, ops := range signatureOperations {
		c := measure.Comparison{Group: p.String()}
		for _, op := range ops {
			for _, x := range contestants {
				call, ok := x.calls[op]
				if !ok {
					continue
				}
				mode := measure.Batched
				if op == "sign" {
					mode = measure.Single
				}
				c.Contestants = append(c.Contestants, measure.Contestant{
					Op: op, Impl: x.name, Backend: x.backend, Baseline: x.baseline, Mode: mode, Call: call,
				})
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// calls prepares the operations.
func (s signer) calls(in *signatureInputs) (Calls, error) {
	sign, _, err := s.key(in.seeds[0])
	if err != nil {
		return nil, err
	}
	var verify, precomputed [ParsedKeys]func(message, signature []byte) error
	for i := range verify {
		if verify[i], err = s.parse(in.publicKeys[i]); err != nil {
			return nil, err
		}
		if s.precomputed != nil {
			if precomputed[i], err = s.precomputed(in.publicKeys[i]); err != nil {
				return nil, err
			}
		}
	}
	calls := Calls{
		"keygen": func(int) error { return s.generate() },
		"sign 32": func(int) error {
			for _, m := range in.messages {
				if _, err := sign(m); err != nil {
					return err
				}
			}
			return nil
		},
		"sign": func(i int) error {
			_, err := sign(in.messages[i%SignedMessages])
			return err
		},
		"parse+verify": func(i int) error {
			i %= ParsedKeys
			return s.verifyCold(in.publicKeys[i], in.messages[i], in.signatures[i])
		},
		"verify": func(i int) error {
			i %= ParsedKeys
			return verify[i](in.messages[i], in.signatures[i])
		},
	}
	if s.inPlace != nil {
		f := s.inPlace()
		calls["keygen in place"] = func(int) error { return f() }
	}
	if s.precomputed != nil {
		calls["verify precomputed"] = func(i int) error {
			i %= ParsedKeys
			return precomputed[i](in.messages[i], in.signatures[i])
		}
	}
	return calls, nil
}

func ownSigner(p pqlane.Parameters) signer {
	return signer{
		name:     "pqlane",
		generate: func() error { _, err := pqlane.GenerateKey(p); return err },
		inPlace: func() func() error {
			sk := new(pqlane.PrivateKey)
			return func() error { return sk.Generate(p) }
		},
		key: func(seed []byte) (func([]byte) ([]byte, error), []byte, error) {
			sk, err := pqlane.NewPrivateKey(p, seed)
			if err != nil {
				return nil, nil, err
			}
			return func(m []byte) ([]byte, error) { return sk.SignDeterministic(m, nil) }, sk.PublicKey().Bytes(), nil
		},
		verifyCold: func(public, message, signature []byte) error {
			pk, err := pqlane.NewPublicKey(p, public)
			if err != nil {
				return err
			}
			return pqlane.Verify(pk, message, signature, nil)
		},
		parse: func(public []byte) (func(message, signature []byte) error, error) {
			pk, err := pqlane.NewPublicKey(p, public)
			return func(message, signature []byte) error { return pqlane.Verify(pk, message, signature, nil) }, err
		},
		precomputed: func(public []byte) (func(message, signature []byte) error, error) {
			pk, err := pqlane.NewPublicKey(p, public)
			if err != nil {
				return nil, err
			}
			v := pk.Precompute()
			return func(message, signature []byte) error { return v.Verify(message, signature, nil) }, nil
		},
	}
}

func newSignatureInputs(p pqlane.Parameters) (*signatureInputs, error) {
	in := new(signatureInputs)
	random := rand.NewChaCha8([32]byte{1})
	for i := range in.seeds {
		in.seeds[i] = make([]byte, pqlane.PrivateKeySize)
		random.Read(in.seeds[i])
	}
	for i := range in.messages {
		in.messages[i] = fmt.Appendf(nil, "message %d of the bench", i)
	}
	for i := range in.publicKeys {
		sk, err := pqlane.NewPrivateKey(p, in.seeds[i])
		if err != nil {
			return nil, err
		}
		in.publicKeys[i] = sk.PublicKey().Bytes()
		if in.signatures[i], err = sk.SignDeterministic(in.messages[i], nil); err != nil {
			return nil, err
		}
	}
	return in, nil
}
