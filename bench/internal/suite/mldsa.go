package suite

import (
	"fmt"
	"math/rand/v2"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/mldsa"
)

// Signing takes a number of attempts that depends on key and message. All implementations
// sign the same messages with the same keys, deterministically, and so make the same
// attempts: in "sign 32" the first messages with the first key in one call, in "sign" every
// message with every key in single calls, whose distribution is the point.
const (
	signedTogether = 32
	signedMessages = 64
	tailMessages   = 10_000
)

// keySeed is one with which the attempts of "sign" have about the mean, the median and the tail
// that they have over all keys and messages, and those of "sign 32" about the mean; a test
// counts them.
var keySeed = [32]byte{95}

var signatureSets = []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()}

// A Sign function signs a message or its representative μ.
type Sign func(message []byte) (signature []byte, err error)

// A Verify function returns an error if the signature is not one of the message.
type Verify func(message, signature []byte) error

// A Signer is a parameter set of ML-DSA in one implementation. Key and public key are made
// on the backend that they will be used on. Functions that the implementation lacks are nil.
type Signer struct {
	Generate    func() error
	NewInPlace  func() (generate func() error)
	NewKey      func(seed []byte) (SigningKey, error)
	VerifyCold  func(public, message, signature []byte) error
	ParsePublic func(public []byte) (VerifyingKey, error)
}

// A SigningKey is a private key. All but SignMuHedged sign without random bytes.
type SigningKey struct {
	Sign, SignCompact, SignMu, SignMuHedged Sign
}

// A VerifyingKey is a parsed public key. VerifyPrecomputed is with one that holds Â, which
// the others expand for each signature.
type VerifyingKey struct {
	Verify, VerifyMu, VerifyPrecomputed Verify
}

// signatureOperations are the operations of ML-DSA in the table's order.
var signatureOperations = [][]string{
	{"keygen", "keygen in place"},
	{"sign 32", "sign 32, compact"},
	{"sign 32, μ"},
	{"sign"},
	{"sign μ, hedged"},
	{"parse+verify"},
	{"verify", "verify μ", "verify precomputed"},
}

// freshSignatureSet and freshSignatureOperations are those of a handshake.
const freshSignatureSet = "ML-DSA-65"

var freshSignatureOperations = []string{"sign", "parse+verify"}

// signatureInputs is what the calls of a parameter set start from.
type signatureInputs struct {
	seeds      [ParsedKeys][]byte
	publicKeys [ParsedKeys][]byte
	messages   [signedMessages][]byte
	mus        [signedMessages][]byte // of the messages, for the first key
	signatures [ParsedKeys][]byte     // of message i by key i
}

// signatureContestant is an implementation of a parameter set on one backend.
type signatureContestant struct {
	impl    *Implementation
	backend string
	calls   Calls
}

// signatureContestants prepares with calls the implementations that have the set.
func signatureContestants(
	set string, implementations []Implementation, backends []string, calls func(Signer) (Calls, error),
) (out []signatureContestant, err error) {
	for i := range implementations {
		impl := &implementations[i]
		if impl.Signer == nil {
			continue
		}
		s, ok := impl.Signer(set)
		if !ok {
			continue
		}
		levels := []string{""}
		if impl.Backends {
			levels = backends
		}
		for _, level := range levels {
			c, err := onBackend(level, func() (Calls, error) { return calls(s) })
			if err != nil {
				return nil, fmt.Errorf("%s: %w", impl.Name, err)
			}
			out = append(out, signatureContestant{impl, level, c})
		}
	}
	return out, nil
}

// signatureRows returns those contestants that have an operation.
func signatureRows(set string, contestants []signatureContestant, op, suffix string, mode measure.Mode) (out []measure.Contestant) {
	for _, x := range contestants {
		if call, ok := x.calls[op]; ok {
			out = append(out, measure.Contestant{
				Op: op + suffix, Impl: x.impl.Name, Backend: x.backend,
				Baseline: x.impl.Baseline != nil && x.impl.Baseline(set), Mode: mode, Call: call,
			})
		}
	}
	return out
}

func mldsaComparisons(p mldsa.Parameters, implementations []Implementation, backends []string) ([]measure.Comparison, error) {
	in, err := newSignatureInputs(p)
	if err != nil {
		return nil, err
	}
	set := p.String()
	contestants, err := signatureContestants(set, implementations, backends, func(s Signer) (Calls, error) { return s.calls(in) })
	if err != nil {
		return nil, err
	}
	var out []measure.Comparison
	for _, ops := range signatureOperations {
		c := measure.Comparison{Group: set}
		mode := measure.Batched
		switch ops[0] {
		case "sign":
			mode, c.Inputs = measure.Single, ParsedKeys*signedMessages
		case "sign 32", "sign 32, μ", "sign μ, hedged":
			mode = measure.Single
		}
		for _, op := range ops {
			c.Contestants = append(c.Contestants, signatureRows(set, contestants, op, "", mode)...)
		}
		out = append(out, c)
	}
	if set == freshSignatureSet {
		for _, op := range freshSignatureOperations {
			out = append(out, measure.Comparison{
				Group:  set + " on warm and fresh goroutines",
				Inputs: signedTogether,
				Contestants: append(signatureRows(set, contestants, op, ", warm", measure.Single),
					signatureRows(set, contestants, op, ", fresh", measure.Fresh)...),
			})
		}
	}
	return out, nil
}

