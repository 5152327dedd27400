// Command cpu generates the one function of package internal/cpu that Go has no words for.
package main

import (
	"flag"
	"log"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

func main() {
	log.SetFlags(0)
	out := flag.String("out", ".", "directory of package cpu")
	flag.Parse()
	if err := generate().Write(*out, "midr_arm64.s"); err != nil {
		log.Fatal(err)
	}
}

func generate() *a64.File {
	file := a64.NewFile("internal/asm/cpu", "cpu")
	f := file.Func("midr", "func() uint64")
	x := f.X()
	f.Comment("The kernel emulates this read of the Main ID Register.")
	f.Scalar("MRS", x, "MIDR_EL1")
	f.Result("ret", x)
	f.RET()
	return file
}
