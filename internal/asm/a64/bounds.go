package a64

type bounds struct{}

func (f *Func) forget(vs ...V)                                             {}
func (f *Func) bound(name string, d Vec, operands ...any)                  {}
func (f *Func) boundImmediate(name string, d Vec, value uint64, shift int) {}
