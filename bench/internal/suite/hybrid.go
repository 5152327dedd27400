package suite

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"fmt"
	mathrand "math/rand/v2"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/hybrid"
	pqlane "github.com/pqlane/pqlane/mlkem"
)

// XWing is measured like a parameter set of ML-KEM. Its [Inputs] have no expanded keys.
const XWing = "X-Wing"

// xwingInputs makes X-Wing's inputs: the same keys in every run, so that runs compare.
func xwingInputs() (*Inputs, error) {
	in := new(Inputs)
	random := mathrand.NewChaCha8([32]byte{})
	for i := range in.Seeds {
		in.Seeds[i] = make([]byte, hybrid.XWingSeedSize)
		random.Read(in.Seeds[i])
		dk, err := hybrid.NewXWingDecapsulationKey(in.Seeds[i])
		if err != nil {
			return nil, err
		}
		in.EncapsulationKeys[i] = dk.EncapsulationKey().Bytes()
		for j := i; i < ParsedKeys && j < len(in.Ciphertexts); j += ParsedKeys {
			_, in.Ciphertexts[j] = dk.EncapsulationKey().Encapsulate()
		}
	}
	return in, nil
}

func ownXWingCalls(in *Inputs) (Calls, error) {
	calls, err := sharedCalls(in, hybrid.GenerateXWingKey, hybrid.NewXWingDecapsulationKey, hybrid.NewXWingEncapsulationKey)
	if err != nil {
		return nil, err
	}
	dks, eks, err := parsedKeys[*hybrid.XWingDecapsulationKey, *hybrid.XWingEncapsulationKey](in, hybrid.NewXWingDecapsulationKey)
	if err != nil {
		return nil, err
	}
	var ek hybrid.XWingEncapsulationKey
	var sharedKey [hybrid.XWingSharedKeySize]byte
	var ciphertext [hybrid.XWingCiphertextSize]byte
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
	return calls, nil
}

// A standardXWing and its public half are X-Wing of the standard library's parts, whose
// own, in crypto/hpke, is not to be had by itself.
type standardXWing struct {
	m *mlkem.DecapsulationKey768
	x *ecdh.PrivateKey
}

type standardXWingPublic struct {
	m *mlkem.EncapsulationKey768
	x *ecdh.PublicKey
}

func standardXWingCalls(in *Inputs) (Calls, error) {
	return sharedCalls(in, generateStandardXWing, newStandardXWing, newStandardXWingPublic)
}

func generateStandardXWing() (*standardXWing, error) {
	seed := make([]byte, 32)
	rand.Read(seed)
	return newStandardXWing(seed)
}

func newStandardXWing(seed []byte) (*standardXWing, error) {
	expanded := sha3.SumSHAKE256(seed, 96)
	m, err := mlkem.NewDecapsulationKey768(expanded[:64])
	if err != nil {
		return nil, err
	}
	x, err := ecdh.X25519().NewPrivateKey(expanded[64:])
	return &standardXWing{m, x}, err
}

func newStandardXWingPublic(b []byte) (*standardXWingPublic, error) {
	m, err := mlkem.NewEncapsulationKey768(b[:mlkem.EncapsulationKeySize768])
	if err != nil {
		return nil, err
	}
	x, err := ecdh.X25519().NewPublicKey(b[mlkem.EncapsulationKeySize768:])
	return &standardXWingPublic{m, x}, err
}

func (dk *standardXWing) EncapsulationKey() *standardXWingPublic {
	return &standardXWingPublic{dk.m.EncapsulationKey(), dk.x.PublicKey()}
}

func (dk *standardXWing) Decapsulate(ciphertext []byte) ([]byte, error) {
	ssM, err := dk.m.Decapsulate(ciphertext[:mlkem.CiphertextSize768])
	if err != nil {
		return nil, err
	}
	ssX, err := agree(dk.x, ciphertext[mlkem.CiphertextSize768:])
	return combineXWing(ssM, ssX, ciphertext[mlkem.CiphertextSize768:], dk.x.PublicKey().Bytes()), err
}

func (ek *standardXWingPublic) Bytes() []byte { return append(ek.m.Bytes(), ek.x.Bytes()...) }

func (ek *standardXWingPublic) Encapsulate() (sharedKey, ciphertext []byte) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	ssX, err := private.ECDH(ek.x)
	if err != nil {
		panic(err)
	}
	ssM, ciphertext := ek.m.Encapsulate()
	ctX := private.PublicKey().Bytes()
	return combineXWing(ssM, ssX, ctX, ek.x.Bytes()), append(ciphertext, ctX...)
}

