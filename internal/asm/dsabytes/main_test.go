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
		got, err := os.ReadFile(filepath.Join("../../dsaring", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its generator writes: run go generate", name)
		}
	}
}

// assertGenerated fails unless the kernels for AVX2, AVX-512 and other widths are generated, if why
// is "", or refused with a message that contains why.
func assertGenerated(t *testing.T, name, why string, body func(*generator), others ...interval.Width) {
	t.Helper()
	for _, w := range append(others, interval.YMM, interval.ZMM) {
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

// widened returns i with more room above, or below if it is negative.
func widened(i interval.Interval, by int64) interval.Interval {
	return i.Union(interval.Interval{Min: i.Min + min(by, 0), Max: i.Max + max(by, 0)})
}

func TestWrongPower2RoundIsRefused(t *testing.T) {
	const most = 1<<23 - 1<<12 // what is rounded to 1023
	for what, c := range map[string]struct {
		why string
		in  interval.Interval
	}{
		"all that fits": {"", below(most + 1)},
		"one more":      {"output may reach", below(most + 2)},
		"negative":      {"", widened(least, -4095)},
		"too negative":  {"may reach", widened(least, -4096)},
		"any number":    {"may reach", interval.Int32},
	} {
		assertGenerated(t, what, c.why, func(g *generator) { g.power2Round(c.in) })
	}
}

func TestWrongRoundingIsRefused(t *testing.T) {
	for _, original := range roundings {
		for _, c := range []struct {
			what, why string
			change    func(*rounding)
			more      int64 // input
		}{
			{"unchanged", "", func(*rounding) {}, 0},
			{"reciprocal − 1", "what is due in case", func(r *rounding) { r.reciprocal-- }, 0},
			{"reciprocal + 1", "what is due in case", func(r *rounding) { r.reciprocal++ }, 0},
			{"scale + 1", "what is due in case", func(r *rounding) { r.scale++ }, 0},
			{"odd − 2", "may reach", func(r *rounding) { r.odd -= 2 }, 0},
			{"plus + 1", "what is due in case", func(r *rounding) { r.plus++ }, 0},
			{"γ₂ − 1", "may reach", func(r *rounding) { r.gamma2-- }, 0},
			{"steps − 1", "may reach", func(r *rounding) { r.steps-- }, 0},
			{"q + γ₂", "may reach", func(*rounding) {}, int64(original.gamma2) + 1},
			{"negative", "may reach", func(*rounding) {}, -int64(2 * original.gamma2)},
		} {
			r := original
			c.change(&r)
			in := widened(least, c.more)
			assertGenerated(t, "decompose"+r.name+", "+c.what, c.why, func(g *generator) { g.decompose(r, in) })
			assertGenerated(t, "useHint"+r.name+", "+c.what, c.why, func(g *generator) { g.useHint(r, in) }, interval.YMMVL)
		}
	}
}

func TestWrongBoundsAreRefused(t *testing.T) {
	for _, c := range []struct {
		what, why string
		body      func(g *generator)
	}{
		{"makeHint", "", func(g *generator) { g.makeHint(interval.Interval{Min: 1, Max: 1 << 29}) }},
		{"makeHint", "VPSUBD may reach", func(g *generator) { g.makeHint(interval.Interval{Min: 1, Max: 1 << 30}) }},
		{"exceeds", "", func(g *generator) { g.exceeds(interval.Within(1<<31 - 2)) }},
		{"exceeds", "VPABSD may reach [0, 2147483648]", func(g *generator) { g.exceeds(interval.Int32) }},
		{"narrow", "", func(g *generator) { g.narrow(interval.Within(1<<15 - 1)) }},
		{"narrow", "may reach [-32768, 32768]", func(g *generator) { g.narrow(interval.Within(1 << 15)) }},
	} {
		assertGenerated(t, c.what, c.why, c.body)
	}
}

func TestWrongCentringIsRefused(t *testing.T) {
	for _, c := range []struct {
		what, why  string
		in         interval.Interval
		reciprocal int
	}{
		{"unchanged", "", interval.Within(small), reciprocal},
		{"reciprocal − 1", "what is due in case", interval.Within(small), reciprocal - 1},
		{"reciprocal + 1", "what is due in case", interval.Within(small), reciprocal + 1},
		{"4q", "may reach", interval.Within(4 * small), reciprocal},
		{"any number", "may reach", interval.Int16, reciprocal},
	} {
		assertGenerated(t, c.what, c.why, func(g *generator) { g.addSmall("addSmall", g.VPADDD, c.in, c.reciprocal) })
		assertGenerated(t, c.what, c.why, func(g *generator) { g.addSmall("subSmall", g.VPSUBD, c.in, c.reciprocal) })
	}
}

func TestWrongPackingIsRefused(t *testing.T) {
	pack := func(k packing) func(g *generator) {
		return func(g *generator) {
			if g.width == interval.YMM {
				g.packAVX2(k)
			} else {
				g.packAVX512(k)
			}
		}
	}
	unpack := func(k packing) func(g *generator) { return func(g *generator) { g.unpack(k) } }
	for _, original := range packings {
		k := original
		assertGenerated(t, k.name, "", pack(k))
		// What is packed just fits, but for the numbers that unpacking refuses, and w₁.
		room := original.numbers().Max - (original.in.Max - original.in.Min)
		k.in = widened(original.in, room+1)
		assertGenerated(t, k.name+", larger", "what is packed may reach", pack(k))
		k.in = widened(original.in, -room-1)
		assertGenerated(t, k.name+", smaller", "what is packed may reach", pack(k))
		if k.packOnly {
			continue
		}
		k = original
		assertGenerated(t, k.name, "", unpack(k))
		k.out.Max--
		assertGenerated(t, k.name+", narrow contract", "output may reach", unpack(k))
		k.out = original.out
		k.out.Min++
		assertGenerated(t, k.name+", narrow contract", "output may reach", unpack(k))
		k = original
		if k.base != 0 {
			k.base++
			assertGenerated(t, k.name+", base + 1", "may reach", unpack(k))
		} else {
			k.shift++
			assertGenerated(t, k.name+", longer shift", "output may reach", unpack(k))
		}
		if k = original; k.top != 0 {
			for _, by := range []int{-1, 1} {
				k.top = original.top + by
				assertGenerated(t, fmt.Sprintf("%s, top %d", k.name, k.top), "what is due in case", unpack(k))
			}
		}
	}
}
