package hsm

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

func init() { giveUpAfter = time.Second }

// A soft is a module that signs with a key in memory, also with the mechanisms that NSS lacks. It
// shows attributes, where it has them, in place of the module's.
type soft struct {
	cryptoki
	key        *mldsa.PrivateKey
	mechanisms []mechanism // that were asked for
	inputs     [][]byte
	attributes map[uint][]byte
	templates  [][]attribute // of private keys that were generated
}

func (s *soft) Sign(session, key uint, m *mechanism, message, signature []byte) (int, error) {
	s.mechanisms = append(s.mechanisms, *m)
	s.inputs = append(s.inputs, slices.Clone(message))
	opts := &mldsa.Options{Context: m.context}
	var made []byte
	var err error
	switch m.number {
	case 0x1d:
		made, err = s.key.Sign(nil, message, opts)
	case 0x1f:
		made, err = mldsa.SignPreHash(s.key, mldsa.SHA256, message, opts)
	case 0x2b:
		made, err = mldsa.SignPreHash(s.key, mldsa.SHAKE128, digestOf(mldsa.SHAKE128, message), opts)
	case 0x80000001:
		made, err = s.key.AppendSignMu(nil, (*[64]byte)(message))
	default:
		return 0, &Error{"C_SignInit", ckrMechanismInvalid}
	}
	if err != nil {
		return 0, err
	}
	return copy(signature, made), nil
}

func (s *soft) Attribute(session, object, kind uint) ([]byte, error) {
	if b, ok := s.attributes[kind]; ok {
		if b == nil {
			return nil, &Error{"C_GetAttributeValue", ckrAttributeTypeInvalid}
		}
		return b, nil
	}
	return s.cryptoki.Attribute(session, object, kind)
}

func (s *soft) GeneratePair(session, mechanism uint, public, private []attribute) (uint, uint, error) {
	s.templates = append(s.templates, private)
	return s.cryptoki.GeneratePair(session, mechanism, public, private)
}

// softSigner returns a signer of ML-DSA-65 whose token is a soft.
func softSigner(t testing.TB, capabilities Capabilities, numbers Mechanisms) (*soft, *Signer) {
	key, err := mldsa.GenerateKey(mldsa.MLDSA65())
	require.NoError(t, err)
	token := openNSS(t)
	s := &soft{cryptoki: token.module.cryptoki, key: key}
	token.module.cryptoki = s
	token.capabilities, token.numbers = capabilities, numbers.orStandard()
	token.config.VerifyAfterSign = true
	signer := &Signer{privateKey: privateKey{
		core: token.core, info: KeyInfo{Algorithm: MLDSA65, Public: key.PublicKey()}, finding: make(chan struct{}, 1),
	}}
	signer.located.Store(&location{})
	return s, signer
}

// TestPreHash: digests go to CKM_HASH_ML_DSA, and messages to the mechanism of the hash function where the
// token signs no digests. Each signature is verified.
func TestPreHash(t *testing.T) {
	message := []byte("message")
	digest := sha256.Sum256(message)
	s, signer := softSigner(t, Capabilities{PreHash: true, TokenHash: []string{mldsa.SHAKE128.String()}}, Mechanisms{})
	opts := &SignOptions{PreHash: mldsa.SHA256, Context: "context", Hedge: HedgePreferred}
	for _, sign := range []func() ([]byte, error){
		func() ([]byte, error) { return signer.Sign(nil, digest[:], opts) },
		func() ([]byte, error) { return signer.SignMessage(nil, message, opts) },
	} {
		signature, err := sign()
		require.NoError(t, err)
		require.NoError(t, mldsa.VerifyPreHash(s.key.PublicKey(), mldsa.SHA256, digest[:], signature, &mldsa.Options{Context: "context"}))
		require.Equal(t, mechanism{number: 0x1f, parameter: hashSignContext, a: 0, b: 0x250, context: "context"}, s.mechanisms[len(s.mechanisms)-1])
		require.Equal(t, digest[:], s.inputs[len(s.inputs)-1])
	}
	shake := &SignOptions{PreHash: mldsa.SHAKE128} // has no number of its own
	_, err := signer.SignMessage(nil, message, shake)
	require.NoError(t, err)
	require.Equal(t, mechanism{number: 0x2b, parameter: signContext, a: 1}, s.mechanisms[len(s.mechanisms)-1])
	require.Equal(t, message, s.inputs[len(s.inputs)-1])
	_, err = signer.Sign(nil, make([]byte, 32), shake)
	require.ErrorIs(t, err, ErrUnsupported)
	_, err = signer.SignMessage(nil, message, &SignOptions{PreHash: mldsa.SHAKE256})
	require.ErrorIs(t, err, ErrUnsupported)
}

