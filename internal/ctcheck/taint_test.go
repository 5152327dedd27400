package ctcheck

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A kernel is one TEXT of an assembly file.
type kernel struct {
	name   string
	code   []instruction
	labels map[string]int // index in code
	// limit is a constant to compare with which makes data public, if it is not empty.
	limit string
	// frameEscapes: something but a spill takes an address in the frame, so that a store
	// through a pointer may be one to the frame.
	frameEscapes bool
}

type instruction struct {
	line int
	op   string // with its suffixes
	args []string
}

// A finding is a place where the time of a kernel may depend on data.
type finding struct {
	line      int
	what      string
	forbidden bool // even where data is public
}

func (f finding) String() string { return fmt.Sprintf("line %d: %s", f.line, f.what) }

var labelLine = regexp.MustCompile(`^\w+:$`)

// parseAssembly reads Go assembly as avo prints it: a statement a line.
func parseAssembly(text string) ([]*kernel, error) {
	var kernels []*kernel
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		op, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#") || op == "DATA" || op == "GLOBL":
		case op == "TEXT":
			name, _, ok := strings.Cut(strings.TrimSpace(rest), "(SB)")
			if !ok {
				return nil, fmt.Errorf("line %d: TEXT without a symbol", i+1)
			}
			kernels = append(kernels, &kernel{name: strings.TrimPrefix(name, "·"), labels: map[string]int{}})
		case len(kernels) == 0:
			return nil, fmt.Errorf("line %d: %q before any TEXT", i+1, line)
		default:
			k := kernels[len(kernels)-1]
			if labelLine.MatchString(line) {
				k.labels[strings.TrimSuffix(line, ":")] = len(k.code)
				continue
			}
			in := instruction{line: i + 1, op: op}
			for _, arg := range strings.Split(rest, ",") {
				if arg = strings.TrimSpace(arg); arg != "" {
					in.args = append(in.args, arg)
				}
			}
			if slices.Contains(in.args, "SP") || strings.HasPrefix(op, "LEA") && strings.Contains(in.args[0], "(SP)") {
				k.frameEscapes = true
			}
			k.code = append(k.code, in)
		}
	}
	return kernels, nil
}

// A state says what is public before an instruction: a set of general registers ("AX"),
// words of the frame ("8(SP)"), "flags", and vector and mask registers that hold the results
// of comparisons with the kernel's limit ("accepted 5", "accepted K5"). What is absent may
// depend on data. "limit 5" is a vector register that holds that limit.
type state map[string]bool

func (s state) clone() state {
	c := state{}
	for k := range s {
		c[k] = true
	}
	return c
}

func (s state) set(what string, public bool) {
	if public {
		s[what] = true
	} else {
		delete(s, what)
	}
}

// forgetFrame makes no word of the frame public.
func (s state) forgetFrame() {
	for what := range s {
		if strings.HasSuffix(what, "(SP)") {
			delete(s, what)
		}
	}
}

// meet removes from s what o lacks and reports whether that changed s.
func (s state) meet(o state) bool {
	changed := false
	for k := range s {
		if !o[k] {
			delete(s, k)
			changed = true
		}
	}
	return changed
}

const flags = "flags"

var (
	generalRegister = regexp.MustCompile(`^(AX|BX|CX|DX|SI|DI|BP|R[89]|R1[0-5])$`)
	byteRegister    = regexp.MustCompile(`^([ABCD])[LH]$|^(SI|DI|BP|R[89]|R1[0-5])[BL]$`)
	vectorRegister  = regexp.MustCompile(`^([XYZ]\d+|K[0-7])$`)
	memoryOperand   = regexp.MustCompile(`^([^()]*)\((\w+)\)(?:\((\w+)\*[1248]\))?$`)
)

// register returns the general register that an operand names, or "".
func register(arg string) string {
	if m := byteRegister.FindStringSubmatch(arg); m != nil {
		if m[1] != "" {
			return m[1] + "X"
		}
		return m[2]
	}
	if generalRegister.MatchString(arg) {
		return arg
	}
	return ""
}

