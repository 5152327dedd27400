//go:build ctcheck

package mldsa

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"reflect"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/ctcheck"
	"github.com/pqlane/pqlane/internal/dsaring"
	"github.com/pqlane/pqlane/mldsa/internal/hook"
)

// These tests run on Valgrind: .ci/ct. What the package itself declassifies stands in
// declassify.go. What the tests do, because a caller would publish it, is here:
//
//   - the signature, which is computed from the private key;
//   - ρ and tr in an expanded private key, which are the public key's;
//   - results, after the call that is watched, for the sake of comparing them.

func published(b []byte) []byte {
	ctcheck.Declassify(b)
	return b
}

// secret returns a copy of b that is marked.
func secret(b []byte) []byte {
	b = bytes.Clone(b)
	ctcheck.Secret(b)
	return b
}

func isSecret(b []byte) bool { return ctcheck.FirstSecretByte(b) >= 0 }

// reports returns how many errors memcheck reports while f runs.
func reports(f func()) int {
	before := ctcheck.Errors()
	f()
	return ctcheck.Errors() - before
}

// watched fails the test if memcheck reports anything while f runs, or if f leaves a secret in
// the scratch memory.
func watched(t *testing.T, what string, f func()) {
	t.Helper()
	assert.Zero(t, reports(f), "%s: branches or addresses that depend on secrets", what)
	w := scratches.Get().(*scratch)
	assert.Equal(t, -1, ctcheck.FirstSecret(w), "%s: offset of a secret left in the scratch memory", what)
	scratches.Put(w)
}

// onValgrind runs f for each parameter set on each backend that Valgrind knows.
func onValgrind(t *testing.T, f func(t *testing.T, p Parameters)) {
	require.True(t, ctcheck.Running(), "the tag ctcheck asks for a run on Valgrind")
	// The collector looks at whatever the stack holds.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	onEverySet(t, f)
}

// secretKey returns a key from a secret seed: the marks follow into all that is computed
// from it. plain is the same key without marks.
func secretKey(t *testing.T, p Parameters, seed []byte) (sk, plain *PrivateKey) {
	t.Helper()
	plain, err := NewPrivateKey(p, seed)
	require.NoError(t, err)
	watched(t, "key from a seed", func() { sk, err = NewPrivateKey(p, secret(seed)) })
	require.NoError(t, err)
	return sk, plain
}

// memory returns the bytes of each field of *p and of the structs and slices in it.
func memory(p any) map[string][]byte {
	all := map[string][]byte{}
	var add func(v reflect.Value, name string)
	add = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				add(v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		case reflect.Slice:
			all[name] = unsafe.Slice((*byte)(v.UnsafePointer()), uintptr(v.Len())*v.Type().Elem().Size())
		default:
			all[name] = unsafe.Slice((*byte)(unsafe.Pointer(v.UnsafeAddr())), v.Type().Size())
		}
	}
	add(reflect.ValueOf(p).Elem(), "")
	return all
}

// secretsIn returns the names of the fields in which there is a secret.
func secretsIn(fields map[string][]byte) (names []string) {
	for name, b := range fields {
		if isSecret(b) {
			names = append(names, name)
		}
	}
	return names
}

// secretRandom is a source of random bytes that are marked.
type secretRandom struct{ source io.Reader }

func (r secretRandom) Read(b []byte) (int, error) {
	n, err := r.source.Read(b)
	ctcheck.Secret(b[:n])
	return n, err
}

// withSecretRandom runs f while all random bytes are secret.
func withSecretRandom(f func()) {
	before := rand.Reader
	rand.Reader = secretRandom{before}
	defer func() { rand.Reader = before }()
	f()
}

func TestConstantTimeKeyGeneration(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		for range 3 {
			seed := random(PrivateKeySize)
			sk, plain := secretKey(t, p, seed)
			var public, back, expanded []byte
			watched(t, "public key", func() { public = sk.PublicKey().Bytes() })
			watched(t, "seed", func() { back = sk.Bytes() })
			watched(t, "expanded key", func() { expanded = sk.ExpandedBytes() })
			require.Equal(t, plain.PublicKey().Bytes(), public)

			// The marks have followed the secrets, or nothing was watched.
			require.True(t, isSecret(back))
			require.True(t, isSecret(expanded[32:64]), "K")
			require.True(t, isSecret(expanded[128:][:dsaring.SizeEta(p.eta)]), "s₁")
			require.True(t, isSecret(expanded[len(expanded)-dsaring.SizeT0:]), "t₀")
			require.Empty(t, secretsIn(memory(sk.PublicKey())), "the public key is secret")

			var same, other bool
			different := generate(t, p)
			watched(t, "comparison", func() { same, other = sk.Equal(plain), sk.Equal(different) })
			ctcheck.DeclassifyValue(&same)
			ctcheck.DeclassifyValue(&other)
			require.True(t, same)
			require.False(t, other)
			require.Equal(t, seed, published(back))
			require.Equal(t, plain.ExpandedBytes(), published(expanded))
		}
	})
}

