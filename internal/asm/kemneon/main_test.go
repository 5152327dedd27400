package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPackageHoldsWhatIsGenerated(t *testing.T) {
	for name, want := range generate() {
		got, err := os.ReadFile(filepath.Join("../../kemring", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its generator writes: run go generate", name)
		}
	}
}
