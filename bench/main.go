// Command bench measures ML-KEM, ML-DSA and what joins them to classical keys on this machine:
// every operation on every backend that the processor has, interleaved with the standard
// library's.
//
//	go run ./bench                          a table, in under a minute
//	go run ./bench -op '768 decaps'         only the operations that match
//	go run ./bench -backend avx2,generic    only these backends
//	go run ./bench -svg bench.svg           a chart beside the table
//	go run ./bench -json >bench.json        for machines
//	go run ./bench -time 1s                 longer, and steadier
//	go run ./bench -tail                    signatures of 10,000 messages: their slowest percent
//	go run ./bench -idle                    memory of 10,000 idle links
//	go run ./bench -hsm 'pkcs11:...'         a token, beside raw calls of its module
//	go run ./bench -cpuprofile cpu.prof     where the time goes
//
// The nested module bench/peers adds other Go implementations to the same table:
//
//	cd bench/peers && go run .
package main

import (
	"os"

	"github.com/pqlane/pqlane/bench/internal/command"
	"github.com/pqlane/pqlane/bench/internal/suite"
)

func main() {
	os.Exit(command.Main(os.Args[1:], os.Stdout, os.Stderr, suite.Implementations()))
}