// TestConstantTimeThirdBlockOfExpandS takes a seed as TestThirdBlockOfExpandS does.
func TestConstantTimeThirdBlockOfExpandS(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		if p != MLDSA65() {
			return // other sets have none
		}
		seed := make([]byte, PrivateKeySize)
		binary.BigEndian.PutUint32(seed, 20843)
		_, _, blocks := keyGen(p.params, seed)
		require.Equal(t, 3, blocks)
		secretKey(t, p, seed)
	})
}

func TestConstantTimeKeyGenerationInPlace(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		sk := new(PrivateKey)
		for _, q := range []Parameters{p, p, sets[0], sets[2], p} { // of other sizes in between
			var err error
			withSecretRandom(func() {
				watched(t, "generation in place", func() { err = sk.Generate(q) })
			})
			require.NoError(t, err)
			seed := sk.Bytes()
			require.True(t, isSecret(seed))
			plain, err := NewPrivateKey(q, published(seed))
			require.NoError(t, err)
			require.Equal(t, plain.PublicKey().Bytes(), sk.PublicKey().Bytes())
		}
	})
}

func TestConstantTimeImport(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		plain := generate(t, p)
		good := plain.ExpandedBytes()
		// load imports b, whose secret parts it marks.
		load := func(what string, b []byte) (sk *PrivateKey, err error) {
			b = secret(b)
			published(b[:32])
			published(b[64:128])
			watched(t, what, func() { sk, err = NewPrivateKeyFromExpanded(p, b) })
			return sk, err
		}
		sk, err := load("expanded key", good)
		require.NoError(t, err)
		again := sk.ExpandedBytes()
		require.True(t, isSecret(again[32:64]), "K")
		require.True(t, isSecret(again[128:]), "s₁")
		require.Equal(t, good, published(again))
		require.Equal(t, plain.PublicKey().Bytes(), sk.PublicKey().Bytes())
		want, err := plain.SignDeterministic([]byte("message"), nil)
		require.NoError(t, err)
		var got []byte
		watched(t, "signing", func() { got, err = sk.SignDeterministic([]byte("message"), nil) })
		require.NoError(t, err)
		require.Equal(t, want, published(got))

		s2 := 128 + p.l*dsaring.SizeEta(p.eta)
		mask := byte(1<<(dsaring.SizeEta(p.eta)/32) - 1)
		// step changes the coefficient in the low bits of b to its neighbour.
		step := func(b *byte) {
			if *b&mask == 0 {
				*b++
			} else {
				*b--
			}
		}
		for _, bad := range []struct {
			what, want string
			spoil      func(b []byte)
		}{
			{"s₁ out of range", "out of range", func(b []byte) { b[128] = 0xff }},
			{"s₂ out of range", "out of range", func(b []byte) { b[s2+p.k*dsaring.SizeEta(p.eta)-1] = 0xff }},
			{"s₁ of another key", "t0 is not", func(b []byte) { step(&b[128]) }},
			{"s₂ of another key", "t0 is not", func(b []byte) { step(&b[s2]) }},
			{"t₀ of another key", "t0 is not", func(b []byte) { b[len(b)-1] ^= 1 }},
			{"matrix of another seed", "t0 is not", func(b []byte) { b[0] ^= 1 }},
			{"hash of another key", "tr is not", func(b []byte) { b[64] ^= 1 }},
		} {
			b := bytes.Clone(good)
			bad.spoil(b)
			_, err := load(bad.what, b)
			require.ErrorIs(t, err, ErrInconsistent, bad.what)
			require.ErrorContains(t, err, bad.want, bad.what)
		}
	})
}

// markIn marks in b, a copy of plain, what part is there.
func markIn(t *testing.T, b, plain, part []byte) {
	t.Helper()
	at := bytes.Index(plain, part)
	require.GreaterOrEqual(t, at, 0)
	ctcheck.Secret(b[at:][:len(part)])
}