// TestExternalMu: with a vendor's mechanism.
func TestExternalMu(t *testing.T) {
	s, signer := softSigner(t, Capabilities{Mu: true}, Mechanisms{MLDSAMu: 0x80000001})
	h, err := s.key.PublicKey().NewMu("")
	require.NoError(t, err)
	h.Write([]byte("message"))
	mu := h.Sum()
	signature, err := signer.Sign(nil, mu[:], hashMu)
	require.NoError(t, err)
	verified(t, signer, []byte("message"), signature)
}

// TestDigests of messages are those that HashML-DSA verifies, for every hash function.
func TestDigests(t *testing.T) {
	for h := mldsa.SHA224; h <= mldsa.SHAKE256; h++ {
		assert.Len(t, digestOf(h, []byte("message")), h.Size(), h)
	}
}

// TestFormsOfPublicKeys: as it is in CKA_VALUE, in CKA_PUBLIC_KEY_INFO, or as a SubjectPublicKeyInfo in CKA_VALUE.
func TestFormsOfPublicKeys(t *testing.T) {
	signing, err := mldsa.GenerateKey(mldsa.MLDSA44())
	require.NoError(t, err)
	kem, err := mlkem.GenerateKey512()
	require.NoError(t, err)
	signingInfo, err := mldsa.MarshalPKIXPublicKey(signing.PublicKey())
	require.NoError(t, err)
	kemInfo, err := mlkem.MarshalPKIXPublicKey(kem.EncapsulationKey())
	require.NoError(t, err)
	for _, test := range []struct {
		a         Algorithm
		raw, info []byte
		want      any
	}{
		{MLDSA44, signing.PublicKey().Bytes(), signingInfo, signing.PublicKey()},
		{MLKEM512, kem.EncapsulationKey().Bytes(), kemInfo, kem.EncapsulationKey()},
	} {
		for _, form := range []map[uint][]byte{
			{ckaValue: test.raw, ckaPublicKeyInfo: nil},
			{ckaValue: nil, ckaPublicKeyInfo: test.info},
			{ckaValue: test.info, ckaPublicKeyInfo: nil},
			{ckaValue: []byte("nonsense"), ckaPublicKeyInfo: test.info},
		} {
			got := parsePublic(test.a, &object{cryptoki: &soft{attributes: form}})
			require.NotNil(t, got)
			require.True(t, samePublic(test.want, got))
			require.Nil(t, parsePublic(test.a+1, &object{cryptoki: &soft{attributes: form}}), "another set")
		}
		require.Nil(t, parsePublic(test.a, &object{cryptoki: &soft{attributes: map[uint][]byte{ckaValue: test.raw[1:], ckaPublicKeyInfo: nil}}}))
	}
	token := openNSS(t)
	p256 := generate(t, token, ECDSAP256)
	info, err := x509.MarshalPKIXPublicKey(p256.Public)
	require.NoError(t, err)
	got := parsePublic(ECDSAP256, &object{cryptoki: &soft{attributes: map[uint][]byte{ckaECPoint: nil, ckaPublicKeyInfo: info}}})
	require.True(t, samePublic(p256.Public, got))
	ed := generate(t, token, Ed25519)
	point, err := asn1.Marshal([]byte("not a point of thirty-two bytes!!"))
	require.NoError(t, err)
	require.Nil(t, parsePublic(Ed25519, &object{cryptoki: &soft{attributes: map[uint][]byte{ckaECPoint: point, ckaPublicKeyInfo: nil}}}))
	require.False(t, samePublic(p256.Public, ed.Public))
}

