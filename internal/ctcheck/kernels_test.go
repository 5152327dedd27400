package ctcheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the module's directory.
const root = "../.."

// dependsOnData lists the kernels that may branch on data and index by it, with the
// reason why that data is public.
var dependsOnData = map[string]string{
	"internal/kemring:sampleNTTAVX2":   "reads the expansion of ρ, which is part of the encapsulation key",
	"internal/kemring:sampleNTTAVX512": "reads the expansion of ρ, which is part of the encapsulation key",

	"internal/dsaring:sampleNTTAVX2":   "reads the expansion of ρ, which is part of the public key",
	"internal/dsaring:sampleNTTAVX512": "reads the expansion of ρ, which is part of the public key",

	"internal/ctcheck:branchOnByte": "breaks the rule on purpose",
	"internal/ctcheck:indexByByte":  "breaks the rule on purpose",
}

// limits lists the kernels that may branch on, and index by, the outcomes of comparing data
// with a constant, and that constant: RejBoundedPoly's, on whether each half byte of a
// secret stream is below 15 or 9. See publicAcceptance in internal/dsaring.
var limits = map[string]string{
	"internal/dsaring:sampleBounded2AVX2":   "low4<>", // 15
	"internal/dsaring:sampleBounded2AVX512": "low4<>",
	"internal/dsaring:sampleBounded4AVX2":   "limit4<>", // 9
	"internal/dsaring:sampleBounded4AVX512": "limit4<>",
}

