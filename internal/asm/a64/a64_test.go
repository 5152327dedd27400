package a64

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// everyInstruction writes each vector instruction in each of its forms.
func everyInstruction() *Func {
	f := NewFile("a64_test", "a64").Func("every", "func(a *byte, s []byte, n uint32) int")
	a, b, c := V(1), V(18), V(31)
	low := V(13)
	bytes := []func(V) Vec{V.B16, V.B8}
	small := append(bytes, V.H8, V.H4, V.S4, V.S2)
	all := append(small, V.D2)
	ops := func(forms []func(V) Vec, ops ...func(d, n, m Vec)) {
		for _, op := range ops {
			for _, of := range forms {
				op(of(a), of(b), of(c))
			}
		}
	}
	ops(small, f.VSHADD, f.VSRHADD, f.VSHSUB, f.VSMAX, f.VSMIN, f.VSABD, f.VSABA, f.VMLA, f.VMUL, f.VSMAXP, f.VSMINP,
		f.VUHADD, f.VURHADD, f.VUHSUB, f.VUMAX, f.VUMIN, f.VUABD, f.VMLS, f.VUMAXP, f.VUMINP)
	ops(all, f.VSQADD, f.VSQSUB, f.VCMGT, f.VCMGE, f.VSSHL, f.VSRSHL, f.VADD, f.VCMTST, f.VADDP,
		f.VUQADD, f.VUQSUB, f.VCMHI, f.VCMHS, f.VUSHL, f.VURSHL, f.VSUB, f.VCMEQ,
		f.VUZP1, f.VTRN1, f.VZIP1, f.VUZP2, f.VTRN2, f.VZIP2)
	ops(small[2:], f.VSQDMULH, f.VSQRDMULH)
	ops(bytes, f.VAND, f.VBIC, f.VORR, f.VORN, f.VEOR, f.VBSL, f.VBIT, f.VBIF)
	for lane := range 8 {
		for _, op := range []func(d, n, m Vec){f.VMUL, f.VMLA, f.VMLS, f.VSQDMULH, f.VSQRDMULH} {
			op(a.H8(), b.H8(), low.H(lane))
			op(a.H4(), b.H4(), low.H(lane))
			op(a.S4(), b.S4(), c.S(lane/2))
			op(a.S2(), b.S2(), c.S(lane/2))
		}
		for _, op := range []func(d, n, m Vec){f.VSMULL, f.VSMLAL, f.VSMLSL, f.VUMULL, f.VUMLAL, f.VUMLSL, f.VSQDMULL} {
			op(a.S4(), b.H4(), low.H(lane))
			op(a.S4(), b.H8(), low.H(lane))
			op(a.D2(), b.S2(), c.S(lane/2))
			op(a.D2(), b.S4(), c.S(lane/2))
		}
	}
	type pair struct{ wide, narrow func(V) Vec }
	pairs := []pair{{V.H8, V.B8}, {V.H8, V.B16}, {V.S4, V.H4}, {V.S4, V.H8}, {V.D2, V.S2}, {V.D2, V.S4}}
	for i, p := range pairs {
		long := []func(d, n, m Vec){f.VSADDL, f.VSSUBL, f.VSABDL, f.VSMLAL, f.VSMLSL, f.VSMULL,
			f.VUADDL, f.VUSUBL, f.VUABDL, f.VUMLAL, f.VUMLSL, f.VUMULL}
		if i >= 2 {
			long = append(long, f.VSQDMULL)
		}
		for _, op := range long {
			op(p.wide(a), p.narrow(b), p.narrow(c))
		}
		for _, op := range []func(d, n, m Vec){f.VSADDW, f.VSSUBW, f.VUADDW, f.VUSUBW} {
			op(p.wide(a), p.wide(b), p.narrow(c))
		}
		for _, op := range []func(d, n, m Vec){f.VADDHN, f.VRADDHN, f.VSUBHN, f.VRSUBHN} {
			op(p.narrow(a), p.wide(b), p.wide(c))
		}
		width := 8 << p.narrow(a).size
		for _, op := range []func(d, n Vec, shift int){f.VSHRN, f.VRSHRN, f.VSQSHRN, f.VSQRSHRN, f.VSQSHRUN, f.VSQRSHRUN, f.VUQSHRN, f.VUQRSHRN} {
			op(p.narrow(a), p.wide(b), 1)
			op(p.narrow(a), p.wide(b), width-1)
			op(p.narrow(a), p.wide(b), width)
		}
		for _, op := range []func(d, n Vec, shift int){f.VSSHLL, f.VUSHLL} {
			op(p.wide(a), p.narrow(b), 1)
			op(p.wide(a), p.narrow(b), width-1)
		}
		for _, op := range []func(d, n Vec){f.VXTN, f.VSQXTN, f.VSQXTUN, f.VUQXTN} {
			op(p.narrow(a), p.wide(b))
		}
		f.VSHLL(p.wide(a), p.narrow(b))
		for _, op := range []func(d, n Vec){f.VSADDLP, f.VUADDLP, f.VSADALP, f.VUADALP} {
			if p.narrow(a).q == 1 {
				op(p.wide(a), p.narrow(b))
			}
		}
	}
	for _, of := range all {
		width := 8 << of(a).size
		for _, op := range []func(d, n Vec, shift int){f.VSSHR, f.VSSRA, f.VSRSHR, f.VSRSRA, f.VUSHR, f.VUSRA, f.VURSHR, f.VURSRA, f.VSRI} {
			op(of(a), of(b), 1)
			op(of(a), of(b), width-1)
			op(of(a), of(b), width)
		}
		for _, op := range []func(d, n Vec, shift int){f.VSHL, f.VSLI, f.VSQSHL, f.VUQSHL} {
			op(of(a), of(b), 1)
			op(of(a), of(b), width-1)
		}
		for _, op := range []func(d, n Vec){f.VABS, f.VNEG, f.VSQABS, f.VSQNEG, f.VCMGTZ, f.VCMGEZ, f.VCMEQZ, f.VCMLEZ, f.VCMLTZ} {
			op(of(a), of(b))
		}
		f.VDUP(of(a), b.element(of(a).size, 1))
		f.VDUPX(of(a), 12)
		f.VINS(a.element(of(a).size, 1), b.element(of(a).size, 0))
		f.VINSX(a.element(of(a).size, 1), 12)
		f.UMOV(12, b.element(of(a).size, 1))
		if of(a).size < 3 {
			f.SMOV(12, b.element(of(a).size, 1))
		}
	}
	for _, of := range small {
		f.VCLS(of(a), of(b))
		f.VCLZ(of(a), of(b))
		f.VREV64(of(a), of(b))
		if of(a).size < 2 {
			f.VREV32(of(a), of(b))
		}
		if of(a).size == 2 && of(a).q == 0 {
			continue
		}
		for _, op := range []func(d V, n Vec){f.VSMAXV, f.VSMINV, f.VADDV, f.VUMAXV, f.VUMINV, f.VSADDLV, f.VUADDLV} {
			op(a, of(b))
		}
	}
	for _, of := range bytes {
		f.VREV16(of(a), of(b))
		f.VCNT(of(a), of(b))
		f.VNOT(of(a), of(b))
		f.VEXT(of(a), of(b), of(c), 5)
		f.VTBL(of(a), []V{b}, of(c))
		f.VTBL(of(a), []V{17, 18}, of(c))
		f.VTBL(of(a), []V{17, 18, 19}, of(c))
		f.VTBX(of(a), []V{17, 18, 19, 20}, of(c))
		f.VMOVI(of(a), 0xa5, 0)
	}
	f.VMOV(a, b)
	for _, of := range []func(V) Vec{V.H8, V.H4, V.S4, V.S2} {
		for shift := 0; shift < 8<<of(a).size; shift += 8 {
			f.VMOVI(of(a), 0x5b, shift)
			f.VMVNI(of(a), 0xa5, shift)
			f.VORRI(of(a), 0xa5, shift)
			f.VBICI(of(a), 0xa5, shift)
		}
	}
	f.VMOVI(a.D2(), 0xff0000ffff00ff00, 0)
	f.VEOR3(a, b, c, low)
	f.VBCAX(a, b, c, low)
	f.VRAX1(a, b, c)
	f.VXAR(a, b, c, 43)
	f.LDR(a, X(3).Index(4))
	f.STR(a, X(3).Index(4))
	f.LDRD(a, X(3).Index(4))
	f.STRD(a, X(3).Index(4))
	f.LDRS(a, X(3).Index(4))
	f.STRS(a, X(3).Index(4))
	return f
}

