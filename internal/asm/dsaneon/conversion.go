package main

import "github.com/pqlane/pqlane/internal/asm/a64"

// A conversion file has kernels that are no arithmetic modulo q.
type conversion struct {
	*a64.File
	constants map[string]a64.Symbol
}

func newConversion(file *a64.File) *conversion {
	return &conversion{file, map[string]a64.Symbol{}}
}

// constant returns the constant of that name, which the file holds once.
func (file *conversion) constant(name string, words []uint32) a64.Symbol {
	s, ok := file.constants[name]
	if !ok {
		s = a64.Constants(file.File, name, words)
		file.constants[name] = s
	}
	return s
}

// fill returns count values of f.
func fill[T any](count int, f func(i int) T) []T {
	s := make([]T, count)
	for i := range s {
		s[i] = f(i)
	}
	return s
}

// pointer returns a register that holds a pointer argument.
func pointer(f *a64.Func, argument string) a64.X {
	x := f.X()
	f.Arg(x, argument)
	return x
}

// loadTable loads registers from a constant.
func loadTable(f *a64.Func, s a64.Symbol, vs []a64.V) {
	x := f.X()
	f.Addr(x, s)
	i := 0
	for ; i+1 < len(vs); i += 2 {
		f.LDP(vs[i], vs[i+1], x.At(16*i))
	}
	if i < len(vs) {
		f.LDR(vs[i], x.At(16*i))
	}
	f.Free(x)
}
