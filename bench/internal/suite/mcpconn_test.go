package suite

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/measure"
)

func TestLinksHaveTheirRows(t *testing.T) {
	algorithms := []string{"ECDSA P-256"}
	if StandardHasMLDSA {
		algorithms = []string{"ML-DSA-65", "ECDSA P-256"}
	}
	all := filtered(t, Filter{Op: regexp.MustCompile("^links|^messages over")})
	for _, algorithm := range algorithms {
		for _, group := range []string{"links, mutual " + algorithm + ", both ends", "links, mutual " + algorithm + ", 64 at a time"} {
			i := slices.IndexFunc(all, func(c measure.Comparison) bool { return c.Group == group })
			if assert.GreaterOrEqual(t, i, 0, group) {
				var ops []string
				for _, x := range all[i].Contestants {
					ops = append(ops, x.Op)
				}
				assert.Equal(t, []string{"first contact", "known peer", "resumed", "full handshake", "full, with ticket", "resumed"}, ops)
				assert.NotEmpty(t, all[i].Note)
				for j, x := range all[i].Contestants {
					assert.Equal(t, j == 3, x.Baseline, "crypto/tls used plainly")
				}
			}
		}
	}
	assert.Len(t, all, 2*len(algorithms)+2)
}

func TestIdle(t *testing.T) {
	out, err := Idle(50)
	require.NoError(t, err)
	require.Len(t, out, 2*len(linkAlgorithms())+1)
	pipe := out[len(out)-1]
	for _, f := range out[:len(out)-1] {
		assert.Equal(t, 100, f.Count, "both ends")
		assert.Greater(t, f.Heap, pipe.Heap+2000, f.What)
		assert.Less(t, f.Heap, 100e3, f.What)
	}
}
