package mldsa

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
)

// unpackHintsOfStandard is FIPS 204, Algorithm 21, as it is written there, with h a set of
// positions of each row.
func unpackHintsOfStandard(y []byte, k, omega int) (h []map[byte]bool, ok bool) {
	h = make([]map[byte]bool, k)
	index := 0
	for i := range k {
		h[i] = map[byte]bool{}
		if int(y[omega+i]) < index || int(y[omega+i]) > omega {
			return nil, false
		}
		first := index
		for index < int(y[omega+i]) {
			if index > first && y[index-1] >= y[index] {
				return nil, false
			}
			h[i][y[index]] = true
			index++
		}
	}
	for i := index; i < omega; i++ {
		if y[i] != 0 {
			return nil, false
		}
	}
	return h, true
}

func requireHintsOfStandard(t *testing.T, p Parameters, y []byte) (ok bool) {
	t.Helper()
	want, wantOK := unpackHintsOfStandard(y, p.k, p.omega)
	hints := make([]dsaring.Hint, p.k)
	for i := range hints { // what an earlier signature has left
		hints[i] = dsaring.Hint{^uint64(0), 1, 2, 3}
	}
	ok = unpackHints(hints, y, p.omega)
	require.Equal(t, wantOK, ok, "%v %x", p, y)
	if !ok {
		return false
	}
	for i := range hints {
		for j := range 256 {
			if want[i][byte(j)] != (hints[i][j/64]>>(j%64)&1 == 1) {
				t.Fatalf("%v: row %d, position %d of %x", p, i, j, y)
			}
		}
	}
	again := bytes.Repeat([]byte{0xa5}, p.omega+p.k)
	packHints(again, hints, p.omega)
	require.Equal(t, y, again, "the encoding is the only one")
	return true
}

// hintsOf encodes rows of positions without checking them.
func hintsOf(p Parameters, rows ...[]byte) []byte {
	y := make([]byte, p.omega+p.k)
	n := 0
	for i := range p.k {
		if i < len(rows) {
			n += copy(y[n:p.omega], rows[i])
		}
		y[p.omega+i] = byte(n)
	}
	return y
}

func TestHintEncodings(t *testing.T) {
	for _, p := range sets {
		rising := make([]byte, p.omega)
		for i := range rising {
			rising[i] = byte(3 * i)
		}
		with := func(y []byte, i int, x byte) []byte {
			y = bytes.Clone(y)
			y[i] = x
			return y
		}
		row := []byte{0, 63, 64, 127, 128, 191, 192, 255}
		some := hintsOf(p, row, nil, row[:3], []byte{0})
		full := hintsOf(p, rising)
		last := p.omega + p.k - 1
		for _, tc := range []struct {
			name string
			y    []byte
			want bool
		}{
			{"none", hintsOf(p), true},
			{"some", some, true},
			{"ω in the first row", full, true},
			{"ω over two rows", hintsOf(p, rising[:p.omega-1], rising[:1]), true},
			{"a row that begins below the end of the last", hintsOf(p, []byte{255}, []byte{0}), true},
			{"repeated", hintsOf(p, []byte{0, 7, 7, 9}), false},
			{"repeated zero", hintsOf(p, []byte{0, 0}), false},
			{"repeated in a later row", hintsOf(p, row, []byte{7, 7}), false},
			{"repeated at the end", with(full, p.omega-1, rising[p.omega-2]), false},
			{"disordered", hintsOf(p, []byte{0, 9, 7}), false},
			{"disordered in a later row", hintsOf(p, row, []byte{9, 7}), false},
			{"disordered at the end", with(full, p.omega-1, 0), false},
			{"padded after the last", with(some, 12, 1), false},
			{"padded at the end", with(some, p.omega-1, 1), false},
			{"padded after none", with(hintsOf(p), 0, 1), false},
			{"decreasing cut", with(some, p.omega+1, 7), false},
			{"decreasing last cut", with(some, last, 0), false},
			{"cut at ω + 1", with(full, last, byte(p.omega+1)), false},
			{"first cut beyond ω", with(some, p.omega, byte(p.omega+1)), false},
			{"last cut of 255", with(some, last, 255), false},
			{"first cut of 255", with(hintsOf(p), p.omega, 255), false},
		} {
			require.Equal(t, tc.want, requireHintsOfStandard(t, p, tc.y), "%v: %s", p, tc.name)
		}
		beyond := bytes.Clone(full)
		for i := range p.k {
			beyond[p.omega+i] = byte(p.omega + 1)
		}
		require.False(t, requireHintsOfStandard(t, p, beyond), "a weight of ω + 1")
	}
}

