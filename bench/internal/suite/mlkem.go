package suite

import (
	"crypto/mlkem"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/pqlane/pqlane/bench/internal/measure"
	pqlane "github.com/pqlane/pqlane/mlkem"
)

// Sets are the parameter sets of ML-KEM.
var Sets = []string{"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"}

// Inputs come in several, so that no branch predictor learns the rejections of one
// matrix, yet parsed keys in few, so that they stay in the first-level cache as a
// server's one key does.
const (
	ParsedKeys  = 4
	EncodedKeys = 64
)

// Inputs is what the calls of a parameter set start from, the same for every
// implementation.
type Inputs struct {
	Seeds             [EncodedKeys][]byte
	ExpandedKeys      [EncodedKeys][]byte
	EncapsulationKeys [EncodedKeys][]byte
	Ciphertexts       [2 * ParsedKeys][]byte // i is for the key i mod ParsedKeys
}

// An Implementation is one of ML-KEM, of ML-DSA or of both. The standard library's is the
// baseline where it has the parameter set.
type Implementation struct {
	Name     string
	Backends bool // runs on every level of internal/cpu, with a row for each
	Baseline func(set string) bool

	// Calls returns the operations of ML-KEM that the implementation has of those in
	// operations, prepared for the inputs; none if it lacks the parameter set. It
	// runs on the backend that the calls will run on. It is nil without ML-KEM.
	Calls func(set string, in *Inputs) (Calls, error)

	// Signer returns a parameter set of ML-DSA. It is nil without ML-DSA.
	Signer func(set string) (s Signer, ok bool)
}

// operations are the operations of ML-KEM in the table's order, those that are
// compared with each other on one line.
var operations = [][]string{
	{"keygen", "keygen in place"},
	{"keygen+decaps", "keygen+decaps in place"}, // a client's exchange
	{"parse+encaps", "parse+encaps in place"},
	{"encaps", "encaps into"},
	{"decaps", "decaps into"},
	{"import seed"},
	{"import expanded"},
}

// freshSet and freshOperations are those that are measured on a fresh goroutine
// too, where a proxy's handshake runs: the server's and the client's.
const freshSet = "ML-KEM-768"

var freshOperations = []string{"parse+encaps", "decaps"}

// contestant is an implementation of a parameter set on one backend.
type contestant struct {
	impl    *Implementation
	backend string
	calls   Calls
}

func mlkemComparisons(set string, implementations []Implementation, backends []string) ([]measure.Comparison, error) {
	in, err := inputs(set)
	if err != nil {
		return nil, err
	}
	var contestants []contestant
	for i := range implementations {
		impl := &implementations[i]
		if impl.Calls == nil {
			continue
		}
		levels := []string{""}
		if impl.Backends {
			levels = backends
		}
		for _, level := range levels {
			calls, err := onBackend(level, func() (Calls, error) { return impl.Calls(set, in) })
			if err != nil {
				return nil, fmt.Errorf("%s: %w", impl.Name, err)
			}
			contestants = append(contestants, contestant{impl, level, calls})
		}
	}

	rows := func(op, suffix string, mode measure.Mode) (out []measure.Contestant) {
		for _, x := range contestants {
			if call, ok := x.calls[op]; ok {
				out = append(out, measure.Contestant{
					Op: op + suffix, Impl: x.impl.Name, Backend: x.backend,
					Baseline: x.impl.Baseline != nil && x.impl.Baseline(set),
					Mode:     mode, Call: call,
				})
			}
		}
		return out
	}
	var out []measure.Comparison
	for _, ops := range operations {
		c := measure.Comparison{Group: set}
		for _, op := range ops {
			c.Contestants = append(c.Contestants, rows(op, "", measure.Batched)...)
		}
		out = append(out, c)
	}
	if set == freshSet {
		for _, op := range freshOperations {
			out = append(out, measure.Comparison{
				Group:       set + " on warm and fresh goroutines",
				Contestants: append(rows(op, ", warm", measure.Single), rows(op, ", fresh", measure.Fresh)...),
			})
		}
	}
	return out, nil
}

