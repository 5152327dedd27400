// Package ctcheck checks mechanically that secrets choose no branch and no address.
//
// Under the build tag ctcheck it marks memory as secret for Valgrind's memcheck, which
// then follows the marked bits through every instruction and reports a conditional jump
// or an address that depends on one (A. Langley, "Checking that functions are constant
// time with Valgrind", 2010). It replays what a run executed, on generic and AVX2 code:
// memcheck knows no AVX-512.
//
// For every kernel, AVX-512 among them, and for every path through it, the tests of this
// package analyse the assembly instead; see TestKernelsAreConstantTime. That needs
// neither Valgrind nor the tag.
//
// What is public although it is computed from secrets is declassified in one file of each
// package, with the reason: declassify.go, and its twin under the tag.
//
// Neither sees the time of an instruction depend on its operands. The analysis therefore
// forbids the instructions that are known for it, and .ci/division the divisions that
// the compiler makes.
package ctcheck

//go:generate sh -c "cd ../asm && go run ./ctcheck -out ../ctcheck"
