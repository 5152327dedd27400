package main

import (
	"slices"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
)

// mix reorders code, which is without branches, so that instructions of every sort come evenly:
// rotations go to two of the five arithmetic ports, ANDN to three, and ports are assigned in
// the order of the program, so that a crowd of one sort leaves ports idle.
//
// From the next few instructions that can come it takes the one whose sort is most behind its
// share of the whole, exclusive or and stores counting most; it prefers early instructions,
// and those whose operands have been ready for long.
func mix(code []*ir.Instruction) (mixed []*ir.Instruction) {
	const window = 36
	before := dependencies(code)
	total, placed := map[string]int{}, map[string]int{}
	for _, i := range code {
		total[sort(i)]++
	}
	place := make([]int, len(code)) // in mixed, or -1
	for i := range place {
		place[i] = -1
	}
	for len(mixed) < len(code) {
		first := slices.Index(place, -1)
		best, bestScore := -1, 0
		for i := first; i < min(first+window, len(code)); i++ {
			latest := -len(code)
			ready := place[i] < 0
			for _, j := range before[i] {
				ready = ready && place[j] >= 0
				latest = max(latest, place[j])
			}
			if !ready {
				continue
			}
			of := sort(code[i])
			behind := (len(mixed)+1)*total[of] - placed[of]*len(code)
			weight := 40
			if of == "XORQ" || of == "store" {
				weight = 300
			}
			score := weight*behind - 2*len(code)*(i-first) - 50*len(code)/(len(mixed)-latest)
			if best < 0 || score > bestScore {
				best, bestScore = i, score
			}
		}
		place[best] = len(mixed)
		mixed = append(mixed, code[best])
		placed[sort(code[best])]++
	}
	return mixed
}

// sort tells instructions apart by the ports that they go to.
func sort(i *ir.Instruction) string {
	if i.Opcode == "MOVQ" && IsMem(i.Outputs[0]) {
		return "store"
	}
	if i.Opcode == "MOVQ" && !IsMem(i.Inputs[0]) {
		return "move"
	}
	return i.Opcode
}

// dependencies returns for each instruction those which it has to follow: by a register, or a
// word of memory, that one of them writes and the other reads or writes. Words of memory are
// the same if they are written the same; none has two names.
func dependencies(code []*ir.Instruction) (before [][]int) {
	before = make([][]int, len(code))
	for i, later := range code {
		for j, earlier := range code[:i] {
			if meet(earlier.Outputs, later.Inputs) || meet(earlier.Outputs, later.Outputs) || meet(earlier.Inputs, later.Outputs) {
				before[i] = append(before[i], j)
			}
		}
	}
	return before
}

// meet reports whether an operand of as is one of bs. Base registers of addresses count as read.
func meet(as, bs []Op) bool {
	for _, a := range as {
		for _, b := range bs {
			if a == b || isBase(a, b) || isBase(b, a) {
				return true
			}
		}
	}
	return false
}

// isBase reports whether register is what the address of mem begins with.
func isBase(register, mem Op) bool {
	m, ok := mem.(Mem)
	return ok && !IsMem(register) && m.Base != nil && register == Op(m.Base)
}
