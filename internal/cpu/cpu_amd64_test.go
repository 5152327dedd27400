//go:build !purego

package cpu

import (
	"testing"

	"github.com/klauspost/cpuid/v2"
	"github.com/stretchr/testify/assert"
)

func TestLevelNeedsEveryFeatureBelowIt(t *testing.T) {
	avx2 := levels[1].features
	all := append(append([]feature{}, avx2...), levels[2].features...)
	without := func(set []feature, drop ...feature) []feature {
		var out []feature
	next:
		for _, f := range set {
			for _, d := range drop {
				if f == d {
					continue next
				}
			}
			out = append(out, f)
		}
		return out
	}
	level := func(set []feature) string {
		i := supported(func(f feature) bool {
			for _, g := range set {
				if f == g {
					return true
				}
			}
			return false
		})
		return levels[i].name
	}
	assert.Equal(t, "generic", level(nil))
	assert.Equal(t, "avx2", level(avx2))
	assert.Equal(t, "avx512-wide", level(all))
	for _, f := range levels[2].features {
		assert.Equal(t, "avx2", level(without(all, f)), "without %s", f)
	}
	for _, f := range avx2 {
		assert.Equal(t, "generic", level(without(all, f)), "without %s", f)
	}
	assert.Equal(t, "avx2", level(append([]feature{cpuid.AVX512VBMI2, cpuid.AVX512VL}, avx2...)),
		"AVX-512 sub-features without AVX512F")
	assert.Equal(t, "generic", level(levels[2].features), "AVX-512 without AVX2")
}

func TestWideMultiplicationsWhereTheyCostNoClock(t *testing.T) {
	assert.True(t, slowsOn(cpuid.Intel, "avx512-wide"))
	assert.False(t, slowsOn(cpuid.Intel, "avx512"))
	assert.False(t, slowsOn(cpuid.AMD, "avx512-wide"))
	assert.Contains(t, Comparable(), levels[preferred(best)].name)
}
