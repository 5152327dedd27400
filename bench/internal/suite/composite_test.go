package suite

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pqlane/pqlane/internal/cpu"
)

func TestCompositesStandBesideTheirHalves(t *testing.T) {
	all := names(filtered(t, Filter{}))
	for _, h := range compositeHalves {
		for _, level := range cpu.Comparable() {
			for _, op := range []string{"sign 8", "verify"} {
				assert.Contains(t, all, h.algorithm.String()+" "+op+": pqlane"+level)
				assert.Contains(t, all, h.algorithm.String()+" "+op+": its two halves"+level)
			}
		}
	}
}