// TestGoAssemblesTheSame assembles every instruction by Go's assembler and compares with the
// encoding.
func TestGoAssemblesTheSame(t *testing.T) {
	f := everyInstruction()
	var source bytes.Buffer
	var want []line
	source.WriteString("TEXT every(SB), 4, $0\n")
	for _, l := range f.lines {
		if strings.HasPrefix(l.text, "WORD") {
			continue
		}
		want = append(want, l)
		source.WriteString(l.text + "\n")
	}
	dir := t.TempDir()
	name, object := filepath.Join(dir, "every.s"), filepath.Join(dir, "every.o")
	if err := os.WriteFile(name, source.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, "go", "tool", "asm", "-p", "a64", "-o", object, name)
	listing := command(t, "go", "tool", "objdump", object)
	encodings := regexp.MustCompile(`(?m)^\s+every\.s:(\d+)\s+0x[0-9a-f]+\s+([0-9a-f]{8})\s`).FindAllStringSubmatch(listing, -1)
	encodings = encodings[:min(len(encodings), len(want))] // the function is padded
	if len(encodings) != len(want) || len(want) < 100 {
		t.Fatalf("%d encodings of %d instructions", len(encodings), len(want))
	}
	for i, e := range encodings {
		if got := fmt.Sprintf("%08x", want[i].word); got != e[2] {
			t.Errorf("%s (%s): encoded as %s, Go has %s", want[i].text, want[i].syntax, got, e[2])
		}
	}
}