// Implementations returns pqlane and the standard library.
func Implementations() []Implementation {
	return []Implementation{
		{Name: "pqlane", Backends: true, Calls: pqlaneCalls, Signer: ownSigner},
		{Name: "crypto/mlkem", Baseline: func(set string) bool { return set != "ML-KEM-512" }, Calls: standardCalls},
		{Name: "crypto/mldsa", Baseline: func(string) bool { return true }, Signer: standardSigner},
	}
}

func pqlaneCalls(set string, in *Inputs) (Calls, error) {
	switch set {
	case "ML-KEM-512":
		return ownCalls[[pqlane.CiphertextSize512]byte](in, pqlane.GenerateKey512,
			pqlane.NewDecapsulationKey512, pqlane.NewDecapsulationKey512FromExpanded, pqlane.NewEncapsulationKey512)
	case "ML-KEM-768":
		return ownCalls[[pqlane.CiphertextSize768]byte](in, pqlane.GenerateKey768,
			pqlane.NewDecapsulationKey768, pqlane.NewDecapsulationKey768FromExpanded, pqlane.NewEncapsulationKey768)
	case "ML-KEM-1024":
		return ownCalls[[pqlane.CiphertextSize1024]byte](in, pqlane.GenerateKey1024,
			pqlane.NewDecapsulationKey1024, pqlane.NewDecapsulationKey1024FromExpanded, pqlane.NewEncapsulationKey1024)
	case XWing:
		return ownXWingCalls(in)
	}
	return nil, nil
}

func standardCalls(set string, in *Inputs) (Calls, error) {
	switch set {
	case "ML-KEM-768":
		return sharedCalls(in, mlkem.GenerateKey768, mlkem.NewDecapsulationKey768, mlkem.NewEncapsulationKey768)
	case "ML-KEM-1024":
		return sharedCalls(in, mlkem.GenerateKey1024, mlkem.NewDecapsulationKey1024, mlkem.NewEncapsulationKey1024)
	case XWing:
		return standardXWingCalls(in)
	}
	return nil, nil
}

type decapsulator[EK any] interface {
	EncapsulationKey() EK
	Decapsulate(ciphertext []byte) (sharedKey []byte, err error)
}

type encapsulator interface {
	Bytes() []byte
	Encapsulate() (sharedKey, ciphertext []byte)
}

// sharedCalls returns the operations of the API that the standard library and
// pqlane share. It calls both in the same way, through a dictionary, so that no
// result is inlined into a caller's frame: what these functions return escapes, as
// it does in a handshake.
func sharedCalls[DK decapsulator[EK], EK encapsulator](
	in *Inputs, generate func() (DK, error), newDK func([]byte) (DK, error), newEK func([]byte) (EK, error),
) (Calls, error) {
	dks, eks, err := parsedKeys(in, newDK)
	if err != nil {
		return nil, err
	}
	return Calls{
		"keygen": func(int) error {
			_, err := generate()
			return err
		},
		"keygen+decaps": func(i int) error {
			dk, err := generate()
			if err != nil {
				return err
			}
			_, err = dk.Decapsulate(in.Ciphertexts[i%len(in.Ciphertexts)])
			return err
		},
		"parse+encaps": func(i int) error {
			ek, err := newEK(in.EncapsulationKeys[i%EncodedKeys])
			if err != nil {
				return err
			}
			ek.Encapsulate()
			return nil
		},
		"encaps": func(i int) error {
			eks[i%ParsedKeys].Encapsulate()
			return nil
		},
		"decaps": func(i int) error {
			_, err := dks[i%ParsedKeys].Decapsulate(in.Ciphertexts[i%len(in.Ciphertexts)])
			return err
		},
		"import seed": func(i int) error {
			_, err := newDK(in.Seeds[i%EncodedKeys])
			return err
		},
	}, nil
}

// parsedKeys are the keys that the ciphertexts are for.
func parsedKeys[DK decapsulator[EK], EK any](in *Inputs, newDK func([]byte) (DK, error)) (dks [ParsedKeys]DK, eks [ParsedKeys]EK, err error) {
	for i := range dks {
		if dks[i], err = newDK(in.Seeds[i]); err != nil {
			return dks, eks, err
		}
		eks[i] = dks[i].EncapsulationKey()
	}
	return dks, eks, nil
}