func TestConstantTimePKCS8(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		seed := random(PrivateKeySize)
		sk, plain := secretKey(t, p, seed)
		expanded := plain.ExpandedBytes()
		for _, form := range []PrivateKeyForm{SeedForm, ExpandedForm, BothForm} {
			want, err := MarshalPKCS8PrivateKeyForm(plain, form)
			require.NoError(t, err)
			parse := func(what string, spoil ...int) (sk *PrivateKey, err error) {
				der := bytes.Clone(want)
				if form != ExpandedForm {
					markIn(t, der, want, seed)
				}
				if form != SeedForm {
					markIn(t, der, want, expanded[32:64])
					markIn(t, der, want, expanded[128:])
				}
				for _, i := range spoil {
					der[len(der)-i] ^= 1
				}
				watched(t, what, func() { sk, err = ParsePKCS8PrivateKey(der) })
				return sk, err
			}
			parsed, err := parse("parsing")
			require.NoError(t, err)
			require.Equal(t, plain.PublicKey().Bytes(), parsed.PublicKey().Bytes())
			if form != SeedForm {
				_, err = parse("parsing what is inconsistent", 1)
				require.ErrorIs(t, err, ErrInconsistent)
			}
			var got []byte
			watched(t, "writing", func() { got, err = MarshalPKCS8PrivateKeyForm(sk, form) })
			require.NoError(t, err)
			require.True(t, isSecret(got))
			require.Equal(t, want, published(got))
		}
	})
}

// rejecting gives for each set a message that the key of the zero seed signs in the fourth
// attempt: one fails for z alone, one for r₀ alone, one for the number of hints alone.
var rejecting = map[Parameters]uint32{MLDSA44(): 3000, MLDSA65(): 11950, MLDSA87(): 302}

func rejectingMessage(p Parameters) []byte { return binary.BigEndian.AppendUint32(nil, rejecting[p]) }

// kinds counts the attempts that one condition alone rejects.
func kinds(p *params, attempts []attempt) (k attempt) {
	for _, a := range attempts {
		for _, one := range []struct {
			n         *int
			otherwise attempt
		}{
			{&k.z, attempt{0, a.r0, a.ct0, a.weight}},
			{&k.r0, attempt{a.z, 0, a.ct0, a.weight}},
			{&k.ct0, attempt{a.z, a.r0, 0, a.weight}},
			{&k.weight, attempt{a.z, a.r0, a.ct0, 0}},
		} {
			if !a.accepted(p) && one.otherwise.accepted(p) {
				*one.n++
			}
		}
	}
	return k
}

func TestConstantTimeSigning(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		sk, plain := secretKey(t, p, make([]byte, PrivateKeySize))
		message := rejectingMessage(p)
		mu := muOf(t, plain.PublicKey(), "", message)
		want, attempts := newReference(p.params, plain.ExpandedBytes()).sign(mu[:], make([]byte, 32), maxAttempts)
		require.Equal(t, attempt{1, 1, 0, 1}, kinds(p.params, attempts), "attempts that the message reaches")

		sign := func(what string, f func() ([]byte, error)) []byte {
			var signature []byte
			var err error
			withSecretRandom(func() {
				watched(t, what, func() { signature, err = f() })
			})
			require.NoError(t, err, what)
			require.True(t, isSecret(signature), "%s: the marks did not follow", what)
			return published(signature)
		}
		for range 2 { // the scratch memory is not new then
			require.Equal(t, want, sign("deterministic", func() ([]byte, error) { return sk.SignDeterministic(message, nil) }))
			require.Equal(t, want, sign("deterministic, by μ", func() ([]byte, error) { return sk.SignDeterministic(mu[:], mldsaMu) }))
		}
		// Nor does the time depend on a message that is not public.
		require.Equal(t, want, sign("deterministic, secret message", func() ([]byte, error) {
			return sk.SignDeterministic(secret(message), nil)
		}))

		rnd := [32]byte(random(32))
		want, err := hook.Sign(plain, &mu, &rnd)
		require.NoError(t, err)
		ctcheck.SecretValue(&rnd)
		require.Equal(t, want, sign("chosen randomness", func() ([]byte, error) { return hook.Sign(sk, &mu, &rnd) }))

		pk := plain.PublicKey()
		room := make([]byte, 0, p.SignatureSize())
		compact, _ := secretKey(t, p, make([]byte, PrivateKeySize))
		watched(t, "Compact", func() { err = compact.Compact() })
		require.NoError(t, err)
		for name, f := range map[string]func() ([]byte, error){
			"compact":      func() ([]byte, error) { return compact.AppendSign(room, message, nil) },
			"Sign":         func() ([]byte, error) { return sk.Sign(nil, message, nil) },
			"Sign, by μ":   func() ([]byte, error) { return sk.Sign(nil, mu[:], mldsaMu) },
			"SignMessage":  func() ([]byte, error) { return sk.SignMessage(nil, message, nil) },
			"AppendSign":   func() ([]byte, error) { return sk.AppendSign(room, message, nil) },
			"AppendSignMu": func() ([]byte, error) { return sk.AppendSignMu(nil, &mu) },
		} {
			require.NoError(t, Verify(pk, message, sign(name, f), nil), name)
		}
		digest := random(32)
		signature := sign("SignPreHash", func() ([]byte, error) { return SignPreHash(sk, SHA256, digest, nil) })
		require.NoError(t, VerifyPreHash(pk, SHA256, digest, signature, nil))

		// Keys and messages as they come.
		for range 5 {
			sk, plain := secretKey(t, p, random(PrivateKeySize))
			message := random(50)
			signature := sign("a random key", func() ([]byte, error) { return sk.Sign(nil, message, &Options{Context: "context"}) })
			require.NoError(t, Verify(plain.PublicKey(), message, signature, &Options{Context: "context"}))
		}
	})
}

