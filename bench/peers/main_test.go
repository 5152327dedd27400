package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/bench/internal/command"
	"github.com/pqlane/pqlane/bench/internal/report"
	"github.com/pqlane/pqlane/bench/internal/suite"
)

// TestPeersInOneTable makes a run of microseconds for each row.
func TestPeersInOneTable(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := command.Main([]string{"-json", "-time", "1us"}, &stdout, &stderr, implementations(), modules...)
	require.Zero(t, status, stderr.String())
	var r report.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))

	rows := make(map[string]string)
	for _, row := range r.Rows {
		rows[row.Group+" "+row.Op+" "+row.Impl] = row.Baseline
	}
	for set, baseline := range map[string]string{"ML-KEM-512": "circl", "ML-KEM-768": "crypto/mlkem", "ML-KEM-1024": "crypto/mlkem"} {
		for _, op := range []string{"keygen", "keygen+decaps", "parse+encaps", "encaps", "decaps", "import seed"} {
			for _, impl := range []string{"pqlane", "circl", "gmsm", baseline} {
				assert.Equal(t, baseline, rows[set+" "+op+" "+impl], "%s %s %s", set, op, impl)
			}
		}
	}
	baseline := "circl"
	if suite.StandardHasMLDSA {
		baseline = "crypto/mldsa"
	}
	for _, set := range []string{"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		for _, op := range []string{"keygen", "sign 32", "sign", "parse+verify", "verify precomputed"} {
			impls := []string{"pqlane", "circl", "gmsm", baseline}
			if op == "verify precomputed" {
				impls = impls[:3]
			}
			for _, impl := range impls {
				assert.Equal(t, baseline, rows[set+" "+op+" "+impl], "%s %s %s", set, op, impl)
			}
		}
	}
}
