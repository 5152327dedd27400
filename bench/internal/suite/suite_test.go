package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/internal/cpu"
)

// names lists the contestants as "group op contestant".
func names(comparisons []measure.Comparison) (out []string) {
	for _, c := range comparisons {
		for _, x := range c.Contestants {
			out = append(out, fmt.Sprintf("%s %s: %s%s", c.Group, x.Op, x.Impl, x.Backend))
		}
	}
	return out
}

func filtered(t *testing.T, filter Filter) []measure.Comparison {
	t.Helper()
	comparisons, err := Comparisons(Implementations(), filter)
	require.NoError(t, err)
	return comparisons
}

func TestEveryOperationIsThere(t *testing.T) {
	all := names(filtered(t, Filter{}))
	for _, set := range Sets {
		for _, ops := range operations {
			for _, op := range ops {
				for _, level := range cpu.Comparable() {
					assert.Contains(t, all, set+" "+op+": pqlane"+level)
				}
			}
		}
		for _, op := range []string{"keygen", "keygen+decaps", "parse+encaps", "encaps", "decaps", "import seed"} {
			assert.Equal(t, set != "ML-KEM-512", slices.Contains(all, set+" "+op+": crypto/mlkem"), "%s %s", set, op)
		}
	}
	for _, op := range []string{"parse+encaps, warm", "parse+encaps, fresh", "decaps, warm", "decaps, fresh"} {
		assert.Contains(t, all, "ML-KEM-768 on warm and fresh goroutines "+op+": pqlanegeneric")
		assert.Contains(t, all, "ML-KEM-768 on warm and fresh goroutines "+op+": crypto/mlkem")
	}
	for _, p := range signatureSets {
		for _, ops := range signatureOperations {
			for _, op := range ops {
				for _, level := range cpu.Comparable() {
					assert.Contains(t, all, p.String()+" "+op+": pqlane"+level)
				}
			}
		}
		for _, op := range []string{"keygen", "sign 32", "sign 32, μ", "sign", "sign μ, hedged", "parse+verify", "verify"} {
			assert.Equal(t, StandardHasMLDSA, slices.Contains(all, p.String()+" "+op+": crypto/mldsa"), "%v %s", p, op)
		}
	}
	for _, op := range []string{"sign, warm", "sign, fresh", "parse+verify, warm", "parse+verify, fresh"} {
		assert.Contains(t, all, "ML-DSA-65 on warm and fresh goroutines "+op+": pqlanegeneric")
	}
	assert.Contains(t, all, "Keccak-f[1600] one state: pqlanegeneric")
	assert.Contains(t, all, "Keccak-f[1600] four states: pqlanegeneric")
}

func TestEveryCallSucceedsOnEveryInput(t *testing.T) {
	before := cpu.Backend()
	for _, c := range filtered(t, Filter{}) {
		inputs := []int{0, 1, 2, 3, signedMessages, 2*signedMessages + 1, 4*signedMessages - 1, 4 * signedMessages}
		if strings.HasPrefix(c.Group, "ML-KEM") {
			inputs = inputs[:0]
			for i := range EncodedKeys {
				inputs = append(inputs, i)
			}
		}
		for _, x := range c.Contestants {
			for _, i := range inputs {
				_, err := onBackend(x.Backend, func() (struct{}, error) { return struct{}{}, x.Call(i) })
				require.NoError(t, err, "%s %s %s%s", c.Group, x.Op, x.Impl, x.Backend)
			}
		}
	}
	assert.Equal(t, before, cpu.Backend())
}

