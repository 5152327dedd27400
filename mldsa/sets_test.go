package mldsa

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// onEverySet runs f as a subtest for each parameter set on each backend.
func onEverySet(t *testing.T, f func(t *testing.T, p Parameters)) {
	onEveryBackend(t, func(t *testing.T) {
		for _, p := range sets {
			t.Run(p.String(), func(t *testing.T) { f(t, p) })
		}
	})
}

func generate(t testing.TB, p Parameters) *PrivateKey {
	t.Helper()
	sk, err := GenerateKey(p)
	require.NoError(t, err)
	return sk
}

// muOf returns μ of a message, by the public key alone.
func muOf(t testing.TB, pk *PublicKey, context string, message []byte) [MuSize]byte {
	t.Helper()
	h, err := pk.NewMu(context)
	require.NoError(t, err)
	h.Write(message)
	return h.Sum()
}

// A signForm is one of the ways to sign a message or, where it takes μ, its
// representative. Those without a context sign with none.
type signForm struct {
	name       string
	hasContext bool
	sign       func(sk *PrivateKey, message []byte, mu *[MuSize]byte, context string) ([]byte, error)
}

var signForms = []signForm{
	{"PrivateKey.Sign", true, func(sk *PrivateKey, message []byte, _ *[MuSize]byte, context string) ([]byte, error) {
		return sk.Sign(nil, message, &Options{Context: context})
	}},
	{"PrivateKey.SignDeterministic", true, func(sk *PrivateKey, message []byte, _ *[MuSize]byte, context string) ([]byte, error) {
		return sk.SignDeterministic(message, &Options{Context: context})
	}},
	{"PrivateKey.SignMessage", true, func(sk *PrivateKey, message []byte, _ *[MuSize]byte, context string) ([]byte, error) {
		return sk.SignMessage(nil, message, &Options{Context: context})
	}},
	{"PrivateKey.AppendSign", true, func(sk *PrivateKey, message []byte, _ *[MuSize]byte, context string) ([]byte, error) {
		return sk.AppendSign(nil, message, &Options{Context: context})
	}},
	{"PrivateKey.AppendSignMu", false, func(sk *PrivateKey, _ []byte, mu *[MuSize]byte, _ string) ([]byte, error) {
		return sk.AppendSignMu(nil, mu)
	}},
	{"PrivateKey.Sign", false, func(sk *PrivateKey, _ []byte, mu *[MuSize]byte, _ string) ([]byte, error) {
		return sk.Sign(nil, mu[:], mldsaMu)
	}},
	{"PrivateKey.SignDeterministic", false, func(sk *PrivateKey, _ []byte, mu *[MuSize]byte, _ string) ([]byte, error) {
		return sk.SignDeterministic(mu[:], mldsaMu)
	}},
	{"PrivateKey.SignMessage", false, func(sk *PrivateKey, message []byte, _ *[MuSize]byte, _ string) ([]byte, error) {
		return sk.SignMessage(nil, message, mldsaMu)
	}},
}

// A verifyForm is one of the ways to verify.
type verifyForm struct {
	name       string
	hasContext bool
	verify     func(pk *PublicKey, message []byte, mu *[MuSize]byte, signature []byte, context string) error
}

var verifyForms = []verifyForm{
	{"Verify", true, func(pk *PublicKey, message []byte, _ *[MuSize]byte, signature []byte, context string) error {
		return Verify(pk, message, signature, &Options{Context: context})
	}},
	{"VerifyMu", false, func(pk *PublicKey, _ []byte, mu *[MuSize]byte, signature []byte, _ string) error {
		return VerifyMu(pk, mu, signature)
	}},
	{"Verifier.Verify", true, func(pk *PublicKey, message []byte, _ *[MuSize]byte, signature []byte, context string) error {
		return pk.Precompute().Verify(message, signature, &Options{Context: context})
	}},
	{"Verifier.VerifyMu", false, func(pk *PublicKey, _ []byte, mu *[MuSize]byte, signature []byte, _ string) error {
		return pk.Precompute().VerifyMu(mu, signature)
	}},
}

// requireVerdict requires that every form of verifying agrees on a signature: nil where
// valid, otherwise ErrInvalidSignature as it is.
func requireVerdict(t *testing.T, pk *PublicKey, message, signature []byte, valid bool, msgAndArgs ...any) {
	t.Helper()
	mu := muOf(t, pk, "", message)
	for _, form := range verifyForms {
		err := form.verify(pk, message, &mu, signature, "")
		if valid {
			require.NoError(t, err, msgAndArgs...)
		} else {
			require.True(t, err == ErrInvalidSignature, "%s: %v %v", form.name, err, msgAndArgs)
		}
	}
}