// analyse follows public values through a kernel, over all of its paths, and returns
// every place where data that is not public has an influence on time. Public are
// constants, addresses of symbols and of the frame, the arguments (passed by value:
// pointers and lengths), and what is computed from these alone in general registers, kept
// across a spill of eight bytes. What is loaded through a pointer is not, nor is anything
// that has been in a vector register. The exception are kernels that compare data with a
// limit, where the outcomes are public.
func (k *kernel) analyse() []finding {
	before := make([]state, len(k.code)+1)
	before[0] = state{"FP": true}
	found := map[finding]bool{}
	for work := []int{0}; len(work) > 0; {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		if i == len(k.code) {
			found[finding{what: "the end is reached without RET", forbidden: true}] = true
			continue
		}
		after := before[i].clone()
		next, wrong := k.step(i, after)
		for _, f := range wrong {
			f.line = k.code[i].line
			found[f] = true
		}
		for _, n := range next {
			if before[n] == nil {
				before[n] = after.clone()
				work = append(work, n)
			} else if before[n].meet(after) {
				work = append(work, n)
			}
		}
	}
	var all []finding
	for f := range found {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b finding) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.what, b.what)
	})
	return all
}

// variableTime matches the instructions whose own time depends on their operands on some
// processor: divisions and roots; PDEP and PEXT, which Zen 1 and 2 do bit by bit; string
// comparison.
var variableTime = regexp.MustCompile(`^(I?DIV|V?(DIV|SQRT|RSQRT|RCP)[PS]|PDEP|PEXT|VPCMP[EI]STR)`)