func TestTailSignsEveryMessageOnce(t *testing.T) {
	all, err := Tail(Implementations(), Filter{})
	require.NoError(t, err)
	require.Len(t, all, len(signatureSets))
	for i, c := range all {
		assert.Equal(t, signatureSets[i].String()+", signatures of 10,000 messages", c.Group)
		assert.Equal(t, 10_000, c.Inputs)
		assert.Equal(t, StandardHasMLDSA, slices.ContainsFunc(c.Contestants, func(x measure.Contestant) bool { return x.Baseline }))
		for _, x := range c.Contestants {
			assert.Equal(t, measure.Single, x.Mode)
			_, err := onBackend(x.Backend, func() (struct{}, error) { return struct{}{}, x.Call(9999) })
			require.NoError(t, err)
		}
	}
	filtered, err := Tail(Implementations(), Filter{Op: regexp.MustCompile("DSA-65"), Backends: []string{"generic"}})
	require.NoError(t, err)
	require.Len(t, filtered, 1)
	assert.Equal(t, "generic", filtered[0].Contestants[0].Backend)
}

// TestImplementationsSignAlike: equal signatures are of equal numbers of attempts.
func TestImplementationsSignAlike(t *testing.T) {
	for _, p := range signatureSets {
		in, err := newSignatureInputs(p)
		require.NoError(t, err)
		for _, impl := range Implementations() {
			if impl.Signer == nil {
				continue
			}
			s, ok := impl.Signer(p.String())
			if !ok {
				continue
			}
			for i, seed := range in.seeds {
				key, err := s.NewKey(seed)
				require.NoError(t, err)
				forms := map[string]func() ([]byte, error){"Sign": func() ([]byte, error) { return key.Sign(in.messages[i]) }}
				if key.SignCompact != nil {
					forms["SignCompact"] = func() ([]byte, error) { return key.SignCompact(in.messages[i]) }
				}
				if key.SignMu != nil && i == 0 {
					forms["SignMu"] = func() ([]byte, error) { return key.SignMu(in.mus[i]) }
				}
				for name, sign := range forms {
					signature, err := sign()
					require.NoError(t, err)
					assert.Equal(t, in.signatures[i], signature, "%s %s", impl.Name, name)
				}
			}
		}
	}
}

func TestFilterOp(t *testing.T) {
	match := func(op string) []string {
		return names(filtered(t, Filter{Op: regexp.MustCompile(op), Backends: []string{"generic"}}))
	}
	assert.Equal(t, []string{
		"ML-KEM-768 decaps: pqlanegeneric",
		"ML-KEM-768 decaps: crypto/mlkem",
	}, match("768 decaps$"))
	assert.Equal(t, []string{
		"ML-KEM-1024 decaps: crypto/mlkem",
		"ML-KEM-1024 decaps into: pqlanegeneric",
	}, match("1024 decaps into"), "the baseline stays")
	assert.Equal(t, []string{
		"ML-KEM-768 on warm and fresh goroutines decaps, fresh: pqlanegeneric",
		"ML-KEM-768 on warm and fresh goroutines decaps, fresh: crypto/mlkem",
	}, match("decaps, fresh"), "of the baselines only the one that matches")
	assert.Empty(t, match("no such operation"))
}

func TestFilterBackends(t *testing.T) {
	for _, c := range filtered(t, Filter{Backends: []string{"generic"}}) {
		for _, x := range c.Contestants {
			assert.Contains(t, []string{"", "generic"}, x.Backend)
		}
	}
	best := cpu.Comparable()[len(cpu.Comparable())-1]
	assert.Equal(t, best, filtered(t, Filter{})[0].Contestants[0].Backend, "the best backend comes first")
}

func TestInputsAreDistinctAndReproducible(t *testing.T) {
	for _, set := range Sets {
		a, err := inputs(set)
		require.NoError(t, err)
		b, err := inputs(set)
		require.NoError(t, err)
		assert.Equal(t, a.EncapsulationKeys, b.EncapsulationKeys)
		seen := make(map[string]bool)
		for i := range a.Seeds {
			seen[string(a.EncapsulationKeys[i])] = true
		}
		for _, ct := range a.Ciphertexts {
			seen[string(ct)] = true
		}
		assert.Len(t, seen, EncodedKeys+len(a.Ciphertexts))
	}
	_, err := inputs("ML-KEM-2048")
	assert.Error(t, err)
}