// TestHintEncodingIsTheStandards changes random valid encodings at random places.
func TestHintEncodingIsTheStandards(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	for range rounds(t, 5000) {
		p := sets[rng.IntN(len(sets))]
		hints := make([]dsaring.Hint, p.k)
		for range rng.IntN(p.omega + 1) {
			hints[rng.IntN(p.k)][rng.IntN(4)] |= 1 << rng.IntN(64)
		}
		y := make([]byte, p.omega+p.k)
		packHints(y, hints, p.omega)
		require.True(t, requireHintsOfStandard(t, p, y))
		for range 5 {
			bad := bytes.Clone(y)
			for range 1 + rng.IntN(2) {
				i := rng.IntN(len(bad))
				if rng.IntN(2) == 0 {
					bad[i] += byte(rng.IntN(3)) - 1
				} else {
					bad[i] = byte(rng.Uint32())
				}
			}
			if requireHintsOfStandard(t, p, bad) {
				accepted++
			} else {
				refused++
			}
		}
	}
	require.NotZero(t, accepted)
	require.NotZero(t, refused)
}

// TestMalformedHintsAreRefused changes how a valid signature encodes its hints. The first
// changes leave the hints themselves as they are: only the check of the encoding can notice.
func TestMalformedHintsAreRefused(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		var message, signature, y []byte
		var cuts []int
		var row int // the first with two hints, after one that has a hint
		for {
			message = random(20)
			var err error
			signature, err = sk.Sign(nil, message, nil)
			require.NoError(t, err)
			y = signature[len(signature)-p.omega-p.k:]
			cuts = []int{0}
			for _, cut := range y[p.omega:] {
				cuts = append(cuts, int(cut))
			}
			for row = 1; row < p.k && cuts[row+1]-cuts[row] < 2; row++ {
			}
			if row < p.k && cuts[row] > 0 && cuts[p.k] < p.omega-1 {
				break
			}
		}
		requireVerdict(t, sk.PublicKey(), message, signature, true)
		begin, end := cuts[row], cuts[p.k]
		for name, change := range map[string]func(y []byte){
			"two hints of a row exchanged": func(y []byte) { y[begin], y[begin+1] = y[begin+1], y[begin] },
			"a hint repeated": func(y []byte) {
				copy(y[begin+1:p.omega], y[begin:])
				for i := row; i < p.k; i++ {
					y[p.omega+i]++
				}
			},
			"padding":             func(y []byte) { y[end] = 1 },
			"padding at the end":  func(y []byte) { y[p.omega-1] = 0x80 },
			"a last cut of ω + 1": func(y []byte) { y[p.omega+p.k-1] = byte(p.omega + 1) },
			"a last cut of 255":   func(y []byte) { y[p.omega+p.k-1] = 255 },
			"a decreasing cut":    func(y []byte) { y[p.omega+row] = byte(begin - 1) },
		} {
			bad := bytes.Clone(signature)
			change(bad[len(bad)-p.omega-p.k:])
			requireVerdict(t, sk.PublicKey(), message, bad, false, name)
		}
	})
}

// TestEveryByteOfASignatureCounts flips a bit of each byte in turn.
func TestEveryByteOfASignatureCounts(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		sk := generate(t, p)
		message := random(20)
		signature, err := sk.Sign(nil, message, nil)
		require.NoError(t, err)
		verifier := sk.PublicKey().Precompute()
		require.NoError(t, verifier.Verify(message, signature, nil))
		step := 1
		if testing.Short() {
			step = 13
		}
		for i := 0; i < len(signature); i += step {
			bit := byte(1) << (i % 8)
			signature[i] ^= bit
			require.True(t, verifier.Verify(message, signature, nil) == ErrInvalidSignature, "byte %d", i)
			signature[i] ^= bit
		}
		require.NoError(t, verifier.Verify(message, signature, nil))
	})
}
