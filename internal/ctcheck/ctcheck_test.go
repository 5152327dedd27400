//go:build ctcheck && amd64

package ctcheck

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	table [256]byte
	sink  int
)

//go:noinline
func touch() { sink++ }

// branchGo branches on b; the call keeps the compiler from a conditional move.
//
//go:noinline
func branchGo(b *byte) {
	if *b == 0 {
		touch()
	}
}

//go:noinline
func indexGo(b *byte) byte { return table[*b] }

// TestConstantTimeViolationsAreReported is the positive control: memcheck has to notice
// each of these, or its silence elsewhere means nothing.
func TestConstantTimeViolationsAreReported(t *testing.T) {
	require.True(t, Running(), "the tag ctcheck asks for a run on Valgrind")
	other := make([]byte, 64)
	for _, violation := range []struct {
		name string
		do   func(secret []byte)
	}{
		{"branch in Go", func(secret []byte) { branchGo(&secret[0]) }},
		{"index in Go", func(secret []byte) { indexGo(&secret[0]) }},
		{"branch in assembly", func(secret []byte) { branchOnByte(&secret[0]) }},
		{"index in assembly", func(secret []byte) { indexByByte(&table, &secret[0]) }},
		{"comparison by the runtime", func(secret []byte) { bytes.Equal(secret, other) }},
		{"of what is computed from a secret", func(secret []byte) {
			secret[0] = secret[0]<<3 ^ secret[1]
			branchGo(&secret[0])
		}},
		{"bytes left in memory", func(secret []byte) {
			assert.Equal(t, 3, FirstSecret((*[4]byte)(append(make([]byte, 3), secret...))))
		}},
	} {
		t.Run(violation.name, func(t *testing.T) {
			secret := make([]byte, 64)
			Secret(secret)
			before := Errors()
			violation.do(secret)
			assert.Greater(t, Errors(), before, "memcheck reports nothing")
		})
	}
}

// TestDeclassifiedIsNotReported is the opposite: what is public again may branch.
func TestConstantTimeDeclassified(t *testing.T) {
	require.True(t, Running(), "the tag ctcheck asks for a run on Valgrind")
	secret := [4]byte{1, 2, 3, 4}
	SecretValue(&secret)
	Declassify(secret[:1])
	before := Errors()
	branchGo(&secret[0])
	indexGo(&secret[0])
	DeclassifyValue(&secret)
	branchGo(&secret[3])
	assert.Equal(t, -1, FirstSecret(&secret))
	assert.Equal(t, before, Errors())
}
