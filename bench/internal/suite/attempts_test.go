package suite

import (
	"crypto/sha3"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// expectedAttempts are the expected repetitions of FIPS 204, Table 1.
var expectedAttempts = map[string]float64{"ML-DSA-44": 4.25, "ML-DSA-65": 5.1, "ML-DSA-87": 3.85}

// attempts returns how many attempts a deterministic signature of μ has taken: which mask y
// it was made with. z is y + c·s₁, and c·s₁ has coefficients of at most β.
func attempts(t *testing.T, sk *mldsa.PrivateKey, mu, signature []byte) int {
	l, bits, challenge, beta := 4, 18, 32, 78
	switch sk.PublicKey().Parameters() {
	case mldsa.MLDSA65():
		l, bits, challenge, beta = 5, 20, 48, 196
	case mldsa.MLDSA87():
		l, bits, challenge, beta = 7, 20, 64, 120
	}
	key := sk.ExpandedBytes()[32:64]
	rho := sha3.SumSHAKE256(slices.Concat(key, make([]byte, 32), mu), 64)
	size := 32 * bits
	z := signature[challenge:][:size]
	for n := range 1000 {
		y := sha3.SumSHAKE256(binary.LittleEndian.AppendUint16(rho, uint16(n*l)), size)
		near := true
		for i := 0; i < 256 && near; i++ {
			d := coefficient(z, i, bits) - coefficient(y, i, bits)
			near = -beta <= d && d <= beta
		}
		if near {
			return n + 1
		}
	}
	require.Fail(t, "no mask fits")
	return 0
}

// coefficient returns the i-th number of the given width.
func coefficient(b []byte, i, bits int) int {
	var word [4]byte
	copy(word[:], b[i*bits/8:])
	return int(binary.LittleEndian.Uint32(word[:])>>(i*bits%8)) & (1<<bits - 1)
}

// TestAttemptsFollowTheExpectedDistribution: the bench's mean and its 99th percentile of
// signing are those of its inputs' attempts.
func TestAttemptsFollowTheExpectedDistribution(t *testing.T) {
	for _, p := range signatureSets {
		in, err := newSignatureInputs(p)
		require.NoError(t, err)
		var taken []int
		var sum, together float64
		for i, seed := range in.seeds {
			sk, err := mldsa.NewPrivateKey(p, seed)
			require.NoError(t, err)
			for j, m := range in.messages {
				h, err := sk.PublicKey().NewMu("")
				require.NoError(t, err)
				h.Write(m)
				mu := h.Sum()
				signature, err := sk.SignDeterministic(m, nil)
				require.NoError(t, err)
				taken = append(taken, attempts(t, sk, mu[:], signature))
				sum += float64(taken[len(taken)-1])
				if i == 0 && j < signedTogether {
					together += float64(taken[j])
				}
			}
			require.Len(t, taken, (i+1)*signedMessages)
		}
		slices.Sort(taken)
		mean, expected := sum/float64(len(taken)), expectedAttempts[p.String()]
		// A geometric distribution: each attempt succeeds with probability 1/expected.
		quantile := func(share float64) float64 { return math.Ceil(math.Log(1-share) / math.Log(1-1/expected)) }
		at := func(share float64) int { return taken[int(math.Ceil(share*float64(len(taken))))-1] }
		t.Logf("%v: mean %.3f of %.2f, median %d of %v, p90 %d of %v, p99 %d of %v", p, mean, expected,
			at(0.5), quantile(0.5), at(0.9), quantile(0.9), at(0.99), quantile(0.99))
		assert.InEpsilon(t, expected, mean, 0.03, "%v", p)
		assert.InEpsilon(t, expected, together/signedTogether, 0.1, "%v", p)
		assert.InDelta(t, quantile(0.5), at(0.5), 1, "%v", p)
		assert.InDelta(t, quantile(0.9), at(0.9), 2, "%v", p)
		assert.InDelta(t, quantile(0.99), at(0.99), 2, "%v", p)
	}
}
