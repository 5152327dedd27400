package mldsa

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/dsaring"
)

func TestSigningIsTheStandards(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		for range rounds(t, 40) {
			sk, r := pair(t, p.params)
			for range 3 {
				mu, signature, _ := requireSameSignature(t, sk, r)
				require.NoError(t, VerifyMu(sk.PublicKey(), &mu, signature))
			}
		}
	})
}

// TestSigningTakesTheFirstAcceptableAttempt signs with a β so large that hundreds of
// attempts are rejected: κ leaves 8 bits behind, and every attempt before the last must be
// rejected for the reason that the standard has.
func TestSigningTakesTheFirstAcceptableAttempt(t *testing.T) {
	for beta, p := range map[int32]*params{270: &params44, 420: &params65, 250: &params87} {
		strict := *p
		strict.beta = beta
		onEveryBackend(t, func(t *testing.T) {
			sk, r := pair(t, &strict)
			most := 0
			for n := 0; n < 2 || most*p.l < 300; n++ {
				mu, signature, attempts := requireSameSignature(t, sk, r)
				most = max(most, len(attempts))
				if signature != nil {
					require.NoError(t, VerifyMu(sk.PublicKey(), &mu, signature))
				}
			}
		})
	}
}

// TestBoundsOfSigning signs until each bound has once been met and once been missed by one,
// with nothing else to reject the attempt. Few messages reach these values.
func TestBoundsOfSigning(t *testing.T) {
	for i, p := range sets {
		if i > 0 && testing.Short() {
			break
		}
		t.Run(p.String(), func(t *testing.T) {
			sk, r := pair(t, p.params)
			seen := map[string]bool{}
			for n := 0; len(seen) < 6; n++ {
				require.Less(t, n, 50000, "seen: %v", seen)
				_, _, attempts := requireSameSignature(t, sk, r)
				for _, a := range attempts {
					for _, edge := range []struct {
						name      string
						got, most int
						otherwise attempt
					}{
						{"z", a.z, int(p.gamma1-p.beta) - 1, attempt{0, a.r0, a.ct0, a.weight}},
						{"r0", a.r0, int(p.gamma2-p.beta) - 1, attempt{a.z, 0, a.ct0, a.weight}},
						{"hints", a.weight, p.omega, attempt{a.z, a.r0, a.ct0, 0}},
					} {
						if !edge.otherwise.accepted(p.params) {
							continue
						}
						switch edge.got {
						case edge.most:
							seen[edge.name+" at the bound"] = true
						case edge.most + 1:
							seen[edge.name+" beyond it"] = true
						}
					}
				}
			}
		})
	}
}

// TestBoundOfVerifying takes signatures that are sound but for ‖z‖∞ = γ₁ − β, which a
// smaller β has let through, and some with one less.
func TestBoundOfVerifying(t *testing.T) {
	onEveryBackend(t, func(t *testing.T) {
		for i, p := range sets {
			if i > 0 && testing.Short() {
				break
			}
			lax := *p.params
			lax.beta--
			sk, err := GenerateKey(Parameters{&lax})
			require.NoError(t, err)
			pk, err := NewPublicKey(p, sk.PublicKey().Bytes())
			require.NoError(t, err)
			var accepted, refused bool
			for n := 0; !accepted || !refused; n++ {
				require.Less(t, n, 50000)
				message := random(16)
				signature, err := sk.Sign(nil, message, nil)
				require.NoError(t, err)
				z := make([]dsaring.Poly, p.l)
				for i := range z {
					dsaring.UnpackZ(&z[i], signature[p.challengeSize+i*dsaring.SizeZ(p.gamma1):], p.gamma1)
				}
				switch norm(z) {
				case int(p.gamma1 - p.beta):
					requireVerdict(t, sk.PublicKey(), message, signature, true)
					requireVerdict(t, pk, message, signature, false)
					refused = true
				case int(p.gamma1-p.beta) - 1:
					requireVerdict(t, pk, message, signature, true)
					accepted = true
				}
			}
		}
	})
}