// Tail returns the comparisons that show how long the slowest signatures take: of
// 10,000 messages, with one key.
func Tail(implementations []Implementation, filter Filter) ([]measure.Comparison, error) {
	messages := make([][]byte, tailMessages)
	for i := range messages {
		messages[i] = fmt.Appendf(nil, "message %d of the bench's tail", i)
	}
	seed := make([]byte, mldsa.PrivateKeySize)
	rand.NewChaCha8(keySeed).Read(seed)
	var out []measure.Comparison
	for _, p := range signatureSets {
		set := p.String()
		contestants, err := signatureContestants(set, implementations, filter.backends(), func(s Signer) (Calls, error) {
			key, err := s.NewKey(seed)
			return Calls{"sign": func(i int) error {
				_, err := key.Sign(messages[i%tailMessages])
				return err
			}}, err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set, err)
		}
		out = append(out, measure.Comparison{
			Group: set + ", signatures of 10,000 messages", Inputs: tailMessages,
			Contestants: signatureRows(set, contestants, "sign", "", measure.Single),
		})
	}
	return filter.apply(out), nil
}

// calls prepares the operations.
func (s Signer) calls(in *signatureInputs) (Calls, error) {
	var private [ParsedKeys]SigningKey
	var public [ParsedKeys]VerifyingKey
	for i := range private {
		var err error
		if private[i], err = s.NewKey(in.seeds[i]); err != nil {
			return nil, err
		}
		if public[i], err = s.ParsePublic(in.publicKeys[i]); err != nil {
			return nil, err
		}
	}
	signTogether := func(sign Sign, messages [][]byte) func(int) error {
		return func(int) error {
			for _, m := range messages[:signedTogether] {
				if _, err := sign(m); err != nil {
					return err
				}
			}
			return nil
		}
	}
	calls := Calls{
		"keygen":  func(int) error { return s.Generate() },
		"sign 32": signTogether(private[0].Sign, in.messages[:]),
		"sign": func(i int) error {
			_, err := private[i/signedMessages%ParsedKeys].Sign(in.messages[i%signedMessages])
			return err
		},
		"parse+verify": func(i int) error {
			i %= ParsedKeys
			return s.VerifyCold(in.publicKeys[i], in.messages[i], in.signatures[i])
		},
	}
	if public[0].Verify != nil {
		calls["verify"] = func(i int) error {
			i %= ParsedKeys
			return public[i].Verify(in.messages[i], in.signatures[i])
		}
	}
	if s.NewInPlace != nil {
		generate := s.NewInPlace()
		calls["keygen in place"] = func(int) error { return generate() }
	}
	if sign := private[0].SignCompact; sign != nil {
		calls["sign 32, compact"] = signTogether(sign, in.messages[:])
	}
	if sign := private[0].SignMu; sign != nil {
		calls["sign 32, μ"] = signTogether(sign, in.mus[:])
	}
	if sign := private[0].SignMuHedged; sign != nil {
		calls["sign μ, hedged"] = func(i int) error {
			_, err := sign(in.mus[i%signedMessages])
			return err
		}
	}
	if verify := public[0].VerifyMu; verify != nil {
		calls["verify μ"] = func(int) error { return verify(in.mus[0], in.signatures[0]) }
	}
	if public[0].VerifyPrecomputed != nil {
		calls["verify precomputed"] = func(i int) error {
			i %= ParsedKeys
			return public[i].VerifyPrecomputed(in.messages[i], in.signatures[i])
		}
	}
	return calls, nil
}

func newSignatureInputs(p mldsa.Parameters) (*signatureInputs, error) {
	in := new(signatureInputs)
	for i := range in.messages {
		in.messages[i] = fmt.Appendf(nil, "message %d of the bench", i)
	}
	random := rand.NewChaCha8(keySeed)
	for i := range in.seeds {
		in.seeds[i] = make([]byte, mldsa.PrivateKeySize)
		random.Read(in.seeds[i])
		sk, err := mldsa.NewPrivateKey(p, in.seeds[i])
		if err != nil {
			return nil, err
		}
		in.publicKeys[i] = sk.PublicKey().Bytes()
		if in.signatures[i], err = sk.SignDeterministic(in.messages[i], nil); err != nil {
			return nil, err
		}
		for j := range in.mus {
			if i > 0 {
				break
			}
			h, err := sk.PublicKey().NewMu("")
			if err != nil {
				return nil, err
			}
			h.Write(in.messages[j])
			mu := h.Sum()
			in.mus[j] = mu[:]
		}
	}
	return in, nil
}
