package main

import "github.com/pqlane/pqlane/internal/asm/a64"

// vectors defines the kernel's constants, of 16 bytes each, and returns a register for each.
func vectors(file *a64.File, k *kernel, constants ...[]byte) []a64.V {
	var data []byte
	for _, c := range constants {
		if len(c) != 16 {
			k.refuse("a constant of %d bytes", len(c))
		}
		data = append(data, c...)
	}
	x := k.X()
	k.Addr(x, a64.Constants(file, k.name+"Constants", data))
	vs := make([]a64.V, len(constants))
	for i := range vs {
		vs[i] = k.LowV()
	}
	for i := 0; i < len(vs); i += 2 {
		if i+1 < len(vs) {
			k.LDP(vs[i], vs[i+1], x.At(16*i))
		} else {
			k.LDR(vs[i], x.At(16*i))
		}
	}
	k.Free(x)
	return vs
}

// byteVector, wordVector and so on make constants of a function of the element's number.
func byteVector(f func(i int) int) []byte {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(f(i))
	}
	return b
}

func wordVector(f func(i int) int) []byte {
	return byteVector(func(i int) int { return f(i/2) >> (8 * (i % 2)) })
}

func dwordVector(f func(i int) int) []byte {
	return byteVector(func(i int) int { return f(i/4) >> (8 * (i % 4)) })
}

func all(x int) func(int) int { return func(int) int { return x } }