// command runs a program for arm64 and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GOARCH=arm64", "GOOS=linux")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// TestEncodings has every instruction disassembled.
func TestEncodings(t *testing.T) {
	var words []line
	for _, l := range everyInstruction().lines {
		if l.word != 0 {
			words = append(words, l)
		}
	}
	compareWords(t, words)
}

// assembly returns the text of every assembly file for arm64 in the module, by name.
func assembly(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	packages := map[string]bool{}
	err := filepath.WalkDir("../../..", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_arm64.s") {
			return err
		}
		text, err := os.ReadFile(name)
		files[name] = string(text)
		packages[filepath.Base(filepath.Dir(name))] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"cpu", "dsaring", "kemring", "keccak"} {
		if !packages[p] {
			t.Fatalf("no assembly of %s", p)
		}
	}
	return files
}

// TestGoKeepsItsRegisters: R18 belongs to the platform, R28 holds the goroutine, R29 the frame
// pointer, and R30 the return address, which only a frame saves. With R30 and R29, which Go
// stores too, a frame of 8 more than a multiple of 16 leaves the stack pointer aligned.
func TestGoKeepsItsRegisters(t *testing.T) {
	reserved := regexp.MustCompile(`\b(R18|R18_PLATFORM|R28|g|R29|[xw](18|28|29)|sp)\b`)
	function := regexp.MustCompile(`^TEXT ·(\w+)\(SB\), NOSPLIT, \$(\d+)-\d+$`)
	for name, text := range assembly(t) {
		frame, changed := 0, false
		for _, l := range strings.Split(text, "\n") {
			if strings.HasPrefix(l, "TEXT") {
				m := function.FindStringSubmatch(l)
				if m == nil {
					t.Fatalf("%s: %s", name, l)
				}
				if frame, _ = strconv.Atoi(m[2]); frame != 0 && frame%16 != 8 {
					t.Errorf("%s: the frame of %s is not aligned", name, m[1])
				}
				changed = false
			}
			if !strings.HasPrefix(l, "\t") || strings.HasPrefix(l, "\t//") {
				continue
			}
			if reserved.MatchString(l) {
				t.Errorf("%s:%s", name, l)
			}
			switch {
			case l == "\tMOVD (RSP), R30":
				changed = false
			case l == "\tRET" && changed:
				t.Errorf("%s: R30 is lost at a return", name)
			case strings.Contains(l, "R30"):
				if changed = true; frame == 0 {
					t.Errorf("%s: without a frame:%s", name, l)
				}
			}
			if strings.HasSuffix(l, ", RSP") {
				t.Errorf("%s:%s", name, l)
			}
		}
	}
}

