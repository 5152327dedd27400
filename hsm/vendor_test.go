package hsm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mldsa"
)

// A vendor is a token that predates PKCS #11 3.2: mechanisms, a key type and an attribute have
// the vendor's numbers, and the standard's are unknown to it.
type vendor struct{ cryptoki }

var vendorNumbers = Mechanisms{
	MLDSA: 0x8001_0024, MLDSAKeyPairGen: 0x8001_0023, MLDSAKeyType: 0x8001_0022,
	MLKEM: 0x8001_0035, MLKEMKeyPairGen: 0x8001_0034, ParameterSet: 0x8001_0025,
}

// standard returns the standard's number for a vendor's, and 0xffff for the standard's.
func (vendor) standard(n uint) uint {
	v, s := vendorNumbers, Mechanisms{}.orStandard()
	for _, pair := range [][2]uint{{v.MLDSA, s.MLDSA}, {v.MLDSAKeyPairGen, s.MLDSAKeyPairGen}, {v.MLKEM, s.MLKEM},
		{v.MLKEMKeyPairGen, s.MLKEMKeyPairGen}, {v.ParameterSet, s.ParameterSet}} {
		switch n {
		case pair[0]:
			return pair[1]
		case pair[1]:
			return 0xffff
		}
	}
	return n
}

func (v vendor) Mechanisms(slot uint) ([]uint, error) {
	n := vendorNumbers
	return []uint{n.MLDSA, n.MLDSAKeyPairGen, n.MLKEM, n.MLKEMKeyPairGen}, nil
}

func (v vendor) MechanismInfo(slot, number uint) (mechanismInfo, error) {
	return v.cryptoki.MechanismInfo(slot, v.standard(number))
}

func (v vendor) Attribute(session, object, kind uint) ([]byte, error) {
	b, err := v.cryptoki.Attribute(session, object, v.standard(kind))
	if kind == ckaKeyType && string(b) == string(ulong(0x4a)) {
		b = ulong(vendorNumbers.MLDSAKeyType)
	}
	return b, err
}

func (v vendor) GeneratePair(session, number uint, public, private []attribute) (uint, uint, error) {
	public = slices.Clone(public)
	for i := range public {
		public[i].kind = v.standard(public[i].kind)
	}
	return v.cryptoki.GeneratePair(session, v.standard(number), public, private)
}

func (v vendor) Sign(session, key uint, m *mechanism, message, signature []byte) (int, error) {
	translated := *m
	translated.number = v.standard(m.number)
	return v.cryptoki.Sign(session, key, &translated, message, signature)
}

func (v vendor) Decapsulate(session, key, number uint, withLength bool, ciphertext []byte, sharedKey *[32]byte) error {
	return v.cryptoki.Decapsulate(session, key, v.standard(number), withLength, ciphertext, sharedKey)
}

// TestVendorNumbers: a token with numbers of its own works with Config.Mechanisms, and without has no such keys.
func TestVendorNumbers(t *testing.T) {
	config := nssConfig(t)
	m, err := useModule(config.Module)
	require.NoError(t, err)
	t.Cleanup(m.release)
	real := m.cryptoki
	m.cryptoki = vendor{real}
	t.Cleanup(func() { m.cryptoki = real })

	plain, err := Open(background, config)
	require.NoError(t, err)
	t.Cleanup(func() { plain.Close() })
	require.Empty(t, plain.Capabilities().Algorithms)

	config.Mechanisms = vendorNumbers
	token, err := Open(background, config)
	require.NoError(t, err)
	t.Cleanup(func() { token.Close() })
	all := []Algorithm{MLDSA44, MLDSA65, MLDSA87, MLKEM512, MLKEM768, MLKEM1024}
	require.Subset(t, all, token.Capabilities().Algorithms)
	require.Contains(t, token.Capabilities().Generate, MLDSA44)

	info := generate(t, token, MLDSA44)
	signer, err := token.Signer(background, info.Key())
	require.NoError(t, err)
	signature, err := signer.SignMessage(nil, []byte("message"), nil)
	require.NoError(t, err)
	require.NoError(t, mldsa.Verify(signer.Public().(*mldsa.PublicKey), []byte("message"), signature, nil))
	_, err = plain.Signer(background, KeyByID(info.ID))
	require.ErrorIs(t, err, ErrKeyType)

	d, err := token.Decapsulator(background, generate(t, token, MLKEM768).Key())
	require.NoError(t, err)
	want, ciphertext := d.Encapsulator().Encapsulate()
	got, err := d.Decapsulate(ciphertext)
	require.NoError(t, err)
	require.Equal(t, want, got)
}
