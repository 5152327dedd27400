package a64

// The vector instructions: operands d, n and m as in the manual, destination first. Where
// the manual has a second form on the upper half (SMULL2), or a form by element (MUL by
// element), the operands select it.

// Three registers of the same arrangement; m may be one element where a multiplication by
// element exists.
func (f *Func) VSHADD(d, n, m Vec)    { f.three("SHADD", 0, 0, false, noElement, d, n, m) }
func (f *Func) VSQADD(d, n, m Vec)    { f.three("SQADD", 0, 1, false, noElement, d, n, m) }
func (f *Func) VSRHADD(d, n, m Vec)   { f.three("SRHADD", 0, 2, false, noElement, d, n, m) }
func (f *Func) VSHSUB(d, n, m Vec)    { f.three("SHSUB", 0, 4, false, noElement, d, n, m) }
func (f *Func) VSQSUB(d, n, m Vec)    { f.three("SQSUB", 0, 5, false, noElement, d, n, m) }
func (f *Func) VCMGT(d, n, m Vec)     { f.three("CMGT", 0, 6, false, noElement, d, n, m) }
func (f *Func) VCMGE(d, n, m Vec)     { f.three("CMGE", 0, 7, false, noElement, d, n, m) }
func (f *Func) VSSHL(d, n, m Vec)     { f.three("SSHL", 0, 8, false, noElement, d, n, m) }
func (f *Func) VSRSHL(d, n, m Vec)    { f.three("SRSHL", 0, 10, false, noElement, d, n, m) }
func (f *Func) VSMAX(d, n, m Vec)     { f.three("SMAX", 0, 12, false, noElement, d, n, m) }
func (f *Func) VSMIN(d, n, m Vec)     { f.three("SMIN", 0, 13, false, noElement, d, n, m) }
func (f *Func) VSABD(d, n, m Vec)     { f.three("SABD", 0, 14, false, noElement, d, n, m) }
func (f *Func) VSABA(d, n, m Vec)     { f.three("SABA", 0, 15, false, noElement, d, n, m) }
func (f *Func) VADD(d, n, m Vec)      { f.three("ADD", 0, 16, true, noElement, d, n, m) }
func (f *Func) VCMTST(d, n, m Vec)    { f.three("CMTST", 0, 17, true, noElement, d, n, m) }
func (f *Func) VMLA(d, n, m Vec)      { f.three("MLA", 0, 18, false, byElement{1, 0}, d, n, m) }
func (f *Func) VMUL(d, n, m Vec)      { f.three("MUL", 0, 19, false, byElement{0, 8}, d, n, m) }
func (f *Func) VSMAXP(d, n, m Vec)    { f.three("SMAXP", 0, 20, false, noElement, d, n, m) }
func (f *Func) VSMINP(d, n, m Vec)    { f.three("SMINP", 0, 21, false, noElement, d, n, m) }
func (f *Func) VSQDMULH(d, n, m Vec)  { f.three("SQDMULH", 0, 22, false, byElement{0, 12}, d, n, m) }
func (f *Func) VADDP(d, n, m Vec)     { f.three("ADDP", 0, 23, true, noElement, d, n, m) }
func (f *Func) VUHADD(d, n, m Vec)    { f.three("UHADD", 1, 0, false, noElement, d, n, m) }
func (f *Func) VUQADD(d, n, m Vec)    { f.three("UQADD", 1, 1, false, noElement, d, n, m) }
func (f *Func) VURHADD(d, n, m Vec)   { f.three("URHADD", 1, 2, false, noElement, d, n, m) }
func (f *Func) VUHSUB(d, n, m Vec)    { f.three("UHSUB", 1, 4, false, noElement, d, n, m) }
func (f *Func) VUQSUB(d, n, m Vec)    { f.three("UQSUB", 1, 5, false, noElement, d, n, m) }
func (f *Func) VCMHI(d, n, m Vec)     { f.three("CMHI", 1, 6, false, noElement, d, n, m) }
func (f *Func) VCMHS(d, n, m Vec)     { f.three("CMHS", 1, 7, false, noElement, d, n, m) }
func (f *Func) VUSHL(d, n, m Vec)     { f.three("USHL", 1, 8, false, noElement, d, n, m) }
func (f *Func) VURSHL(d, n, m Vec)    { f.three("URSHL", 1, 10, false, noElement, d, n, m) }
func (f *Func) VUMAX(d, n, m Vec)     { f.three("UMAX", 1, 12, true, noElement, d, n, m) }
func (f *Func) VUMIN(d, n, m Vec)     { f.three("UMIN", 1, 13, true, noElement, d, n, m) }
func (f *Func) VUABD(d, n, m Vec)     { f.three("UABD", 1, 14, false, noElement, d, n, m) }
func (f *Func) VSUB(d, n, m Vec)      { f.three("SUB", 1, 16, true, noElement, d, n, m) }
func (f *Func) VCMEQ(d, n, m Vec)     { f.three("CMEQ", 1, 17, true, noElement, d, n, m) }
func (f *Func) VMLS(d, n, m Vec)      { f.three("MLS", 1, 18, false, byElement{1, 4}, d, n, m) }
func (f *Func) VUMAXP(d, n, m Vec)    { f.three("UMAXP", 1, 20, false, noElement, d, n, m) }
func (f *Func) VUMINP(d, n, m Vec)    { f.three("UMINP", 1, 21, false, noElement, d, n, m) }
func (f *Func) VSQRDMULH(d, n, m Vec) { f.three("SQRDMULH", 1, 22, false, byElement{0, 13}, d, n, m) }