// step applies instruction i to s and returns the instructions that may come next, and
// what is wrong with it.
func (k *kernel) step(i int, s state) (next []int, wrong []finding) {
	in := k.code[i]
	op, _, _ := strings.Cut(in.op, ".")
	report := func(format string, args ...any) {
		wrong = append(wrong, finding{what: fmt.Sprintf(format, args...)})
	}
	forbid := func(format string, args ...any) {
		wrong = append(wrong, finding{what: fmt.Sprintf(format, args...), forbidden: true})
	}

	// Control flow.
	if strings.HasPrefix(op, "J") {
		target, ok := k.labels[in.args[0]]
		switch {
		case !ok:
			forbid("%s to what is no label", op)
			return nil, wrong
		case op == "JMP":
			return []int{target}, wrong
		case op == "JCXZQ" || op == "JCXZL":
			if !s["CX"] {
				report("%s depends on data", op)
			}
		case !s[flags]:
			report("%s depends on data", op)
		}
		return []int{i + 1, target}, wrong
	}
	next = []int{i + 1}
	if op == "RET" {
		return nil, nil
	}
	if variableTime.MatchString(op) {
		forbid("%s: its time depends on its operands", op)
	}

	// address reports whether a memory operand's address is public.
	address := func(arg string) bool {
		m := memoryOperand.FindStringSubmatch(arg)
		if m == nil {
			forbid("operand %q is not understood", arg)
			return false
		}
		public := true
		for _, r := range m[2:] {
			switch {
			case r == "" || r == "SB" || r == "FP" || r == "SP":
			case vectorRegister.MatchString(r):
				report("%s gathers or scatters by data", op)
				public = false
			case !s[r]:
				report("%s: the address %s depends on data", op, arg)
				public = false
			}
		}
		return public
	}
	// value reports whether an operand's value is public; it checks its address too.
	value := func(arg string) bool {
		if strings.HasPrefix(arg, "$") {
			return true
		}
		if r := register(arg); r != "" {
			return s[r]
		}
		if arg == "SP" {
			return true
		}
		if vectorRegister.MatchString(arg) {
			return false
		}
		public := address(arg)
		m := memoryOperand.FindStringSubmatch(arg)
		switch {
		case m == nil || m[3] != "":
			return false
		case m[2] == "FP":
			return public && s["FP"]
		case m[2] == "SP":
			return s[slot(m[1])]
		}
		return false
	}
	// assign says whether the value written to an operand is public.
	assign := func(arg string, public bool) {
		if r := register(arg); r != "" {
			s.set(r, public)
			return
		}
		if arg == "SP" { // the frame moves
			s.forgetFrame()
			return
		}
		if vectorRegister.MatchString(arg) {
			s.set("limit "+vectorName(arg), false)
			s.set("accepted "+vectorName(arg), false)
			return
		}
		address(arg)
		m := memoryOperand.FindStringSubmatch(arg)
		if m != nil && m[2] == "FP" && !public {
			delete(s, "FP") // a result, which may be read again
		}
		if m == nil || m[2] != "SP" {
			return
		}
		if m[3] != "" { // somewhere in the frame
			s.forgetFrame()
			return
		}
		width := 8
		if strings.HasPrefix(op, "V") || strings.HasPrefix(op, "K") {
			width = 64 // at most
		}
		at, _ := strconv.Atoi(m[1])
		for near := at - 7; near < at+width; near++ {
			delete(s, slot(strconv.Itoa(near)))
		}
		s.set(slot(m[1]), public && op == "MOVQ" && !k.frameEscapes)
	}

	n := len(in.args)
	var last string
	if n > 0 {
		last = in.args[n-1]
	}
	sources := func(args ...string) bool { // not short-circuited: every address is checked
		public := true
		for _, arg := range args {
			public = value(arg) && public
		}
		return public
	}

	switch kind := kindOf(op); kind {
	case vector, vectorFlags:
		for _, arg := range in.args {
			if !strings.HasPrefix(arg, "$") && register(arg) == "" && !vectorRegister.MatchString(arg) {
				if arg != last {
					address(arg)
				}
				if strings.HasPrefix(op, "VPCOMPRESS") || strings.HasPrefix(op, "VPEXPAND") {
					report("%s with memory: its time depends on the mask", op)
				}
			}
		}
		if kind == vectorFlags {
			s.set(flags, false)
		} else if n > 0 {
			k.applyVector(op, in.args, s, assign)
		}
	case move:
		public := value(in.args[0])
		if narrow(op) && register(last) != "" {
			public = public && s[register(last)]
		}
		assign(last, public)
	case lea:
		if strings.HasSuffix(in.args[0], "(FP)") {
			delete(s, "FP") // a store may reach it now
		}
		assign(last, address(in.args[0]))
	case compare:
		s.set(flags, sources(in.args...))
	case combine: // into the last operand, and the flags
		public := sources(in.args...)
		if n == 2 && in.args[0] == last && register(last) != "" && zeroing.MatchString(op) {
			public = true
		}
		if n == 1 && strings.HasPrefix(op, "IMUL") {
			forbid("%s writes registers that it does not name", op)
		}
		assign(last, public)
		s.set(flags, public)
	case combineKeepingFlags: // some flags stay as they were, or all do
		public := sources(in.args...)
		assign(last, public)
		s.set(flags, public && s[flags])
	case replace: // the last operand is written only; flags are set
		public := sources(in.args[:n-1]...)
		assign(last, public)
		s.set(flags, public)
	case replaceKeepingFlags:
		assign(last, sources(in.args[:n-1]...))
	case withFlags:
		public := sources(in.args...) && s[flags]
		assign(last, public)
		s.set(flags, public || s[flags] && !carrying.MatchString(op))
	case exchange:
		public := sources(in.args...)
		assign(in.args[0], public)
		assign(in.args[1], public)
	case prefetch:
		address(in.args[0])
	default:
		forbid("%s is not understood", in.op)
	}
	return next, wrong
}

