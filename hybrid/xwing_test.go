package hybrid

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	stdmlkem "crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"encoding/hex"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/mlkem"
)

// onEveryLevel runs f on every backend.
func onEveryLevel(t *testing.T, f func(t *testing.T)) {
	for _, name := range cpu.Available() {
		t.Run(name, func(t *testing.T) {
			defer cpu.Use(name)()
			f(t)
		})
	}
}

// A standardXWing is a key of X-Wing written out with the standard library.
type standardXWing struct {
	m *stdmlkem.DecapsulationKey768
	x *ecdh.PrivateKey
}

func newStandardXWing(t *testing.T, seed []byte) standardXWing {
	expanded := sha3.SumSHAKE256(seed, 96)
	m, err := stdmlkem.NewDecapsulationKey768(expanded[:64])
	require.NoError(t, err)
	x, err := ecdh.X25519().NewPrivateKey(expanded[64:])
	require.NoError(t, err)
	return standardXWing{m, x}
}

func (k standardXWing) public() []byte {
	return append(k.m.EncapsulationKey().Bytes(), k.x.PublicKey().Bytes()...)
}

// combine hashes the parts; ssX is zero if the peer's point has a small order.
func (k standardXWing) combine(ssM, ssX, ctX []byte) []byte {
	h := sha3.New256()
	for _, b := range [][]byte{ssM, ssX, ctX, k.x.PublicKey().Bytes(), {0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c}} {
		h.Write(b)
	}
	return h.Sum(nil)
}

func (k standardXWing) decapsulate(t *testing.T, c []byte) []byte {
	ssM, err := k.m.Decapsulate(c[:1088])
	require.NoError(t, err)
	peer, err := ecdh.X25519().NewPublicKey(c[1088:])
	require.NoError(t, err)
	ssX, err := k.x.ECDH(peer)
	if err != nil {
		ssX = make([]byte, 32)
	}
	return k.combine(ssM, ssX, c[1088:])
}

func TestXWingAgreesWithTheStandardLibrary(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		for range 20 {
			dk, err := GenerateXWingKey()
			require.NoError(t, err)
			standard := newStandardXWing(t, dk.Bytes())
			require.Equal(t, standard.public(), dk.EncapsulationKey().Bytes())

			ek, err := NewXWingEncapsulationKey(standard.public())
			require.NoError(t, err)
			k, c := ek.Encapsulate()
			require.Len(t, c, XWingCiphertextSize)
			require.Equal(t, standard.decapsulate(t, c), k)
			got, err := dk.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, k, got)

			// Another ciphertext gives another key, and no error.
			c[0] ^= 1
			got, err = dk.Decapsulate(c)
			require.NoError(t, err)
			require.NotEqual(t, k, got)
			require.Equal(t, standard.decapsulate(t, c), got)
		}
	})
}

