package hybrid

import (
	"bytes"
	"crypto/elliptic"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

// A wrongShare is a share made wrong.
type wrongShare struct {
	what  string
	share []byte
	want  error
	says  string
}

// wrongLengths are prefixes of a share, and longer ones.
func wrongLengths(g Group, share []byte) (out []wrongShare) {
	for _, n := range []int{0, 1, 31, 32, 64, 65, len(share) - 1, len(share) + 1, 2 * len(share), 1 << 16} {
		if n == len(share) {
			continue
		}
		b := append(bytes.Clone(share), make([]byte, 1<<16)...)[:n]
		out = append(out, wrongShare{"length", b, ErrSize, "bytes, want"})
	}
	return out
}

// wrongPoints are shares of a NIST curve with wrong points, in place of the first bytes.
func wrongPoints(c elliptic.Curve, share []byte) (out []wrongShare) {
	n := 1 + 2*((c.Params().BitSize+7)/8)
	rest := share[n:]
	x, y := elliptic.Unmarshal(c, share[:n])
	compressed := elliptic.MarshalCompressed(c, x, y)
	with := func(what string, point []byte, want error, says string) {
		out = append(out, wrongShare{what, append(bytes.Clone(point), rest...), want, says})
	}
	padded := func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, n-len(b))...) }
	first := func(b byte) []byte { p := bytes.Clone(share[:n]); p[0] = b; return p }
	with("compressed", compressed, ErrCompressed, "its point is compressed")
	with("compressed and padded", padded(compressed), ErrCompressed, "its point is compressed")
	with("marked even", first(2), ErrCompressed, "its point is compressed")
	with("marked odd", first(3), ErrCompressed, "its point is compressed")
	with("infinity", []byte{0}, ErrInfinity, "its point is at infinity")
	with("infinity, padded", make([]byte, n), ErrInfinity, "its point is at infinity")
	with("infinity as zeros", padded([]byte{4}), ErrInfinity, "its point is at infinity")
	off := bytes.Clone(share[:n])
	off[n-1] ^= 1
	with("off the curve", off, ErrOffCurve, "no uncompressed point of "+c.Params().Name)
	with("hybrid encoding", first(6), ErrOffCurve, "no uncompressed point of")
	with("marked unknown", first(0xff), ErrOffCurve, "no uncompressed point of")
	p := c.Params().P.Bytes()
	with("x = p", append(append([]byte{4}, p...), share[1+len(p):n]...), ErrOffCurve, "no uncompressed point of")
	with("all ones", append([]byte{4}, bytes.Repeat([]byte{0xff}, n-1)...), ErrOffCurve, "no uncompressed point of")
	return out
}

// lowOrder are u-coordinates of points of small order (RFC 7748, Section 6.1), canonical
// and not.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

// wrongX25519 are shares with points of small order in place of the last bytes.
func wrongX25519(t *testing.T, share []byte) (out []wrongShare) {
	for _, s := range lowOrder {
		point, err := hex.DecodeString(s)
		require.NoError(t, err)
		out = append(out, wrongShare{"low order " + s[:2],
			append(bytes.Clone(share[:len(share)-32]), point...), ErrZeroSecret, "its X25519 part makes a zero secret"})
	}
	return out
}

// swap exchanges the classical and the post-quantum part.
func swap(g Group, share []byte) []byte {
	classical, postQuantum := part(g, share)
	if g == X25519MLKEM768 {
		return append(bytes.Clone(classical), postQuantum...)
	}
	return append(bytes.Clone(postQuantum), classical...)
}

var nistCurves = map[Group]elliptic.Curve{
	SecP256r1MLKEM768: elliptic.P256(), SecP384r1MLKEM1024: elliptic.P384(), P256: elliptic.P256(),
}

// wrongShares are those that both roles refuse.
func wrongShares(t *testing.T, g Group, share []byte) []wrongShare {
	out := wrongLengths(g, share)
	if c := nistCurves[g]; c != nil {
		out = append(out, wrongPoints(c, share)...)
		if g.PostQuantum() {
			out = append(out, wrongShare{"swapped", swap(g, share), ErrSwapped, "want its point first"})
		}
	}
	if g == X25519 || g == X25519MLKEM768 {
		out = append(out, wrongX25519(t, share)...)
	}
	return out
}