// TestKernelsAreConstantTime proves, of every function in the module's amd64 assembly and
// on every path through it, executed here or not: the instructions that run, and the
// addresses that they access, depend only on its arguments (pointers and lengths, passed
// by value) and on constants, never on what it loads; and no instruction is among those
// whose own time is known to depend on operands. [kernel.analyse] has the details. It
// assumes that no secret is passed by value, and knows nothing of Go code.
func TestKernelsAreConstantTime(t *testing.T) {
	seen := map[string]bool{}
	avx512, instructions := 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_amd64.s") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		kernels, err := parseAssembly(string(text))
		require.NoError(t, err, path)
		require.NotEmpty(t, kernels, "%s holds no function", path)
		dir, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		for _, k := range kernels {
			name := filepath.ToSlash(dir) + ":" + k.name
			require.False(t, seen[name], "%s stands twice", name)
			seen[name] = true
			instructions += len(k.code)
			if strings.Contains(k.name, "AVX512") {
				avx512++
			}
			found := k.analyse()
			if limit, ok := limits[name]; ok {
				assert.NotEmpty(t, found, "%s needs no limit", name)
				k.limit = limit
				found = k.analyse()
			}
			if _, ok := dependsOnData[name]; ok {
				assert.NotEmpty(t, found, "%s needs no exception", name)
			}
			for _, f := range found {
				if _, ok := dependsOnData[name]; !ok || f.forbidden {
					t.Errorf("%s: %s: %s", path, k.name, f)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	for name := range limits {
		assert.True(t, seen[name], "%s is excepted and does not exist", name)
	}
	for name := range dependsOnData {
		assert.True(t, seen[name], "%s is excepted and does not exist", name)
	}
	assert.NotZero(t, avx512, "no AVX-512 kernel found")
	t.Logf("%d functions, %d of them for AVX-512, %d instructions", len(seen), avx512, instructions)
}

// TestAnalysisFindsViolations gives the analysis what it has to find, and what it must
// let pass.
func TestAnalysisFindsViolations(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		want string // in the only finding; none if empty
	}{
		"branch on loaded":       {"MOVQ p+0(FP), AX\nTESTB $1, (AX)\nJE end\nend:\nRET", "JE depends on data"},
		"branch on computed":     {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nADDQ $1, CX\nJCS end\nend:\nRET", "JCS depends on data"},
		"branch on vector":       {"VPTEST Y0, Y0\nJNE end\nend:\nRET", "JNE depends on data"},
		"branch on mask":         {"VPMOVMSKB Y0, AX\nTESTL AX, AX\nJNE end\nend:\nRET", "JNE depends on data"},
		"branch on opmask":       {"KORTESTD K1, K1\nJNE end\nend:\nRET", "JNE depends on data"},
		"flags kept by DEC":      {"MOVQ p+0(FP), AX\nMOVL $3, CX\nCMPQ (AX), CX\nDECL CX\nJCS end\nend:\nRET", "JCS depends on data"},
		"data after one path":    {"MOVQ p+0(FP), AX\nMOVQ n+8(FP), CX\nTESTQ CX, CX\nJE next\nMOVQ (AX), CX\nnext:\nTESTQ CX, CX\nJE end\nend:\nRET", "line 8: JE depends on data"},
		"data after one pass":    {"MOVQ p+0(FP), AX\nXORL DX, DX\nloop:\nMOVQ (AX)(DX*8), CX\nADDQ CX, DX\nTESTQ AX, AX\nJNE loop\nRET", "line 4: MOVQ: the address (AX)(DX*8) depends on data"},
		"index":                  {"MOVQ p+0(FP), AX\nMOVBLZX (AX), CX\nMOVB (AX)(CX*1), DL\nRET", "address (AX)(CX*1) depends on data"},
		"index of a prefetch":    {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nPREFETCHT0 (AX)(CX*8)\nRET", "address (AX)(CX*8) depends on data"},
		"index of a store":       {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nMOVQ AX, (CX)\nRET", "address (CX) depends on data"},
		"index of a vector load": {"VMOVQ X0, AX\nVMOVDQU 32(AX), Y1\nRET", "address 32(AX) depends on data"},
		"index of a table":       {"VMOVQ X0, AX\nLEAQ t<>+0(SB), CX\nVPADDW (CX)(AX*8), Y1, Y1\nRET", "address (CX)(AX*8) depends on data"},
		"conditional move":       {"MOVQ p+0(FP), AX\nMOVL $1, CX\nMOVL $2, DX\nCMPQ (AX), CX\nCMOVQCS CX, DX\nMOVQ (AX)(DX*8), CX\nRET", "address (AX)(DX*8) depends on data"},
		"conditional set":        {"MOVQ p+0(FP), AX\nXORL CX, CX\nCMPQ (AX), CX\nSETEQ CL\nMOVQ (AX)(CX*8), CX\nRET", "address (AX)(CX*8) depends on data"},
		"carry":                  {"MOVQ p+0(FP), AX\nXORL CX, CX\nADCQ (AX), CX\nJCS end\nend:\nRET", "JCS depends on data"},
		"zeroed low byte":        {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nXORB CL, CL\nMOVQ (AX)(CX*8), CX\nRET", "address (AX)(CX*8) depends on data"},
		"low byte":               {"MOVQ p+0(FP), AX\nXORL CX, CX\nMOVB (AX), CL\nMOVQ (AX)(CX*8), CX\nRET", "address (AX)(CX*8) depends on data"},
		"spilled":                {"MOVQ p+0(FP), AX\nMOVQ AX, 8(SP)\nMOVQ (AX), CX\nMOVQ CX, 8(SP)\nMOVQ 8(SP), AX\nMOVQ (AX), AX\nRET", "line 6: MOVQ: the address (AX) depends on data"},
		"spill overwritten":      {"MOVQ p+0(FP), AX\nMOVQ AX, 24(SP)\nVMOVDQU Y0, (SP)\nMOVQ 24(SP), AX\nMOVQ (AX), AX\nRET", "address (AX) depends on data"},
		"spill by pointer":       {"MOVQ p+0(FP), AX\nMOVQ AX, 8(SP)\nLEAQ (SP), CX\nVMOVDQU Y0, (CX)\nMOVQ 8(SP), AX\nMOVQ (AX), AX\nRET", "address (AX) depends on data"},
		"result read again":      {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nMOVQ CX, ret+8(FP)\nMOVQ ret+8(FP), CX\nMOVQ (CX), CX\nRET", "address (CX) depends on data"},
		"gather":                 {"MOVQ p+0(FP), AX\nVPGATHERDD Y1, (AX)(Y0*4), Y2\nRET", "gathers or scatters"},
		"compress to memory":     {"MOVQ p+0(FP), AX\nVPCOMPRESSW Z0, K1, (AX)\nRET", "its time depends on the mask"},
		"division":               {"MOVL $7, CX\nDIVL CX\nRET", "DIVL"},
		"PEXT":                   {"MOVL $7, CX\nPEXTQ CX, CX, DX\nRET", "PEXTQ: its time depends on its operands"},
		"unknown instruction":    {"CPUID\nRET", "CPUID is not understood"},
		"call":                   {"CALL ·f(SB)\nRET", "CALL is not understood"},
		"computed jump":          {"MOVQ p+0(FP), AX\nJMP AX", "JMP to what is no label"},
		"no return":              {"MOVL $1, AX", "without RET"},

		"compared with another":    {"MOVQ p+0(FP), AX\nVPBROADCASTD other<>+0(SB), X2\nVPCMPGTB (AX), X2, X5\nVPMOVMSKB X5, DI\nTESTL DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"compared with data":       {"MOVQ p+0(FP), AX\nVPBROADCASTD limit<>+0(SB), X2\nVPADDB (AX), X2, X2\nVPCMPGTB (AX), X2, X5\nVPMOVMSKB X5, DI\nTESTL DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"outcomes mixed with data": {"MOVQ p+0(FP), AX\nVPBROADCASTD limit<>+0(SB), X2\nVPCMPGTB (AX), X2, X5\nVPAND (AX), X5, X5\nVPMOVMSKB X5, DI\nTESTL DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"data beside outcomes":     {"MOVQ p+0(FP), AX\nVPBROADCASTD limit<>+0(SB), X2\nVPCMPGTB (AX), X2, X5\nVPMOVMSKB X4, DI\nTESTL DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"outcomes under data":      {"MOVQ p+0(FP), AX\nVPBROADCASTD limit<>+0(SB), Z2\nKMOVQ (AX), K1\nVPCMPUB $0x01, Z2, Z4, K1, K5\nKMOVQ K5, DI\nTESTQ DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"equality":                 {"MOVQ p+0(FP), AX\nVPBROADCASTD limit<>+0(SB), X2\nVPCMPEQB (AX), X2, X5\nVPMOVMSKB X5, DI\nTESTL DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"equality in masks":        {"VPBROADCASTD limit<>+0(SB), Z2\nVPCMPUB $0x00, Z2, Z4, K5\nKMOVQ K5, DI\nTESTQ DI, DI\nJE end\nend:\nRET", "JE depends on data"},
		"outcomes on one path":     {"MOVQ p+0(FP), AX\nMOVQ n+8(FP), CX\nVPBROADCASTD limit<>+0(SB), X2\nVMOVDQU (AX), X5\nTESTQ CX, CX\nJE next\nVPCMPGTB X5, X2, X5\nnext:\nVPMOVMSKB X5, DI\nTESTL DI, DI\nJE end\nend:\nRET", "line 11: JE depends on data"},

		"outcomes":          {"MOVQ p+0(FP), AX\nVPBROADCASTD limit<>+0(SB), X2\nVPCMPGTB (AX), X2, X5\nVPMOVMSKB X5, DI\nMOVBLZX DI, R8\nPOPCNTL R8, R8\nVMOVDQU Y5, (AX)(R8*4)\nRET", ""},
		"outcomes in masks": {"VPBROADCASTD limit<>+0(SB), Z2\nMOVQ $3, BX\nKMOVQ BX, K4\nVPCMPUB $0x01, Z2, Z4, K4, K5\nKMOVQ K5, DI\nTESTQ DI, DI\nJE end\nend:\nRET", ""},
		"loop":              {"MOVQ p+0(FP), AX\nMOVQ n+8(FP), CX\nloop:\nVMOVDQU (AX)(CX*8), Y0\nVMOVDQU Y0, 32(AX)\nADDQ $32, AX\nDECQ CX\nJNZ loop\nRET", ""},
		"end of a table":    {"LEAQ t<>+0(SB), AX\nloop:\nVPADDW (AX), Y0, Y0\nADDQ $32, AX\nLEAQ t<>+96(SB), CX\nCMPQ AX, CX\nJNE loop\nRET", ""},
		"spilled pointer":   {"MOVQ p+0(FP), AX\nMOVQ AX, 8(SP)\nMOVQ (AX), AX\nVMOVDQU Y0, 16(SP)\nMOVQ 8(SP), AX\nMOVQ (AX), AX\nRET", ""},
		"zeroed":            {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nXORL CX, CX\nMOVQ (AX)(CX*8), CX\nRET", ""},
		"masked by data":    {"MOVQ p+0(FP), AX\nKMOVD (AX), K1\nVMOVDQU16 (AX), K1, Z0\nRET", ""},
		"compressed inside": {"VPCOMPRESSW.Z Z0, K1, Z1\nRET", ""},
		"prefetch":          {"MOVQ p+0(FP), AX\nPREFETCHT0 4096(AX)\nRET", ""},
		"result":            {"MOVQ p+0(FP), AX\nMOVQ (AX), CX\nMOVQ CX, ret+8(FP)\nRET", ""},
	} {
		t.Run(name, func(t *testing.T) {
			kernels, err := parseAssembly("TEXT ·f(SB), NOSPLIT, $0-16\n" + c.code)
			require.NoError(t, err)
			require.Len(t, kernels, 1)
			kernels[0].limit = "limit<>"
			found := kernels[0].analyse()
			if c.want == "" {
				assert.Empty(t, found)
				return
			}
			require.NotEmpty(t, found)
			all := ""
			for _, f := range found {
				// Lines count from the first of the code.
				f.line--
				all += f.String() + "\n"
			}
			assert.Contains(t, all, c.want)
		})
	}
}
