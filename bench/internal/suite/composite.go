package suite

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// A compositeHalf is a classical key, and how it signs and verifies by itself.
type compositeHalf struct {
	algorithm hybrid.SignatureAlgorithm
	generate  func() (crypto.Signer, error)
	preHash   func(message []byte) []byte
	hash      func(m []byte) []byte
	opts      crypto.SignerOpts
	verify    func(pk crypto.PublicKey, digest, signature []byte) bool
}

// compositeHalves are the algorithms to measure: two whose classical half takes no longer than
// the ML-DSA half, so that what joining them costs shows, and one with RSA.
var compositeHalves = []compositeHalf{
	{
		hybrid.MLDSA44Ed25519SHA512(),
		func() (crypto.Signer, error) { _, sk, err := ed25519.GenerateKey(nil); return sk, err },
		sumSHA512, func(m []byte) []byte { return m }, crypto.Hash(0),
		func(pk crypto.PublicKey, m, signature []byte) bool {
			return ed25519.Verify(pk.(ed25519.PublicKey), m, signature)
		},
	},
	{
		hybrid.MLDSA65ECDSAP256SHA512(),
		func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		sumSHA512, sumSHA256, crypto.SHA256,
		func(pk crypto.PublicKey, digest, signature []byte) bool {
			return ecdsa.VerifyASN1(pk.(*ecdsa.PublicKey), digest, signature)
		},
	},
	{
		hybrid.MLDSA44RSA2048PSSSHA256(), benchRSAKey, sumSHA256, sumSHA256, benchPSS,
		func(pk crypto.PublicKey, digest, signature []byte) bool {
			return rsa.VerifyPSS(pk.(*rsa.PublicKey), crypto.SHA256, digest, signature, benchPSS) == nil
		},
	},
}

// benchRSAKey is the same key each time, since generating one takes tenths of a second.
var benchRSAKey = sync.OnceValues(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })

var benchPSS = &rsa.PSSOptions{SaltLength: sha256.Size, Hash: crypto.SHA256}

func sumSHA256(m []byte) []byte { h := sha256.Sum256(m); return h[:] }
func sumSHA512(m []byte) []byte { h := sha512.Sum512(m); return h[:] }

// A deterministicKey signs as sk does without random bytes, so that a composite key and the
// half by itself make the same attempts.
type deterministicKey struct{ sk *mldsa.PrivateKey }

func (k deterministicKey) Public() crypto.PublicKey { return k.sk.Public() }

func (k deterministicKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.sk.SignDeterministic(message, opts)
}

// representative is what both halves of the algorithms here sign, with the label as the
// context of ML-DSA (draft-ietf-lamps-pq-composite-sigs, Section 2.2).
func (h compositeHalf) representative(message []byte) (m []byte, label *mldsa.Options) {
	label = &mldsa.Options{Context: "COMPSIG-" + h.algorithm.String()}
	m = append([]byte("CompositeAlgorithmSignatures2025"+label.Context), 0)
	return append(m, h.preHash(message)...), label
}

// compositeMessages is the number of messages that a call signs: fewer than SignedMessages,
// since here both sides make the same attempts, whatever their number.
const compositeMessages = 8

// compositeComparisons are composite signatures beside their two halves, each signed and
// verified by itself, one backend at a time.
func compositeComparisons(backends []string) ([]measure.Comparison, error) {
	var out []measure.Comparison
	for _, h := range compositeHalves {
		for _, level := range backends {
			comparisons, err := onBackend(level, func() ([]measure.Comparison, error) { return h.comparisons(level) })
			if err != nil {
				return nil, fmt.Errorf("%v: %w", h.algorithm, err)
			}
			out = append(out, comparisons...)
		}
	}
	return out, nil
}

func (h compositeHalf) comparisons(level string) ([]measure.Comparison, error) {
	pq, err := mldsa.NewPrivateKey(h.algorithm.MLDSA(), make([]byte, mldsa.PrivateKeySize))
	if err != nil {
		return nil, err
	}
	classical, err := h.generate()
	if err != nil {
		return nil, err
	}
	sk, err := hybrid.ImportCompositeKey(h.algorithm, deterministicKey{pq}, classical, &hybrid.ImportOptions{DedicatedKeys: true})
	if err != nil {
		return nil, err
	}
	var inputs [compositeMessages]struct{ message, signature []byte }
	for i := range inputs {
		inputs[i].message = fmt.Appendf(nil, "message %d of the bench", i)
		if inputs[i].signature, err = sk.Sign(nil, inputs[i].message, nil); err != nil {
			return nil, err
		}
	}
	pk, pqPublic, public := sk.PublicKey(), pq.PublicKey(), classical.Public()
	n := h.algorithm.MLDSA().SignatureSize()
	representatives := make([][]byte, compositeMessages)
	var label *mldsa.Options
	for i := range inputs {
		representatives[i], label = h.representative(inputs[i].message)
	}

	comparison := func(op string, composite, halves func(i int) error) measure.Comparison {
		contestant := func(impl string, call func(i int) error) measure.Contestant {
			return measure.Contestant{Op: op, Impl: impl, Backend: level, Call: call}
		}
		c := measure.Comparison{Group: h.algorithm.String(), Contestants: []measure.Contestant{
			contestant("pqlane", composite), contestant("its two halves", halves),
		}}
		c.Contestants[1].Baseline = true
		return c
	}
	// each makes one call of signing all messages.
	each := func(sign func(i int) error) func(int) error {
		return func(int) error {
			for i := range inputs {
				if err := sign(i); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return []measure.Comparison{
		comparison("sign 8",
			each(func(i int) error {
				_, err := sk.Sign(nil, inputs[i].message, nil)
				return err
			}),
			each(func(i int) error {
				if _, err := pq.SignDeterministic(representatives[i], label); err != nil {
					return err
				}
				_, err := classical.Sign(rand.Reader, h.hash(representatives[i]), h.opts)
				return err
			})),
		comparison("verify",
			func(i int) error {
				i %= compositeMessages
				return hybrid.VerifyComposite(pk, inputs[i].message, inputs[i].signature, nil)
			},
			func(i int) error {
				i %= compositeMessages
				m, signature := representatives[i], inputs[i].signature
				if err := mldsa.Verify(pqPublic, m, signature[:n], label); err != nil {
					return err
				}
				if !h.verify(public, h.hash(m), signature[n:]) {
					return errors.New("signature refused")
				}
				return nil
			}),
	}, nil
}
