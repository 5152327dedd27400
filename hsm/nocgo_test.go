//go:build !cgo || windows

package hsm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutCgo(t *testing.T) {
	_, err := Open(background, Config{Module: "libhsm.so"})
	require.ErrorIs(t, err, ErrNoCgo)
	require.Empty(t, modules.byPath)
}