// applyVector assigns the result of a vector instruction. In a kernel with a limit it follows
// that limit into a register, the comparison with it, and the outcomes into a general
// register.
func (k *kernel) applyVector(op string, args []string, s state, assign func(arg string, public bool)) {
	sources, last := args[:len(args)-1], args[len(args)-1]
	limit, accepted := false, false
	if k.limit != "" && len(sources) > 0 {
		switch {
		case strings.HasPrefix(op, "VPBROADCAST"):
			limit = len(sources) == 1 && strings.HasPrefix(sources[0], k.limit)
		case comparison.MatchString(op):
			for _, arg := range sources {
				accepted = accepted || s["limit "+vectorName(arg)]
			}
			// What else decides on the result must be public: a mask, and the kind of
			// comparison, which is "less".
			for _, arg := range sources {
				switch arg[0] {
				case 'K':
					accepted = accepted && s["accepted "+arg]
				case '$':
					accepted = accepted && arg == "$0x01"
				}
			}
		case op == "VPMOVMSKB" || strings.HasPrefix(op, "KMOV"):
			r := register(sources[0])
			accepted = s["accepted "+vectorName(sources[0])] || r != "" && s[r]
		}
	}
	assign(last, accepted && register(last) != "")
	if vectorRegister.MatchString(last) {
		s.set("limit "+vectorName(last), limit)
		s.set("accepted "+vectorName(last), accepted)
	}
}

var comparison = regexp.MustCompile(`^VPCMP(GT|U)B$`)

// vectorName names a register whatever part of it is meant.
func vectorName(arg string) string { return strings.TrimLeft(arg, "XYZ") }

// slot names a word of the frame.
func slot(displacement string) string {
	if displacement == "" {
		displacement = "0"
	}
	return displacement + "(SP)"
}

var (
	zeroing  = regexp.MustCompile(`^(XOR|SUB)[LQ]$`) // of a register with itself
	carrying = regexp.MustCompile(`^(ADC|SBB)`)
)

// narrow reports that op writes part of a register and keeps the rest.
func narrow(op string) bool { return op == "MOVB" || op == "MOVW" }

// A kind is what an instruction does to public values.
type kind int

const (
	unknown kind = iota
	vector
	vectorFlags
	move
	lea
	compare
	combine
	combineKeepingFlags
	replace
	replaceKeepingFlags
	withFlags
	exchange
	prefetch
)

var kinds = []struct {
	ops  *regexp.Regexp
	kind kind
}{
	{regexp.MustCompile(`^(VPTEST|VTESTP[SD]|VU?COMIS[SD]|KORTEST[BWDQ]|KTEST[BWDQ])$`), vectorFlags},
	{regexp.MustCompile(`^(V[A-Z0-9]+|K(MOV|AND|ANDN|OR|XOR|XNOR|NOT|ADD|SHIFTL|SHIFTR)[BWDQ]|KUNPCK(BW|WD|DQ))$`), vector},
	{regexp.MustCompile(`^MOV([BWLQ]|[BWL][LQ](ZX|SX))$`), move},
	{regexp.MustCompile(`^LEA[LQ]$`), lea},
	{regexp.MustCompile(`^(CMP|TEST)[BWLQ]$`), compare},
	{regexp.MustCompile(`^(ADD|SUB|AND|OR|XOR|NEG|IMUL)[BWLQ]$`), combine},
	{regexp.MustCompile(`^(INC|DEC|NOT|SHL|SHR|SAR|ROL|ROR)[BWLQ]$|^BSWAP[LQ]$`), combineKeepingFlags},
	{regexp.MustCompile(`^(ANDN|BZHI|BEXTR|BLSI|BLSR|POPCNT|LZCNT|TZCNT|IMUL3)[LQ]$`), replace},
	{regexp.MustCompile(`^(RORX|SHLX|SHRX|SARX)[LQ]$`), replaceKeepingFlags},
	{regexp.MustCompile(`^(SET[A-Z]+|CMOV[WLQ][A-Z]+|ADC[LQ]|SBB[LQ])$`), withFlags},
	{regexp.MustCompile(`^XCHG[LQ]$`), exchange},
	{regexp.MustCompile(`^PREFETCH(T[012]|NTA)$`), prefetch},
}

func kindOf(op string) kind {
	for _, k := range kinds {
		if k.ops.MatchString(op) {
			return k.kind
		}
	}
	return unknown
}
