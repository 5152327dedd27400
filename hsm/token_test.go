package hsm

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

var background = context.Background()

// TestSigners has a new key of each algorithm sign, with contexts and hedges for ML-DSA.
func TestSigners(t *testing.T) {
	token := openNSS(t)
	t.Log(token.Info(background))
	t.Logf("%+v", token.Capabilities())
	message := []byte("message")
	for _, a := range Algorithms() {
		if a.IsMLKEM() {
			continue
		}
		t.Run(a.String(), func(t *testing.T) {
			info := generate(t, token, a)
			require.Equal(t, a, info.Algorithm)
			signer, err := token.Signer(background, info.Key())
			require.NoError(t, err)
			t.Logf("%+v", signer.Info())
			switch public := signer.Public().(type) {
			case *mldsa.PublicKey:
				for _, o := range []SignOptions{{}, {Context: "c"}, {Hedge: HedgePreferred}, {Hedge: Deterministic, Context: string(make([]byte, 255))}} {
					signature, err := signer.SignMessage(nil, message, &o)
					require.NoError(t, err)
					require.NoError(t, mldsa.Verify(public, message, signature, &mldsa.Options{Context: o.Context}))
					again, err := signer.Sign(nil, message, &o)
					require.NoError(t, err)
					assert.Equal(t, o.Hedge == Deterministic, string(again) == string(signature))
				}
			case *rsa.PublicKey:
				digest := sha256.Sum256(message)
				signature, err := signer.Sign(nil, digest[:], crypto.SHA256)
				require.NoError(t, err)
				require.NoError(t, rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature))
				for _, salt := range []int{rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, 20} {
					opts := &rsa.PSSOptions{SaltLength: salt, Hash: crypto.SHA256}
					signature, err = signer.SignMessage(nil, message, opts)
					require.NoError(t, err)
					require.NoError(t, rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, opts))
				}
			case *ecdsa.PublicKey:
				for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA512} {
					h := hash.New()
					h.Write(message)
					signature, err := signer.SignMessage(nil, message, hash)
					require.NoError(t, err)
					require.True(t, ecdsa.VerifyASN1(public, h.Sum(nil), signature))
				}
			case ed25519.PublicKey:
				signature, err := signer.SignMessage(nil, message, crypto.Hash(0))
				require.NoError(t, err)
				require.True(t, ed25519.Verify(public, message, signature))
			default:
				t.Fatalf("%T", public)
			}
		})
	}
}

func TestDecapsulators(t *testing.T) {
	token := openNSS(t)
	for _, a := range []Algorithm{MLKEM512, MLKEM768, MLKEM1024} {
		t.Run(a.String(), func(t *testing.T) {
			info := generate(t, token, a)
			d, err := token.Decapsulator(background, KeyByID(info.ID))
			require.NoError(t, err)
			want, ciphertext := d.Encapsulator().Encapsulate()
			got, err := d.Decapsulate(ciphertext)
			require.NoError(t, err)
			require.Equal(t, want, got)
			ciphertext[3] ^= 1
			got, err = d.Decapsulate(ciphertext)
			require.NoError(t, err)
			require.NotEqual(t, want, got)
			_, err = d.Decapsulate(ciphertext[1:])
			require.ErrorIs(t, err, ErrSize)
		})
	}
}
