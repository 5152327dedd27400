package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPackageHoldsWhatIsGenerated(t *testing.T) {
	for name, file := range generate() {
		got, err := os.ReadFile(filepath.Join("../../dsaring", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, file.Bytes()) {
			t.Errorf("%s is not what its generator writes: run go generate", name)
		}
	}
}