// TestWordsOfTheLibrary has every WORD of the generated files disassembled and compared with
// its comment.
func TestWordsOfTheLibrary(t *testing.T) {
	pattern := regexp.MustCompile(`(?m)^\s*WORD \$0x([0-9a-f]{8}) // (.*)$`)
	for name, text := range assembly(t) {
		var words []line
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			w, _ := strconv.ParseUint(m[1], 16, 32)
			words = append(words, line{text: name, word: uint32(w), syntax: m[2]})
		}
		if n := strings.Count(text, "WORD"); n != len(words) {
			t.Errorf("%s: %d of %d WORDs have an instruction beside them", name, len(words), n)
		}
		compareWords(t, words)
	}
}

// unknown are the instructions that arm64asm cannot decode; binutils can.
var unknown = regexp.MustCompile(`^(eor3|bcax|rax1|xar) `)

func compareWords(t *testing.T, words []line) {
	t.Helper()
	if len(words) == 0 {
		return
	}
	var image []byte
	for _, l := range words {
		code := binary.LittleEndian.AppendUint32(nil, l.word)
		image = append(image, code...)
		inst, err := arm64asm.Decode(code)
		if err != nil {
			if !unknown.MatchString(l.syntax) {
				t.Errorf("%s: %#08x: %s is not decoded: %v", l.text, l.word, l.syntax, err)
			}
			continue
		}
		if got := normal(arm64asm.GNUSyntax(inst)); got != normal(l.syntax) {
			t.Errorf("%s: %#08x is %s, not %s", l.text, l.word, got, normal(l.syntax))
		}
	}
	objdump, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		t.Log("without aarch64-linux-gnu-objdump: decoded by arm64asm alone")
		return
	}
	name := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(name, image, 0o644); err != nil {
		t.Fatal(err)
	}
	out := command(t, objdump, "-D", "-b", "binary", "-m", "aarch64", name)
	decoded := regexp.MustCompile(`(?m)^\s+[0-9a-f]+:\t([0-9a-f]{8}) \t(.*)$`).FindAllStringSubmatch(out, -1)
	if len(decoded) != len(words) {
		t.Fatalf("binutils decodes %d of %d", len(decoded), len(words))
	}
	for i, d := range decoded {
		if code, _ := hex.DecodeString(d[1]); binary.BigEndian.Uint32(code) != words[i].word {
			t.Fatalf("%s is not %#08x", d[1], words[i].word)
		}
		if got := normal(d[2]); got != normal(words[i].syntax) {
			t.Errorf("%s: %#08x is %s, not %s", words[i].text, words[i].word, got, normal(words[i].syntax))
		}
	}
}

var (
	comment = regexp.MustCompile(`\s*//.*$`)
	number  = regexp.MustCompile(`#(0x[0-9a-f]+|\d+)`)
	ranges  = regexp.MustCompile(`\{v(\d+)\.16b-v(\d+)\.16b\}`)
)

// normal returns the syntax of an instruction in the one way in which it is compared.
func normal(syntax string) string {
	s := strings.ToLower(comment.ReplaceAllString(syntax, ""))
	s = strings.Join(strings.Fields(s), " ")
	s = strings.ReplaceAll(s, ", ", ",")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "{ ", "{"), " }", "}")
	s = number.ReplaceAllStringFunc(s, func(n string) string {
		v, _ := strconv.ParseUint(n[1:], 0, 64)
		return fmt.Sprintf("#%#x", v)
	})
	return ranges.ReplaceAllStringFunc(s, func(r string) string {
		m := ranges.FindStringSubmatch(r)
		first, _ := strconv.Atoi(m[1])
		last, _ := strconv.Atoi(m[2])
		var names []string
		for v := first; v <= last; v++ {
			names = append(names, fmt.Sprintf("v%d.16b", v))
		}
		return "{" + strings.Join(names, ",") + "}"
	})
}
