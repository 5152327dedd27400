package suite

import (
	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/internal/keccak"
)

// keccakComparisons are the permutations that everything else stands on: of one
// state and of four at once.
func keccakComparisons(backends []string) []measure.Comparison {
	var one [25]uint64
	var four keccak.State4
	permutations := []struct {
		op   string
		call func(int) error
	}{
		{"one state", func(int) error { keccak.Permute(&one); return nil }},
		{"four states", func(int) error { four.Permute(1<<len(four[0]) - 1); return nil }},
	}
	var out []measure.Comparison
	for _, p := range permutations {
		c := measure.Comparison{Group: "Keccak-f[1600]"}
		for _, level := range backends {
			c.Contestants = append(c.Contestants, measure.Contestant{
				Op: p.op, Impl: "pqlane", Backend: level, Call: p.call,
			})
		}
		out = append(out, c)
	}
	return out
}