// Logic on whole registers, B16 or B8.

func (f *Func) VAND(d, n, m Vec) { f.logic("AND", 0, 0, true, d, n, m) }
func (f *Func) VBIC(d, n, m Vec) { f.logic("BIC", 0, 1, false, d, n, m) }
func (f *Func) VORR(d, n, m Vec) { f.logic("ORR", 0, 2, true, d, n, m) }
func (f *Func) VORN(d, n, m Vec) { f.logic("ORN", 0, 3, false, d, n, m) }
func (f *Func) VEOR(d, n, m Vec) { f.logic("EOR", 1, 0, true, d, n, m) }
func (f *Func) VBSL(d, n, m Vec) { f.logic("BSL", 1, 1, true, d, n, m) }
func (f *Func) VBIT(d, n, m Vec) { f.logic("BIT", 1, 2, true, d, n, m) }
func (f *Func) VBIF(d, n, m Vec) { f.logic("BIF", 1, 3, true, d, n, m) }

// Permutations.

func (f *Func) VUZP1(d, n, m Vec) { f.permute("UZP1", 1, d, n, m) }
func (f *Func) VTRN1(d, n, m Vec) { f.permute("TRN1", 2, d, n, m) }
func (f *Func) VZIP1(d, n, m Vec) { f.permute("ZIP1", 3, d, n, m) }
func (f *Func) VUZP2(d, n, m Vec) { f.permute("UZP2", 5, d, n, m) }
func (f *Func) VTRN2(d, n, m Vec) { f.permute("TRN2", 6, d, n, m) }
func (f *Func) VZIP2(d, n, m Vec) { f.permute("ZIP2", 7, d, n, m) }

// Wide results: d has elements twice as wide as n and m, which are lower halves or, for the
// second form, whole registers. m may be one element of a multiplication.

func (f *Func) VSADDL(d, n, m Vec)   { f.long("SADDL", 0, 0, noElement, d, n, m) }
func (f *Func) VSSUBL(d, n, m Vec)   { f.long("SSUBL", 0, 2, noElement, d, n, m) }
func (f *Func) VSABDL(d, n, m Vec)   { f.long("SABDL", 0, 7, noElement, d, n, m) }
func (f *Func) VSMLAL(d, n, m Vec)   { f.long("SMLAL", 0, 8, byElement{0, 2}, d, n, m) }
func (f *Func) VSMLSL(d, n, m Vec)   { f.long("SMLSL", 0, 10, byElement{0, 6}, d, n, m) }
func (f *Func) VSMULL(d, n, m Vec)   { f.long("SMULL", 0, 12, byElement{0, 10}, d, n, m) }
func (f *Func) VSQDMULL(d, n, m Vec) { f.long("SQDMULL", 0, 13, byElement{0, 11}, d, n, m) }
func (f *Func) VUADDL(d, n, m Vec)   { f.long("UADDL", 1, 0, noElement, d, n, m) }
func (f *Func) VUSUBL(d, n, m Vec)   { f.long("USUBL", 1, 2, noElement, d, n, m) }
func (f *Func) VUABDL(d, n, m Vec)   { f.long("UABDL", 1, 7, noElement, d, n, m) }
func (f *Func) VUMLAL(d, n, m Vec)   { f.long("UMLAL", 1, 8, byElement{1, 2}, d, n, m) }
func (f *Func) VUMLSL(d, n, m Vec)   { f.long("UMLSL", 1, 10, byElement{1, 6}, d, n, m) }
func (f *Func) VUMULL(d, n, m Vec)   { f.long("UMULL", 1, 12, byElement{1, 10}, d, n, m) }

