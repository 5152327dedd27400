//go:build !purego

package cpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLevelOfMadeUpFeatures(t *testing.T) {
	assert.Equal(t, "neon", levels[supported(func(feature) bool { return false })].name)
	assert.Equal(t, "neon-sha3", levels[supported(func(f feature) bool { return f == featureSHA3 })].name)
}

func TestSHA3RunsByDefaultWhereItIsFast(t *testing.T) {
	const (
		neoverseN1 = 0x413fd0c1
		neoverseV1 = 0x411fd401
		neoverseV2 = 0x410fd4f0
		neoverseV3 = 0x410fd840
		ampereOne  = 0xc00fac30
		firestorm  = 0x611f0231
	)
	for _, c := range []struct {
		goos string
		id   uint64
		sha3 bool
		want string
	}{
		{"darwin", 0, true, "neon-sha3"},
		{"darwin", 0, false, "neon"},
		{"ios", 0, true, "neon-sha3"},
		{"linux", firestorm, true, "neon-sha3"},
		{"linux", firestorm, false, "neon"},
		{"linux", neoverseN1, false, "neon"},
		{"linux", neoverseV1, true, "neon"},
		{"linux", neoverseV2, true, "neon"},
		{"linux", neoverseV3, true, "neon"},
		{"linux", ampereOne, true, "neon"},
		{"linux", 0, true, "neon"},
		{"windows", 0, true, "neon"},
		{"freebsd", 0, true, "neon"},
	} {
		best := supported(func(feature) bool { return c.sha3 })
		assert.Equal(t, c.want, levels[preferredOf(best, fastSHA3(c.goos, c.id))].name, "%+v", c)
	}
}

func TestBooleansFollowTheLevel(t *testing.T) {
	for _, name := range Available() {
		restore := Use(name)
		assert.Equal(t, name != "generic", NEON)
		assert.Equal(t, name == "neon-sha3", SHA3)
		restore()
	}
}
