package a64

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A bound is the interval that the elements of a register lie in, as signed integers of
// 8 << size bits. Registers without one may hold anything.
type bound struct {
	size uint32
	interval.Interval
}

// signed returns the interval of a type of 8 << size bits.
func signed(size uint32) interval.Interval {
	return interval.Interval{Min: -1 << (8<<size - 1), Max: 1<<(8<<size-1) - 1}
}

// Assume says that the elements of v lie in i: what a contract promises of a load, or what a
// product modulo q is known to leave (see [BarrettProduct]). From then on every instruction
// that follows computes the interval of its result, and an addition, subtraction, shift or
// doubling product whose exact result might leave its type panics.
//
// What an instruction does to bounds is known for those of arithmetic; others make their
// results unknown, as a low half of a product is if it may be more than that.
func (f *Func) Assume(v Vec, i interval.Interval) {
	if !i.In(signed(v.size)) {
		panic(fmt.Sprintf("a64: %s: %v beyond the type of %v", f.name, i, v))
	}
	f.bounds[v.V] = bound{v.size, i}
}

// Require panics unless the elements of v are known to lie in i: it is for the results of a
// kernel and for the operands of a step that needs a bound.
func (f *Func) Require(v Vec, i interval.Interval) {
	b, ok := f.boundOf(v)
	if !ok {
		panic(fmt.Sprintf("a64: %s: nothing is known of %v", f.name, v))
	}
	if !b.In(i) {
		panic(fmt.Sprintf("a64: %s: %v lies in %v, which is not within %v", f.name, v, b, i))
	}
}

// Bound returns the interval of the elements of v, which must be known.
func (f *Func) Bound(v Vec) interval.Interval {
	b, ok := f.boundOf(v)
	if !ok {
		panic(fmt.Sprintf("a64: %s: nothing is known of %v", f.name, v))
	}
	return b
}

// Forget drops what is known of registers, for arithmetic that is meant to wrap around.
func (f *Func) Forget(vs ...V) { f.forget(vs...) }

func (f *Func) forget(vs ...V) {
	for _, v := range vs {
		delete(f.bounds, v)
	}
}

func (f *Func) boundOf(v Vec) (interval.Interval, bool) {
	b, ok := f.bounds[v.V]
	if !ok || b.size != v.size {
		return interval.Interval{}, false
	}
	return b.Interval, true
}

// invariant runs the body of a loop: no bound that holds before it may be wider after it.
func (f *Func) invariant(body func()) {
	before := map[V]bound{}
	for v, b := range f.bounds {
		before[v] = b
	}
	body()
	for v := range V(32) {
		b, ok := before[v]
		if !ok {
			delete(f.bounds, v)
			continue
		}
		if after, ok := f.bounds[v]; !ok && !f.freeV[v] || ok && (after.size != b.size || !after.In(b.Interval)) {
			panic(fmt.Sprintf("a64: %s: a loop begins with %v in %v and ends with it in %v", f.name, v, b, after))
		}
	}
}

