// Package faults tests the tests: it plants one-line faults in the source, each in a build
// of its own, and fails if the tests of the package do not notice. Many are faults that
// published vectors miss or that implementations have shipped with.
package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A fault replaces old, which occurs once in file, by new. The tests of pkg that match
// run, all if it is empty, have to fail.
type fault struct {
	name     string
	file     string
	old, new string
	pkg      string
	run      string
}

const (
	kem    = "mlkem/kem.go"
	lanes  = "mlkem/lanes.go"
	keys   = "mlkem/keys.go"
	set768 = "mlkem/mlkem768.go"

	ring    = "./internal/kemring"
	dsaring = "./internal/dsaring"

	dsaExpand = "mldsa/expand.go"
	dsaHint   = "mldsa/hint.go"
	dsaKeys   = "mldsa/private.go"
	dsaMask   = "mldsa/mask.go"
	dsaRound  = "internal/dsaring/round.go"
	dsaSample = "internal/dsaring/sample.go"
	dsaSign   = "mldsa/sign.go"
	dsaVerify = "mldsa/verify.go"
	mldsa     = "./mldsa"
	mlkem     = "./mlkem"
)

var faults = []fault{
	{"no modulus check of ek", "internal/kemring/compress.go", "return tooLarge>>31 == 0", "return tooLarge>>31 <= 1", mlkem, ""},
	{"ek with a coefficient of q", "internal/kemring/compress.go", "(Q - 1 - a)", "(Q - a)", mlkem, "TestModulusCheck"},
	{"no H(ek) check of dk", keys, "!= 1 {", "> 1 {", mlkem, ""},
	{"H(ek) check omits the last byte", keys, "rest[:32], sk.h.digest[:])", "rest[:31], sk.h.digest[:31])", mlkem, ""},
	{"trailing bytes accepted", "mlkem/errors.go", "if got == want {", "if got >= want {", mlkem, "TestWrongSizes"},

	{"comparison omits the end of c", "internal/kemring/compare.go", "len(a) >= 32 &&", "len(a) > 32 &&", mlkem, ""},
	{"comparison covers c1 only", kem, "ciphertext, again)", "ciphertext[:sk.k*sk.ciphertextPolySize()], again)", mlkem, ""},
	{"comparison omits eight bytes of a row", "internal/kemring/compare.go", "load64(x, 24) ^ load64(y, 24)", "0", mlkem, "TestCiphertextComparison"},
	{"no implicit rejection", kem, "mask := -((different | -different) >> 63)", "mask := 0 * ((different | -different) >> 63)", mlkem, ""},
	{"implicit rejection without z", kem, "copy(message, sk.z[:])", "_ = sk.z", mlkem, ""},
	{"key generation of the 2023 draft", kem, "w.hashG(32, uint64(k)|keccak.DomainSHA3<<8, nil)", "w.hashG(32, keccak.DomainSHA3, nil)", mlkem, ""},
	{"matrix transposed", lanes, "uint64(j) | uint64(i)<<8", "uint64(i) | uint64(j)<<8", mlkem, ""},
	{"polynomial of the matrix left unfinished", lanes, "done[i] < kemring.N {", "done[i] < kemring.N-8 {", mlkem, ""},
	{"noise with a repeated nonce", lanes, "= uint64(i) |", "= uint64(i&3) |", mlkem, ""},
	{"fourth block of the XOF repeats the third", lanes, "	w.state.SetLane(lane, &a)\n", "", mlkem, ""},
	{"late hash begins anew", "mlkem/hash.go", "ek[h.next:])", "ek)", mlkem, "TestLateHash"},
	{"encapsulation without randomness", set768, "rand.Read(w.m[:]) // never fails", "_ = rand.Read", mlkem, "TestEncapsulationsDiffer"},
	{"key generation without randomness", set768, "rand.Read(seed[:]) // never fails", "_ = rand.Read", mlkem, "TestEncapsulationsDiffer"},

	{"scratch not wiped", kem, "w.used = w.polys[:2+3*p.k+1]\n", "w.used = w.polys[:2+3*p.k]\n", mlkem, "TestScratch"},
	{"lanes not wiped", kem, "	clear(w.state[:])\n	w.sampled", "	w.sampled", mlkem, "TestScratch"},
	{"Destroy leaves ŝ", set768, "	clear(dk.s[:])\n", "", mlkem, "TestDestroy"},
	{"Destroy leaves z", set768, "	clear(dk.z[:])\n", "", mlkem, "TestDestroy"},
	{"failed SetBytes leaves the old key usable", set768, "	ek.state = unset\n", "", mlkem, "TestUnusable|TestModulus"},
	{"destroyed key decapsulates", set768, "	dk.state = destroyed\n", "", mlkem, "TestUnusable"},
	{"expanded key claims a seed", set768, "ek.shared, key.expanded = ready, ready, true, true", "ek.shared, key.expanded = ready, ready, true, false", mlkem, "TestExpanded"},
	{"a field of an uncleared key left as it was", set768, "dk.ek.shared, dk.expanded = ready, ready, true, false", "dk.ek.shared = ready, ready, true", mlkem, "TestKeysAreOverwrittenWhole"},
	{"SetBytes changes a decapsulation key", set768, "if ek.shared {", "if false {", mlkem, "TestSetBytes"},

	{"SampleNTT accepts q", "internal/kemring/sample.go", "(uint32(c) - Q) >> 31", "(uint32(c) - Q - 1) >> 31", ring, ""},
	{"SampleNTT rejects q−1", "internal/kemring/sample.go", "(uint32(c) - Q) >> 31", "(uint32(c) - Q + 1) >> 31", ring, ""},
	{"SampleNTT accepts q at the end", "internal/kemring/sample.go", "n < N && c < Q", "n < N && c <= Q", ring, ""},
	{"SampleNTT drops the last coefficient", "internal/kemring/sample.go", "n < N && c < Q", "n < N-1 && c < Q", ring, ""},
	{"message decoding boundary", "internal/kemring/compress.go", "<<d + Q/2\n", "<<d + Q/2 + 1\n", ring, ""},
	{"compression quotient off by one somewhere", "internal/kemring/compress.go", "dividend * 330282857", "dividend * 330280000", ring, ""},
	{"decompression rounds down", "internal/kemring/compress.go", "*Q + 1<<d>>1) >> d", "*Q + 1<<d>>1 - 1) >> d", ring, ""},
	{"reduction leaves q", "internal/kemring/ntt.go", "return x + x>>15&Q", "return x + (x-1)>>15&Q", ring, ""},
	{"inverse NTT skips a reduction", "internal/kemring/ntt.go", "length == 2 || length == 8", "length == 8", ring, ""},
	{"product added to nothing", "internal/kemring/ntt.go", "	addGeneric(dst, e)\n", "", ring, ""},

	{"RejNTTPoly accepts q", "internal/dsaring/sample.go", "int((c - Q) >> 31)", "int((c - Q - 1) >> 31)", dsaring, "TestSample"},
	{"RejNTTPoly rejects q−1", "internal/dsaring/sample.go", "int((c - Q) >> 31)", "int((c - Q + 1) >> 31)", dsaring, "TestSample"},
	{"RejNTTPoly accepts q at the end", "internal/dsaring/sample.go", "n < N && c < Q", "n < N && c <= Q", dsaring, "TestSample"},
	{"RejBoundedPoly accepts 9", "internal/dsaring/sample.go", "limit := uint32(9)", "limit := uint32(10)", dsaring, "TestSample"},
	{"RejBoundedPoly drops the last coefficient", "internal/dsaring/sample.go", "if n == N {", "if n == N-1 {", dsaring, "TestSample"},
	{"SampleInBall takes signs from every block", "internal/dsaring/sample.go", "if !b.begun {", "if b.next < N {", dsaring, "TestSampleInBall"},
	{"SampleInBall rejects i itself", "internal/dsaring/sample.go", "int(uint32(next-j)>>31)", "int(uint32(next-j-1)>>31)", dsaring, "TestSampleInBall"},
	{"Power2Round rounds halves up", "internal/dsaring/round.go", "1<<(D-1) - 1) >> D", "1<<(D-1)) >> D", dsaring, "TestPower2Round"},
	{"Decompose leaves r₀ where r₁ wraps", "internal/dsaring/round.go", "*gamma2+wraps", "*gamma2", dsaring, "TestDecompose"},
	{"Decompose's reciprocal too small", "internal/dsaring/round.go", "* 5638 >> 19", "* 5637 >> 19", dsaring, "TestDecompose"},
	{"UseHint(1, 0) goes up", "internal/dsaring/round.go", "positive := -low >> 31", "positive := (-low - 1) >> 31", dsaring, "TestUseHint"},
	{"UseHint stays at −1", "internal/dsaring/round.go", " & m // from −1", " & 0 // from −1", dsaring, "TestUseHint"},
	{"MakeHint admits −γ₂ everywhere", "internal/dsaring/round.go", "-gamma2 + int32(uint32(-high)>>31)", "-gamma2 + 0*high", dsaring, "TestMakeHint"},
	{"norm bound too large", "internal/dsaring/round.go", "(bound - 1 - c)", "(bound - c)", dsaring, "TestExceeds"},
	{"norm bound of negative coefficients too large", "internal/dsaring/round.go", "(bound - 1 + c)", "(bound + c)", dsaring, "TestExceeds"},
	{"secret below −η accepted", "internal/dsaring/pack.go", "return tooSmall >= 0", "return tooSmall >= -1", dsaring, "TestUnpackEta"},
	{"inverse NTT of ML-DSA skips its reduction", "internal/dsaring/ntt.go", "if length == 32 {", "if length == 99 {", dsaring, "NTT"},
	{"centred residue of (q+1)/2", "internal/dsaring/ntt.go", "c - (Q/2-c)>>31&Q", "c - (Q/2+1-c)>>31&Q", dsaring, "TestReduc"},
	{"small products' neighbours", "internal/dsaring/small.go", "int32(c)*10", "int32(c)*11", dsaring, "TestSmall"},

	{"no z norm check", dsaVerify, "if dsaring.Exceeds(&z[i], p.gamma1-p.beta) {", "if false {", mldsa, "TestBoundOfVerifying"},
	{"z bound of verifying + 1", dsaVerify, "p.gamma1-p.beta)", "p.gamma1-p.beta+1)", mldsa, "TestBoundOfVerifying"},
	{"z bound of verifying − 1", dsaVerify, "p.gamma1-p.beta)", "p.gamma1-p.beta-1)", mldsa, "TestBoundOfVerifying"},
	{"repeated hint index accepted", dsaHint, "src[n] <= src[n-1]", "src[n] < src[n-1]", mldsa, "TestMalformedHints"},
	{"hint order unchecked", dsaHint, "src[n] <= src[n-1]", "src[n] == src[n-1]", mldsa, "TestMalformedHints"},
	{"hint order unchecked in later rows", dsaHint, "n > first && src[n]", "n > first && first == 0 && src[n]", mldsa, "TestHint"},
	{"hint padding unchecked", dsaHint, "if b != 0 {", "if b > 254 {", mldsa, "TestMalformedHints"},
	{"last byte of hint padding unchecked", dsaHint, "src[n:omega] {", "src[min(n, omega-1) : omega-1] {", mldsa, "TestHint"},
	{"hint cut > ω", dsaHint, " || end > omega {", " {", mldsa, "TestHint"},
	{"hint cut of ω + 1", dsaHint, "end > omega {", "end > omega+1 {", mldsa, "TestHint"},
	{"hint cut of ω refused", dsaHint, "end > omega {", "end >= omega {", mldsa, "TestHint"},
	{"decreasing hint cut", dsaHint, "end < n || ", "", mldsa, "TestHint"},
	{"bytes after a signature accepted", dsaVerify, "len(signature) != p", "len(signature) < p", mldsa, "TestSignaturesOfEveryLength"},
	{"context of 256 bytes accepted", "mldsa/mu.go", "len(context) > maxContext {", "len(context) > maxContext+1 {", mldsa, "TestContexts"},
	{"context of 255 bytes refused", "mldsa/mu.go", "len(context) > maxContext {", "len(context) >= maxContext {", mldsa, "TestContexts"},
	{"context's length not signed", "mldsa/mu.go", "byte(len(m.context))", "0", mldsa, "TestMuStreams"},
	{"digest signed as a message", "mldsa/prehash.go", "domain: 1, ", "", mldsa, "TestSignaturesOfDigests"},
	{"identifier of another hash function", "mldsa/prehash.go", "{\"SHA2-512/224\", 28, 5}", "{\"SHA2-512/224\", 28, 6}", mldsa, "TestSignaturesOfDigests"},
	{"hash of a signer's options ignored", "mldsa/mu.go", "if opts.HashFunc() == mldsaMu {", "if opts.HashFunc() != 0 {", mldsa, "TestUnsupportedOptions"},
	{"nil of another type of options asked", "mldsa/mu.go", "if isNil(opts) {", "if false {", mldsa, "TestUnsupportedOptions"},
	{"no ct0 rejection", dsaSign, "dsaring.Exceeds(&w.acc, p.gamma2)", "dsaring.Exceeds(&w.acc, 2*p.gamma2)", mldsa, "TestBoundOfCT0"},
	{"ct0 bound + 1", dsaSign, "dsaring.Exceeds(&w.acc, p.gamma2)", "dsaring.Exceeds(&w.acc, p.gamma2+1)", mldsa, "TestBoundOfCT0"},
	{"ct0 bound − 1", dsaSign, "dsaring.Exceeds(&w.acc, p.gamma2)", "dsaring.Exceeds(&w.acc, p.gamma2-1)", mldsa, "TestBoundOfCT0"},
	{"no hint-weight rejection", dsaSign, "hints > p.omega", "hints > 256*p.k", mldsa, ""},
	{"hint weight of ω rejected", dsaSign, "hints > p.omega", "hints >= p.omega", mldsa, "TestBoundsOfSigning"},
	{"hint weight of ω + 1 accepted", dsaSign, "hints > p.omega", "hints > p.omega+1", mldsa, "TestBoundsOfSigning"},
	{"z bound of signing + 1", dsaSign, "p.gamma1-p.beta)", "p.gamma1-p.beta+1)", mldsa, "TestBoundsOfSigning"},
	{"z bound of signing − 1", dsaSign, "p.gamma1-p.beta)", "p.gamma1-p.beta-1)", mldsa, "TestBoundsOfSigning"},
	{"r0 bound + 1", dsaSign, "p.gamma2-p.beta)", "p.gamma2-p.beta+1)", mldsa, "TestBoundsOfSigning"},
	{"r0 bound − 1", dsaSign, "p.gamma2-p.beta)", "p.gamma2-p.beta-1)", mldsa, "TestBoundsOfSigning"},
	{"κ kept in 8 bits", dsaMask, "uint64(m.begun)", "uint64(uint8(m.begun))", mldsa, "TestSigningTakesTheFirst"},
	{"mask of another attempt", dsaMask, "attempt%maskDepth*p.l+i", "i", mldsa, "TestSigning"},
	{"mask without its last block", dsaMask, "l.blocks == maskBlocks", "l.blocks == maskBlocks-1", mldsa, "TestMasksAre"},
	{"signing without randomness", dsaSign, "rand.Read(rnd[:]) // never fails", "_ = rand.Read", mldsa, "TestSignaturesAreHedged"},
	{"deterministic signing hedged", dsaSign, "if hedged {", "if true {", mldsa, ""},
	{"third block of ExpandS missing", dsaExpand, "if streams[lane].N == dsaring.N {", "if streams[lane].N > dsaring.N-int(50*(bounded>>lane&1))-1 {", mldsa, "TestThirdBlock"},
	{"row of the matrix overwritten", dsaExpand, "i < done+x.rows", "i <= done+x.rows", mldsa, "TestExpansion"},
	{"matrix of ML-DSA transposed", dsaExpand, "uint64(j) | uint64(i)<<8", "uint64(i) | uint64(j)<<8", mldsa, "TestKeyGeneration"},
	{"key generation without the set's dimensions", dsaKeys, "[]byte{byte(p.k), byte(p.l)}", "nil", mldsa, "TestKeyGeneration"},
	{"s1 and s2 out of range accepted", dsaKeys, "if !ok {", "if false {", mldsa, "TestExpandedKeyOutOfRange"},
	{"inconsistent t0 accepted", dsaKeys, "if !publicCheck(same == 1) {", "if publicCheck(same > 1) {", mldsa, "TestInconsistent"},
	{"inconsistent tr accepted", dsaKeys, "tr) != 1 {", "tr) > 1 {", mldsa, "TestInconsistent"},
	{"keys with bytes after them accepted", "mldsa/errors.go", "if got == want {", "if got >= want {", mldsa, "TestWrongSizes"},
	{"SetBytes keeps the old key's tr", "mldsa/public.go", "\tpk.trState.Store(trUnknown)\n", "", mldsa, "TestEveryForm"},
	{"destroyed key signs", dsaKeys, "sk.state, sk.seeded = destroyed, false", "sk.seeded = false", mldsa, "TestUnusable"},
	{"mask not wiped", dsaExpand, "clear(w.polys[:p.l])", "clear(w.polys[1:p.l])", mldsa, "TestScratch"},
	{"seeds not wiped", dsaExpand, "\tclear(w.seed[:])\n", "", mldsa, "TestScratch"},
	{"lanes of ML-DSA not wiped", dsaExpand, "\tw.lanes = keccak.Scheduler{}\n", "", mldsa, "TestScratch"},
	{"eight lanes not wiped", dsaExpand, "\t\t\tlanes.Wipe()\n", "", mldsa, "TestScratch"},
	{"seeds of key generation not wiped", dsaKeys, "\tclear(w.seed[:])\n", "", mldsa, "TestScratch"},
	{"s2 not wiped", dsaKeys, "\tclear(w.t[:p.k])\n", "", mldsa, "TestScratch"},
	{"streams of the mask not wiped", dsaMask, "clear(m.streams[:", "clear(m.streams[1:", mldsa, "TestScratch"},
	{"blocks of the challenge not wiped", dsaMask, "\tclear(m.other[:])\n", "", mldsa, "TestScratch"},
	{"ct0 not wiped", dsaExpand, "\tclear(w.acc[:])\n", "", mldsa, "TestScratch"},
	{"Destroy leaves the seed", dsaKeys, "\tclear(sk.seed[:])\n", "", mldsa, "TestDestroy"},
	{"Destroy leaves K", dsaKeys, "\tclear(sk.key[:])\n", "", mldsa, "TestDestroy"},
	{"Destroy leaves ŝ₁", dsaKeys, "\tclear(sk.s1)\n", "", mldsa, "TestDestroy"},
	{"Destroy leaves t̂₀", dsaKeys, "\tclear(sk.t0)\n", "", mldsa, "TestDestroy"},
	{"a change of set leaves the old key", dsaKeys, "\tsk.wipeVectors()\n\tsk.pk.p, sk.pk.shared = p, true\n", "\tsk.pk.p = p\n", mldsa, "TestDestroy"},
	{"a missing μ signs the empty message", dsaSign, "	if mu == nil {", "	if false {", mldsa, "TestNilMu"},
	{"Compact leaves ŝ₁, ŝ₂ and t̂₀", "mldsa/compact.go", "\tsk.wipeVectors()\n", "", mldsa, "TestCompactWipes"},
	{"vectors of a compact key not wiped", "mldsa/compact.go", "\tclear(full.t0)\n", "", mldsa, "TestBorrowedKeysAreWiped"},
	{"compact key expanded without ŝ₂", "mldsa/compact.go", "\t\tsmallTransform(&full.s2[i], &w.acc)\n", "", mldsa, "TestBorrowedKeysAreFull"},
	{"SetBytes changes a private key", "mldsa/public.go", "if pk.shared {", "if false {", mldsa, "TestSetBytesLeaves"},
	{"UseHint does not wrap below zero", dsaRound, "high += high >> 31 & m", "high += high >> 31 & (m - 1)", dsaring, "TestUseHint"},
	{"Decompose without the border at q − γ₂", dsaRound, "c-high*2*gamma2+wraps", "c-high*2*gamma2", dsaring, "TestDecompose"},
	{"Decompose's quotient for (q − 1)/32", dsaRound, "* 1025 >> 20", "* 1024 >> 20", dsaring, "TestDecompose"},
	{"RejBoundedPoly accepts 15 for η = 2", dsaSample, "limit = 15", "limit = 16", dsaring, "TestSample"},
	{"RejBoundedPoly reduces wrongly modulo 5", dsaSample, "b * 13 >> 6", "b * 12 >> 6", dsaring, "TestSample"},
	{"SampleInBall forgets the sign bits after a block", dsaSample, "if !b.begun {", "if !b.begun || b.next > 250 {", dsaring, "TestSampleInBall"},
	{"s out of range unpacked", "internal/dsaring/pack.go", "tooSmall |= c + eta", "tooSmall |= c + eta + 1", dsaring, "TestUnpackEta"},

	{"stalled lane not restored", "internal/keccak/scheduler.go", "c.load(&l.saved)", "_ = c", "./internal/keccak", "TestScheduler"},
	{"padding's last bit missing", "internal/keccak/column.go", "	c.words[(rate/8-1)*c.stride] ^= 1 << 63\n", "", "./internal/keccak", "TestScheduler"},
	{"level without the features below it", "internal/cpu/cpu.go", "return i - 1", "_ = i", "./internal/cpu", "TestLevel"},
}