// TestXWingHashesTheZeroSecret has an X25519 part of small order in a ciphertext and in a
// key, which a group refuses and X-Wing does not.
func TestXWingHashesTheZeroSecret(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		dk, err := GenerateXWingKey()
		require.NoError(t, err)
		standard := newStandardXWing(t, dk.Bytes())
		_, c := dk.EncapsulationKey().Encapsulate()
		for _, s := range lowOrder {
			point, err := hex.DecodeString(s)
			require.NoError(t, err)
			copy(c[mlkem.CiphertextSize768:], point)
			got, err := dk.Decapsulate(c)
			require.NoError(t, err)
			require.Equal(t, standard.decapsulate(t, c), got)

			encoded := append(standard.m.EncapsulationKey().Bytes(), point...)
			ek, err := NewXWingEncapsulationKey(encoded)
			require.NoError(t, err)
			k, c := ek.Encapsulate()
			ssM, err := standard.m.Decapsulate(c[:mlkem.CiphertextSize768])
			require.NoError(t, err)
			input := append(append(append(ssM, make([]byte, 32)...), c[mlkem.CiphertextSize768:]...), point...)
			want := sha3.Sum256(append(input, `\.//^\`...))
			require.Equal(t, want[:], k)
		}
	})
}

func TestXWingFormsAgree(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		dk, err := GenerateXWingKey()
		require.NoError(t, err)
		again, err := NewXWingDecapsulationKey(dk.Bytes())
		require.NoError(t, err)
		require.Equal(t, dk.Bytes(), again.Bytes())
		require.Equal(t, dk.EncapsulationKey().Bytes(), again.EncapsulationKey().Bytes())

		encoded, err := dk.AppendEncapsulationKey([]byte("prefix"))
		require.NoError(t, err)
		require.Equal(t, append([]byte("prefix"), dk.EncapsulationKey().Bytes()...), encoded)

		var ek XWingEncapsulationKey
		require.NoError(t, ek.SetBytes(encoded[len("prefix"):]))
		other, err := GenerateXWingKey()
		require.NoError(t, err)
		require.NoError(t, ek.SetBytes(other.EncapsulationKey().Bytes()), "in place of another")
		require.NoError(t, ek.SetBytes(encoded[len("prefix"):]))
		appended, err := ek.AppendBinary([]byte("prefix"))
		require.NoError(t, err)
		require.Equal(t, encoded, appended)

		var k, got [XWingSharedKeySize]byte
		var c [XWingCiphertextSize]byte
		require.NoError(t, ek.EncapsulateInto(&k, &c))
		require.NoError(t, dk.DecapsulateInto(&got, c[:]))
		require.Equal(t, k, got)

		var private crypto.Decapsulator = dk
		sharedKey, ciphertext := private.Encapsulator().Encapsulate()
		decapsulated, err := private.Decapsulate(ciphertext)
		require.NoError(t, err)
		require.Equal(t, sharedKey, decapsulated)
	})
}

func TestXWingWrongInput(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		for _, n := range []int{0, 31, 33, 64, 96} {
			_, err := NewXWingDecapsulationKey(make([]byte, n))
			require.ErrorIs(t, err, ErrSize)
			require.ErrorContains(t, err, "want 32")
		}
		dk, err := GenerateXWingKey()
		require.NoError(t, err)
		encoded := dk.EncapsulationKey().Bytes()
		_, c := dk.EncapsulationKey().Encapsulate()
		ek := new(XWingEncapsulationKey)
		for _, n := range []int{0, 32, 1184, 1215, 1217} {
			b := append(bytes.Clone(encoded), 0)[:n]
			_, err := NewXWingEncapsulationKey(b)
			require.ErrorIs(t, err, ErrSize)
			require.ErrorContains(t, err, "want 1216")
			require.NoError(t, ek.SetBytes(encoded))
			require.ErrorIs(t, ek.SetBytes(b), ErrSize)
			require.ErrorIs(t, ek.EncapsulateInto(new([32]byte), new([1120]byte)), ErrNoKey)
		}
		for _, n := range []int{0, 32, 1088, 1119, 1121} {
			k := [XWingSharedKeySize]byte{1}
			err := dk.DecapsulateInto(&k, append(bytes.Clone(c), 0)[:n])
			require.ErrorIs(t, err, ErrSize)
			require.ErrorContains(t, err, "want 1120")
			require.Equal(t, [XWingSharedKeySize]byte{1}, k)
			_, err = dk.Decapsulate(append(bytes.Clone(c), 0)[:n])
			require.ErrorIs(t, err, ErrSize)
		}
		wrong := bytes.Clone(encoded)
		wrong[0], wrong[1] = 0x01, wrong[1]|0x0f
		wrong[1] = 0x0d | wrong[1]&0xf0 // 0xd01 = 3329
		_, err = NewXWingEncapsulationKey(wrong)
		require.ErrorIs(t, err, ErrCoefficient)
		swapped := append(bytes.Clone(encoded[mlkem.EncapsulationKeySize768:]), encoded[:mlkem.EncapsulationKeySize768]...)
		_, err = NewXWingEncapsulationKey(swapped)
		require.ErrorIs(t, err, ErrCoefficient)
		require.ErrorIs(t, dk.EncapsulationKey().SetBytes(encoded), ErrShared)
		_, err = dk.Decapsulate(c)
		require.NoError(t, err, "the key is as it was")
	})
}

func TestXWingUnusableKeys(t *testing.T) {
	destroyed, err := GenerateXWingKey()
	require.NoError(t, err)
	ek, encoded := destroyed.EncapsulationKey(), destroyed.EncapsulationKey().Bytes()
	m := destroyed.m
	destroyed.Destroy()
	destroyed.Destroy()
	assert.Zero(t, destroyed.seed)
	_, err = m.Decapsulate(make([]byte, mlkem.CiphertextSize768))
	require.ErrorIs(t, err, mlkem.ErrDestroyed)
	assert.Equal(t, encoded, ek.Bytes(), "the encapsulation key stays")
	ek.Encapsulate()

	c := make([]byte, XWingCiphertextSize)
	for _, x := range []struct {
		dk   *XWingDecapsulationKey
		want error
	}{{destroyed, ErrDestroyed}, {nil, ErrNoKey}, {new(XWingDecapsulationKey), ErrNoKey}} {
		_, err := x.dk.Decapsulate(c)
		require.ErrorIs(t, err, x.want)
		_, err = x.dk.AppendEncapsulationKey(nil)
		require.ErrorIs(t, err, x.want)
		_, err = x.dk.MarshalPKCS8()
		require.ErrorIs(t, err, x.want)
		require.Nil(t, x.dk.Bytes())
	}
	var zero XWingDecapsulationKey
	zero.Destroy()
	(*XWingDecapsulationKey)(nil).Destroy()
	require.Nil(t, (*XWingDecapsulationKey)(nil).EncapsulationKey())

	for _, ek := range []*XWingEncapsulationKey{nil, new(XWingEncapsulationKey), new(XWingDecapsulationKey).EncapsulationKey()} {
		require.ErrorIs(t, ek.EncapsulateInto(new([32]byte), new([1120]byte)), ErrNoKey)
		_, err := ek.AppendBinary(nil)
		require.ErrorIs(t, err, ErrNoKey)
		_, err = ek.MarshalPKIX()
		require.ErrorIs(t, err, ErrNoKey)
		require.Nil(t, ek.Bytes())
		require.Panics(t, func() { ek.Encapsulate() })
	}
	require.ErrorIs(t, (*XWingEncapsulationKey)(nil).SetBytes(encoded), ErrNoKey)
}

func TestXWingConcurrentUse(t *testing.T) {
	dk, err := GenerateXWingKey()
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				k, c := dk.EncapsulationKey().Encapsulate()
				got, err := dk.Decapsulate(c)
				assert.NoError(t, err)
				assert.Equal(t, k, got)
			}
		})
	}
	wg.Wait()
}

func TestXWingFormsForReuseAllocateOnlyWhatCryptoECDHDoes(t *testing.T) {
	onEveryLevel(t, func(t *testing.T) {
		dk, err := GenerateXWingKey()
		require.NoError(t, err)
		private, err := ecdh.X25519().GenerateKey(rand.Reader)
		require.NoError(t, err)
		point := private.PublicKey().Bytes()
		generate := testing.AllocsPerRun(50, func() { ecdh.X25519().GenerateKey(rand.Reader) })
		parse := testing.AllocsPerRun(50, func() { ecdh.X25519().NewPublicKey(point) })
		agree := testing.AllocsPerRun(50, func() { private.ECDH(private.PublicKey()) })

		ek, encoded := new(XWingEncapsulationKey), dk.EncapsulationKey().Bytes()
		require.NoError(t, ek.SetBytes(encoded))
		var k [XWingSharedKeySize]byte
		var c [XWingCiphertextSize]byte
		require.NoError(t, ek.EncapsulateInto(&k, &c))
		buf := make([]byte, 0, XWingEncapsulationKeySize)
		for _, x := range []struct {
			name string
			want float64
			f    func()
		}{
			{"SetBytes", parse, func() { ek.SetBytes(encoded) }},
			{"EncapsulateInto", generate + agree, func() { ek.EncapsulateInto(&k, &c) }},
			{"DecapsulateInto", parse + agree, func() { dk.DecapsulateInto(&k, c[:]) }},
			{"AppendBinary", 0, func() { ek.AppendBinary(buf) }},
			{"AppendEncapsulationKey", 0, func() { dk.AppendEncapsulationKey(buf) }},
		} {
			got := testing.AllocsPerRun(50, x.f)
			if !raceEnabled {
				assert.Equal(t, x.want, got, x.name)
			}
		}
	})
}

// FuzzXWing decapsulates arbitrary ciphertexts with keys from arbitrary seeds: every
// backend gives what the standard library gives.
func FuzzXWing(f *testing.F) {
	dk, err := GenerateXWingKey()
	require.NoError(f, err)
	_, c := dk.EncapsulationKey().Encapsulate()
	f.Add(dk.Bytes(), c)
	f.Add(dk.Bytes(), make([]byte, XWingCiphertextSize))
	f.Add(dk.Bytes()[1:], c[1:])
	f.Fuzz(func(t *testing.T, seed, c []byte) {
		for _, name := range cpu.Available() {
			restore := cpu.Use(name)
			dk, err := NewXWingDecapsulationKey(seed)
			if len(seed) != XWingSeedSize {
				require.ErrorIs(t, err, ErrSize)
				restore()
				continue
			}
			require.NoError(t, err)
			got, err := dk.Decapsulate(c)
			restore()
			if len(c) != XWingCiphertextSize {
				require.ErrorIs(t, err, ErrSize)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, newStandardXWing(t, seed).decapsulate(t, c), got)
		}
	})
}
