package a64

import "fmt"

// A Shifted is a register shifted by a constant, as the last operand of an instruction.
type Shifted struct {
	x  X
	op string
	n  int
}

func (s Shifted) String() string { return fmt.Sprintf("%v%s%d", s.x, s.op, s.n) }

// LSL, LSR, ASR and ROR shift an operand.
func (x X) LSL(n int) Shifted { return Shifted{x, "<<", n} }
func (x X) LSR(n int) Shifted { return Shifted{x, ">>", n} }
func (x X) ASR(n int) Shifted { return Shifted{x, "->", n} }
func (x X) ROR(n int) Shifted { return Shifted{x, "@>", n} }

// Scalar writes an instruction on general registers by its name in Go's assembler, with the
// operands in the manual's order: X, Shifted, int, Label or a text in Go's syntax.
func (f *Func) Scalar(op string, operands ...any) { f.emit(op, operands...) }

// The last operand m is an X, a Shifted or a constant.

func (f *Func) ADD(d, n X, m any)  { f.emit("ADD", d, n, m) }
func (f *Func) ADDW(d, n X, m any) { f.emit("ADDW", d, n, m) }
func (f *Func) SUB(d, n X, m any)  { f.emit("SUB", d, n, m) }
func (f *Func) SUBW(d, n X, m any) { f.emit("SUBW", d, n, m) }
func (f *Func) SUBS(d, n X, m any) { f.emit("SUBS", d, n, m) }
func (f *Func) AND(d, n X, m any)  { f.emit("AND", d, n, m) }
func (f *Func) ANDW(d, n X, m any) { f.emit("ANDW", d, n, m) }
func (f *Func) ORR(d, n X, m any)  { f.emit("ORR", d, n, m) }
func (f *Func) EOR(d, n X, m any)  { f.emit("EOR", d, n, m) }
func (f *Func) BIC(d, n X, m any)  { f.emit("BIC", d, n, m) }
func (f *Func) LSL(d, n X, m any)  { f.emit("LSL", d, n, m) }
func (f *Func) LSR(d, n X, m any)  { f.emit("LSR", d, n, m) }
func (f *Func) ASR(d, n X, m any)  { f.emit("ASR", d, n, m) }
func (f *Func) ROR(d, n X, m any)  { f.emit("ROR", d, n, m) }
func (f *Func) CMP(n X, m any)     { f.emit("CMP", n, m) }
func (f *Func) CMPW(n X, m any)    { f.emit("CMPW", n, m) }
func (f *Func) TST(n X, m any)     { f.emit("TST", n, m) }

func (f *Func) MUL(d, n, m X)   { f.emit("MUL", d, n, m) }
func (f *Func) UMULH(d, n, m X) { f.emit("UMULH", d, n, m) }
func (f *Func) MVN(d, m X)      { f.emit("MVN", d, m) }
func (f *Func) NEG(d, m X)      { f.emit("NEG", d, m) }
func (f *Func) RBIT(d, n X)     { f.emit("RBIT", d, n) }
func (f *Func) CLZ(d, n X)      { f.emit("CLZ", d, n) }

// UBFX takes width bits of n from bit lsb on; BFI puts them there.
func (f *Func) UBFX(d, n X, lsb, width int) {
	f.emit("UBFX", d, width, n, lsb)
}
func (f *Func) BFI(d, n X, lsb, width int) { f.emit("BFI", d, width, n, lsb) }

// CSEL and CSET decide by one of EQ NE HS LO MI PL VS VC HI LS GE LT GT LE.
func (f *Func) CSEL(d, n, m X, condition string) { f.emit("CSEL", d, m, n, condition) }
func (f *Func) CSET(d X, condition string)       { f.emit("CSET", d, condition) }

// MOV moves a register or any constant.
func (f *Func) MOV(d X, m any) { f.emit("MOVD", d, m) }

func (f *Func) B(l Label)                 { f.emit("B", string(l)) }
func (f *Func) CBZ(n X, l Label)          { f.emit("CBZ", string(l), n) }
func (f *Func) CBNZ(n X, l Label)         { f.emit("CBNZ", string(l), n) }
func (f *Func) TBZ(n X, bit int, l Label) { f.emit("TBZ", string(l), n, bit) }
func (f *Func) TBNZ(n X, bit int, l Label) {
	f.emit("TBNZ", string(l), n, bit)
}

// Branch branches on a condition, as CSEL has them.
func (f *Func) Branch(condition string, l Label) { f.emit("B"+condition, string(l)) }

// RET returns. Go's assembler saves R30 below a frame but does not load it again in a function
// without calls.
func (f *Func) RET() {
	if f.frame > 0 {
		f.LDRX(R30, sp.At(0))
	}
	f.emit("RET")
}