// TestFaultsAreNoticed builds generic alone: what the tests compare the kernels with.
func TestFaultsAreNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the library once for every fault")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(root, f.file)
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(source), f.old), "%q in %s", f.old, f.file)

			dir := t.TempDir()
			planted := filepath.Join(dir, "planted.go")
			require.NoError(t, os.WriteFile(planted, []byte(strings.Replace(string(source), f.old, f.new, 1)), 0o600))
			overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: planted}})
			require.NoError(t, err)
			overlayFile := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(overlayFile, overlay, 0o600))

			cmd := exec.Command("go", "test", "-short", "-count=1", "-failfast", "-vet=off", "-tags", f.tags(), "-overlay", overlayFile, "-run", f.run, f.pkg)
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "PQLANE_BACKEND=")
			out, err := cmd.CombinedOutput()
			require.NotContains(t, string(out), "[build failed]")
			require.NotContains(t, string(out), "no tests to run")
			assert.Error(t, err, "the tests of %s pass with this fault", f.pkg)
			assert.Contains(t, string(out), "FAIL")
		})
	}
}

// tags are those of a build without assembly, so that the tests run the code with the
// fault. The tests of keccak and cpu need the backends.
func (f *fault) tags() string {
	if f.pkg == ring || f.pkg == dsaring || f.pkg == mlkem || f.pkg == mldsa {
		return "purego"
	}
	return ""
}