type ownDecapsulator[EK any] interface {
	decapsulator[EK]
	Generate() error
	DecapsulateInto(sharedKey *[pqlane.SharedKeySize]byte, ciphertext []byte) error
}

type ownEncapsulator[Ciphertext any] interface {
	encapsulator
	SetBytes(b []byte) error
	EncapsulateInto(sharedKey *[pqlane.SharedKeySize]byte, ciphertext *Ciphertext) error
}

// ownCalls returns all of pqlane's operations: sharedCalls and what the standard
// library lacks.
func ownCalls[Ciphertext any, DK ownDecapsulator[EK], EK ownEncapsulator[Ciphertext]](
	in *Inputs, generate func() (DK, error), newDK, fromExpanded func([]byte) (DK, error), newEK func([]byte) (EK, error),
) (Calls, error) {
	calls, err := sharedCalls(in, generate, newDK, newEK)
	if err != nil {
		return nil, err
	}
	dks, eks, err := parsedKeys[DK, EK](in, newDK)
	if err != nil {
		return nil, err
	}
	dk, err := generate()
	if err != nil {
		return nil, err
	}
	ek, err := newEK(in.EncapsulationKeys[0])
	if err != nil {
		return nil, err
	}
	var sharedKey [pqlane.SharedKeySize]byte
	var ciphertext Ciphertext
	calls["keygen in place"] = func(int) error { return dk.Generate() }
	calls["keygen+decaps in place"] = func(i int) error {
		if err := dk.Generate(); err != nil {
			return err
		}
		return dk.DecapsulateInto(&sharedKey, in.Ciphertexts[i%len(in.Ciphertexts)])
	}
	calls["parse+encaps in place"] = func(i int) error {
		if err := ek.SetBytes(in.EncapsulationKeys[i%EncodedKeys]); err != nil {
			return err
		}
		return ek.EncapsulateInto(&sharedKey, &ciphertext)
	}
	calls["encaps into"] = func(i int) error {
		return eks[i%ParsedKeys].EncapsulateInto(&sharedKey, &ciphertext)
	}
	calls["decaps into"] = func(i int) error {
		return dks[i%ParsedKeys].DecapsulateInto(&sharedKey, in.Ciphertexts[i%len(in.Ciphertexts)])
	}
	calls["import expanded"] = func(i int) error {
		_, err := fromExpanded(in.ExpandedKeys[i%EncodedKeys])
		return err
	}
	return calls, nil
}

// inputs makes a parameter set's inputs: the same keys in every run, so that runs
// compare.
func inputs(set string) (*Inputs, error) {
	switch set {
	case "ML-KEM-512":
		return newInputs(pqlane.NewDecapsulationKey512)
	case "ML-KEM-768":
		return newInputs(pqlane.NewDecapsulationKey768)
	case "ML-KEM-1024":
		return newInputs(pqlane.NewDecapsulationKey1024)
	case XWing:
		return xwingInputs()
	}
	return nil, errors.New("no such parameter set")
}

type expandable[EK any] interface {
	decapsulator[EK]
	ExpandedBytes() []byte
}

func newInputs[DK expandable[EK], EK encapsulator](newDK func([]byte) (DK, error)) (*Inputs, error) {
	in := new(Inputs)
	random := rand.NewChaCha8([32]byte{})
	for i := range in.Seeds {
		in.Seeds[i] = make([]byte, pqlane.SeedSize)
		random.Read(in.Seeds[i])
		dk, err := newDK(in.Seeds[i])
		if err != nil {
			return nil, err
		}
		in.ExpandedKeys[i] = dk.ExpandedBytes()
		in.EncapsulationKeys[i] = dk.EncapsulationKey().Bytes()
		for j := i; i < ParsedKeys && j < len(in.Ciphertexts); j += ParsedKeys {
			_, in.Ciphertexts[j] = dk.EncapsulationKey().Encapsulate()
		}
	}
	return in, nil
}