// Wide d and n.

func (f *Func) VSADDW(d, n, m Vec) { f.wide("SADDW", 0, 1, d, n, m) }
func (f *Func) VSSUBW(d, n, m Vec) { f.wide("SSUBW", 0, 3, d, n, m) }
func (f *Func) VUADDW(d, n, m Vec) { f.wide("UADDW", 1, 1, d, n, m) }
func (f *Func) VUSUBW(d, n, m Vec) { f.wide("USUBW", 1, 3, d, n, m) }

// Upper halves of sums: d has elements half as wide; a whole register d is the second form.

func (f *Func) VADDHN(d, n, m Vec)  { f.highNarrow("ADDHN", 0, 4, d, n, m) }
func (f *Func) VRADDHN(d, n, m Vec) { f.highNarrow("RADDHN", 1, 4, d, n, m) }
func (f *Func) VSUBHN(d, n, m Vec)  { f.highNarrow("SUBHN", 0, 6, d, n, m) }
func (f *Func) VRSUBHN(d, n, m Vec) { f.highNarrow("RSUBHN", 1, 6, d, n, m) }

// Shifts by a constant.

func (f *Func) VSSHR(d, n Vec, shift int)  { f.shiftRight("SSHR", 0, 0, false, d, n, shift) }
func (f *Func) VSSRA(d, n Vec, shift int)  { f.shiftRight("SSRA", 0, 2, false, d, n, shift) }
func (f *Func) VSRSHR(d, n Vec, shift int) { f.shiftRight("SRSHR", 0, 4, false, d, n, shift) }
func (f *Func) VSRSRA(d, n Vec, shift int) { f.shiftRight("SRSRA", 0, 6, false, d, n, shift) }
func (f *Func) VUSHR(d, n Vec, shift int)  { f.shiftRight("USHR", 1, 0, true, d, n, shift) }
func (f *Func) VUSRA(d, n Vec, shift int)  { f.shiftRight("USRA", 1, 2, true, d, n, shift) }
func (f *Func) VURSHR(d, n Vec, shift int) { f.shiftRight("URSHR", 1, 4, false, d, n, shift) }
func (f *Func) VURSRA(d, n Vec, shift int) { f.shiftRight("URSRA", 1, 6, false, d, n, shift) }
func (f *Func) VSRI(d, n Vec, shift int)   { f.shiftRight("SRI", 1, 8, true, d, n, shift) }
func (f *Func) VSHL(d, n Vec, shift int)   { f.shiftLeft("SHL", 0, 10, true, d, n, shift) }
func (f *Func) VSLI(d, n Vec, shift int)   { f.shiftLeft("SLI", 1, 10, true, d, n, shift) }
func (f *Func) VSQSHL(d, n Vec, shift int) { f.shiftLeft("SQSHL", 0, 14, false, d, n, shift) }
func (f *Func) VUQSHL(d, n Vec, shift int) { f.shiftLeft("UQSHL", 1, 14, false, d, n, shift) }

// Shifts to narrower elements; a whole register d is the second form.

func (f *Func) VSHRN(d, n Vec, shift int)     { f.shiftNarrow("SHRN", 0, 16, d, n, shift) }
func (f *Func) VRSHRN(d, n Vec, shift int)    { f.shiftNarrow("RSHRN", 0, 17, d, n, shift) }
func (f *Func) VSQSHRN(d, n Vec, shift int)   { f.shiftNarrow("SQSHRN", 0, 18, d, n, shift) }
func (f *Func) VSQRSHRN(d, n Vec, shift int)  { f.shiftNarrow("SQRSHRN", 0, 19, d, n, shift) }
func (f *Func) VSQSHRUN(d, n Vec, shift int)  { f.shiftNarrow("SQSHRUN", 1, 16, d, n, shift) }
func (f *Func) VSQRSHRUN(d, n Vec, shift int) { f.shiftNarrow("SQRSHRUN", 1, 17, d, n, shift) }
func (f *Func) VUQSHRN(d, n Vec, shift int)   { f.shiftNarrow("UQSHRN", 1, 18, d, n, shift) }
func (f *Func) VUQRSHRN(d, n Vec, shift int)  { f.shiftNarrow("UQRSHRN", 1, 19, d, n, shift) }

