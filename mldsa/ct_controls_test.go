//go:build ctcheck

package mldsa

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/ctcheck"
	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/mldsa/internal/hook"
)

//go:noinline
func branch(b byte) {
	if b == 0 {
		sink++
	}
}

//go:noinline
func index(b byte) { sink += int(table[b]) }

var (
	sink  int
	table [256]byte
)

// TestConstantTimeViolationsAreReported is the positive control: what is computed from a
// secret key or secret randomness by the kernels of each backend is still followed, up to a
// branch or an address.
func TestConstantTimeViolationsAreReported(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		sk, plain := secretKey(t, p, random(PrivateKeySize))
		var mu [MuSize]byte
		fromKey, err := sk.SignDeterministic(mu[:], mldsaMu)
		require.NoError(t, err)
		rnd := [32]byte(random(32))
		ctcheck.SecretValue(&rnd)
		fromRandomness, err := hook.Sign(plain, &mu, &rnd)
		require.NoError(t, err)
		z := p.challengeSize
		expanded := sk.ExpandedBytes()
		for what, b := range map[string]byte{
			"ŝ₁ or ŝ₂, packed": expanded[130],
			"t₀, packed":       expanded[len(expanded)-1],
			"z":                fromKey[z],
			"z, by randomness": fromRandomness[z+1],
			"the last of z":    fromKey[z+p.l*dsaring.SizeZ(p.gamma1)-1],
		} {
			assert.NotZero(t, reports(func() { branch(b) }), "a branch on %s", what)
			assert.NotZero(t, reports(func() { index(b) }), "an index by %s", what)
		}
		assert.NotZero(t, reports(func() {
			if dsaring.Exceeds(&sk.t0[0], 1) {
				sink++
			}
		}), "a branch on a bound's result")
	})
}

// TestConstantTimeDeclassificationIsNeeded withholds each declassification, which memcheck
// has to notice: none is there without need, and nothing makes them public before.
func TestConstantTimeDeclassificationIsNeeded(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		seed := make([]byte, PrivateKeySize)
		sk, plain := secretKey(t, p, seed)
		expanded := secret(plain.ExpandedBytes())
		published(expanded[:32])
		published(expanded[64:128])
		generation := func() { NewPrivateKey(p, secret(seed)) }
		load := func() { NewPrivateKeyFromExpanded(p, expanded) }
		signing := func() { sk.SignDeterministic(rejectingMessage(p), nil) }
		names := []string{"rho", "encoded", "check", "rejection", "challenge", "hints", "acceptance"}
		for name, uses := range map[string][]func(){
			"rho":        {generation},
			"acceptance": {generation},
			"encoded": {
				func() { sk, _ := NewPrivateKey(p, secret(seed)); sk.PublicKey().Equal(plain.PublicKey()) },
				load, // the hash of the public key is compared
			},
			"check":     {load},
			"rejection": {signing},
			"challenge": {signing},
			"hints":     {signing},
		} {
			require.Contains(t, names, name)
			names = slices.DeleteFunc(names, func(s string) bool { return s == name })
			for i, use := range uses {
				require.Zero(t, reports(use), "%s %d", name, i)
				restore := ctcheck.Withhold(name)
				assert.NotZero(t, reports(use), "%s %d", name, i)
				restore()
			}
		}
		require.Empty(t, names)
		// What was withheld has left its marks in what the scratch memory keeps.
		scratches.Get()
	})
}
