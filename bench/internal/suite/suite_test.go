package suite

import (
	"fmt"
	"regexp"
	"slices"
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
				for _, level := range cpu.Available() {
					assert.Contains(t, all, set+" "+op+": pqlane"+level)
				}
			}
		}
		for _, op := range []string{"keygen", "parse+encaps", "encaps", "decaps", "import seed"} {
			assert.Equal(t, set != "ML-KEM-512", slices.Contains(all, set+" "+op+": crypto/mlkem"), "%s %s", set, op)
		}
	}
	for _, op := range []string{"parse+encaps, warm", "parse+encaps, fresh", "decaps, warm", "decaps, fresh"} {
		assert.Contains(t, all, "ML-KEM-768 on warm and fresh goroutines "+op+": pqlanegeneric")
		assert.Contains(t, all, "ML-KEM-768 on warm and fresh goroutines "+op+": crypto/mlkem")
	}
	assert.Contains(t, all, "Keccak-f[1600] one state: pqlanegeneric")
	assert.Contains(t, all, "Keccak-f[1600] four states: pqlanegeneric")
}

func TestEveryCallSucceedsOnEveryInput(t *testing.T) {
	before := cpu.Backend()
	for _, c := range filtered(t, Filter{}) {
		for _, x := range c.Contestants {
			for i := range EncodedKeys {
				_, err := onBackend(x.Backend, func() (struct{}, error) { return struct{}{}, x.Call(i) })
				require.NoError(t, err, "%s %s %s%s", c.Group, x.Op, x.Impl, x.Backend)
			}
		}
	}
	assert.Equal(t, before, cpu.Backend())
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
	best := cpu.Available()[len(cpu.Available())-1]
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
