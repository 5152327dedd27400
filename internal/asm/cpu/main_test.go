package main

import (
	"bytes"
	"os"
	"testing"
)

func TestPackageHoldsWhatIsGenerated(t *testing.T) {
	got, err := os.ReadFile("../../cpu/midr_arm64.s")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, generate().Bytes()) {
		t.Error("midr_arm64.s is not what its generator writes: run go generate")
	}
}