// TestAllowedMechanisms are asked for, and left away if the token refuses them.
func TestAllowedMechanisms(t *testing.T) {
	token := openNSS(t)
	s := &soft{cryptoki: token.module.cryptoki}
	token.module.cryptoki = s
	has := func(template []attribute) []byte {
		for _, a := range template {
			if a.kind == ckaAllowedMechanisms {
				return a.value
			}
		}
		return nil
	}
	generate(t, token, MLKEM512)
	require.Len(t, s.templates, 2, "NSS refuses")
	require.Equal(t, ulong(0x17), has(s.templates[0]))
	require.Nil(t, has(s.templates[1]))
	generate(t, token, MLKEM512)
	require.Len(t, s.templates, 3, "and is not asked again")
}

// TestTemplateWithoutLength: a token that refuses CKA_VALUE_LEN is asked without it, from then on.
func TestTemplateWithoutLength(t *testing.T) {
	token := openNSS(t)
	d, err := token.Decapsulator(background, KeyByID(generate(t, token, MLKEM512).ID))
	require.NoError(t, err)
	f := makeFaulty(t, token)
	for _, rv := range []uint{ckrAttributeTypeInvalid, ckrAttributeValueInvalid, ckrTemplateInconsistent} {
		d.noLength.Store(false)
		f.failing("C_DecapsulateKey", rv)
		want, ciphertext := d.Encapsulator().Encapsulate()
		got, err := d.Decapsulate(ciphertext)
		require.NoError(t, err)
		require.Equal(t, want, got)
		before := f.count("C_DecapsulateKey")
		_, err = d.Decapsulate(ciphertext)
		require.NoError(t, err)
		require.Equal(t, before+1, f.count("C_DecapsulateKey"))
	}
}

// TestModuleOfOthers: a module that something else has initialised is used, and not finalised.
func TestModuleOfOthers(t *testing.T) {
	config := nssConfig(t)
	other, err := loadModule(config.Module)
	require.NoError(t, err)
	defer other.Unload()
	require.NoError(t, other.Initialize())
	for range 2 {
		token, err := Open(background, config)
		require.NoError(t, err)
		require.False(t, token.module.ours)
		require.NoError(t, token.Close())
		require.NotEmpty(t, must(other.Slots()), "it is still initialised")
	}
	require.NoError(t, other.Finalize())
	token, err := Open(background, config)
	require.NoError(t, err)
	second, err := Open(background, config)
	require.NoError(t, err)
	require.Same(t, token.module, second.module)
	require.NoError(t, token.Close())
	require.NotEmpty(t, must(other.Slots()), "one still uses it")
	require.NoError(t, second.Close())
	require.Empty(t, must(other.Slots()), "NSS has none when it is not initialised")
}

// TestSharedKeyUnderAContextThatEnds is never the zeros that it is wiped with.
func TestSharedKeyUnderAContextThatEnds(t *testing.T) {
	token := openNSS(t)
	d, err := token.Decapsulator(background, KeyByID(generate(t, token, MLKEM512).ID))
	require.NoError(t, err)
	want, ciphertext := d.Encapsulator().Encapsulate()
	f := makeFaulty(t, token)
	var ends, returned int
	for range 50 {
		ctx, cancel := context.WithCancel(background)
		f.after = cancel
		got, err := d.DecapsulateContext(ctx, ciphertext)
		cancel()
		if err != nil {
			ends++
			require.Nil(t, got)
			continue
		}
		returned++
		require.Equal(t, want, got)
	}
	t.Logf("%d ended, %d returned", ends, returned)
}
