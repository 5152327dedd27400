package mcpconn

import (
	"crypto/tls"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
)

// helloBytes returns what our client sends first.
func helloBytes(t testing.TB) []byte {
	client, _ := mutual(t, "ECDSA")
	x, y := newPipe()
	c, err := Client(x, client)
	require.NoError(t, err)
	go c.HandshakeContext(t.Context())
	b := make([]byte, 4096)
	n, err := y.Read(b)
	require.NoError(t, err)
	y.Close()
	return b[:n]
}

// TestHelloInPieces: pieces and records of any size make the same hello.
func TestHelloInPieces(t *testing.T) {
	whole := helloBytes(t)
	r := helloReader{}
	r.feed(whole)
	want := r.parseClientHello()
	require.NotNil(t, want)
	assert.Equal(t, serverName, want.serverName)
	for _, size := range []int{1, 2, 5, 7, 1000} {
		r := helloReader{}
		for b := whole; len(b) > 0; {
			n := min(size, len(b))
			r.feed(b[:n])
			b = b[n:]
		}
		require.Equal(t, want, r.parseClientHello())

		r = helloReader{} // as records of that size
		for b := whole[recordHeader:]; len(b) > 0; {
			n := min(size, len(b))
			r.feed(append([]byte{22, 3, 1, byte(n >> 8), byte(n)}, b[:n]...))
			b = b[n:]
		}
		got := r.parseClientHello()
		require.NotNil(t, got)
		got.size = want.size
		require.Equal(t, want, got)
	}
	for i := range len(whole) - 1 {
		r := helloReader{}
		r.feed(whole[:i])
		require.Nil(t, r.parseClientHello(), "%d bytes", i)
	}
}

// FuzzHello: no bytes panic, and what is kept is bounded.
func FuzzHello(f *testing.F) {
	f.Add(helloBytes(f), uint8(7))
	f.Add([]byte{22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		r := helloReader{}
		for len(b) > 0 {
			n := min(int(step)+1, len(b))
			r.feed(b[:n])
			b = b[n:]
		}
		if cap(r.message) > 2*maxHello {
			t.Fatal("too much kept")
		}
		if h := r.parseClientHello(); h != nil {
			h.offer()
		}
		r.parseServerHello()
	})
}

// TestWhatCryptoTLSDecides pins what the package's documentation says of the hello: when one of these fails
// with a new version of Go, the documentation is to change, and something may be gained.
func TestWhatCryptoTLSDecides(t *testing.T) {
	var r helloReader
	r.feed(helloBytes(t))
	offer := r.parseClientHello().offer()
	assert.Equal(t, []string{"TLS 1.3"}, offer.Versions)
	assert.Equal(t, []string{"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"}, offer.Groups, "golang/go issue 69393")
	assert.Equal(t, []string{"X25519MLKEM768"}, offer.Shares)
	assert.Equal(t, hasMLDSA, slices.Contains(offer.Signatures, "ML-DSA-44"), "golang/go issue 81199")
	extensions, ok := r.extensions(typeClientHello)
	require.True(t, ok)
	const extCertificateSignatures = 50
	found := false
	for !extensions.Empty() {
		var kind, scheme uint16
		var body, list cryptobyte.String
		require.True(t, extensions.ReadUint16(&kind) && extensions.ReadUint16LengthPrefixed(&body))
		assert.False(t, isGREASE(kind), "golang/go issue 75241")
		if kind != extCertificateSignatures {
			continue
		}
		found = true
		require.True(t, body.ReadUint16LengthPrefixed(&list))
		for list.ReadUint16(&scheme) {
			assert.False(t, mldsaSignatures[signatureName(tls.SignatureScheme(scheme))], "golang/go issue 82536")
		}
	}
	assert.True(t, found)
	for _, name := range slices.Concat(offer.Versions, offer.Groups, offer.Shares, offer.Signatures) {
		assert.NotEqual(t, "GREASE", name, "golang/go issue 75241")
	}
	assert.True(t, isGREASE(0x0a0a) && isGREASE(0xfafa) && !isGREASE(0x0a1a) && !isGREASE(0x11ec))
}