// Shifts to wider elements; a whole register n is the second form.

func (f *Func) VSSHLL(d, n Vec, shift int) { f.shiftLong("SSHLL", 0, d, n, shift) }
func (f *Func) VUSHLL(d, n Vec, shift int) { f.shiftLong("USHLL", 1, d, n, shift) }

// One operand.

func (f *Func) VREV64(d, n Vec) { f.one("REV64", 0, 0, true, d, n) }
func (f *Func) VREV32(d, n Vec) { f.one("REV32", 1, 0, true, d, n) }
func (f *Func) VREV16(d, n Vec) { f.one("REV16", 0, 1, true, d, n) }
func (f *Func) VCLS(d, n Vec)   { f.one("CLS", 0, 4, false, d, n) }
func (f *Func) VCLZ(d, n Vec)   { f.one("CLZ", 1, 4, false, d, n) }
func (f *Func) VCNT(d, n Vec)   { f.one("CNT", 0, 5, true, d, n) }
func (f *Func) VABS(d, n Vec)   { f.one("ABS", 0, 11, false, d, n) }
func (f *Func) VNEG(d, n Vec)   { f.one("NEG", 1, 11, false, d, n) }
func (f *Func) VSQABS(d, n Vec) { f.one("SQABS", 0, 7, false, d, n) }
func (f *Func) VSQNEG(d, n Vec) { f.one("SQNEG", 1, 7, false, d, n) }

// Comparisons with zero.

func (f *Func) VCMGTZ(d, n Vec) { f.compareZero("cmgt", 0, 8, d, n) }
func (f *Func) VCMGEZ(d, n Vec) { f.compareZero("cmge", 1, 8, d, n) }
func (f *Func) VCMEQZ(d, n Vec) { f.compareZero("cmeq", 0, 9, d, n) }
func (f *Func) VCMLEZ(d, n Vec) { f.compareZero("cmle", 1, 9, d, n) }
func (f *Func) VCMLTZ(d, n Vec) { f.compareZero("cmlt", 0, 10, d, n) }

// To elements half as wide; a whole register d is the second form.

func (f *Func) VXTN(d, n Vec)    { f.narrow("XTN", 0, 18, d, n) }
func (f *Func) VSQXTN(d, n Vec)  { f.narrow("SQXTN", 0, 20, d, n) }
func (f *Func) VSQXTUN(d, n Vec) { f.narrow("SQXTUN", 1, 18, d, n) }
func (f *Func) VUQXTN(d, n Vec)  { f.narrow("UQXTN", 1, 20, d, n) }

// Sums of pairs, to elements twice as wide.

func (f *Func) VSADDLP(d, n Vec) { f.pairs("SADDLP", 0, 2, d, n) }
func (f *Func) VUADDLP(d, n Vec) { f.pairs("UADDLP", 1, 2, d, n) }
func (f *Func) VSADALP(d, n Vec) { f.pairs("SADALP", 0, 6, d, n) }
func (f *Func) VUADALP(d, n Vec) { f.pairs("UADALP", 1, 6, d, n) }

// Across all elements of n, into the lowest of d.

func (f *Func) VSMAXV(d V, n Vec)  { f.across("SMAXV", 0, 10, false, false, d, n) }
func (f *Func) VSMINV(d V, n Vec)  { f.across("SMINV", 0, 26, false, false, d, n) }
func (f *Func) VADDV(d V, n Vec)   { f.across("ADDV", 0, 27, false, true, d, n) }
func (f *Func) VUMAXV(d V, n Vec)  { f.across("UMAXV", 1, 10, false, false, d, n) }
func (f *Func) VUMINV(d V, n Vec)  { f.across("UMINV", 1, 26, false, false, d, n) }
func (f *Func) VSADDLV(d V, n Vec) { f.across("SADDLV", 0, 3, true, false, d, n) }
func (f *Func) VUADDLV(d V, n Vec) { f.across("UADDLV", 1, 3, true, true, d, n) }
