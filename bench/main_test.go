package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/command"
	"github.com/pqlane/pqlane/bench/internal/suite"
)

// TestBench makes a run of milliseconds.
func TestBench(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := command.Main([]string{"-time", "1ms", "-op", "768"}, &stdout, &stderr, suite.Implementations())
	require.Zero(t, status, stderr.String())
	assert.Contains(t, stdout.String(), "crypto/mlkem")
	t.Log("\n" + stdout.String())
}