// bound updates what is known of d after the instruction name with the operands: vectors, or
// a constant at the end.
func (f *Func) bound(name string, d Vec, operands ...any) {
	was, hadWas := f.boundOf(d)
	var in []interval.Interval
	constant := 0
	known := true
	for _, o := range operands {
		switch o := o.(type) {
		case Vec:
			if i, ok := f.boundOf(o); ok {
				in = append(in, i)
			} else {
				known = false
			}
		case int:
			constant = o
		}
	}
	half := d.q == 0
	f.forget(d.V)
	if !known || half {
		if name == "CMGT" || name == "CMGE" || name == "CMEQ" || name == "CMHI" || name == "CMHS" {
			f.bounds[d.V] = bound{d.size, interval.Interval{Min: -1, Max: 0}}
		}
		return
	}
	set := func(i interval.Interval) {
		if !i.In(signed(d.size)) {
			panic(fmt.Sprintf("a64: %s: %s of %v may leave the type of %v: %v", f.name, name, in, d, i))
		}
		f.bounds[d.V] = bound{d.size, i}
	}
	// low keeps a result whose low half alone is there if that is all of it.
	low := func(i interval.Interval) {
		if i.In(signed(d.size)) {
			f.bounds[d.V] = bound{d.size, i}
		}
	}
	bits := 8 << d.size
	switch name {
	case "ADD", "SADDL", "SADDW":
		set(in[0].Add(in[1]))
	case "SUB", "SSUBL", "SSUBW":
		set(in[0].Sub(in[1]))
	case "ADDP", "SADDLP":
		set(in[0].Add(in[len(in)-1]))
	case "SHADD":
		set(shiftDown(in[0].Add(in[1]), 1))
	case "SHSUB":
		set(shiftDown(in[0].Sub(in[1]), 1))
	case "SRHADD":
		set(shiftDown(in[0].Add(in[1]).Add(interval.Exactly(1)), 1))
	case "NEG":
		set(interval.Exactly(0).Sub(in[0]))
	case "ABS":
		set(absolute(in[0]))
	case "SABD":
		set(absolute(in[0].Sub(in[1])))
	case "SMIN":
		set(interval.Interval{Min: min(in[0].Min, in[1].Min), Max: min(in[0].Max, in[1].Max)})
	case "SMAX":
		set(interval.Interval{Min: max(in[0].Min, in[1].Min), Max: max(in[0].Max, in[1].Max)})
	case "MUL":
		low(in[0].Mul(in[1]))
	case "SMULL":
		set(in[0].Mul(in[1]))
	case "MLA":
		if hadWas {
			low(was.Add(in[0].Mul(in[1])))
		}
	case "MLS":
		if hadWas {
			low(was.Sub(in[0].Mul(in[1])))
		}
	case "SMLAL":
		if hadWas {
			set(was.Add(in[0].Mul(in[1])))
		}
	case "SMLSL":
		if hadWas {
			set(was.Sub(in[0].Mul(in[1])))
		}
	case "SQDMULH":
		set(shiftDown(in[0].Mul(in[1]), bits-1))
	case "SQRDMULH":
		set(shiftDown(in[0].Mul(in[1]).Add(interval.Exactly(1<<(bits-2))), bits-1))
	case "SSHR":
		set(shiftDown(in[0], constant))
	case "SRSHR":
		set(shiftDown(in[0].Add(interval.Exactly(1<<(constant-1))), constant))
	case "SSRA":
		if hadWas {
			set(was.Add(shiftDown(in[0], constant)))
		}
	case "USHR":
		if in[0].Min >= 0 {
			set(shiftDown(in[0], constant))
		} else {
			set(interval.Interval{Min: 0, Max: 1<<(bits-constant) - 1})
		}
	case "SHL", "SSHLL":
		set(in[0].Mul(interval.Exactly(1 << constant)))
	case "XTN":
		low(in[0])
	case "SQXTN":
		t := signed(d.size)
		set(interval.Interval{Min: min(max(in[0].Min, t.Min), t.Max), Max: max(min(in[0].Max, t.Max), t.Min)})
	case "SHRN":
		low(shiftDown(in[0], constant))
	case "CMGT", "CMGE", "CMEQ", "CMHI", "CMHS":
		set(interval.Interval{Min: -1, Max: 0})
	case "DUP":
		set(in[0])
	case "cmgt", "cmge", "cmeq", "cmle", "cmlt":
		set(interval.Interval{Min: -1, Max: 0})
	}
}

// boundImmediate knows the constants of MOVI and MVNI.
func (f *Func) boundImmediate(name string, d Vec, value uint64, shift int) {
	f.forget(d.V)
	if d.size > 2 || d.q == 0 {
		return
	}
	v := int64(value) << shift
	switch name {
	case "movi":
	case "mvni":
		v = ^v
	default:
		return
	}
	unused := 64 - 8<<d.size
	f.bounds[d.V] = bound{d.size, interval.Exactly(v << unused >> unused)}
}

// moveBound makes what is known of n known of d.
func (f *Func) moveBound(d, n V) {
	f.forget(d)
	if b, ok := f.bounds[n]; ok {
		f.bounds[d] = b
	}
}

// reinterpret keeps a bound where elements of one width are permuted as wider ones.
func (f *Func) reinterpret(d Vec, sources ...Vec) {
	var all bound
	for i, s := range sources {
		b, ok := f.bounds[s.V]
		if !ok || d.q == 0 || b.size > d.size || i > 0 && b.size != all.size {
			f.forget(d.V)
			return
		}
		if i == 0 {
			all = b
		}
		all.Interval = all.Union(b.Interval)
	}
	f.bounds[d.V] = all
}

func shiftDown(i interval.Interval, n int) interval.Interval {
	return interval.Interval{Min: i.Min >> n, Max: i.Max >> n}
}

func absolute(i interval.Interval) interval.Interval {
	m := max(-i.Min, i.Max)
	switch {
	case i.Min > 0:
		return i
	case i.Max < 0:
		return interval.Interval{Min: -i.Max, Max: -i.Min}
	}
	return interval.Interval{Min: 0, Max: m}
}