// TestConstantTimeRejectionByCT0 reaches what no key of ML-DSA-65 and 87 does, and of 44
// next to none, by a t₀ whose product with c exceeds γ₂ where c has three ones in a row.
func TestConstantTimeRejectionByCT0(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		sk, plain := secretKey(t, p, make([]byte, PrivateKeySize))
		r := newReference(p.params, plain.ExpandedBytes())
		threeInARow := func(t0 []dsaring.Poly) {
			clear(t0)
			t0[0][0], t0[0][1], t0[0][2] = p.gamma2/3+1, p.gamma2/3+1, p.gamma2/3+1
			dsaring.NTT(&t0[0])
		}
		threeInARow(r.t0H)
		threeInARow(sk.t0)
		for i := range sk.t0 {
			ctcheck.SecretValue(&sk.t0[i])
		}
		// One attempt fails for ct₀ alone, and the next is accepted.
		mu := [MuSize]byte{map[Parameters]byte{MLDSA44(): 116, MLDSA65(): 99, MLDSA87(): 69}[p]}
		want, attempts := r.sign(mu[:], make([]byte, 32), maxAttempts)
		require.Len(t, attempts, 2)
		require.Equal(t, attempt{ct0: 1}, kinds(p.params, attempts), "attempts that μ reaches")
		var got []byte
		var err error
		watched(t, "signing", func() { got, err = sk.SignDeterministic(mu[:], mldsaMu) })
		require.NoError(t, err)
		require.Equal(t, want, published(got))
	})
}

// TestConstantTimeGivingUp signs with a key that rejects every attempt. All sets run the
// same code, and the smallest is enough.
func TestConstantTimeGivingUp(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		if p != MLDSA44() {
			return
		}
		sk, _ := secretKey(t, p, random(PrivateKeySize))
		monomial(sk, p.gamma2)
		for i := range sk.t0 {
			ctcheck.SecretValue(&sk.t0[i])
		}
		dst := make([]byte, 0, p.SignatureSize())
		var err error
		watched(t, "signing in vain", func() { _, err = sk.AppendSign(dst, nil, nil) })
		require.ErrorIs(t, err, ErrAttempts)
		require.False(t, isSecret(dst[:cap(dst)]), "a rejected attempt is left where the signature would be")
	})
}

// TestConstantTimeDestroy finds what Destroy leaves behind by its marks.
func TestConstantTimeDestroy(t *testing.T) {
	onValgrind(t, func(t *testing.T, p Parameters) {
		sk, _ := secretKey(t, p, random(PrivateKeySize))
		fields := memory(sk)
		require.Subset(t, secretsIn(fields), []string{".seed", ".s1", ".s2", ".t0"})
		watched(t, "destruction", sk.Destroy)
		require.Empty(t, secretsIn(fields))
		require.Empty(t, secretsIn(memory(sk)))
	})
}