// monomial gives sk a t₀ of one coefficient, so that ct₀ has it at τ places, and nowhere
// else anything.
func monomial(sk *PrivateKey, coefficient int32) {
	clear(sk.t0)
	sk.t0[0][0] = coefficient
	dsaring.NTT(&sk.t0[0])
}

// TestBoundOfCT0 reaches ‖ct₀‖∞ = γ₂, which in signatures by ML-DSA-44 is one in millions
// and by the others cannot be, by a t₀ that no key has.
func TestBoundOfCT0(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		for _, sign := range []int32{1, -1} {
			sk := generate(t, p)
			monomial(sk, sign*(p.gamma2-1))
			_, err := sk.Sign(nil, random(16), nil)
			require.NoError(t, err)
			if p != MLDSA44() && testing.Short() {
				continue
			}

			// Then there is no signature: signing gives up, and tells nothing.
			monomial(sk, sign*p.gamma2)
			dst := append(make([]byte, 0, 2*p.SignatureSize()), "prefix"...)
			got, err := sk.AppendSign(dst, random(16), nil)
			require.ErrorIs(t, err, ErrAttempts)
			assert.Equal(t, "mldsa: PrivateKey.AppendSign: no "+p.String()+" signature after 814 attempts", err.Error())
			require.Equal(t, dst, got)
			require.Zero(t, bytes.Trim(dst[len(dst):cap(dst)], "\x00"))
			signature, err := sk.Sign(nil, random(16), nil)
			require.ErrorIs(t, err, ErrAttempts)
			require.Zero(t, bytes.Trim(signature, "\x00"))
		}
	})
}

// forge returns a signature under the key of ρ and t₁ = 0, with a coefficient of z at will:
// w′ is Âz there, and c̃ follows from it.
func forge(p *params, rho, mu []byte, row, column int, coefficient int32) []byte {
	z := make([]dsaring.Poly, p.l)
	var packed, w1 []byte
	for i := range z {
		for j, b := range random(dsaring.N) {
			z[i][j] = int32(b) - 128
		}
		if i == row {
			z[i][column] = coefficient
		}
		part := make([]byte, dsaring.SizeZ(p.gamma1))
		dsaring.PackZ(part, &z[i], p.gamma1)
		packed = append(packed, part...)
		dsaring.NTT(&z[i])
	}
	for i := range p.k {
		a := make([]dsaring.Poly, p.l)
		for j := range a {
			a[j] = rejNTTPoly(rho, byte(j), byte(i))
		}
		var w, w0 dsaring.Poly
		dsaring.Dot(&w, a, z)
		dsaring.InverseNTT(&w)
		dsaring.Decompose(&w, &w0, &w, p.gamma2)
		part := make([]byte, dsaring.SizeW1(p.gamma2))
		dsaring.PackW1(part, &w, p.gamma2)
		w1 = append(w1, part...)
	}
	return bytes.Join([][]byte{shake256(p.challengeSize, mu, w1), packed, make([]byte, p.omega+p.k)}, nil)
}

// TestZeroT1 verifies under the key with t₁ = 0, which is a key as good as any to FIPS 204.
// Anyone signs under it, with z at the very bound, of either sign and in every polynomial.
func TestZeroT1(t *testing.T) {
	onEverySet(t, func(t *testing.T, p Parameters) {
		encoded := append(random(32), make([]byte, p.PublicKeySize()-32)...)
		pk, err := NewPublicKey(p, encoded)
		require.NoError(t, err)
		message := random(20)
		mu := muOf(t, pk, "", message)
		bound := p.gamma1 - p.beta
		for i := range p.l {
			for _, tc := range []struct {
				coefficient int32
				valid       bool
			}{
				{0, true}, {bound - 1, true}, {1 - bound, true},
				{bound, false}, {-bound, false}, {p.gamma1, false}, {1 - p.gamma1, false},
			} {
				signature := forge(p.params, encoded[:32], mu[:], i, 37*i, tc.coefficient)
				requireVerdict(t, pk, message, signature, tc.valid, "polynomial %d, %d", i, tc.coefficient)
			}
		}
	})
}
