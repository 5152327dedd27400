package a64

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
)

// A parameter has its place in the frame of the caller.
type parameter struct {
	name         string
	offset, size int
}

// A signature has the parameters and results of a function in their frame.
type signature struct {
	text   string
	params map[string]parameter
	order  []string
	size   int
}

func parseSignature(text string) signature {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		panic(fmt.Sprintf("a64: signature %q: %v", text, err))
	}
	fn, ok := expr.(*ast.FuncType)
	if !ok {
		panic(fmt.Sprintf("a64: signature %q is no function type", text))
	}
	s := signature{text: text, params: map[string]parameter{}}
	at := 0
	place := func(name string, size, align int) {
		at = (at + align - 1) / align * align
		s.params[name] = parameter{name, at, size}
		s.order = append(s.order, name)
		at += size
	}
	list := func(fields *ast.FieldList, unnamed string) {
		if fields == nil {
			return
		}
		for _, field := range fields.List {
			names := field.Names
			if len(names) == 0 {
				names = []*ast.Ident{{Name: unnamed}}
			}
			for _, n := range names {
				if a, ok := field.Type.(*ast.ArrayType); ok && a.Len == nil {
					place(n.Name+"_base", 8, 8)
					place(n.Name+"_len", 8, 8)
					place(n.Name+"_cap", 8, 8)
					continue
				}
				size := sizeof(field.Type)
				place(n.Name, size, min(size, 8))
			}
		}
	}
	list(fn.Params, "")
	at = (at + 7) / 8 * 8
	list(fn.Results, "ret")
	s.size = at // not rounded up behind the results, as vet counts
	return s
}

// sizeof returns the size of the types that kernels take.
func sizeof(t ast.Expr) int {
	switch t := t.(type) {
	case *ast.StarExpr:
		return 8
	case *ast.Ident:
		switch t.Name {
		case "int", "uint", "uintptr", "int64", "uint64":
			return 8
		case "int32", "uint32":
			return 4
		case "int16", "uint16":
			return 2
		case "int8", "uint8", "byte", "bool":
			return 1
		}
	case *ast.ArrayType:
		if n, ok := t.Len.(*ast.BasicLit); ok && n.Kind == token.INT {
			count, _ := strconv.Atoi(n.Value)
			return count * sizeof(t.Elt)
		}
	}
	panic(fmt.Sprintf("a64: the size of parameter type %T is not known", t))
}

func (f *Func) parameter(name string) parameter {
	p, ok := f.signature.params[name]
	if !ok {
		panic(fmt.Sprintf("a64: %s has no parameter %s", f.name, name))
	}
	return p
}

// Arg loads a parameter, zero-extended. The parts of slice s are named s_base, s_len and
// s_cap.
func (f *Func) Arg(x X, name string) {
	p := f.parameter(name)
	op := map[int]string{1: "MOVBU", 2: "MOVHU", 4: "MOVWU", 8: "MOVD"}[p.size]
	f.emit(op, x, fmt.Sprintf("%s+%d(FP)", name, p.offset))
}

// ArgAt loads the parameter of the given index.
func (f *Func) ArgAt(x X, index int) { f.Arg(x, f.signature.order[index]) }

// Result stores a result; an unnamed one is called ret.
func (f *Func) Result(name string, x X) {
	p := f.parameter(name)
	op := map[int]string{1: "MOVB", 2: "MOVH", 4: "MOVW", 8: "MOVD"}[p.size]
	f.emit(op, fmt.Sprintf("%s+%d(FP)", name, p.offset), x)
}