func combineXWing(ssM, ssX, ctX, pkX []byte) []byte {
	h := sha3.New256()
	for _, b := range [][]byte{ssM, ssX, ctX, pkX, []byte(`\.//^\`)} {
		h.Write(b)
	}
	return h.Sum(nil)
}

// A hybridGroup is a group with what bench needs of its parts.
type hybridGroup struct {
	hybrid.Group
	curve ecdh.Curve
	kem   func() (groupKEM, error)
}

// A groupKEM is the ML-KEM half of a group: of the client, whose keys are generated, and of
// the server, who parses them. The client decapsulates what fits its keys' set.
type groupKEM struct {
	standardClient, standardServer func() error
	client, server                 func() error
}

var hybridGroups = []hybridGroup{
	{hybrid.X25519MLKEM768, ecdh.X25519(), func() (groupKEM, error) {
		return newGroupKEM[[pqlane.CiphertextSize768]byte](mlkem.GenerateKey768, mlkem.NewEncapsulationKey768,
			pqlane.GenerateKey768, pqlane.NewEncapsulationKey768)
	}},
	{hybrid.SecP256r1MLKEM768, ecdh.P256(), func() (groupKEM, error) {
		return newGroupKEM[[pqlane.CiphertextSize768]byte](mlkem.GenerateKey768, mlkem.NewEncapsulationKey768,
			pqlane.GenerateKey768, pqlane.NewEncapsulationKey768)
	}},
	{hybrid.SecP384r1MLKEM1024, ecdh.P384(), func() (groupKEM, error) {
		return newGroupKEM[[pqlane.CiphertextSize1024]byte](mlkem.GenerateKey1024, mlkem.NewEncapsulationKey1024,
			pqlane.GenerateKey1024, pqlane.NewEncapsulationKey1024)
	}},
}

func newGroupKEM[Ciphertext any, SD decapsulator[SE], SE encapsulator, D ownDecapsulator[E], E ownEncapsulator[Ciphertext]](
	generateStandard func() (SD, error), parseStandard func([]byte) (SE, error),
	generate func() (D, error), parse func([]byte) (E, error),
) (k groupKEM, err error) {
	dk, err := generate()
	if err != nil {
		return k, err
	}
	peer, err := generate()
	if err != nil {
		return k, err
	}
	encoded := peer.EncapsulationKey().Bytes()
	_, received := peer.EncapsulationKey().Encapsulate()
	ek, err := parse(encoded)
	if err != nil {
		return k, err
	}
	var sharedKey [pqlane.SharedKeySize]byte
	var ciphertext Ciphertext
	return groupKEM{
		standardClient: func() error {
			dk, err := generateStandard()
			if err != nil {
				return err
			}
			dk.EncapsulationKey().Bytes()
			_, err = dk.Decapsulate(received)
			return err
		},
		standardServer: func() error {
			ek, err := parseStandard(encoded)
			if err != nil {
				return err
			}
			ek.Encapsulate()
			return nil
		},
		client: func() error {
			if err := dk.Generate(); err != nil {
				return err
			}
			return dk.DecapsulateInto(&sharedKey, received)
		},
		server: func() error {
			if err := ek.SetBytes(encoded); err != nil {
				return err
			}
			return ek.EncapsulateInto(&sharedKey, &ciphertext)
		},
	}, nil
}

// agree parses the peer's point and returns the secret.
func agree(private *ecdh.PrivateKey, point []byte) ([]byte, error) {
	peer, err := private.Curve().NewPublicKey(point)
	if err != nil {
		return nil, err
	}
	return private.ECDH(peer)
}

// hybridComparisons are the two sides of each group: of ours, beside the standard library's
// parts, beside crypto/ecdh with our ML-KEM, which is what a side has to do at least, and
// beside crypto/ecdh alone.
func hybridComparisons(backends []string) ([]measure.Comparison, error) {
	var out []measure.Comparison
	for _, g := range hybridGroups {
		sides, err := g.comparisons(backends)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", g, err)
		}
		out = append(out, sides...)
	}
	return out, nil
}

func (g hybridGroup) comparisons(backends []string) ([]measure.Comparison, error) {
	kem, err := g.kem()
	if err != nil {
		return nil, err
	}
	e, clientShare, err := g.GenerateShare()
	if err != nil {
		return nil, err
	}
	defer e.Destroy()
	serverShare, _, err := g.Accept(clientShare)
	if err != nil {
		return nil, err
	}
	peer, err := g.curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	point := peer.PublicKey().Bytes()
	curve := func(int) error {
		private, err := g.curve.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		_, err = agree(private, point)
		return err
	}
	with := func(kem func() error) func(int) error {
		return func(i int) error {
			if err := curve(i); err != nil {
				return err
			}
			return kem()
		}
	}
	share, secret := make([]byte, 0, g.ClientShareSize()+g.ServerShareSize()), make([]byte, 0, g.SecretSize())
	return []measure.Comparison{
		g.side("client", backends, curve, with(kem.standardClient), with(kem.client),
			func(int) error {
				e, _, err := g.GenerateShare()
				if err != nil {
					return err
				}
				_, err = e.Finish(serverShare)
				return err
			},
			func(int) error {
				e, _, err := g.AppendShare(share)
				if err != nil {
					return err
				}
				_, err = e.AppendFinish(secret, serverShare)
				return err
			}),
		g.side("server", backends, curve, with(kem.standardServer), with(kem.server),
			func(int) error {
				_, _, err := g.Accept(clientShare)
				return err
			},
			func(int) error {
				_, _, err := g.AppendAccept(share, secret, clientShare)
				return err
			}),
	}, nil
}

// side returns the comparison of one side.
func (g hybridGroup) side(op string, backends []string, curve, standard, parts, own, ownAppend func(int) error) measure.Comparison {
	c := measure.Comparison{Group: g.String()}
	add := func(op, impl, backend string, baseline bool, call func(int) error) {
		c.Contestants = append(c.Contestants, measure.Contestant{Op: op, Impl: impl, Backend: backend, Baseline: baseline, Call: call})
	}
	for _, level := range backends {
		add(op, "pqlane", level, false, own)
	}
	add(op, "crypto/mlkem, crypto/ecdh", "", true, standard)
	for _, level := range backends {
		add(op+", append", "pqlane", level, false, ownAppend)
	}
	for _, level := range backends {
		add(op+", parts", "pqlane/mlkem, crypto/ecdh", level, false, parts)
	}
	add(op+", curve alone", "crypto/ecdh", "", false, curve)
	return c
}
