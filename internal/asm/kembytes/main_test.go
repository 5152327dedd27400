package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pqlane/pqlane/internal/asm/interval"
)

func TestPackageHoldsWhatIsGenerated(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../kemring", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its generator writes: run go generate", name)
		}
	}
}

// assertGenerated fails unless both kernels are generated, if why is "", or refused with a
// message that contains why.
func assertGenerated(t *testing.T, name, why string, avx512, avx2 func(*generator)) {
	t.Helper()
	for w, body := range map[interval.Width]func(*generator){interval.ZMM: avx512, interval.YMM: avx2} {
		got := refusal(w, body)
		if !strings.Contains(got, why) || why == "" && got != "" {
			t.Errorf("%s with %d bytes: refused with %q, want %q", name, w, got, why)
		}
	}
}

// refusal returns why a kernel is not generated.
func refusal(w interval.Width, body func(*generator)) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprint(r)
		}
	}()
	if _, err := assemble(w, body); err != nil {
		return err.Error()
	}
	return ""
}

// Up to d = 10, and for d = 11 up to 4q, compression holds for more than its contract says; so the
// input that is refused leaves 16 bits.
func TestWrongCompressionIsRefused(t *testing.T) {
	for _, d := range []int{4, 5, 10, 11} {
		assertCompression := func(what, why string, change func(*compression)) {
			t.Helper()
			k := newCompression(d)
			change(&k)
			avx2 := func(g *generator) { g.compressAVX2(k) }
			if d == 4 {
				avx2 = func(g *generator) { g.compress4AVX2(k) }
			}
			assertGenerated(t, fmt.Sprintf("d = %d, %s", d, what), why, func(g *generator) { g.compressAVX512(k) }, avx2)
		}
		assertCompression("unchanged", "", func(*compression) {})
		assertCompression("half − 1", "what is due in case", func(k *compression) { k.half-- })
		assertCompression("half + 1", "what is due in case", func(k *compression) { k.half++ })
		assertCompression("reciprocal + 64", "may reach", func(k *compression) { k.reciprocal += 64 })
		if d == 11 {
			assertCompression("reciprocal − 4", "what is due in case", func(k *compression) { k.reciprocal -= 4 })
			assertCompression("5q", "VPADDW may reach [-33290, -33290]", func(k *compression) { k.in = interval.Within(5 * q) })
		}
	}
}

func TestWrongCompressionToABitIsRefused(t *testing.T) {
	for _, c := range []struct {
		what, why string
		change    func(*bit)
	}{
		{"unchanged", "", func(*bit) {}},
		{"quarter − 1", "what is due in case", func(k *bit) { k.quarter-- }},
		{"quarter + 1", "what is due in case", func(k *bit) { k.quarter++ }},
		{"reciprocal + 4", "what is due in case", func(k *bit) { k.reciprocal += 4 }},
		{"any input", "VPMULLW may reach", func(k *bit) { k.in = interval.Int16 }},
	} {
		k := newBit()
		c.change(&k)
		assertGenerated(t, c.what, c.why,
			func(g *generator) { g.compress1AVX512(k) }, func(g *generator) { g.compress1AVX2(k) })
	}
}

func TestWrongDecompressionIsRefused(t *testing.T) {
	for d, largest := range map[int]int64{1: 1665, 4: 3121, 5: 3225, 10: 3326, 11: 3327} {
		assertDecompression := func(what, why string, modulus int, out interval.Interval) {
			t.Helper()
			avx2 := func(g *generator) { g.decompressAVX2(d, modulus, out) }
			switch d {
			case 1:
				avx2 = func(g *generator) { g.decompress1AVX2(modulus, out) }
			case 11:
				avx2 = func(g *generator) { g.decompress11AVX2(modulus, out) }
			}
			assertGenerated(t, fmt.Sprintf("d = %d, %s", d, what), why,
				func(g *generator) { g.decompressAVX512(d, modulus, out) }, avx2)
		}
		assertDecompression("unchanged", "", q, interval.Interval{Min: 0, Max: largest})
		assertDecompression("narrow contract", "output may reach", q, interval.Interval{Min: 0, Max: largest - 1})
		assertDecompression("contract without 0", "output may reach", q, interval.Interval{Min: 1, Max: largest})
		assertDecompression("q + 2", "what is due in case", q+2, least)
		assertDecompression("q − 2", "what is due in case", q-2, least)
	}
}

func TestWrongPackingIsRefused(t *testing.T) {
	for _, c := range []struct {
		what, why string
		in        interval.Interval
	}{
		{"unchanged", "", least},
		{"all of twelve bits", "", twelve},
		{"13 bits", "two numbers may reach", interval.Interval{Min: 0, Max: 1 << 12}},
		{"negative", "two numbers may reach", interval.Interval{Min: -1, Max: q - 1}},
	} {
		assertGenerated(t, c.what, c.why,
			func(g *generator) { g.encode12AVX512(c.in) }, func(g *generator) { g.encode12AVX2(c.in) })
	}
	for limit, why := range map[int]string{q: "", q - 1: "what is due in case", q + 1: "what is due in case"} {
		assertGenerated(t, fmt.Sprintf("limit %d", limit), why,
			func(g *generator) { g.decode12AVX512(limit) }, func(g *generator) { g.decode12AVX2(limit) })
	}
}

func TestNarrowSamplesAreRefused(t *testing.T) {
	for eta := range int64(2) {
		assertGenerated(t, "η = 2", "output may reach",
			func(g *generator) { g.cbd2AVX512(interval.Within(eta)) }, func(g *generator) { g.cbd2AVX2(interval.Within(eta)) })
		assertGenerated(t, "η = 3", "output may reach",
			func(g *generator) { g.cbd3AVX512(interval.Within(eta + 1)) }, func(g *generator) { g.cbd3AVX2(interval.Within(eta + 1)) })
	}
}