func TestWrongClientShares(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		e, share, err := g.GenerateShare()
		require.NoError(t, err)
		defer e.Destroy()
		all := wrongShares(t, g, share)
		if g == X25519MLKEM768 {
			all = append(all, wrongShare{"swapped", swap(g, share), ErrSwapped, "want ML-KEM first"})
		}
		if g.PostQuantum() {
			classical, ek := part(g, share)
			for _, at := range []int{0, 3, (len(ek) - 32) / 2 / 3 * 3, len(ek) - 35} {
				for _, three := range [][]byte{{0x01, 0xfd, 0xff}, {0xff, 0x1f, 0xd0}, {0xff, 0xff, 0xff}} {
					wrong := bytes.Clone(ek)
					copy(wrong[at:], three)
					all = append(all, wrongShare{"coefficient", join(g, classical, wrong), ErrCoefficient, "not all below 3329"})
				}
			}
		}
		for _, w := range all {
			newShare, secret, err := g.AppendAccept([]byte("share"), []byte("secret"), w.share)
			require.ErrorIs(t, err, w.want, "%s: %v", w.what, err)
			require.ErrorContains(t, err, "hybrid: "+g.String()+": client share")
			require.ErrorContains(t, err, w.says)
			require.Equal(t, "share", string(newShare), w.what)
			require.Equal(t, "secret", string(secret), w.what)
		}
	})
}

func TestWrongServerShares(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		e, clientShare, err := g.GenerateShare()
		require.NoError(t, err)
		e.Destroy()
		share, _, err := g.Accept(clientShare)
		require.NoError(t, err)
		for _, w := range wrongShares(t, g, share) {
			e, _, err := g.GenerateShare()
			require.NoError(t, err)
			secret, err := e.AppendFinish([]byte("secret"), w.share)
			require.ErrorIs(t, err, w.want, "%s: %v", w.what, err)
			require.ErrorContains(t, err, "hybrid: "+g.String()+": server share")
			require.ErrorContains(t, err, w.says)
			require.Equal(t, "secret", string(secret), w.what)
		}
	})
}

// TestSwappedX25519ServerShareGivesAnotherSecret is the swap that nothing can tell: any
// bytes are a ciphertext, and any 32 of them an X25519 share.
func TestSwappedX25519ServerShareGivesAnotherSecret(t *testing.T) {
	e, clientShare, err := X25519MLKEM768.GenerateShare()
	require.NoError(t, err)
	share, want, err := X25519MLKEM768.Accept(clientShare)
	require.NoError(t, err)
	secret, err := e.Finish(swap(X25519MLKEM768, share))
	require.NoError(t, err)
	assert.NotEqual(t, want[:32], secret[:32])
	assert.NotEqual(t, want[32:], secret[32:])
}

// FuzzAccept gives every group arbitrary client shares. Every backend gives the same
// verdict; what is accepted gives a share and a secret of the right sizes.
func FuzzAccept(f *testing.F) {
	for i, g := range Groups() {
		e, share, err := g.GenerateShare()
		require.NoError(f, err)
		e.Destroy()
		f.Add(uint8(i), share)
		f.Add(uint8(i), share[1:])
	}
	f.Add(uint8(0), swap(X25519MLKEM768, make([]byte, 1216)))
	f.Fuzz(func(t *testing.T, index uint8, clientShare []byte) {
		g := Groups()[int(index)%len(groups)]
		var first error
		for i, name := range cpu.Available() {
			restore := cpu.Use(name)
			share, secret, err := g.Accept(clientShare)
			restore()
			if err == nil {
				require.Len(t, share, g.ServerShareSize())
				require.Len(t, secret, g.SecretSize())
			} else {
				require.Nil(t, share)
				require.Nil(t, secret)
			}
			if i == 0 {
				first = err
				continue
			}
			require.Equal(t, first, err)
		}
	})
}

// FuzzFinish gives every group arbitrary server shares.
func FuzzFinish(f *testing.F) {
	for i, g := range Groups() {
		e, share, err := g.GenerateShare()
		require.NoError(f, err)
		e.Destroy()
		share, _, err = g.Accept(share)
		require.NoError(f, err)
		f.Add(uint8(i), share)
		f.Add(uint8(i), share[1:])
	}
	f.Fuzz(func(t *testing.T, index uint8, serverShare []byte) {
		g := Groups()[int(index)%len(groups)]
		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			e, _, err := g.GenerateShare()
			require.NoError(t, err)
			secret, err := e.Finish(serverShare)
			restore()
			if err == nil {
				require.Len(t, secret, g.SecretSize())
			} else {
				require.Nil(t, secret)
			}
			_, err = e.Finish(serverShare)
			require.ErrorIs(t, err, ErrUsed)
		}
	})
}
