// Command kemneon generates the NEON kernels of internal/kemring.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
)

const generator = "internal/asm/kemneon"

func main() {
	log.SetFlags(0)
	// avo's build package, which package interval imports, registers an -out of its own.
	flags := flag.NewFlagSet("kemneon", flag.ExitOnError)
	out := flags.String("out", ".", "directory of package kemring")
	flags.Parse(os.Args[1:])
	for name, text := range generate() {
		if err := os.WriteFile(filepath.Join(*out, name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// generate returns the generated files by name.
func generate() map[string][]byte {
	return map[string][]byte{
		"ntt_neon_arm64.s":      ntts(),
		"product_neon_arm64.s":  products(),
		"sample_neon_arm64.s":   samples(),
		"compress_neon_arm64.s": conversions(),
	}
}
